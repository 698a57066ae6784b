//! Keeps the verdicts up to date: opens and closes cycles, has them judged when something was heard or time has come, and writes
//! down what sticks (arrivals, the nights' history, results).

use super::cycle::{self, Cycle};
use super::forecast::{self, Mixture};
use super::grounds;
use super::judge::{self, CycleView, GRACE, Judged};
use super::maintenance;
use super::message::NotStarted;
use super::observation::RunState;
use super::outside::outside;
use super::plan::{Dashboard, Id};
use super::roster::Ix;
use super::standing::{self, DARK_AFTER, Standing, Unseen};
use super::state::{ARRIVALS_KEPT, About, Arrival, CycleState, Grounds, Reason, Seen, Verdict};
use super::time::Instant;
use super::tx::Tx;
use chrono::TimeDelta;

/// That a deadline was missed is worth telling for so long after its window has ended.
const OF_USE: TimeDelta = TimeDelta::hours(12);

/// Brings every dashboard's view to now. False: nothing had to be judged, and all is as it was.
pub(super) fn turn(tx: &mut Tx<'_>) -> bool {
    let plan = tx.plan;
    let mut judged = false;
    look(tx);
    for (id, dashboard) in &plan.dashboards {
        match tx.state.view.cycles.get(id) {
            // The clock was set back.
            Some(view) if tx.at < view.cycle.opens_at => {
                judged = true;
                tx.state.view.cycles.remove(id);
            }
            Some(view) if may_close(tx, view) => {
                judged = true;
                close(tx, id, dashboard);
            }
            Some(view) => {
                let holds = view.judged_at <= tx.at && view.holds_until.is_none_or(|until| tx.at < until);
                if holds && !tx.state.view.dirty.contains(id) {
                    continue;
                }
            }
            None => {}
        }
        let cycle = match tx.state.view.cycles.get(id) {
            Some(view) => Some(view.cycle.clone()),
            None => closing(tx, id, dashboard).or_else(|| cycle::current(plan, id, dashboard, tx.at)),
        };
        let Some(cycle) = cycle else { continue };
        judged = true;
        judge_and_keep(tx, id, dashboard, &cycle);
        // It was waited for beyond the window's end, and has come.
        if tx.state.view.cycles.get(id).is_some_and(|view| may_close(tx, view)) {
            close(tx, id, dashboard);
            if let Some(next) = cycle::current(plan, id, dashboard, tx.at) {
                judge_and_keep(tx, id, dashboard, &next);
            }
        }
    }
    tx.state.view.dirty.clear();
    let (outside, from) = outside(tx.state, plan, tx.at);
    judged |= tx.state.view.outside != outside;
    tx.state.view.outside = outside;
    tx.state.view.outside_from = from;
    judged
}

/// What is seen of a source goes stale with time: then everything is judged anew.
fn look(tx: &mut Tx<'_>) {
    let unseen =
        |id: &Id| tx.state.sources.get(id).and_then(|source| standing::unseen(source, tx.plan.sources.get(id)?.every, tx.at));
    let sights = tx.plan.sources.keys().map(|id| (id, unseen(id)));
    let new = sights.filter(|(id, sight)| tx.state.view.sights.get(*id) != Some(sight));
    let new: Vec<(Id, Option<Unseen>)> = new.map(|(id, sight)| (id.clone(), sight)).collect();
    if new.is_empty() {
        return;
    }
    let view = &mut tx.state.view;
    view.sights.extend(new);
    view.dirty.extend(tx.plan.dashboards.keys().cloned());
    view.cycles.values_mut().for_each(|view| view.touched.extend(&view.wanted.closure));
}

/// A cycle closes where the next one opens; one that is not ready waits a moment for an answer from after that instant, as what
/// arrived in its last minute may not have been seen yet, and a miss at that very instant is to be told as one.
fn may_close(tx: &Tx<'_>, view: &CycleView) -> bool {
    tx.at >= view.cycle.closes_at && (view.verdict <= Verdict::Ready || tx.at >= closes(tx, &view.cycle))
}

/// When a cycle whose window has ended is closed, not ready. Whoever slept over that end looks first, as long as a word of it is of use.
fn closes(tx: &Tx<'_>, cycle: &Cycle) -> Instant {
    let looked = looked(tx, cycle);
    if tx.at >= cycle.closes_at + OF_USE {
        cycle.closes_at + GRACE
    } else if looked > cycle.closes_at + GRACE {
        looked + DARK_AFTER + GRACE
    } else {
        looked + GRACE
    }
}

/// When a cycle was first looked at since its window had ended. (Not in a future from before the clock was set back.)
fn looked(tx: &Tx<'_>, cycle: &Cycle) -> Instant {
    let looked = tx.state.cycles.get(&cycle.key).and_then(|cycle| cycle.closing_at);
    looked.filter(|looked| *looked <= tx.at).unwrap_or(tx.at)
}

/// A cycle that was about to close when the views were lost (a restart, another listing): it is closed as if they had not been.
fn closing(tx: &Tx<'_>, id: &Id, dashboard: &Dashboard) -> Option<Cycle> {
    let open = tx
        .state
        .cycles
        .iter()
        .filter(|(key, cycle)| key.dashboard == *id && cycle.closed_at.is_none() && cycle.verdict > Verdict::Ready);
    let cycles = open.filter_map(|(key, _)| cycle::of_key(tx.plan, dashboard, key));
    cycles.into_iter().find(|cycle| cycle.closes_at <= tx.at && tx.at < closes(tx, cycle))
}

fn close(tx: &mut Tx<'_>, id: &Id, dashboard: &Dashboard) {
    let Some(cycle) = tx.state.view.cycles.get(id).map(|view| view.cycle.clone()) else { return };
    // A last look, with all that was heard until now.
    judge_and_keep(tx, id, dashboard, &cycle);
    tx.state.view.cycles.remove(id);
}

fn judge_and_keep(tx: &mut Tx<'_>, id: &Id, dashboard: &Dashboard, cycle: &Cycle) {
    // First, as the habits learn of it.
    close_others(tx, id, dashboard, cycle);
    let (mut view, looked) = match tx.state.view.cycles.remove(id) {
        Some(mut view) => {
            let looked = judge::judge_again(&mut view, tx.state, tx.plan, dashboard, tx.at);
            (view, looked)
        }
        None => {
            let view = judge::judge(tx.state, tx.plan, dashboard, cycle.clone(), tx.at);
            let all = (0..view.checks.len()).collect();
            (view, all)
        }
    };
    let looked = looked.into_iter().map(|place| &view.checks[place]);
    let changed: Vec<(Ix, Option<Arrival>)> = looked.filter_map(|(ix, judged)| sticking(tx, *ix, judged, cycle)).collect();
    for (ix, arrival) in changed {
        let needs = &tx.state.roster.checks[ix].needs;
        let fed_at = needs.iter().filter_map(|need| view.of(*need)?.arrived_at()).max();
        keep_arrival(tx, ix, arrival, fed_at, dashboard, cycle);
        view.touched.insert(ix);
    }
    keep_result(tx, &view);
    // The cycle waits for its close: nothing but an answer or the end of the grace changes that.
    if tx.at >= cycle.closes_at {
        view.holds_until = Some(closes(tx, cycle));
    }
    tx.state.view.cycles.insert(id.clone(), view);
}

/// What is to change in a check's kept arrivals: a new one, or the taking back of an old one.
fn sticking(tx: &Tx<'_>, ix: Ix, judged: &Judged, cycle: &Cycle) -> Option<(Ix, Option<Arrival>)> {
    let kept = tx.state.checks[ix].arrivals.iter().rev().find(|arrival| arrival.cycle == cycle.key);
    match (&judged.standing, kept) {
        (Standing::Arrived(arrival), None) => Some((ix, Some(arrival.clone()))),
        (Standing::Running { .. } | Standing::Failed { .. }, Some(_)) => Some((ix, None)),
        _ => None,
    }
}

/// `fed_at`: when the last thing that it needs had arrived; its own run time does not count the waiting before.
fn keep_arrival(tx: &mut Tx<'_>, ix: Ix, arrival: Option<Arrival>, fed_at: Option<Instant>, dashboard: &Dashboard, cycle: &Cycle) {
    let check = tx.check_mut(ix);
    check.arrivals.retain(|kept| kept.cycle != cycle.key);
    let Some(arrival) = arrival else { return };
    let took_s = match (&check.seen, &arrival.run) {
        (Some(Seen::Runs(runs)), Some(id)) => {
            runs.iter().find(|run| run.id == *id && run.state == RunState::Success).and_then(|run| {
                let resumed = check.resumed.as_ref().filter(|(resumed, _)| resumed == id).map(|(_, at)| *at);
                let began = [resumed, fed_at].into_iter().flatten().fold(run.started_at?, Instant::max);
                Some((run.ended_at? - began).num_seconds().max(0))
            })
        }
        _ => None,
    };
    learn(tx, ix, dashboard, cycle, Some(arrival.at), took_s);
    let kept = Grounds::Arrival(arrival.clone());
    tx.check_mut(ix).arrivals.push(arrival);
    // On record at once: what forgets tells of it no second time.
    let id = tx.state.roster.checks[ix].id.clone();
    tx.note(About::Check(id), Reason::Arrived, kept);
    forget_arrivals(tx, ix);
}

/// What has not come in a cycle that is over. What could not be seen may have.
fn learn_absences(tx: &mut Tx<'_>, dashboard: &Dashboard, view: &CycleView) {
    for (ix, judged) in &view.checks {
        let seen = !matches!(judged.standing, Standing::Unseen(_) | Standing::NotStarted(NotStarted::Forgotten));
        if judged.verdict > Verdict::Ready && seen {
            learn(tx, *ix, dashboard, &view.cycle, None, None);
        }
    }
}

/// What the check's habits learn of a cycle. Several dashboards look at one arrival: the first tells of the night. What was, or would
/// have been, in maintenance tells of no habit.
fn learn(tx: &mut Tx<'_>, ix: Ix, dashboard: &Dashboard, cycle: &Cycle, arrived_at: Option<Instant>, took_s: Option<i64>) {
    let plan = tx.plan;
    let known = &tx.state.roster.checks[ix];
    let window = cycle.window(&known.check, plan);
    let last = tx.state.checks[ix].habits.of(&window).and_then(Mixture::last_date);
    let until = arrived_at.unwrap_or(cycle.deadline);
    if last.is_some_and(|last| last >= cycle.key.date)
        || maintenance::was(plan, &known.id, &known.check.source, cycle.opens_at, until)
    {
        return;
    }
    let tonight = cycle.tonight(&known.check, dashboard, plan);
    let arrived_s = arrived_at.map(|at| i32::try_from(cycle.wall_s(at, plan)).unwrap_or(i32::MAX / 2));
    let check = tx.check_mut(ix);
    let habits = check.habits.of_mut(&window);
    habits.learn(tonight, arrived_s, took_s);
    if let Some(moved) = forecast::moved(habits.nights(), check.moved.map(|(moved, _)| moved.since)) {
        check.moved = Some((moved, false));
        let id = tx.state.roster.checks[ix].id.clone();
        tx.note(About::Check(id), Reason::ScheduleMoved, Grounds::Moved(moved));
    }
}

/// Arrivals in cycles that have closed are of no more use; a few are kept to be looked at.
fn forget_arrivals(tx: &mut Tx<'_>, ix: Ix) {
    let arrivals = &tx.state.checks[ix].arrivals;
    let mut over = arrivals.len().saturating_sub(ARRIVALS_KEPT);
    let cycles = &tx.state.cycles;
    let closed = |arrival: &Arrival| cycles.get(&arrival.cycle).is_none_or(|cycle| cycle.closed_at.is_some());
    let kept = arrivals.iter().filter(|arrival| {
        let forget = over > 0 && closed(arrival);
        over -= usize::from(forget);
        !forget
    });
    let mut kept: Vec<Arrival> = kept.cloned().collect();
    kept.shrink_to_fit();
    tx.check_mut(ix).arrivals = kept;
}

fn keep_result(tx: &mut Tx<'_>, view: &CycleView) {
    let key = &view.cycle.key;
    let had = tx.state.cycles.get(key);
    let missed = match view.ready_at {
        Some(ready) => ready > view.cycle.deadline,
        None => view.verdict == Verdict::Late,
    };
    // What fails after it was ready is another matter.
    let had_failed = || {
        let mut due = view.checks.iter().filter(|(_, judged)| judged.verdict > Verdict::NotWatched);
        due.any(|(_, judged)| judged.had_failed)
    };
    let new = CycleState {
        deadline: view.cycle.deadline,
        audience: view.cycle.audience,
        opened_at: had.map_or(tx.at, |had| had.opened_at),
        closed_at: None,
        closing_at: (tx.at >= view.cycle.closes_at && view.verdict > Verdict::Ready).then(|| looked(tx, &view.cycle)),
        verdict: view.verdict,
        ready_at: view.ready_at,
        missed,
        told_at: had.and_then(|had| had.told_at),
        asked_at: had.and_then(|had| had.asked_at),
        failed: had.is_some_and(|had| had.failed) || (had.is_none_or(|had| had.ready_at.is_none()) && had_failed()),
    };
    if had == Some(&new) {
        return;
    }
    let (was_ready, was_missed) = had.map_or((false, false), |had| (had.ready_at.is_some(), had.missed));
    tx.put_cycle(key.clone(), new);
    let mut note = |reason| {
        let result = grounds::of_cycle(tx, key, Some(view.arrived()));
        tx.note(About::Cycle(key.clone()), reason, result);
    };
    if view.ready_at.is_some() && !was_ready {
        note(Reason::CycleReady);
    }
    if missed && !was_missed {
        note(Reason::CycleMissed);
    }
    if was_missed && !missed && view.ready_at.is_some() {
        note(Reason::DeadlineMet);
    }
}

/// Closes what is still open of this dashboard besides its current cycle: it keeps its result.
fn close_others(tx: &mut Tx<'_>, id: &Id, dashboard: &Dashboard, current: &Cycle) {
    let open: Vec<_> = tx
        .state
        .cycles
        .iter()
        .filter(|(key, cycle)| key.dashboard == *id && **key != current.key && cycle.closed_at.is_none())
        .map(|(key, cycle)| (key.clone(), cycle.clone()))
        .collect();
    for (key, cycle) in open {
        let cycle_then = cycle::of_key(tx.plan, dashboard, &key);
        let view = cycle_then.map(|then| judge::judge(tx.state, tx.plan, dashboard, then, tx.at));
        let arrived = view.as_ref().map(CycleView::arrived);
        view.iter().for_each(|view| learn_absences(tx, dashboard, view));
        let closed_at: Option<Instant> = Some(tx.at);
        tx.put_cycle(key.clone(), CycleState { closed_at, ..cycle });
        let result = grounds::of_cycle(tx, &key, arrived);
        tx.note(About::Cycle(key), Reason::CycleClosed, result);
    }
}
