//! Verdicts: each check in each open cycle, each dashboard, and until when they hold. Reads the state, changes nothing.

use super::cycle::Cycle;
use super::forecast::{self, Course, Forecast, Habit};
use super::message::{Basis, NotStarted};
use super::observation::RunState;
use super::outside::Outside;
use super::plan::{Dashboard, Id, Need, Plan};
use super::roster::{Ix, Roster, Wanted};
use super::standing::{self, Standing, Unseen};
use super::state::{Cause, CheckState, SourceState, State, Verdict};
use super::time::{Instant, Until};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is derived from the state: the verdicts of the open cycles, and what must be judged anew.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// By dashboard.
    pub cycles: BTreeMap<Id, CycleView>,
    /// What could not be seen of each source when it was last looked at. It changes by time alone too.
    pub sights: BTreeMap<Id, Option<Unseen>>,
    /// Dashboards that something was heard for since they were judged.
    pub dirty: BTreeSet<Id>,
    /// Checks in trouble outside any cycle.
    pub outside: BTreeMap<Ix, Outside>,
    /// When time alone may bring another one.
    pub outside_from: Option<Instant>,
    /// When the next decision falls due: a hold ends, a rung is asked.
    pub decide_at: Option<Instant>,
    /// When it was decided last; `None`: something has changed since.
    pub decided_at: Option<Instant>,
}

impl View {
    /// The failed run of a check, in any open cycle or outside.
    pub fn failed_run(&self, ix: Ix) -> Option<&str> {
        let in_cycle = self.cycles.values().find_map(|view| match &view.of(ix)?.standing {
            Standing::Failed { run, .. } => Some(run.as_str()),
            _ => None,
        });
        in_cycle.or_else(|| match self.outside.get(&ix)? {
            Outside::Failed { run, .. } => Some(run.as_str()),
            Outside::Stale { .. } | Outside::Blind { .. } | Outside::NeverSeen { .. } => None,
        })
    }
}

/// One open cycle of a dashboard, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct CycleView {
    pub cycle: Cycle,
    /// In the order of the dashboard's closure: each check stands behind what it needs.
    pub checks: Vec<(Ix, Judged)>,
    pub wanted: Arc<Wanted>,
    pub verdict: Verdict,
    /// Groups that it needs and of which no member is known, with their sources: nobody knows what to wait for.
    pub hollow: Vec<(Id, Id)>,
    /// When everything that it needs itself had arrived.
    pub ready_at: Option<Instant>,
    /// The last of what is outstanding; `None` where nobody knows.
    pub eta: Option<Forecast>,
    /// When time alone may change any of it.
    pub holds_until: Option<Instant>,
    pub judged_at: Instant,
    /// Checks of which something has changed since it was judged.
    pub touched: BTreeSet<Ix>,
}

/// One check in one cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    pub verdict: Verdict,
    pub standing: Standing,
    pub forecast: Option<Forecast>,
    /// Since when its run works by itself: its start, the end of its waiting, the arrival of the last thing that it needs.
    pub works_since: Option<Instant>,
    /// The last moment at which a person can still save the deadline.
    pub act_by: Instant,
    /// Where its trouble comes from; `None`: none, or nothing to be told of.
    pub cause: Option<Cause>,
    /// When the trouble began.
    pub since: Instant,
    /// Does the dashboard still wait for it, itself or through others?
    pub live: bool,
}

/// A check that makes no headway is at risk so long before its act-by, that there is time to read about it.
const NOTICE: TimeDelta = TimeDelta::minutes(10);
/// At a deadline the newest answer may be this old; later nobody waits for a newer one.
pub const GRACE: TimeDelta = TimeDelta::minutes(2);

impl CycleView {
    /// Checks that are due in the cycle, and how many of them have arrived.
    pub fn arrived(&self) -> (usize, usize) {
        let due = self.checks.iter().filter(|(_, judged)| judged.verdict > Verdict::NotWatched);
        let (mut checks, mut arrived) = (0, 0);
        for (_, judged) in due {
            checks += 1;
            arrived += usize::from(judged.verdict == Verdict::Ready);
        }
        (arrived, checks)
    }

    pub fn of(&self, ix: Ix) -> Option<&Judged> {
        self.checks.get(self.wanted.place(ix)?).map(|(_, judged)| judged)
    }

    /// Where a check stands, if that is as it was at the last judgement: it hangs on what is known of the check and its source, and on
    /// whether the deadline has come.
    fn take_standing(&mut self, place: usize, ix: Ix) -> Option<Standing> {
        let (of, judged) = self.checks.get_mut(place)?;
        (*of == ix && !self.touched.contains(&ix)).then(|| std::mem::replace(&mut judged.standing, Standing::NotDue))
    }

    /// The earliest act-by of what is outstanding.
    pub fn act_by(&self) -> Option<Instant> {
        let outstanding = self.checks.iter().filter(|(_, judged)| judged.live && judged.verdict > Verdict::Ready);
        outstanding.map(|(_, judged)| judged.act_by).min()
    }
}

/// Judges one cycle at `at`. `before`: how it was judged last.
pub fn judge(state: &State, plan: &Plan, dashboard: &Dashboard, cycle: Cycle, before: Option<CycleView>, at: Instant) -> CycleView {
    let wanted = state.roster.dashboards.get(&cycle.key.dashboard).cloned().unwrap_or_default();
    let bench = Bench { state, plan, dashboard, wanted: &wanted, cycle: &cycle, at };
    let past = |at: Instant| at >= cycle.deadline;
    let mut before = before.filter(|before| before.cycle == cycle && past(before.judged_at) == past(at));
    let mut had = |place, ix| before.as_mut().and_then(|before| before.take_standing(place, ix));
    let rows: Vec<Row> = wanted.closure.iter().enumerate().map(|(place, &ix)| bench.row(ix, had(place, ix))).collect();
    // Its verdicts are of no more use, and those of thousands of checks need not be in memory twice.
    drop(before);
    let after = bench.work_after(&rows);
    let live = bench.live(&rows);

    let mut checks: Vec<(Ix, Judged)> = Vec::with_capacity(rows.len());
    let mut holds_until = Until(Some(cycle.closes_at));
    for (at_place, row) in rows.into_iter().enumerate() {
        let judged = bench.verdict(row, after[at_place], live[at_place], &checks, &mut holds_until);
        checks.push((wanted.closure[at_place], judged));
    }
    // Every judgement may change at the deadline, whatever the checks are like.
    holds_until.by(cycle.deadline, at);
    holds_until.by(cycle.deadline + GRACE, at);
    let hollow = bench.hollow();
    let verdict = bench.of_dashboard(&checks, !hollow.is_empty());
    let direct = || checks.iter().zip(0..).filter(|(_, place)| wanted.is_direct(*place)).map(|((_, judged), _)| judged);
    let ready_at = (verdict == Verdict::Ready).then(|| direct().filter_map(Judged::arrived_at).max().unwrap_or(at));
    let mut outstanding = direct().filter(|judged| judged.verdict > Verdict::Ready).map(|judged| judged.forecast);
    let later = |last: Option<Forecast>, next: Forecast| Some(last.filter(|last| last.at > next.at).unwrap_or(next));
    let eta = outstanding.try_fold(None, |last, next| next.map(|next| later(last, next))).flatten();
    let holds_until = holds_until.after(at);
    CycleView { checks, wanted, verdict, hollow, ready_at, eta, holds_until, judged_at: at, touched: BTreeSet::new(), cycle }
}

struct Bench<'a> {
    state: &'a State,
    plan: &'a Plan,
    dashboard: &'a Dashboard,
    wanted: &'a Wanted,
    cycle: &'a Cycle,
    at: Instant,
}

/// One check on the bench, before its verdict.
struct Row {
    ix: Ix,
    standing: Standing,
    /// Not looked up for what is settled, which is most of what there is most of the time.
    habit: Option<Box<Habit>>,
}

impl Row {
    fn habit(&self) -> Habit {
        self.habit.as_deref().copied().unwrap_or_default()
    }
}

impl Bench<'_> {
    fn roster(&self) -> &Roster {
        &self.state.roster
    }

    fn source(&self, ix: Ix) -> Option<&SourceState> {
        self.state.sources.get(&self.roster().checks[ix].check.source)
    }

    /// `had`: where the check stands, if nothing of it has changed.
    fn row(&self, ix: Ix, had: Option<Standing>) -> Row {
        debug_assert!(had.as_ref().is_none_or(|had| *had == self.standing(ix)), "check {ix} was changed behind the view's back");
        let standing = had.unwrap_or_else(|| self.standing(ix));
        let habit = || Habit::of(&self.state.checks[ix].nights, self.roster().checks[ix].check.duration);
        let habit = (!standing.is_settled()).then(|| Box::new(habit()));
        Row { ix, standing, habit }
    }

    fn standing(&self, ix: Ix) -> Standing {
        let blank = SourceState::default();
        let source = self.source(ix).unwrap_or(&blank);
        standing::standing(&self.roster().checks[ix], &self.state.checks[ix], source, self.cycle, self.plan, self.at)
    }

    /// What is left to run after each check has arrived, along the slowest way to the dashboard.
    fn work_after(&self, rows: &[Row]) -> Vec<TimeDelta> {
        let mut after = vec![TimeDelta::zero(); rows.len()];
        for (at_place, row) in rows.iter().enumerate().rev().filter(|(_, row)| !row.standing.is_settled()) {
            let behind = row.habit().run_time() + after[at_place];
            for &need in self.wanted.needs(at_place) {
                after[need] = after[need].max(behind);
            }
        }
        after
    }

    /// A check is waited for when the dashboard needs it, or something that has not arrived and is waited for does.
    fn live(&self, rows: &[Row]) -> Vec<bool> {
        let mut live: Vec<bool> = (0..rows.len()).map(|place| self.wanted.is_direct(place)).collect();
        for (at_place, row) in rows.iter().enumerate().rev() {
            if live[at_place] && !row.standing.is_settled() {
                for &need in self.wanted.needs(at_place) {
                    live[need] = true;
                }
            }
        }
        live
    }

    fn verdict(&self, row: Row, after: TimeDelta, live: bool, before: &[(Ix, Judged)], holds_until: &mut Until) -> Judged {
        let deadline = self.cycle.deadline;
        let act_by = deadline - (self.dashboard.reaction + row.habit().run_time() + after);
        let settled = match &row.standing {
            Standing::NotDue => Some(Verdict::NotDue),
            Standing::NotWatched => Some(Verdict::NotWatched),
            Standing::Arrived(_) => Some(Verdict::Ready),
            _ => None,
        };
        if let Some(verdict) = settled {
            let standing = row.standing;
            return Judged { verdict, standing, forecast: None, works_since: None, act_by, cause: None, since: self.at, live };
        }
        // Those before it are judged already, and it stands behind all that it needs.
        let all = self.wanted.needs(before.len()).iter().filter_map(|at| before.get(*at)).map(|(_, judged)| judged);
        let fed_at = all.clone().filter(|judged| judged.verdict <= Verdict::Ready).filter_map(Judged::arrived_at).max();
        let needs: Vec<&Judged> = all.filter(|judged| judged.verdict > Verdict::Ready).collect();
        let works_since = works_since(&self.state.checks[row.ix], &row.standing, fed_at);
        let forecast = self.forecast(&row, works_since, &needs);
        let (verdict, since) = self.weigh(&row, &needs, forecast.as_ref(), after, act_by, holds_until);
        let cause = if verdict.is_trouble() && live { self.cause(&row, &needs) } else { None };
        Judged { verdict, standing: row.standing, forecast, works_since, act_by, cause, since, live }
    }

    fn forecast(&self, row: &Row, works_since: Option<Instant>, needs: &[&Judged]) -> Option<Forecast> {
        let outstanding = (!needs.is_empty()).then(|| {
            let all: Option<Vec<Instant>> = needs.iter().map(|judged| judged.forecast.map(|f| f.at)).collect();
            all.and_then(|all| all.into_iter().max())
        });
        let run = match &row.standing {
            Standing::Failed { .. } | Standing::Unseen(_) => return None,
            Standing::Running { state: RunState::Queued | RunState::Waiting { .. }, .. } if outstanding.is_some() => None,
            Standing::Running { state, .. } => Some((state, works_since)),
            _ => None,
        };
        let starts_at = match row.standing {
            Standing::NotStarted(NotStarted::Scheduled(at)) => Some(at),
            _ => None,
        };
        // The usual hour says nothing of what is under way, or waits for something.
        let idle = run.is_none() && outstanding.is_none();
        let usual = row.habit().arrives_s.filter(|_| idle);
        let arrives_at = usual.map(|(usual, _)| self.cycle.at_wall(usual, self.plan));
        forecast::arrival(&row.habit(), &forecast::Now { at: self.at, run, needs: outstanding, starts_at, arrives_at })
    }

    /// The verdict of a check that has not arrived, and since when it holds.
    fn weigh(
        &self,
        row: &Row,
        needs: &[&Judged],
        forecast: Option<&Forecast>,
        after: TimeDelta,
        act_by: Instant,
        holds_until: &mut Until,
    ) -> (Verdict, Instant) {
        let (at, deadline) = (self.at, self.cycle.deadline);
        let source = self.source(row.ix);
        match &row.standing {
            Standing::Failed { at: failed, .. } => return (Verdict::Failed, failed.unwrap_or(at)),
            Standing::Unseen(_) => {
                let dark = source.and_then(|source| source.dark.as_ref()).map(|dark| dark.since);
                return (Verdict::Unknown, dark.unwrap_or(at));
            }
            _ => {}
        }
        // "Late" wants an answer from after the deadline: the data may have arrived since the last one.
        let seen_past = source.and_then(|source| source.swept_at).is_some_and(|swept| swept >= deadline);
        // What its source has forgotten may be done: it is never red by itself.
        let forgotten = matches!(row.standing, Standing::NotStarted(NotStarted::Forgotten));
        let red = |verdict| if forgotten { Verdict::Unknown } else { verdict };
        if at >= deadline && (seen_past || at >= deadline + GRACE) {
            return (red(Verdict::Late), deadline);
        }
        if let Some(need) = needs.iter().find(|need| matches!(need.verdict, Verdict::Failed | Verdict::AtRisk | Verdict::Late)) {
            return (Verdict::AtRisk, need.since);
        }
        let dead_since = source.and_then(|source| source.scheduler_dead_since);
        let under_way = matches!(&row.standing, Standing::Running { state, .. } if !matches!(state, RunState::Queued));
        if let Some(since) = dead_since.filter(|_| !under_way) {
            return (Verdict::AtRisk, since);
        }
        let finish_by = deadline - after;
        let notice = act_by - NOTICE;
        let too_long = matches!(forecast, Some(Forecast { course: Course::Run { long, .. }, .. }) if at >= *long);
        let risky = match forecast {
            Some(f) if f.is_moving() => {
                holds_until.by(f.passes(finish_by, at), at);
                // A run that takes longer than usual: while a person can still do something, they are to know.
                if let Course::Run { long, .. } = f.course {
                    holds_until.by(long.max(notice), at);
                }
                f.at > finish_by || (too_long && at >= notice)
            }
            _ => {
                holds_until.by(notice, at);
                at >= notice
            }
        };
        let backstop = deadline - self.dashboard.at_latest;
        holds_until.by(backstop, at);
        let surely_in_time =
            forecast.is_some_and(|f| f.is_moving() && f.at <= finish_by && matches!(f.basis, Basis::Observed { .. }));
        if risky || (at >= backstop && !surely_in_time) { (red(Verdict::AtRisk), at) } else { (Verdict::OnTrack, at) }
    }

    /// The deepest thing that is wrong: what a check needs before the check, its source before the check.
    fn cause(&self, row: &Row, needs: &[&Judged]) -> Option<Cause> {
        let known = &self.roster().checks[row.ix];
        let deeper =
            needs.iter().filter(|need| need.cause.is_some()).min_by_key(|need| (std::cmp::Reverse(need.verdict), need.since));
        match &row.standing {
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
    fn hollow(&self) -> Vec<(Id, Id)> {
        let groups = self.dashboard.needs.iter().filter_map(|need| match need {
            Need::Group(id) => self.plan.groups.get(id).map(|group| (id, group)),
            Need::Check(_) => None,
        });
        let empty = groups.filter(|(id, _)| !self.roster().has_members(id));
        empty.map(|(id, group)| (id.clone(), group.source.clone())).collect()
    }

    fn of_dashboard(&self, checks: &[(Ix, Judged)], hollow: bool) -> Verdict {
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

impl Judged {
    pub fn arrived_at(&self) -> Option<Instant> {
        match &self.standing {
            Standing::Arrived(arrival) => Some(arrival.at),
            _ => None,
        }
    }
}
