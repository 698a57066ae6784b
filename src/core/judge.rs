//! Verdicts: each check in each open cycle, each dashboard, and until when they hold. Reads the state, and changes nothing but
//! the view that it brings to now.
//!
//! What settles the cost: where a check stands, and what is usual for it, is looked up only where something of it has changed; what is
//! settled is passed over; of the rest only that is weighed anew whose time has come, or for which something around it has changed.

mod ahead;
mod bench;
mod now;
mod path;
mod prospect;

pub use prospect::Prospect;

use self::bench::Bench;
use self::now::Holds;
use self::path::Path;
use super::cycle::Cycle;
use super::forecast::{AsARule, Forecast, Habit};
use super::outside::Outside;
use super::plan::{Dashboard, Id, Plan};
use super::roster::{Ix, Wanted};
use super::standing::{Standing, Unseen};
use super::state::{Cause, CycleKey, State, Verdict};
use super::time::{Instant, Until, earliest};
use chrono::{NaiveDate, TimeDelta};
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
    /// The cycle, while it is open.
    pub fn of(&self, key: &CycleKey) -> Option<&CycleView> {
        self.cycles.get(&key.dashboard).filter(|view| view.cycle.key == *key)
    }

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
    /// When time alone may change any of it.
    pub holds_until: Option<Instant>,
    /// Whose newer answers may change any of it, even without news.
    pub awaits: Awaits,
    pub judged_at: Instant,
    /// Checks of which something has changed since it was judged.
    pub touched: BTreeSet<Ix>,
}

/// From when on an answer of each source changes a judgement, whatever it tells: that something has not come by then.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Awaits(Vec<(Id, Instant)>);

impl Awaits {
    /// `None`: none does.
    fn by(&mut self, source: &Id, answer: Option<Instant>) {
        let Some(answer) = answer else { return };
        match self.0.iter_mut().find(|(known, _)| known == source) {
            Some((_, had)) => *had = answer.min(*had),
            None => self.0.push((source.clone(), answer)),
        }
    }

    /// The first that lies ahead. (One that does not comes with the next answer.)
    fn after(&self, at: Instant) -> Option<Instant> {
        self.0.iter().map(|(_, answer)| *answer).filter(|answer| *answer > at).min()
    }

    pub fn of(&self, source: &Id) -> Option<Instant> {
        self.0.iter().find(|(known, _)| known == source).map(|(_, answer)| *answer)
    }
}

/// One check in one cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    pub verdict: Verdict,
    pub standing: Standing,
    pub forecast: Option<Forecast>,
    /// Since when its run works by itself: its start, the end of its waiting, the arrival of the last thing that it needs.
    pub works_since: Option<Instant>,
    /// The last moment at which a person can still save the deadline. (Of what is settled: the deadline.)
    pub act_by: Instant,
    /// Where its trouble comes from; `None`: none, or nothing to be told of.
    pub cause: Option<Cause>,
    /// When the trouble began. (Of what is in none: the deadline.)
    pub since: Instant,
    /// Does the dashboard still wait for it, itself or through others?
    pub live: bool,
    /// A run that counts in the cycle was seen to have failed, whatever came after it.
    pub had_failed: bool,
    /// `None`: it is settled, as most of what there is most of the time.
    open: Option<Box<Open>>,
}

/// What else is known of a check that is not settled.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Open {
    habit: Habit,
    /// The last night that it tells of.
    known_until: Option<NaiveDate>,
    /// What is left to run after it has arrived, along the slowest way to the dashboard.
    after: Path,
    /// When it comes as a rule, tonight.
    usual_at: Option<Instant>,
    holds: Holds,
}

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

    /// When it may change though nothing new is seen: by the clock, or because an answer from then has nothing new either.
    pub fn stands_until(&self) -> Option<Instant> {
        earliest(self.holds_until, self.awaits.after(self.judged_at))
    }

    /// The same of one check: it changes with what it needs, but not with others.
    pub fn stands_until_of(&self, ix: Ix) -> Option<Instant> {
        let (mut until, mut left) = (Some(self.cycle.closes_at), Vec::from_iter(self.wanted.place(ix)));
        let mut seen = vec![false; self.checks.len()];
        while let Some(place) = left.pop() {
            if !std::mem::replace(&mut seen[place], true) {
                until = earliest(until, self.checks[place].1.open.as_ref().and_then(|open| open.holds.after(self.judged_at)));
                left.extend(self.wanted.needs(place));
            }
        }
        until
    }

    /// When a check came on its recent nights, in the window that counts here.
    pub fn as_a_rule(&self, ix: Ix, state: &State, plan: &Plan) -> Option<AsARule> {
        let check = &state.roster.checks.get(ix)?.check;
        AsARule::of(state.checks.get(ix)?.habits.of(&self.cycle.window(check, plan))?)
    }

    /// The earliest act-by of what is outstanding.
    pub fn act_by(&self) -> Option<Instant> {
        let outstanding = self.checks.iter().filter(|(_, judged)| judged.live && judged.verdict > Verdict::Ready);
        outstanding.map(|(_, judged)| judged.act_by).min()
    }
}

/// Judges one cycle at `at`, all of it.
pub fn judge(state: &State, plan: &Plan, dashboard: &Dashboard, cycle: Cycle, at: Instant) -> CycleView {
    let wanted = state.roster.dashboards.get(&cycle.key.dashboard).cloned().unwrap_or_default();
    let checks: Vec<(Ix, Judged)> = wanted.closure.iter().map(|ix| (*ix, Judged::not_yet(&cycle))).collect();
    let places: Vec<usize> = (0..checks.len()).collect();
    let mut view = CycleView {
        checks,
        wanted,
        verdict: Verdict::NotDue,
        hollow: Vec::new(),
        ready_at: None,
        holds_until: None,
        awaits: Awaits::default(),
        judged_at: at,
        touched: BTreeSet::new(),
        cycle,
    };
    view.judge(&places, state, plan, dashboard, at);
    view
}

/// Judges a cycle again, as [`judge`] would: what was not touched stands where it stood. Returns the places of what was looked at.
pub(super) fn judge_again(view: &mut CycleView, state: &State, plan: &Plan, dashboard: &Dashboard, at: Instant) -> Vec<usize> {
    let touched = std::mem::take(&mut view.touched);
    // That a deadline was met stays so when it has passed: a clock that was set back brings it back.
    let places: Vec<usize> = if at < view.judged_at {
        (0..view.checks.len()).collect()
    } else {
        touched.iter().filter_map(|ix| view.wanted.place(*ix)).collect()
    };
    view.judge(&places, state, plan, dashboard, at);
    debug_assert!(
        *view == judge(state, plan, dashboard, view.cycle.clone(), at),
        "something of {} was changed behind the view's back",
        view.cycle.key.dashboard
    );
    places
}

impl CycleView {
    /// `places`: of what has changed since the last judgement.
    fn judge(&mut self, places: &[usize], state: &State, plan: &Plan, dashboard: &Dashboard, at: Instant) {
        let mut checks = std::mem::take(&mut self.checks);
        let (cycle, wanted) = (&self.cycle, &*self.wanted);
        let bench = Bench { state, plan, dashboard, wanted, cycle, at };
        for &place in places {
            let (ix, judged) = &mut checks[place];
            bench.look(*ix, judged);
        }
        let (mut holds_until, mut awaits) = (Until(Some(cycle.closes_at)), Awaits::default());
        bench.weigh_all(&mut checks, places, &mut holds_until, &mut awaits);
        // Every judgement may change at the deadline, whatever the checks are like.
        holds_until.by(cycle.deadline, at);
        holds_until.by(cycle.deadline + GRACE, at);
        let hollow = bench.hollow();
        let verdict = bench.of_dashboard(&checks, !hollow.is_empty());
        let direct = || checks.iter().zip(0..).filter(|(_, place)| wanted.is_direct(*place)).map(|((_, judged), _)| judged);
        let ready_at = (verdict == Verdict::Ready).then(|| direct().filter_map(Judged::arrived_at).max().unwrap_or(at));
        let holds_until = holds_until.after(at);
        (self.verdict, self.hollow, self.ready_at) = (verdict, hollow, ready_at);
        (self.checks, self.holds_until, self.awaits, self.judged_at) = (checks, holds_until, awaits, at);
    }
}

impl Judged {
    /// Before it is looked at.
    fn not_yet(cycle: &Cycle) -> Self {
        Self {
            verdict: Verdict::NotDue,
            standing: Standing::NotDue,
            forecast: None,
            works_since: None,
            act_by: cycle.deadline,
            cause: None,
            since: cycle.deadline,
            live: false,
            had_failed: false,
            open: None,
        }
    }

    /// What is usual for it tonight; `None` once it is settled.
    pub fn habit(&self) -> Option<&Habit> {
        self.open.as_deref().map(|open| &open.habit)
    }

    /// When it comes as a rule, where nothing is wrong with it at `at` but that this is too late.
    pub fn as_ever(&self, at: Instant) -> Option<Instant> {
        self.open.as_deref()?.usual_at.filter(|usual_at| self.verdict == Verdict::AtRisk && at < *usual_at)
    }

    pub fn arrived_at(&self) -> Option<Instant> {
        match &self.standing {
            Standing::Arrived(arrival) => Some(arrival.at),
            _ => None,
        }
    }
}
