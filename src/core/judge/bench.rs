//! What one check stands for in one cycle, weighed with what it needs and with what is behind it. Changes nothing but the row on the
//! bench.

use super::ahead::Foreseen;
use super::now::{Holds, Now};
use super::path::Path;
use super::{Awaits, GRACE, Judged, Open};
use crate::core::cycle::Cycle;
use crate::core::forecast::{Forecast, Habit, Mixture};
use crate::core::message::NotStarted;
use crate::core::observation::RunState;
use crate::core::plan::{Dashboard, Id, Need, Plan};
use crate::core::roster::{Ix, Roster, Wanted};
use crate::core::standing::{self, Standing, Unseen};
use crate::core::state::{Cause, CheckState, SourceState, State, Verdict};
use crate::core::time::{Instant, Until};
use chrono::TimeDelta;

/// A check that makes no headway is at risk so long before its act-by, that there is time to read about it.
pub(super) const NOTICE: TimeDelta = TimeDelta::minutes(10);
pub(super) struct Bench<'a> {
    pub(super) state: &'a State,
    pub(super) plan: &'a Plan,
    pub(super) dashboard: &'a Dashboard,
    pub(super) wanted: &'a Wanted,
    pub(super) cycle: &'a Cycle,
    pub(super) at: Instant,
}

/// One check that is not settled, before its verdict.
pub(super) struct Row<'a> {
    pub(super) ix: Ix,
    pub(super) judged: &'a Judged,
    pub(super) open: Open,
    pub(super) needs: Needs<'a>,
}

impl Row<'_> {
    pub(super) fn standing(&self) -> &Standing {
        &self.judged.standing
    }
}

/// What a check needs: it stands behind all of it, so that is judged already.
#[derive(Clone, Copy)]
pub(super) struct Needs<'a> {
    pub(super) places: &'a [usize],
    pub(super) before: &'a [(Ix, Judged)],
}

impl<'a> Needs<'a> {
    fn all(self) -> impl Iterator<Item = &'a Judged> {
        self.places.iter().filter_map(move |place| self.before.get(*place)).map(|(_, judged)| judged)
    }

    pub(super) fn outstanding(self) -> impl Iterator<Item = &'a Judged> {
        self.all().filter(|judged| judged.verdict > Verdict::Ready)
    }

    /// When the last of what has arrived did.
    pub(super) fn fed_at(self) -> Option<Instant> {
        self.all().filter(|judged| judged.verdict <= Verdict::Ready).filter_map(Judged::arrived_at).max()
    }
}

/// What becomes of it.
struct Weighed {
    verdict: Verdict,
    since: Instant,
    cause: Option<Cause>,
    forecast: Option<Forecast>,
    works_since: Option<Instant>,
    act_by: Instant,
    open: Open,
}

impl Weighed {
    /// True where that matters to what needs it.
    fn put(self, judged: &mut Judged) -> bool {
        let Self { verdict, since, cause, forecast, works_since, act_by, open } = self;
        let new = (verdict, since, &cause, forecast) != (judged.verdict, judged.since, &judged.cause, judged.forecast);
        (judged.verdict, judged.since, judged.cause, judged.forecast) = (verdict, since, cause, forecast);
        (judged.works_since, judged.act_by) = (works_since, act_by);
        judged.open.as_deref_mut().into_iter().for_each(|had| *had = open);
        new
    }
}

impl Bench<'_> {
    pub(super) fn roster(&self) -> &Roster {
        &self.state.roster
    }

    /// What is known of its nights, in the window that counts here.
    pub(super) fn habits(&self, ix: Ix) -> Option<&Mixture> {
        let check = &self.roster().checks[ix].check;
        self.state.checks[ix].habits.of(&self.cycle.window(check, self.plan))
    }

    fn source(&self, ix: Ix) -> Option<&SourceState> {
        self.state.sources.get(&self.roster().checks[ix].check.source)
    }

    /// Where a check stands, and what is usual for it. What is settled is judged by that.
    pub(super) fn look(&self, ix: Ix, judged: &mut Judged) {
        let (known, check) = (&self.roster().checks[ix], &self.state.checks[ix]);
        let blank = SourceState::default();
        let source = self.source(ix).unwrap_or(&blank);
        let standing = standing::standing(known, check, source, self.cycle, self.plan, self.at);
        let had_failed = standing::had_failed_run(known, check, self.cycle, self.plan);
        let verdict = match standing {
            Standing::NotWatched => Verdict::NotWatched,
            Standing::Arrived(_) => Verdict::Ready,
            _ => Verdict::NotDue,
        };
        let (habits, had) = (self.habits(ix), judged.open.take());
        let known_until = habits.and_then(Mixture::last_date);
        let open = || {
            let known_since = had.filter(|open| open.known_until == known_until).map(|open| open.habit);
            let habit = known_since.unwrap_or_else(|| Habit::of(habits, self.tonight(ix), known.check.duration));
            Box::new(Open { habit, known_until, after: Path::default(), usual_at: None, holds: Holds::default() })
        };
        let open = (!standing.is_settled()).then(open);
        *judged = Judged { verdict, standing, had_failed, open, ..Judged::not_yet(self.cycle) };
    }

    /// Weighs what is not settled and does not rest, and says of each check whether it is waited for. `places`: those that were looked
    /// at.
    pub(super) fn weigh_all(&self, checks: &mut [(Ix, Judged)], places: &[usize], holds_until: &mut Until, awaits: &mut Awaits) {
        // What something that needs it has to be weighed anew for, or itself.
        let mut changed = vec![false; checks.len()];
        places.iter().for_each(|place| changed[*place] = true);
        self.look_back(checks, &mut changed);
        for (place, needs) in (0..checks.len()).map(|place| (place, self.wanted.needs(place))) {
            let (before, rest) = checks.split_at_mut(place);
            let Some((ix, judged)) = rest.first_mut() else { continue };
            let Some(open) = judged.open.as_deref().copied() else { continue };
            let rests = judged.verdict == Verdict::OnTrack && open.holds.at(self.at, self.seen_at(*ix));
            if !rests || changed[place] || needs.iter().any(|need| changed[*need]) {
                let row = Row { ix: *ix, judged, open, needs: Needs { places: needs, before } };
                changed[place] |= self.weigh_one(&row).put(judged);
            }
            let Some(Holds { clock, answer, .. }) = judged.open.as_deref().map(|open| open.holds) else { continue };
            holds_until.by(clock, self.at);
            awaits.by(&self.roster().checks[*ix].check.source, answer);
        }
    }

    fn weigh_one(&self, row: &Row<'_>) -> Weighed {
        let mut now = Now::new(self.at, self.seen_at(row.ix));
        let left = row.open.after.behind(row.open.habit.run.as_ref());
        let act_by = self.cycle.deadline - self.dashboard.reaction - left.long();
        let works_since = works_since(&self.state.checks[row.ix], row.standing(), row.needs.fed_at());
        let Foreseen { forecast, is_risky, usual_at } = self.foresee(row, &mut now, works_since, act_by);
        let (verdict, since) = self.weigh(row, &mut now, is_risky, act_by);
        let cause = if verdict.is_trouble() && row.judged.live { self.cause(row) } else { None };
        let open = Open { holds: now.holds(), usual_at, ..row.open };
        Weighed { verdict, since, cause, forecast, works_since, act_by, open }
    }

    /// Until when its source's newest answer tells of it.
    pub(super) fn seen_at(&self, ix: Ix) -> Option<Instant> {
        self.source(ix)?.swept_at
    }

    /// From the dashboard back: what is left to run after each check has arrived, along the slowest way; and whether it is waited for:
    /// the dashboard needs it, or something does that has not arrived and is waited for.
    fn look_back(&self, checks: &mut [(Ix, Judged)], changed: &mut [bool]) {
        let mut after = vec![Path::default(); checks.len()];
        let mut live: Vec<bool> = (0..checks.len()).map(|place| self.wanted.is_direct(place)).collect();
        for (place, (_, judged)) in checks.iter_mut().enumerate().rev() {
            let is_live = std::mem::replace(&mut judged.live, live[place]) == live[place];
            let Some(open) = &mut judged.open else { continue };
            let was_after = std::mem::replace(&mut open.after, after[place]) == after[place];
            changed[place] |= !(is_live && was_after);
            let behind = open.after.behind(open.habit.run.as_ref());
            for &need in self.wanted.needs(place) {
                after[need] = after[need].slower(behind);
                live[need] |= judged.live;
            }
        }
    }

    /// Since when what starts its source's runs is dead, where it waits for that.
    pub(super) fn stands_still(&self, row: &Row<'_>) -> Option<Instant> {
        let under_way = matches!(row.standing(), Standing::Running { state, .. } if !matches!(state, RunState::Queued));
        self.source(row.ix)?.scheduler_dead_since.filter(|_| !under_way)
    }

    /// The verdict of a check that has not arrived, and since when it holds.
    fn weigh(&self, row: &Row<'_>, now: &mut Now, is_risky: Option<bool>, act_by: Instant) -> (Verdict, Instant) {
        let (at, deadline) = (self.at, self.cycle.deadline);
        let source = self.source(row.ix);
        match row.standing() {
            Standing::Failed { at: failed, .. } => return (Verdict::Failed, failed.unwrap_or(at)),
            Standing::Unseen(_) => {
                let dark = source.and_then(|source| source.dark.as_ref()).map(|dark| dark.since);
                return (Verdict::Unknown, dark.unwrap_or(at));
            }
            _ => {}
        }
        // What its source has forgotten may be done: it is never red by itself.
        let forgotten = matches!(row.standing(), Standing::NotStarted(NotStarted::Forgotten));
        let red = |verdict| if forgotten { Verdict::Unknown } else { verdict };
        // "Late" wants an answer from after the deadline: the data may have arrived since the last one.
        if now.is(deadline) && (now.has_seen(deadline) || now.is(deadline + GRACE)) {
            return (red(Verdict::Late), deadline);
        }
        if let Some(need) =
            row.needs.outstanding().find(|need| matches!(need.verdict, Verdict::Failed | Verdict::AtRisk | Verdict::Late))
        {
            return (Verdict::AtRisk, need.since);
        }
        if let Some(since) = self.stands_still(row) {
            return (Verdict::AtRisk, since);
        }
        let is_risky = is_risky.unwrap_or_else(|| now.is((act_by - NOTICE).min(self.backstop())));
        if is_risky { (red(Verdict::AtRisk), at) } else { (Verdict::OnTrack, deadline) }
    }

    /// The deepest thing that is wrong: what a check needs before the check, its source before the check.
    fn cause(&self, row: &Row<'_>) -> Option<Cause> {
        let known = &self.roster().checks[row.ix];
        let in_trouble = row.needs.outstanding().filter(|need| need.cause.is_some());
        let deeper = in_trouble.min_by_key(|need| (std::cmp::Reverse(need.verdict), need.since));
        match row.standing() {
            Standing::Unseen(Unseen::Dark) => Some(Cause::Source(known.check.source.clone())),
            // The question is on its way; its answer decides.
            Standing::Unseen(Unseen::NotAsked) => None,
            Standing::Unseen(Unseen::CalendarEnded(calendar)) => Some(Cause::Calendar(calendar.clone())),
            standing => {
                if let Some(cause) = deeper.and_then(|need| need.cause.clone()) {
                    return Some(cause);
                }
                let dead = self.source(row.ix).is_some_and(|source| source.scheduler_dead_since.is_some());
                let waits = matches!(standing, Standing::NotStarted(_) | Standing::Running { state: RunState::Queued, .. });
                Some(if dead && waits { Cause::Scheduler(known.check.source.clone()) } else { Cause::Check(known.id.clone()) })
            }
        }
    }

    /// Groups that the dashboard needs and of which nobody knows a member: not listed yet, or nothing matches.
    pub(super) fn hollow(&self) -> Vec<(Id, Id)> {
        let groups = self.dashboard.needs.iter().filter_map(|need| match need {
            Need::Group(id) => self.plan.groups.get(id).map(|group| (id, group)),
            Need::Check(_) => None,
        });
        let empty = groups.filter(|(id, _)| !self.roster().has_members(id));
        empty.map(|(id, group)| (id.clone(), group.source.clone())).collect()
    }

    pub(super) fn of_dashboard(&self, checks: &[(Ix, Judged)], hollow: bool) -> Verdict {
        let live = || checks.iter().filter(|(_, judged)| judged.live).map(|(_, judged)| judged.verdict);
        let worst = live().max().unwrap_or(Verdict::NotDue);
        let worst = if hollow { worst.max(Verdict::Unknown) } else { worst };
        // A failed check needs no newer answer to be late.
        let definite = || live().any(|verdict| matches!(verdict, Verdict::Late | Verdict::Failed));
        let past = self.at >= (self.cycle.deadline + GRACE).min(self.cycle.closes_at) || definite();
        if worst > Verdict::Ready && self.at >= self.cycle.deadline && past { Verdict::Late } else { worst }
    }
}

/// Since when the run works by itself. `fed_at`: when the last thing that it needs had arrived. A run that was started early and waits in a sensor is not running long.
fn works_since(check: &CheckState, standing: &Standing, fed_at: Option<Instant>) -> Option<Instant> {
    let Standing::Running { run, started_at, .. } = standing else { return None };
    let resumed = check.resumed.as_ref().filter(|(resumed, _)| resumed == run).map(|(_, at)| *at);
    (*started_at).map(|started| [resumed, fed_at].into_iter().flatten().fold(started, Instant::max))
}
