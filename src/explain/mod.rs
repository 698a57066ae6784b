//! Why one check or dashboard stands as it does, and what was said of it: a story from a state, the plan and the ledger. Asks nobody,
//! chooses no words (`cli::explain` does), and changes nothing.

mod concern;

use crate::core::apart::{Apart, apart};
use crate::core::judge::{CycleView, Judged};
use crate::core::plan::{Id, Plan};
use crate::core::roster::{Ix, Roster};
use crate::core::state::{About, Entry, Grounds, Phase, PostId, Reason, State};
use crate::core::time::Instant;
use chrono::TimeDelta;
use concern::Concern;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most lines of the ledger that a story tells, the newest of them.
const LINES: usize = 60;
/// The most of what a dashboard waits for that is named.
const OUTSTANDING: usize = 8;
/// How far back a story goes without a state that says when it began; and at the most.
const BACK: TimeDelta = TimeDelta::hours(36);
const BACK_AT_MOST: TimeDelta = TimeDelta::days(14);

/// What a story is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Check(Id),
    Dashboard(Id),
}

impl Subject {
    /// What has this name: a dashboard before a check.
    pub fn named(name: &str, roster: &Roster, plan: &Plan) -> Option<Self> {
        let id = Id::from(name);
        let check = || roster.place(&id).is_some().then(|| Self::Check(id.clone()));
        if plan.dashboards.contains_key(&id) { Some(Self::Dashboard(id)) } else { check() }
    }

    pub fn id(&self) -> &Id {
        match self {
            Self::Check(id) | Self::Dashboard(id) => id,
        }
    }
}

/// Borrows from the state and the ledger that it was made of.
#[derive(Debug)]
pub struct Story<'a> {
    pub subject: Subject,
    pub at: Instant,
    /// The open cycles in which it stands, as they were judged; `None`: how it stood then is not known.
    pub cycles: Option<Vec<InCycle<'a>>>,
    /// A check that no dashboard needs.
    pub apart: Option<Apart>,
    /// In order of time.
    pub lines: Vec<Line<'a>>,
    /// Older lines that are not told.
    pub left_out: usize,
    /// Plans other than the loaded one under which these lines were written.
    pub other_plans: BTreeSet<Arc<str>>,
}

#[derive(Debug)]
pub struct InCycle<'a> {
    pub view: &'a CycleView,
    /// Of a check: how it stands in this cycle.
    pub judged: Option<(Ix, &'a Judged)>,
    /// Of a dashboard: what it waits for, the worst first; and how many more there are.
    pub outstanding: Vec<(Ix, &'a Judged)>,
    pub more: usize,
}

#[derive(Debug)]
pub struct Line<'a> {
    pub entry: &'a Entry,
    /// When what it says was delivered.
    pub delivered_at: Option<Instant>,
}

/// From when on the ledger is to be read for a story at `at`.
pub fn begins(state: Option<&State>, roster: &Roster, subject: &Subject, at: Instant) -> Instant {
    let Some(state) = state else { return at - BACK };
    let opened = in_cycles(state, subject).into_iter().map(|cycle| cycle.view.cycle.opens_at);
    let concern = Concern::new(subject, roster);
    let open = state.incidents.values().filter(|incident| !matches!(incident.phase, Phase::Resolved { .. }));
    let incidents = open.filter(|incident| concern.is_held_up_by(incident)).map(|incident| incident.opened_at);
    opened.chain(incidents).chain([at - TimeDelta::hours(12)]).min().unwrap_or(at).max(at - BACK_AT_MOST)
}

/// `state`: as it was judged at `at`, where that is known. `roster`: who needs whom. `entries`: the ledger since [`begins`], in order;
/// what lies after `at` is not told.
pub fn story<'a>(
    state: Option<&'a State>,
    roster: &Roster,
    plan: &Plan,
    entries: &'a [Entry],
    subject: &Subject,
    at: Instant,
) -> Story<'a> {
    let mut concern = Concern::new(subject, roster);
    if let Some(state) = state {
        concern.know(state);
    }
    let lines: Vec<&Entry> = entries.iter().filter(|entry| entry.at <= at && concern.has(entry)).collect();
    let other_plans = lines.iter().map(|entry| &entry.fingerprint).filter(|of| **of != plan.fingerprint).cloned().collect();
    let mut lines = with_deliveries(lines);
    let left_out = lines.len().saturating_sub(LINES);
    lines.drain(..left_out);
    let place = |state: &State| match subject {
        Subject::Check(id) => state.roster.place(id),
        Subject::Dashboard(_) => None,
    };
    Story {
        subject: subject.clone(),
        at,
        cycles: state.map(|state| in_cycles(state, subject)),
        apart: state.and_then(|state| {
            let ix = place(state)?;
            apart(state, plan, at).into_iter().find(|apart| apart.ix == ix)
        }),
        lines,
        left_out,
        other_plans,
    }
}

fn in_cycles<'a>(state: &'a State, subject: &Subject) -> Vec<InCycle<'a>> {
    match subject {
        Subject::Check(id) => {
            let Some(ix) = state.roster.place(id) else { return Vec::new() };
            let views = state.view.cycles.values();
            let of = |view: &'a CycleView| {
                let judged = Some((ix, view.of(ix)?));
                Some(InCycle { view, judged, outstanding: Vec::new(), more: 0 })
            };
            views.filter_map(of).collect()
        }
        Subject::Dashboard(id) => state.view.cycles.get(id).map(outstanding).into_iter().collect(),
    }
}

fn outstanding(view: &CycleView) -> InCycle<'_> {
    let waits = |judged: &Judged| judged.live && judged.verdict > crate::core::state::Verdict::Ready;
    let all = view.checks.iter().map(|(ix, judged)| (*ix, judged));
    let mut outstanding: Vec<(Ix, &Judged)> = all.filter(|(_, judged)| waits(judged)).collect();
    outstanding.sort_by_key(|(ix, judged)| (std::cmp::Reverse(judged.verdict), judged.since, *ix));
    let more = outstanding.len().saturating_sub(OUTSTANDING);
    outstanding.truncate(OUTSTANDING);
    InCycle { view, judged: None, outstanding, more }
}

/// That a message was delivered is told with the decision to say it.
fn with_deliveries(entries: Vec<&Entry>) -> Vec<Line<'_>> {
    let said = |entry: &Entry| match entry.evidence.as_deref() {
        Some(Grounds::Trouble(trouble)) => trouble.post,
        _ => None,
    };
    let posts: BTreeSet<PostId> = entries.iter().filter_map(|entry| said(entry)).collect();
    let delivered = |entry: &Entry| match entry.about {
        About::Post(id) if entry.reason == Reason::Delivered && posts.contains(&id) => Some(id),
        _ => None,
    };
    let at: BTreeMap<PostId, Instant> = entries.iter().filter_map(|entry| Some((delivered(entry)?, entry.at))).collect();
    let line = |entry| Line { entry, delivered_at: said(entry).and_then(|post| at.get(&post).copied()) };
    entries.into_iter().filter(|entry| delivered(entry).is_none()).map(line).collect()
}
