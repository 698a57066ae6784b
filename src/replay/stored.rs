//! What the agent's own store recorded, read as it was written, as far back as `retention` lets it stay. Reads only, also while an
//! agent runs, and never more than a page at once.

use super::history::HistoryError;
use crate::core::observation::Member;
use crate::core::plan::{Id, Plan};
use crate::core::state::{News, Observed, Row};
use crate::core::time::Instant;
use crate::store::{Lines, Store};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Lines of the store on their way, with the listings whose own lines are older than all that is kept.
pub struct StoredHistory {
    lines: Lines<Observed>,
    span: Option<(Instant, Instant)>,
    /// When a source was last asked and answered: what happened later is not known.
    seen_until: Option<Instant>,
    /// What each source listed last.
    members: BTreeMap<Id, BTreeMap<Id, Member>>,
    /// What has been listed so far.
    listed: BTreeMap<Id, BTreeSet<Id>>,
}

impl StoredHistory {
    pub(super) async fn open(path: &Path, plan: &Plan) -> Result<Self, HistoryError> {
        let Some(rows) = Store::peek(path).await? else {
            return Err(HistoryError::NoStore { path: path.to_owned() });
        };
        let swept_at = |row: &Row| match row {
            Row::Source(_, source) => source.swept_at,
            _ => None,
        };
        let seen_until = rows.iter().filter_map(swept_at).max();
        let members = rows.into_iter().filter_map(|row| match row {
            Row::Members(source, members) => {
                Some((source, members.iter().map(|member| (member.subject.clone(), timeless(member.clone()))).collect()))
            }
            _ => None,
        });
        let members = members.collect();
        let span = Store::history_span(path).await?;
        let span = span.map(|(first, last)| (first.max(last - plan.retention), last));
        // The second instant is the first that is not wanted.
        let (from, to) =
            span.map_or((Instant::UNIX_EPOCH, Instant::UNIX_EPOCH), |(from, to)| (from, to + TimeDelta::microseconds(1)));
        Ok(Self { lines: Store::history(path, from, to), span, seen_until, members, listed: BTreeMap::new() })
    }

    pub(super) async fn next_page(&mut self) -> Result<Option<Vec<Observed>>, HistoryError> {
        let Some(lines) = self.lines.page().await? else { return Ok(None) };
        let mut page = Vec::with_capacity(lines.len());
        for observed in lines {
            let unlisted = self.unlisted(&observed.news);
            page.extend(unlisted.map(|news| Observed { at: observed.at, news }));
            page.push(observed);
        }
        Ok(Some(page))
    }

    pub(super) fn span(&self) -> Option<(Instant, Instant)> {
        self.span
    }

    pub(super) fn ends_at(&self) -> Option<Instant> {
        self.seen_until.max(self.span.map(|(_, last)| last))
    }

    /// The listing that must have been there before this was seen, where its own line is not kept any more.
    fn unlisted(&mut self, news: &News) -> Option<News> {
        match news {
            News::Listing { source, changed, gone } => {
                let listed = self.listed.entry(source.clone()).or_default();
                listed.extend(changed.iter().map(|member| member.subject.clone()));
                listed.retain(|subject| !gone.contains(subject));
                None
            }
            News::Subject { source, subject, fact: Some(_) } => {
                let member = self.members.get(source)?.get(subject)?;
                let new = self.listed.entry(source.clone()).or_default().insert(subject.clone());
                new.then(|| News::Listing { source: source.clone(), changed: vec![member.clone()], gone: Vec::new() })
            }
            _ => None,
        }
    }
}

/// What it is, without how it stood last.
pub(super) fn timeless(member: Member) -> Member {
    Member { paused: false, import_error: false, next_run_at: None, ..member }
}
