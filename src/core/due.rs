//! The second door: what is to be done now. Derived, never stored: a lost wake-up or an extra tick changes nothing.

use super::incident::SAMPLE;
use super::judge::CycleView;
use super::observation::Ask;
use super::plan::{Id, Plan, Source, SourceKind};
use super::posts;
use super::proof;
use super::standing::{self, DARK_AFTER, DARK_TRIES};
use super::state::{Attempt, Cause, Post, PostId, Seen, SourceState, State, Verdict};
use super::time::{Instant, local_date};
use chrono::{NaiveDate, TimeDelta};
use std::collections::{BTreeMap, BTreeSet};

/// What the shell is to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Due {
    /// Questions whose time has come. The shell leaves out those to a source that it is asking already.
    pub asks: Vec<Ask>,
    /// Posts to claim (`Input::Claim`) and then send.
    pub posts: Vec<PostId>,
    /// The outward proof of life is due, and may be given: nothing is unanswered, unjudged or undelivered (`proof`).
    pub beat: bool,
    /// The next instant at which something is due or a judgement may change by time alone.
    pub wake_at: Option<Instant>,
}

/// How often a source's listing is asked for.
pub(super) const LIST_EVERY: TimeDelta = TimeDelta::minutes(10);
/// Runs are asked for since the earliest open window, but never further back than this …
const SINCE_AT_MOST: TimeDelta = TimeDelta::days(35);
/// … and with so much to spare.
const SINCE_SPARE: TimeDelta = TimeDelta::hours(1);
/// Until it is sure that a source is dark it is asked so often.
const ASK_AGAIN: TimeDelta = TimeDelta::minutes(2);

/// What is due at `at`.
pub fn due(state: &State, plan: &Plan, at: Instant) -> Due {
    let mut due = Due { posts: posts::sendable(&state.posts, at), ..Due::default() };
    let mut wake = Wake { at, next: None };
    for (id, setup) in &plan.sources {
        ask(state, plan, id, setup, &mut due.asks, &mut wake);
        let seen_until = state.sources.get(id).and_then(|source| standing::unseen_holds_until(source, setup.every, at));
        seen_until.into_iter().for_each(|until| wake.by(until));
    }
    failures(state, &mut due.asks);
    for post in state.posts.values().filter(|post| post.attempt == Attempt::Idle) {
        wake.by(post.next_try_at);
        wake.by(post.not_after);
    }
    for view in state.view.cycles.values() {
        view.holds_until.into_iter().for_each(|until| wake.by(until));
    }
    if let Some(beat_at) = proof::beat_at(state, plan, at) {
        due.beat = beat_at <= at && proof::lapses(state, plan, at).is_empty();
        wake.by(beat_at);
        // A message that reached nobody is in its way no longer once nobody needs it.
        let undelivered = |post: &&Post| matches!(post.attempt, Attempt::Refused { .. } | Attempt::Ambiguous { .. });
        state.posts.values().filter(undelivered).for_each(|post| wake.by(post.not_after));
    }
    [state.view.outside_from, state.view.decide_at].into_iter().flatten().for_each(|until| wake.by(until));
    due.wake_at = wake.next;
    due
}

struct Wake {
    at: Instant,
    next: Option<Instant>,
}

impl Wake {
    fn by(&mut self, until: Instant) {
        if until > self.at {
            self.next = Some(self.next.map_or(until, |next| next.min(until)));
        }
    }
}

fn ask(state: &State, plan: &Plan, id: &Id, setup: &Source, asks: &mut Vec<Ask>, wake: &mut Wake) {
    let at = wake.at;
    let blank = SourceState::default();
    let source = state.sources.get(id).unwrap_or(&blank);
    // A clock that was set back must not silence a source: an instant in the future counts as never.
    let next = |asked: Option<Instant>, every: TimeDelta| asked.filter(|asked| *asked <= at).map_or(at, |asked| asked + every);
    // The first listing says what to sweep. It is waited for once only: where listing fails again and again the sweep has to tell
    // whether the source answers at all.
    let listing = setup.kind.lists() && source.list_asked_at.is_none() && source.dark.is_none();
    if setup.kind.lists() {
        // The first listing is wanted as often as a sweep: without it nobody knows what to sweep.
        let every = if source.listed_at.is_some() { LIST_EVERY } else { setup.every.min(LIST_EVERY) };
        let list_at = next(source.list_asked_at, every);
        if list_at <= at {
            asks.push(Ask::List { source: id.clone() });
        } else {
            wake.by(list_at);
        }
    }
    // A source whose groups have no members yet is asked about nothing: that still tells whether it answers.
    if listing || !state.roster.is_asked(id, setup.kind) {
        return;
    }
    let sweep_at = sweep_at((state, plan), id, setup, source, at);
    if sweep_at <= at {
        let subjects = state.roster.asked(id).map(|asked| asked.subjects.clone()).unwrap_or_default();
        let since = since(state, plan, id, at);
        asks.push(Ask::Sweep { source: id.clone(), subjects, dates: dates(state, plan, id, at), since });
    } else {
        wake.by(sweep_at);
    }
}

/// A source is asked in its rhythm, at once for a check that was never asked for, and at each deadline that waits for it and the last
/// moment for a word before.
fn sweep_at((state, plan): (&State, &Plan), id: &Id, setup: &Source, source: &SourceState, at: Instant) -> Instant {
    let Some(asked) = source.asked_at.filter(|asked| *asked <= at) else { return at };
    // Looked at last: it goes through all checks.
    let unasked = || state.roster.subjects(id).flat_map(|(_, ixs)| ixs).any(|ix| state.checks[*ix].seen.is_none());
    if source.dark.is_none()
        && source.swept_at.is_none_or(|swept| source.listed_at.is_some_and(|listed| listed > swept))
        && unasked()
    {
        return at;
    }
    // A new cycle has a date of its own that was not asked for yet.
    let reopened = || state.view.cycles.values().any(|view| view.cycle.opens_at > asked && view.cycle.opens_at <= at);
    if setup.kind == SourceKind::File && reopened() {
        return at;
    }
    let waits = |view: &&CycleView| view.verdict > Verdict::Ready;
    let last_word = |view: &CycleView| {
        let at_latest = plan.dashboards.get(&view.cycle.key.dashboard).map_or(TimeDelta::zero(), |dashboard| dashboard.at_latest);
        view.cycle.deadline - at_latest
    };
    let deadlines =
        state.view.cycles.values().filter(waits).flat_map(|view| [last_word(view), view.cycle.deadline, view.cycle.closes_at]);
    // Of one that is asked seldom a single lost answer would make a dark one.
    let unsure = source.dark.as_ref().is_some_and(|dark| dark.tries < DARK_TRIES) && setup.every > DARK_AFTER;
    let rhythm = asked + if unsure { ASK_AGAIN } else { setup.every };
    deadlines.filter(|deadline| *deadline > asked).fold(rhythm, Instant::min)
}

/// For subjects with `{date:…}`: the dates of the open cycles that wait for them, or today's for what no dashboard needs.
fn dates(state: &State, plan: &Plan, id: &Id, at: Instant) -> BTreeMap<Id, BTreeSet<NaiveDate>> {
    let mut dates: BTreeMap<Id, BTreeSet<NaiveDate>> = BTreeMap::new();
    for ix in state.roster.asked(id).into_iter().flat_map(|asked| &asked.dated) {
        let known = &state.roster.checks[*ix];
        let Some(shift) = &known.check.dated else { continue };
        let cycles = known.dashboards.iter().filter_map(|id| state.view.cycles.get(id));
        let mut business: Vec<NaiveDate> = cycles.map(|view| view.cycle.key.date).collect();
        if business.is_empty() {
            business.push(local_date(at, plan.timezone));
        }
        let wanted = business.into_iter().filter_map(|date| shift.from(date, &plan.calendars));
        dates.entry(known.check.subject.clone()).or_default().extend(wanted);
    }
    dates
}

fn since(state: &State, plan: &Plan, id: &Id, at: Instant) -> Instant {
    let mut since = at - TimeDelta::days(1);
    let Some(asked) = state.roster.asked(id) else { return since - SINCE_SPARE };
    for known in asked.windows.iter().map(|ix| &state.roster.checks[*ix]) {
        let windows = known.dashboards.iter().filter_map(|id| state.view.cycles.get(id));
        since = windows.map(|view| view.cycle.window_opens(&known.check, plan)).fold(since, Instant::min);
    }
    // What is told of outside any cycle stays in sight until it is over.
    for ix in state.view.outside.keys().filter(|ix| state.roster.checks[**ix].check.source == *id) {
        if let Some(Seen::Runs(runs)) = &state.checks[*ix].seen {
            since = runs.iter().map(|run| run.scheduled_at).fold(since, Instant::min);
        }
    }
    since = asked.max_age.map_or(since, |max_age| since.min(at - max_age));
    (since - SINCE_SPARE).max(at - SINCE_AT_MOST)
}

/// The reasons of failures that are about to be named, or are needed to see whether many are one.
fn failures(state: &State, asks: &mut Vec<Ask>) {
    let open = state
        .incidents
        .values()
        .filter(|incident| matches!(incident.phase, super::state::Phase::Open) && incident.verdict == Verdict::Failed);
    for incident in open {
        let Cause::Check(cause) = &incident.cause else { continue };
        for id in [cause].into_iter().chain(incident.alike.iter().take(SAMPLE)) {
            let Some(ix) = state.roster.place(id) else { continue };
            let run = state.view.failed_run(ix).map(str::to_owned);
            let Some(run) = run else { continue };
            if state.checks[ix].failures.iter().all(|(known, _)| *known != run) {
                let check = &state.roster.checks[ix].check;
                let ask = Ask::Failure { source: check.source.clone(), subject: check.subject.clone(), run };
                if !asks.contains(&ask) {
                    asks.push(ask);
                }
            }
        }
    }
}
