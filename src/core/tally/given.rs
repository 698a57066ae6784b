//! What became of digests, and which asking of a person was counted: each once, however many chats it goes to. Keeps the last of them.

use super::Digests;
use crate::core::plan::Id;
use crate::core::state::{Attempt, IncidentId, Reason, Sending};
use crate::core::time::Instant;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// So many digests, and so many askings, may be on their way into chats at once.
const KNOWN: usize = 64;

/// What became of one digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fate {
    /// It reached a chat.
    Posted,
    Silent,
    /// It was too late, or reached no chat so far.
    Missed,
}

impl Fate {
    /// Of a digest's post; `None`: it is on its way, or nobody knows.
    pub(super) fn of(sending: &Sending, reason: &Reason) -> Option<Self> {
        match reason {
            Reason::Delivered => Some(Self::Posted),
            Reason::TooLate => Some(Self::Missed),
            Reason::Undelivered if !matches!(sending.attempt, Attempt::Ambiguous { .. }) => Some(Self::Missed),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Given {
    pub(super) sums: Digests,
    /// Newest last.
    last: Vec<(Id, NaiveDate, Fate)>,
}

impl Given {
    /// What reached one chat was posted, whatever becomes of it in the others. Is it another fate than before?
    pub(super) fn take(&mut self, digest: &Id, date: NaiveDate, fate: Fate) -> bool {
        let known = self.last.iter_mut().find(|(id, of, _)| id == digest && *of == date);
        let had = known.as_ref().map(|known| known.2);
        if had == Some(Fate::Posted) || had == Some(fate) {
            return false;
        }
        match known {
            Some(known) => known.2 = fate,
            None => push(&mut self.last, (digest.clone(), date, fate)),
        }
        if let Some(had) = had {
            *self.sum(had) -= 1;
        }
        *self.sum(fate) += 1;
        true
    }

    fn sum(&mut self, fate: Fate) -> &mut usize {
        match fate {
            Fate::Posted => &mut self.sums.posted,
            Fate::Silent => &mut self.sums.silent,
            Fate::Missed => &mut self.sums.missed,
        }
    }
}

/// The last askings: of which incident, decided when, and did it wake somebody?
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Askings(Vec<(IncidentId, Instant, bool)>);

impl Askings {
    /// Is it one more time that a person was asked, and one more that a person was woken?
    pub(super) fn take(&mut self, incident: IncidentId, said_at: Instant, quiet: bool) -> (bool, bool) {
        match self.0.iter_mut().find(|(id, at, _)| *id == incident && *at == said_at) {
            Some((_, _, woken)) => (false, quiet && !std::mem::replace(woken, *woken || quiet)),
            None => {
                push(&mut self.0, (incident, said_at, quiet));
                (true, quiet)
            }
        }
    }
}

fn push<T>(list: &mut Vec<T>, new: T) {
    if list.len() >= KNOWN {
        list.remove(0);
    }
    list.push(new);
}
