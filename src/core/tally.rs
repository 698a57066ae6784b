//! What a span of the ledger comes to: deadlines, persons asked, silence. Reads entries one after the other, in order of time, and
//! keeps no more of them than sums, the cycles of the last days and one number for each miss that was told. Words nothing.
//!
//! `report`, the weekly digest and a replay's last line all count here, so that they cannot differ.

mod counts;
mod days;
mod given;
mod hours;

pub use counts::{Counts, Deadlines, Digests, Summary, Words};
pub use days::{DAYS_KEPT, Days, Week};

use self::given::{Askings, Fate, Given};
use self::hours::Hours;
use super::absence::away_since;
use super::plan::{Id, Plan};
use super::state::{
    About, Attention, Cause, CycleKey, CycleState, Decision, Entry, Grounds, IncidentId, Reason, Sending, State, Topic, Trouble,
};
use super::time::Instant;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A closed cycle may be closed anew for so long (a clock that was set back): then that counts.
const SETTLES: TimeDelta = TimeDelta::days(3);
/// So many incidents may grow, deepen and merge at once; of older ones what was counted stands.
const INCIDENTS_KNOWN: usize = 256;
/// So many causes have sums of their own; what more there are is in the sum of all.
const CAUSES_KNOWN: usize = 512;
const HOUR: TimeDelta = TimeDelta::hours(1);

/// From the first instant until before the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub from: Instant,
    pub to: Instant,
}

impl Span {
    pub fn holds(self, at: Instant) -> bool {
        self.from <= at && at < self.to
    }

    /// Of whole local days each is one, also those on which the clocks change; a part of a day is one too.
    pub fn nights(self) -> usize {
        let half_a_day = TimeDelta::hours(12);
        let days = usize::try_from((self.to - self.from + half_a_day).num_days()).unwrap_or(0);
        days.max(usize::from(self.from < self.to))
    }

    fn until(self, until: Instant) -> Self {
        Self { to: self.to.min(until).max(self.from), ..self }
    }

    /// How much of `from..to` lies in it.
    fn share_of(self, from: Instant, to: Instant) -> TimeDelta {
        (to.min(self.to) - from.max(self.from)).max(TimeDelta::zero())
    }
}

/// An incident that opened in the span and has not healed, and what it was counted for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Counted {
    cause: Cause,
    alerts: usize,
}

/// Counts one span. Entries of before the span help (what was dark when it began), and those of after it (how its cycles ended, and
/// what its incidents proved to be).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    span: Span,
    /// Of cycles that have settled.
    #[serde(skip)]
    dashboards: BTreeMap<Id, Deadlines>,
    /// Not settled yet.
    #[serde(with = "super::pairs")]
    cycles: BTreeMap<CycleKey, CycleState>,
    /// When those that had settled were counted last.
    #[serde(skip)]
    settled_at: Instant,
    words: Words,
    #[serde(with = "super::pairs")]
    causes: BTreeMap<Cause, Words>,
    incidents: BTreeMap<IncidentId, Counted>,
    messages: usize,
    digests: Given,
    askings: Askings,
    /// Of darknesses that are over.
    blind_ms: BTreeMap<Id, i64>,
    #[serde(skip)]
    dark_since: BTreeMap<Id, Instant>,
    hours: Hours,
    /// The watch is away, as far as the state tells.
    #[serde(skip)]
    away_since: Option<Instant>,
}

impl Tally {
    pub fn new(span: Span) -> Self {
        Self {
            span,
            dashboards: BTreeMap::new(),
            cycles: BTreeMap::new(),
            settled_at: Instant::UNIX_EPOCH,
            words: Words::default(),
            causes: BTreeMap::new(),
            incidents: BTreeMap::new(),
            messages: 0,
            digests: Given::default(),
            askings: Askings::default(),
            blind_ms: BTreeMap::new(),
            dark_since: BTreeMap::new(),
            hours: Hours::default(),
            away_since: None,
        }
    }

    pub fn take(&mut self, entry: &Entry) {
        match (&entry.about, entry.evidence.as_deref()) {
            (About::Source(id), Some(Grounds::Dark(dark))) if entry.reason == Reason::SourceDark => {
                self.dark_since.insert(id.clone(), dark.since);
            }
            (About::Source(id), Some(Grounds::Dark(_))) => drop(self.dark_since.remove(id)),
            _ => {}
        }
        self.count(entry);
        if matches!(entry.about, About::Cycle(_)) {
            self.settle(entry.at);
        }
    }

    /// Counts what the entry says of this span; false: nothing that was not counted already. What is dark, the state knows.
    fn count(&mut self, entry: &Entry) -> bool {
        let within = self.span.holds(entry.at);
        match (&entry.about, entry.evidence.as_deref()) {
            (About::Cycle(key), Some(Grounds::Cycle { result, .. })) => self.learn(key, result),
            (About::Source(id), Some(Grounds::Dark(dark))) if entry.reason != Reason::SourceDark => {
                let share_ms = self.span.share_of(dark.since, entry.at).num_milliseconds();
                if share_ms > 0 {
                    *self.blind_ms.entry(id.clone()).or_default() += share_ms;
                }
                share_ms > 0
            }
            (About::Incident(id), Some(Grounds::Trouble(trouble))) => self.incident(*id, trouble, entry, within),
            (About::Post(_), Some(Grounds::Sending(sending))) if within => self.sending(sending, entry),
            (About::Digest { digest, date }, _) if within => match (&entry.decision, &entry.reason) {
                // Whether it reaches anybody is not decided here.
                (Decision::Say(_), _) => false,
                (_, Reason::DigestMissed) => self.digests.take(digest, *date, Fate::Missed),
                _ => self.digests.take(digest, *date, Fate::Silent),
            },
            (About::Watch, Some(Grounds::Away { since })) => self.hours.away(self.span, *since, entry.at),
            _ => false,
        }
    }

    /// What the state knows and the ledger does not say yet: cycles that are open, sources that are dark, a watch that is away.
    pub fn look(&mut self, state: &State, plan: &Plan, now: Instant) {
        self.away_since = away_since(state, plan, now);
        for (key, cycle) in state.cycles.iter().filter(|(_, cycle)| cycle.closed_at.is_none()) {
            self.learn(key, cycle);
        }
        for (id, source) in &state.sources {
            match &source.dark {
                Some(dark) => drop(self.dark_since.insert(id.clone(), dark.since)),
                None => drop(self.dark_since.remove(id)),
            }
        }
    }

    /// The result of each cycle is what was learned of it last. Was it another?
    fn learn(&mut self, key: &CycleKey, result: &CycleState) -> bool {
        if !result.audience || !self.span.holds(result.deadline) {
            return self.cycles.remove(key).is_some();
        }
        self.cycles.insert(key.clone(), result.clone()).is_none_or(|had| had != *result)
    }

    fn settle(&mut self, at: Instant) {
        if at - self.settled_at < HOUR {
            return;
        }
        self.settled_at = at;
        let settled = |_: &CycleKey, cycle: &mut CycleState| cycle.closed_at.is_some_and(|closed| closed + SETTLES < at);
        let settled: Vec<_> = self.cycles.extract_if(.., settled).collect();
        for (key, cycle) in settled {
            self.dashboards.entry(key.dashboard).or_default().count(&cycle, at);
        }
    }

    fn incident(&mut self, id: IncidentId, trouble: &Trouble, entry: &Entry, within: bool) -> bool {
        let opens = within && entry.reason == Reason::Opened;
        if opens {
            self.incidents.insert(id, Counted { cause: trouble.cause.clone(), alerts: 0 });
            self.cause(&trouble.cause, |words| words.incidents += 1);
            while self.incidents.len() > INCIDENTS_KNOWN {
                self.incidents.pop_first();
            }
        }
        let grows = self.grow(id, trouble, entry.reason == Reason::Merged);
        // Nobody was told in any chat. It is over: nothing more will be counted of it.
        let healed = entry.reason == Reason::HealedUntold && entry.chat.is_none() && !trouble.expected;
        let heals = healed && self.incidents.remove(&id).is_some();
        if heals {
            self.cause(&trouble.cause, |words| words.healed += 1);
        }
        opens || grows || heals
    }

    /// What is known of the incident is more than what it was counted for: it is counted anew, under what is its cause now, or not at all.
    fn grow(&mut self, id: IncidentId, trouble: &Trouble, merged: bool) -> bool {
        let Some(known) = self.incidents.get(&id) else { return false };
        let alerts = known.alerts.max(trouble.waited);
        if !merged && alerts == known.alerts && trouble.cause == known.cause {
            return false;
        }
        let (was, had) = (known.cause.clone(), known.alerts);
        self.cause(&was, |words| {
            words.incidents = words.incidents.saturating_sub(1);
            words.alerts = words.alerts.saturating_sub(had);
        });
        if merged {
            self.incidents.remove(&id);
        } else {
            self.cause(&trouble.cause, |words| {
                words.incidents += 1;
                words.alerts += alerts;
            });
            self.incidents.insert(id, Counted { cause: trouble.cause.clone(), alerts });
        }
        true
    }

    /// Counts for the cause, and for all.
    fn cause(&mut self, cause: &Cause, count: impl Fn(&mut Words)) {
        count(&mut self.words);
        if self.causes.len() < CAUSES_KNOWN || self.causes.contains_key(cause) {
            count(self.causes.entry(cause.clone()).or_default());
        }
    }

    fn sending(&mut self, sending: &Sending, entry: &Entry) -> bool {
        let fate = Fate::of(sending, &entry.reason);
        let given = match (&sending.topic, fate) {
            (Topic::Digest { digest, date }, Some(fate)) => self.digests.take(digest, *date, fate),
            _ => false,
        };
        let delivered = entry.reason == Reason::Delivered;
        if delivered {
            self.delivered(sending, entry.at);
        }
        given || delivered
    }

    fn delivered(&mut self, sending: &Sending, at: Instant) {
        self.messages += 1;
        self.hours.delivered(self.span, at);
        let (Topic::Incident(id), Some(cause)) = (&sending.topic, &sending.cause) else { return };
        let asks = sending.attention >= Attention::Notify;
        let (asked, woken) = if asks { self.askings.take(*id, sending.said_at, sending.quiet) } else { (false, false) };
        self.cause(cause, |words| {
            words.messages += 1;
            words.asked += usize::from(asked);
            words.wakeups += usize::from(woken);
        });
    }

    /// What it comes to. `now`: what lies after it is not counted, whatever the span; a cycle that is open counts once its deadline
    /// has passed, with what is known of it.
    pub fn counts(&self, now: Instant) -> Counts {
        let span = self.span.until(now);
        let mut dashboards = self.dashboards.clone();
        for (key, cycle) in self.cycles.iter().filter(|(_, cycle)| cycle.deadline <= now) {
            dashboards.entry(key.dashboard.clone()).or_default().count(cycle, now);
        }
        dashboards.retain(|_, deadlines| deadlines.due() + deadlines.pending > 0);
        let mut deadlines = Deadlines::default();
        dashboards.values().for_each(|of_one| deadlines.add(of_one));
        let mut blind: BTreeMap<Id, TimeDelta> =
            self.blind_ms.iter().map(|(id, ms)| (id.clone(), TimeDelta::milliseconds(*ms))).collect();
        for (id, since) in &self.dark_since {
            *blind.entry(id.clone()).or_default() += span.share_of(*since, span.to);
        }
        blind.retain(|_, blind| *blind > TimeDelta::zero());
        let causes: BTreeMap<Cause, Words> =
            self.causes.iter().filter(|(_, words)| !words.is_nothing()).map(|(cause, words)| (cause.clone(), *words)).collect();
        let mut hours = self.hours.clone();
        if let Some(since) = self.away_since {
            hours.away(span, since, span.to);
        }
        let whole = (span.to - span.from).num_hours();
        let (loud, unwatched) = hours.sums(whole);
        Counts {
            nights: self.span.nights(),
            deadlines,
            dashboards,
            words: self.words,
            causes,
            messages: self.messages,
            digests: self.digests.sums,
            blind,
            hours: whole - unwatched,
            quiet_hours: whole - unwatched - loud,
            unwatched_hours: unwatched,
        }
    }
}
