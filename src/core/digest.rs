//! Digests: the scheduled summary, or the recorded decision that silence says it all.

use super::aside;
use super::audience;
use super::clocks;
use super::command::Muted;
use super::cycle;
use super::facts;
use super::forecast::Moved;
use super::foresee;
use super::judge::CycleView;
use super::maintenance;
use super::message::{Body, DashboardFacts, DigestFacts, DigestIncident, DigestNotes, DigestVerdict, Taken, WeekFacts};
use super::patience;
use super::plan::{Digest, DigestAbout, Id, Manner, Plan, Source, When};
use super::posts;
use super::roster::Ix;
use super::standing;
use super::state::{
    About, Attention, Cause, CycleKey, DIGESTS_KEPT, Decision, DigestState, Grounds, Incident, IncidentId, Own, Phase, Reason,
    State, Topic, Verdict,
};
use super::time::{Instant, local_date, midnight, shift};
use super::tx::Tx;
use super::week;
use chrono::{Datelike, NaiveDate, TimeDelta, Weekday};
use std::collections::{BTreeMap, BTreeSet};

/// A digest waits so long for sources whose answer is on its way; one that is given late (after a start, a suspend) longer, but no
/// nearer to the deadline than it would still be of use.
const WAIT_FOR_ANSWERS: TimeDelta = TimeDelta::minutes(5);
const SPARE_BEFORE_DEADLINE: TimeDelta = TimeDelta::minutes(15);
/// Without a deadline ahead, a digest that could not be given is worth giving for so long.
const KEEPS_WITHOUT_DEADLINE: TimeDelta = TimeDelta::hours(3);
/// A calendar whose data ends within so many days is named.
const CALENDAR_NOTICE_DAYS: i32 = 30;
/// How far back an occurrence is looked for.
const SEARCH_DAYS: i32 = 40;

/// Gives or records every digest whose time has come; returns the next instant at which one falls due.
pub(super) fn occur(tx: &mut Tx<'_>) -> Option<Instant> {
    let plan = tx.plan;
    let mut soonest: Option<Instant> = None;
    for (id, digest) in &plan.digests {
        let done = tx.state.digests.get(id).cloned();
        let coming = next(plan, digest, tx.at, |date| done.as_ref().is_some_and(|done| done.has(date)));
        let mut wake = coming.map(|(_, due_at)| due_at);
        if let Some((date, due_at)) = last_due(plan, digest, tx.at).filter(|(date, _)| !is_done(tx.state, id, *date, tx.at)) {
            let until = (due_at + WAIT_FOR_ANSWERS).max(worth_until(plan, digest, date, due_at) - SPARE_BEFORE_DEADLINE);
            if tx.at < until && awaits_answers(tx) {
                wake = Some(wake.map_or(until, |wake| wake.min(until)));
            } else {
                give(tx, id, digest, date, due_at);
            }
        }
        if let Some((date, latest)) = coming.filter(|(date, latest)| is_all_ready(tx, digest, *date, *latest)) {
            give(tx, id, digest, date, tx.at.min(latest));
        }
        soonest = [soonest, wake].into_iter().flatten().min();
    }
    soonest
}

/// For one that comes when all is ready: every dashboard whose window of that day opens before the digest comes anyway has opened it,
/// is due and watched, and ready; and there is one. What is run again later repeats nothing.
fn is_all_ready(tx: &Tx<'_>, digest: &Digest, date: NaiveDate, latest: Instant) -> bool {
    if !matches!(digest.when, When::Ready { .. }) {
        return false;
    }
    let mut ready = false;
    for (id, dashboard) in &tx.plan.dashboards {
        let view = tx.state.view.cycles.get(id).filter(|view| view.cycle.key.date >= date);
        match view.map(|view| (view.cycle.key.date == date, view.verdict)) {
            Some((true, Verdict::Ready)) => ready = true,
            Some((false, _) | (true, Verdict::NotDue | Verdict::NotWatched)) => {}
            Some((true, _)) => return false,
            None => {
                let key = CycleKey { dashboard: id.clone(), date, nth: 0 };
                if cycle::of_key(tx.plan, dashboard, &key).is_some_and(|cycle| cycle.opens_at < latest) {
                    return false;
                }
            }
        }
    }
    ready
}

/// A later one that was done "in the future" was done before the clock was set back, and does not count.
fn is_done(state: &State, id: &Id, date: NaiveDate, at: Instant) -> bool {
    state.digests.get(id).is_some_and(|done| done.has(date) || (done.date > date && done.done_at <= at))
}

fn on(plan: &Plan, digest: &Digest, date: NaiveDate) -> bool {
    digest.on.holds(date, &plan.calendars).unwrap_or(true)
}

/// The newest occurrence that is not in the future.
fn last_due(plan: &Plan, digest: &Digest, at: Instant) -> Option<(NaiveDate, Instant)> {
    let today = local_date(at, plan.timezone);
    let dates = (-SEARCH_DAYS..=1).rev().map(|days| shift(today, days));
    dates
        .filter(|date| on(plan, digest, *date))
        .map(|date| (date, digest.when.latest().on(date, plan.timezone)))
        .find(|(_, due)| *due <= at)
}

/// The next occurrence that is still to come and not `done`: when all is ready it may be done before its time.
fn next(plan: &Plan, digest: &Digest, at: Instant, done: impl Fn(NaiveDate) -> bool) -> Option<(NaiveDate, Instant)> {
    let today = local_date(at, plan.timezone);
    let dates = (0..=SEARCH_DAYS).map(|days| shift(today, days)).filter(|date| !done(*date) && on(plan, digest, *date));
    dates.map(|date| (date, digest.when.latest().on(date, plan.timezone))).find(|(_, due)| *due > at)
}

/// Is there a source whose newest answer says nothing of now, and which is not known to be dark?
fn awaits_answers(tx: &Tx<'_>) -> bool {
    tx.plan.sources.iter().any(|(id, setup)| {
        let used = tx.state.roster.is_asked(id, setup.kind);
        let blank = Default::default();
        let source = tx.state.sources.get(id).unwrap_or(&blank);
        used && matches!(standing::unseen(source, setup.every, tx.at), Some(standing::Unseen::NotAsked))
    })
}

/// Worth giving until the next deadline after it was due; of a week until the end of its date.
fn worth_until(plan: &Plan, digest: &Digest, date: NaiveDate, due_at: Instant) -> Instant {
    if digest.about == DigestAbout::Week {
        return midnight(shift(date, 1), plan.timezone).max(due_at + WAIT_FOR_ANSWERS);
    }
    let deadlines = plan.dashboards.iter().filter_map(|(id, dashboard)| cycle::current(plan, id, dashboard, due_at));
    let next = deadlines.map(|cycle| cycle.deadline).filter(|deadline| *deadline > due_at).min();
    next.unwrap_or(due_at + KEEPS_WITHOUT_DEADLINE)
}

fn give(tx: &mut Tx<'_>, id: &Id, digest: &Digest, date: NaiveDate, due_at: Instant) {
    let Given { verdict, green, silence, body } = say(tx, id, digest, date);
    let new = !tx.state.digests.contains_key(id);
    let mut before = tx.state.digests.get(id).map(|done| [done.before.as_slice(), &[done.date]].concat()).unwrap_or_default();
    before.drain(..before.len().saturating_sub(DIGESTS_KEPT));
    tx.put_digest(id.clone(), DigestState { date, done_at: tx.at, before });
    let about = || About::Digest { digest: id.clone(), date };
    let evidence = Grounds::Digest { verdict, due_at };
    let until = worth_until(tx.plan, digest, date, due_at);
    if tx.at >= until {
        // What fell due before the digest was first known was not missed.
        if !new {
            tx.write_down(about(), None, Decision::StaySilent, Reason::DigestMissed, evidence);
        }
        return;
    }
    if green && manner(tx.plan, digest, date) != Manner::Post {
        tx.write_down(about(), None, Decision::StaySilent, silence, evidence);
        return;
    }
    if let Body::Digest(facts) = &body {
        let told: Vec<Ix> = facts.notes.moved.iter().filter_map(|(id, _)| tx.state.roster.place(id)).collect();
        told.into_iter().for_each(|ix| tx.check_mut(ix).moved.iter_mut().for_each(|(_, told)| *told = true));
    }
    for chat in &digest.to {
        let message = posts::message(tx, Attention::Post, body.clone());
        posts::want(tx, chat, Topic::Digest { digest: id.clone(), date }, message, until);
        let reason = if green { Reason::DigestDue } else { Reason::DigestTrouble };
        tx.write_down(about(), Some(chat.clone()), Decision::Say(Attention::Post), reason, evidence.clone());
    }
}

/// What a digest has to say.
struct Given {
    verdict: DigestVerdict,
    /// `when_all_green` holds.
    green: bool,
    /// Why it stays silent then.
    silence: Reason,
    body: Body,
}

fn say(tx: &mut Tx<'_>, id: &Id, digest: &Digest, date: NaiveDate) -> Given {
    let next_at = next(tx.plan, digest, tx.at, |done| done == date).map(|(_, due_at)| due_at);
    if digest.about == DigestAbout::Week {
        tx.tend_days();
        let facts = WeekFacts { next_at, ..week::facts(tx.state, tx.plan, id, date, tx.at) };
        let (verdict, green) = (facts.verdict, facts.is_quiet());
        return Given { verdict, green, silence: Reason::AllGreen, body: Body::Week(Box::new(facts)) };
    }
    foresee::foresee(tx);
    let facts = DigestFacts { next_at, ..facts(tx.state, tx.plan, id, tx.at) };
    let verdict = facts.verdict;
    let green = matches!(
        verdict,
        DigestVerdict::Ready
            | DigestVerdict::OnTrack
            | DigestVerdict::NothingDue
            | DigestVerdict::NotWatched
            | DigestVerdict::Maintenance
    );
    let silence = if verdict == DigestVerdict::Maintenance { Reason::Maintenance } else { Reason::AllGreen };
    Given { verdict, green, silence, body: Body::Digest(Box::new(facts)) }
}

fn manner(plan: &Plan, digest: &Digest, date: NaiveDate) -> Manner {
    let workday = match digest.calendar.as_ref().and_then(|id| plan.calendars.get(id)) {
        // Past its end a calendar does not make anybody silent.
        Some(calendar) => calendar.is_workday(date).unwrap_or(true),
        None => !matches!(date.weekday(), Weekday::Sat | Weekday::Sun),
    };
    if workday { digest.green_workdays } else { digest.green_otherwise }
}

/// What a digest says now; `once` prints the same.
pub fn facts(state: &State, plan: &Plan, id: &Id, at: Instant) -> DigestFacts {
    let keys = state.view.cycles.values().map(|view| &view.cycle.key);
    let mut dashboards: Vec<DashboardFacts> = keys.filter_map(|key| facts::dashboard(state, plan, key, None, None, at)).collect();
    dashboards.retain(|dashboard| dashboard.verdict != Verdict::NotDue);
    let excused = Excused::now(state, plan, at);
    for dashboard in &mut dashboards {
        dashboard.in_maintenance = at < dashboard.deadline && excused.explains(state, &dashboard.id);
        dashboard.muted = aside::mute(state, &Muted::Dashboard(dashboard.id.clone()), at).is_some();
    }
    dashboards.sort_by(|a, b| (a.deadline, &a.id).cmp(&(b.deadline, &b.id)));
    // Clocks have a line of their own.
    let is_clock = |incident: &Incident| matches!(incident.cause, Cause::Clock(_) | Cause::Watch(Own::Clock));
    let told = state.incidents.values().filter(|incident| !excused.incidents.contains(&incident.id) && !is_clock(incident));
    let incidents: Vec<DigestIncident> = told.filter_map(|incident| line(state, plan, incident, at)).collect();
    let today = local_date(at, plan.timezone);
    let calendars_ending = plan
        .calendars
        .iter()
        .filter_map(|(id, calendar)| Some((id.clone(), calendar.covered?.1)))
        .filter(|(_, last)| *last < shift(today, CALENDAR_NOTICE_DAYS))
        .collect();
    let broken_chats =
        state.chats.iter().filter_map(|(id, chat)| chat.broken.as_ref().map(|(_, why)| (id.clone(), why.clone()))).collect();
    let answers = |id: &Id, setup: &Source| {
        state.sources.get(id).is_some_and(|source| {
            source.dark.is_none() && !source.fails_to_list() && standing::unseen(source, setup.every, at).is_none()
        })
    };
    let asked: Vec<(&Id, &Source)> = plan.sources.iter().filter(|(id, setup)| state.roster.is_asked(id, setup.kind)).collect();
    let silent: Vec<&Id> = asked.iter().filter(|(id, setup)| !answers(id, setup)).map(|(id, _)| *id).collect();
    let expected = |id: &Id| maintenance::of_source(plan, id, at).is_some() || aside::is_muted(state, id, at);
    let expected_silent = silent.iter().filter(|id| expected(id)).count();
    let counted = state.digests.get(id).map(|done| done.done_at);
    let muted = state.mutes.iter().filter(|(_, mute)| mute.holds(at).is_some());
    let muted = muted.map(|(what, mute)| (what.clone(), Taken { by: mute.by.clone(), until: mute.until })).collect();
    let setup = plan.digests.get(id);
    let done = |date| state.digests.get(id).is_some_and(|done| done.has(date));
    let next_at = setup.and_then(|digest| next(plan, digest, at, done)).map(|(_, due_at)| due_at);
    let next_when_ready = setup.is_some_and(|digest| matches!(digest.when, When::Ready { .. }));
    let mut facts = DigestFacts {
        digest: id.clone(),
        verdict: DigestVerdict::NothingDue,
        dashboards,
        incidents,
        healed: state.incidents.values().filter(|incident| healed_since(plan, incident, counted)).count(),
        sources_answering: plan.sources.len() - silent.len(),
        sources: plan.sources.len(),
        broken_chats,
        calendars_ending,
        muted,
        next_at,
        notes: DigestNotes {
            maintenance: excused.lines,
            clocks: clocks::off(state),
            refused: state.watch.refused.clone(),
            moved: moved(state),
            next_when_ready,
        },
    };
    facts.verdict = verdict(&facts, expected_silent);
    facts
}

/// Schedules that have moved, and that no digest has told of.
fn moved(state: &State) -> Vec<(Id, Moved)> {
    let known = state.roster.checks.iter().zip(&state.checks).filter(|(known, _)| !known.dashboards.is_empty());
    let untold = known.filter_map(|(known, check)| match check.moved {
        Some((moved, false)) => Some((known.id.clone(), moved)),
        _ => None,
    });
    let mut untold: Vec<(Id, Moved)> = untold.collect();
    untold.sort_by_key(|(_, moved)| std::cmp::Reverse((moved.to_s - moved.from_s).abs()));
    untold
}

/// What is in maintenance now.
struct Excused {
    /// Each source and each troubled check with the end of its window.
    lines: Vec<(Cause, Instant)>,
    /// Of which nothing is said until then, as no deadline is in danger.
    incidents: BTreeSet<IncidentId>,
    /// What waits for them, by dashboard.
    waiting: BTreeMap<Id, BTreeSet<Id>>,
}

impl Excused {
    fn now(state: &State, plan: &Plan, at: Instant) -> Self {
        let sources = plan.sources.keys().filter_map(|id| Some((Cause::Source(id.clone()), maintenance::of_source(plan, id, at)?)));
        let mut excused = Self { lines: sources.collect(), incidents: BTreeSet::new(), waiting: BTreeMap::new() };
        for incident in state.incidents.values().filter(|incident| incident.phase == Phase::Open) {
            let Some(until) = maintenance::of_incident(plan, incident, at) else { continue };
            let cycles = audience::endangered(state, incident);
            if patience::maintenance_until(state, plan, incident, &cycles, at).is_none() {
                continue;
            }
            excused.incidents.insert(incident.id);
            for (key, impact) in &incident.impact {
                excused.waiting.entry(key.dashboard.clone()).or_default().extend(impact.waiting.iter().cloned());
            }
            if matches!(incident.cause, Cause::Check(_)) {
                excused.lines.push((incident.cause.clone(), until));
            }
        }
        excused
    }

    /// Is all that is wrong with the dashboard's open cycle in maintenance?
    fn explains(&self, state: &State, dashboard: &Id) -> bool {
        let (Some(view), Some(waiting)) = (state.view.cycles.get(dashboard), self.waiting.get(dashboard)) else { return false };
        let mut troubled = view.checks.iter().filter(|(_, judged)| judged.live && judged.verdict.is_trouble());
        troubled.all(|(ix, _)| waiting.contains(&state.roster.checks[*ix].id))
    }
}

/// Over before anybody was told, and not merely because its cycles closed.
fn healed_since(plan: &Plan, incident: &Incident, since: Option<Instant>) -> bool {
    // What was expected has not healed.
    let expected = maintenance::of_incident(plan, incident, incident.since).is_some();
    let lately = matches!(incident.phase, Phase::Resolved { at, .. } if since.is_none_or(|since| at > since));
    !expected && lately && incident.has_recovered() && incident.told.is_empty()
}

fn line(state: &State, plan: &Plan, incident: &Incident, at: Instant) -> Option<DigestIncident> {
    let recovering = match incident.phase {
        Phase::Open => false,
        Phase::Recovering { .. } => true,
        Phase::Resolved { .. } => return None,
    };
    let known = match &incident.cause {
        Cause::Check(id) => state.roster.place(id).map(|ix| &state.roster.checks[ix]),
        _ => None,
    };
    let mut waiting: BTreeSet<&Id> = incident.impact.values().flat_map(|impact| &impact.waiting).collect();
    waiting.retain(|id| known.is_none_or(|known| known.id != **id));
    let eta = known.and_then(|known| {
        let ix = state.roster.place(&known.id)?;
        let expected = |(id, view): (&Id, &CycleView)| {
            let played = plan.dashboards.get(id).and_then(|dashboard| view.eta_of(ix, state, plan, dashboard, at));
            played.or_else(|| view.of(ix)?.forecast.map(|forecast| forecast.shown()))
        };
        state.view.cycles.iter().find_map(expected)
    });
    Some(DigestIncident {
        incident: incident.id,
        cause: incident.cause.clone(),
        verdict: incident.verdict,
        recovering,
        waiting: waiting.len(),
        failure: incident.failure.clone(),
        owner: known.and_then(|known| known.check.owner.as_deref()).and_then(|owner| facts::owner_facts(plan, owner)),
        eta,
        taken: facts::taken(incident, at),
        hushed: aside::hushed(state, plan, at, incident).is_some() || aside::reaches_muted_only(state, at, incident),
    })
}

/// `expected_silent`: sources that do not answer because they are in maintenance.
fn verdict(facts: &DigestFacts, expected_silent: usize) -> DigestVerdict {
    let heard = |d: &&DashboardFacts| !(d.in_maintenance || d.muted && d.verdict.is_trouble());
    let of_dashboards = facts.dashboards.iter().filter(heard).map(|dashboard| dashboard.verdict).max().unwrap_or(Verdict::NotDue);
    let of_incidents =
        facts.incidents.iter().filter(|incident| !incident.recovering && !incident.hushed).map(|incident| incident.verdict).max();
    let worst = of_incidents.map_or(of_dashboards, |incident| incident.max(of_dashboards));
    if worst.is_trouble() {
        DigestVerdict::Trouble(worst)
    } else if facts.notes.refused.is_some()
        || !facts.notes.clocks.is_empty()
        || !facts.broken_chats.is_empty()
        || facts.sources_answering + expected_silent < facts.sources
    {
        DigestVerdict::WatchTrouble
    } else if facts.dashboards.iter().any(|dashboard| dashboard.in_maintenance) {
        DigestVerdict::Maintenance
    } else {
        match of_dashboards {
            Verdict::NotDue => DigestVerdict::NothingDue,
            Verdict::NotWatched => DigestVerdict::NotWatched,
            Verdict::Ready => DigestVerdict::Ready,
            _ => DigestVerdict::OnTrack,
        }
    }
}
