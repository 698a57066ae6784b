//! Taking in what was heard: answers become what is known of sources and checks. Judges nothing.

use super::clocks;
use super::observation::{
    Answer, Ask, Fact, Failure, Heard, Listing, Member, RUNS_PER_SUBJECT, Run, RunKind, RunState, Scheduler, Sweep, Unreachable,
    Why,
};
use super::outside;
use super::plan::Id;
use super::roster::Ix;
use super::state::{About, Dark, FAILURES_KEPT, Grounds, News, Reason, Seen, SourceState};
use super::time::Instant;
use super::tx::Tx;
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// What a forgetful source has told of a run is kept so long.
const REMEMBERED_FOR: TimeDelta = TimeDelta::days(3);

pub(super) fn hear(tx: &mut Tx<'_>, heard: Heard) {
    let Heard { ask, asked_at, answer } = heard;
    // An answer to a question from before a reload, about a source that is gone.
    if !tx.plan.sources.contains_key(ask.source()) {
        return;
    }
    match (ask, answer) {
        (Ask::Sweep { source, subjects, .. }, Answer::Sweep(sweep)) => swept(tx, &source, &subjects, asked_at, sweep),
        (Ask::Sweep { source, subjects, .. }, Answer::Part(sweep)) => {
            asked(tx, &source, asked_at);
            see_all(tx, &source, &subjects, asked_at, sweep);
        }
        (Ask::List { source }, Answer::Listing(members)) => listed(tx, &source, asked_at, members),
        (Ask::Failure { source, subject, run }, Answer::Failure(failure)) => failed(tx, &source, &subject, run, failure),
        // Without the reason the message goes out without it; it is not asked for again.
        (Ask::Failure { source, subject, run }, _) => failed(tx, &source, &subject, run, Failure::default()),
        (Ask::List { source }, answer) => {
            let why = told_why(answer);
            let state = tx.source_mut(&source);
            state.list_asked_at = Some(asked_at);
            let had = state.list_dark.take();
            let first = had.is_none();
            state.list_dark = Some(darker(had, asked_at, why.clone()));
            let never = state.listed_at.is_none();
            if first {
                tx.observe(asked_at, News::Unlisted { source, why });
            }
            // Without the first listing nobody knows what there is to ask for: a sweep of nothing would look as if all were well.
            if never {
                let plan = tx.plan;
                tx.state.view.dirty.extend(plan.dashboards.keys().cloned());
            }
        }
        (Ask::Sweep { source, .. }, answer) => {
            asked(tx, &source, asked_at);
            dark(tx, &source, asked_at, told_why(answer));
        }
    }
}

/// Of sweeps that overlap, the newest counts. (An instant in the future is from before the clock was set back.)
fn asked(tx: &mut Tx<'_>, source: &Id, asked_at: Instant) {
    let at = tx.at;
    let source = tx.source_mut(source);
    source.asked_at = Some(source.asked_at.filter(|asked| *asked <= at).map_or(asked_at, |asked| asked.max(asked_at)));
}

/// An adapter that answers another question than it was asked has not answered.
fn told_why(answer: Answer) -> Unreachable {
    match answer {
        Answer::Unreachable(why) => why,
        _ => Unreachable { why: Why::Malformed, detail: "the answer was not to the question".to_owned() },
    }
}

fn swept(tx: &mut Tx<'_>, id: &Id, subjects: &[Id], asked_at: Instant, sweep: Sweep) {
    // Without its listing, which is large.
    let known = tx.state.sources.get(id);
    let before = known.map(|known| SourceState { members: Listing::default(), ..known.clone() }).unwrap_or_default();
    // Two answers can cross on their way; the older one has nothing to say any more. (An instant in the future is from before the
    // clock was set back, and means nothing.)
    if before.swept_at.is_some_and(|swept| swept > asked_at && swept <= tx.at) {
        return;
    }
    let was_unseen = before.dark.is_some() || before.swept_at.is_none();
    let scheduler_dead_since = match sweep.scheduler {
        Scheduler::Dead { heartbeat } => before.scheduler_dead_since.or(heartbeat).or(Some(asked_at)),
        Scheduler::Healthy | Scheduler::NotSaid => None,
    };
    let clock = clocks::heard(before.clock, sweep.clock_ahead_s, asked_at);
    if clock != before.clock {
        tx.observe(asked_at, News::Clock { source: id.clone(), ahead_s: sweep.clock_ahead_s });
    }
    if scheduler_dead_since.is_some() != before.scheduler_dead_since.is_some() {
        tx.observe(asked_at, News::Scheduler { source: id.clone(), scheduler: sweep.scheduler.clone() });
    }
    asked(tx, id, asked_at);
    let source = tx.source_mut(id);
    source.clock = clock;
    source.swept_at = Some(asked_at);
    source.dark = None;
    source.scheduler = sweep.scheduler.clone();
    source.scheduler_dead_since = scheduler_dead_since;
    if let Some(dark) = before.dark.clone() {
        tx.note(About::Source(id.clone()), Reason::SourceBack, Grounds::Dark(dark));
        tx.observe(asked_at, News::Source { source: id.clone(), dark: None });
    }
    see_all(tx, id, subjects, asked_at, sweep);
    // Where the clock was set back, less is seen than before.
    let all_anew =
        was_unseen || before.swept_at > Some(asked_at) || before.scheduler_dead_since.is_some() != scheduler_dead_since.is_some();
    if all_anew {
        dirty_all(tx, id);
    }
    let judge_anew: Vec<Id> = tx
        .state
        .view
        .cycles
        .iter()
        .filter(|(_, view)| {
            all_anew || view.awaits.of(id).is_some_and(|awaited| asked_at >= awaited) || gone_stale(&before, asked_at, tx, id)
        })
        .map(|(id, _)| id.clone())
        .collect();
    tx.state.view.dirty.extend(judge_anew);
}

fn see_all(tx: &mut Tx<'_>, id: &Id, subjects: &[Id], asked_at: Instant, sweep: Sweep) {
    let mut facts: BTreeMap<Id, Fact> = sweep.items.into_iter().map(|item| (item.subject, item.fact)).collect();
    for subject in subjects {
        let fact = facts.remove(subject).map(tidy);
        for ix in tx.state.roster.of_subject(id, subject).to_vec() {
            see(tx, ix, fact.clone(), asked_at);
        }
    }
}

/// Was the answer before this one too old to be believed when this one came?
fn gone_stale(before: &SourceState, asked_at: Instant, tx: &Tx<'_>, id: &Id) -> bool {
    let every = tx.plan.sources.get(id).map(|source| source.every);
    every.zip(before.swept_at).is_some_and(|(every, swept)| asked_at - swept > super::standing::stale_after(every))
}

fn see(tx: &mut Tx<'_>, ix: Ix, fact: Option<Fact>, asked_at: Instant) {
    let known = &tx.state.roster.checks[ix];
    let forgets = tx.plan.sources.get(&known.check.source).is_some_and(|source| source.kind.forgets());
    let check = &tx.state.checks[ix];
    let fact = if forgets { remembered(check.seen.as_ref(), fact, tx.at) } else { fact };
    // Nobody waits for it: a failure that was seen does not heal by being out of sight.
    if known.dashboards.is_empty() && !matches!(fact, Some(Fact::Runs(_))) && outside::has_failed(check) {
        return;
    }
    let same = match (&check.seen, &fact) {
        (Some(seen), Some(fact)) => seen.says(fact),
        (Some(Seen::Absent { .. }), None) => true,
        _ => false,
    };
    if same {
        return;
    }
    let (source, subject) = (known.check.source.clone(), known.check.subject.clone());
    let new = fact.as_ref().map(|fact| changed(check.seen.as_ref(), fact));
    // Runs that only went out of sight are none.
    let nothing = matches!((&check.seen, &new), (Some(Seen::Runs(_)), Some(Fact::Runs(new))) if new.is_empty());
    if !nothing {
        tx.observe(asked_at, News::Subject { source, subject, fact: new });
    }
    let at = tx.at;
    let seen = match fact {
        Some(Fact::Runs(runs)) => Seen::Runs(runs),
        Some(Fact::Timestamp(newest)) => Seen::Timestamp { newest, first_seen_at: at },
        Some(Fact::Dated(arrived)) => Seen::Dated { arrived, seen_at: at },
        Some(Fact::Suspicious(why)) => Seen::Suspicious(why),
        None => Seen::Absent { since: at },
    };
    let succeeded = match &seen {
        Seen::Runs(runs) => runs.iter().any(|run| run.state == RunState::Success),
        Seen::Timestamp { newest, .. } => newest.is_some(),
        Seen::Dated { arrived, .. } => arrived.values().any(Option::is_some),
        Seen::Suspicious(_) | Seen::Absent { .. } => false,
    };
    let resumed = resumed(tx.state.checks[ix].seen.as_ref(), &seen);
    let newest = newest(&seen);
    let check = tx.check_mut(ix);
    check.newest = check.newest.max(newest);
    check.seen = Some(seen);
    if let Some(run) = resumed {
        check.resumed = Some((run, at));
    }
    check.silent_until_success &= !succeeded;
    tx.dirty(ix);
}

/// What a source that forgets no longer tells stays as it was: a failure does not heal by being forgotten. What was under way is
/// lost from sight.
fn remembered(before: Option<&Seen>, fact: Option<Fact>, at: Instant) -> Option<Fact> {
    let Some(Seen::Runs(before)) = before else { return fact };
    let told = match fact {
        Some(Fact::Runs(runs)) => runs,
        None => Vec::new(),
        other => return other,
    };
    let lately = |run: &&Run| at - run.scheduled_at < REMEMBERED_FOR;
    let forgotten = before.iter().filter(lately).filter(|run| told.iter().all(|told| told.id != run.id)).cloned().map(|run| {
        let state = match run.state {
            RunState::Success | RunState::Failed => run.state,
            _ => RunState::Lost,
        };
        Run { state, ..run }
    });
    let all: Vec<Run> = told.iter().cloned().chain(forgotten).collect();
    (!all.is_empty()).then(|| tidy(Fact::Runs(all)))
}

/// The newest data or success.
fn newest(seen: &Seen) -> Option<Instant> {
    match seen {
        Seen::Runs(runs) => runs.iter().filter(|run| run.state == RunState::Success).filter_map(|run| run.ended_at).max(),
        Seen::Timestamp { newest, first_seen_at } => newest.filter(|newest| newest <= first_seen_at),
        Seen::Dated { arrived, seen_at } => arrived.values().flatten().filter(|at| *at <= seen_at).max().copied(),
        Seen::Suspicious(_) | Seen::Absent { .. } => None,
    }
}

/// The part of an answer that says something new, as the history keeps it.
fn changed(before: Option<&Seen>, fact: &Fact) -> Fact {
    match (before, fact) {
        (Some(Seen::Runs(before)), Fact::Runs(runs)) => {
            let mut new: Vec<Run> = runs.iter().filter(|run| !before.contains(run)).cloned().collect();
            new.shrink_to_fit();
            Fact::Runs(new)
        }
        _ => fact.clone(),
    }
}

/// The run that only waited for its input when it was last seen, and now works.
fn resumed(before: Option<&Seen>, now: &Seen) -> Option<String> {
    let (Some(Seen::Runs(before)), Seen::Runs(now)) = (before, now) else { return None };
    let waited = |run: &&Run| before.iter().any(|b| b.id == run.id && matches!(b.state, RunState::Waiting { .. }));
    now.iter().filter(|run| !matches!(run.state, RunState::Waiting { .. })).find(waited).map(|run| run.id.clone())
}

/// Newest first, no backfills, no more than are kept.
fn tidy(fact: Fact) -> Fact {
    match fact {
        Fact::Runs(mut runs) => {
            runs.retain(|run| run.kind != RunKind::Backfill);
            runs.sort_by(|a, b| order(b).cmp(&order(a)));
            if runs.len() > RUNS_PER_SUBJECT {
                // Of tasks that are one pipeline together, what is not done must not be pushed out by what is.
                runs.sort_by_key(|run| run.kind == RunKind::Part && run.state == RunState::Success);
                runs.truncate(RUNS_PER_SUBJECT);
                runs.sort_by(|a, b| order(b).cmp(&order(a)));
            }
            // It is kept for each of thousands of checks.
            runs.shrink_to_fit();
            Fact::Runs(runs)
        }
        other => other,
    }
}

fn order(run: &Run) -> (Instant, Option<Instant>, &str) {
    (run.scheduled_at, run.started_at, &run.id)
}

fn dark(tx: &mut Tx<'_>, id: &Id, asked_at: Instant, why: Unreachable) {
    let source = tx.source_mut(id);
    let first = source.dark.is_none();
    let had = source.dark.take();
    let dark = darker(had, asked_at, why.clone());
    source.dark = Some(dark.clone());
    if first {
        tx.note(About::Source(id.clone()), Reason::SourceDark, Grounds::Dark(dark));
        tx.observe(asked_at, News::Source { source: id.clone(), dark: Some(why) });
    }
    dirty_all(tx, id);
}

fn dirty_all(tx: &mut Tx<'_>, id: &Id) {
    let of_source: Vec<Ix> = tx.state.roster.subjects(id).flat_map(|(_, ixs)| ixs.iter().copied()).collect();
    for ix in of_source {
        tx.dirty(ix);
    }
}

/// One more unanswered question.
fn darker(had: Option<Dark>, asked_at: Instant, why: Unreachable) -> Dark {
    let (since, tries) = had.map_or((asked_at, 0), |dark| (dark.since, dark.tries));
    Dark { since, tries: tries.saturating_add(1), last: why }
}

fn listed(tx: &mut Tx<'_>, id: &Id, asked_at: Instant, members: Listing) {
    let source = tx.source_mut(id);
    let known_before = source.listed_at.is_some();
    source.listed_at = Some(asked_at);
    let had_failed = source.list_dark.take().is_some();
    source.list_asked_at = Some(asked_at);
    let same = source.members == members;
    if !same || had_failed || !known_before {
        let changed = members.iter().filter(|member| source.members.of(&member.subject) != Some(member)).cloned().collect();
        let left = source.members.iter().filter(|member| members.of(&member.subject).is_none());
        let gone = left.map(|member| member.subject.clone()).collect();
        tx.observe(asked_at, News::Listing { source: id.clone(), changed, gone });
    }
    if same {
        return;
    }
    let source = tx.source_mut(id);
    let same_checks = known_before && source.members.iter().map(identity).eq(members.iter().map(identity));
    source.members = members;
    tx.touch_members(id);
    if same_checks {
        dirty_all(tx, id);
        return;
    }
    let known = tx.state.take_checks();
    tx.state.adopt(known, tx.plan);
    // What a source that forgets lists is no more than what it knows now: nobody joins or leaves by it.
    let joins = known_before && tx.plan.sources.get(id).is_some_and(|source| !source.kind.forgets());
    let joined: Vec<Ix> = tx.state.unmet.iter().filter_map(|name| tx.state.roster.place(name)).collect();
    for ix in joined {
        let group = tx.state.roster.checks[ix].group.is_some();
        tx.check_mut(ix).silent_until_success = joins && group;
    }
}

/// What makes a member one of the groups that it is in.
fn identity(member: &Member) -> (&Id, &[String], &[String]) {
    (&member.subject, &member.tags, &member.owners)
}

fn failed(tx: &mut Tx<'_>, source: &Id, subject: &Id, run: String, failure: Failure) {
    tx.observe(
        tx.at,
        News::Failure { source: source.clone(), subject: subject.clone(), run: run.clone(), failure: failure.clone() },
    );
    for ix in tx.state.roster.of_subject(source, subject).to_vec() {
        // More than one: two checks may look at one pipeline through different windows, and name different runs of it.
        let failures = &mut tx.check_mut(ix).failures;
        failures.retain(|(known, _)| *known != run);
        failures.push((run.clone(), failure.clone()));
        let over = failures.len().saturating_sub(FAILURES_KEPT);
        // No verdict rests on it, only what is folded and said; so nothing is judged anew.
        failures.drain(..over);
    }
}
