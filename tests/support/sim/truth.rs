//! What is true of a script, found from its data alone: days, windows, deadlines, arrivals. Computed here a second time, plainly, with
//! nothing of the core's calendar and judging.

use super::conf::{Conf, Dashboard, What, date_of, local, on};
use super::record::Record;
use super::script::Script;
use super::things::{Course, Thing};
use chrono::{NaiveDate, TimeDelta};
use dawnwatch::core::plan::Id;
use dawnwatch::core::time::Instant;
use std::collections::BTreeSet;
use std::fmt;

/// What nobody needs to be told sooner: a sweep that is waited for, the reason of a failure, a few seconds for the way.
pub const GRACE: TimeDelta = TimeDelta::seconds(260);
/// Data whose time lies further ahead than this is believed by nobody.
pub const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// One due day of a dashboard, or one of its deadlines on that day.
#[derive(Debug, Clone)]
pub struct Day {
    pub dashboard: Id,
    pub date: NaiveDate,
    pub nth: usize,
    pub opens: Instant,
    pub closes: Instant,
    pub deadline: Instant,
    pub audience: bool,
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.dashboard, local(self.deadline))
    }
}

/// A script under one of its configurations.
#[derive(Clone, Copy)]
pub struct Truth<'a> {
    pub script: &'a Script,
    pub conf: &'a Conf,
}

impl<'a> Truth<'a> {
    pub fn at(script: &'a Script, real: Instant) -> Self {
        Self { script, conf: script.conf_at(real) }
    }

    /// All days whose deadline lies in the script, under this configuration.
    pub fn days(&self) -> Vec<Day> {
        let first = date_of(self.script.from) - TimeDelta::days(7);
        let dates = || first.iter_days().take(20);
        let mut days = Vec::new();
        for (id, dashboard) in &self.conf.dashboards {
            let due: Vec<NaiveDate> = dates().filter(|date| dashboard.on.holds(*date)).collect();
            for pair in due.windows(2) {
                days.extend((0..dashboard.ready_by.len()).map(|nth| day(id, dashboard, pair[0], pair[1], nth)));
            }
        }
        days.retain(|day| day.deadline > self.script.from && day.closes > self.script.from);
        days
    }

    /// What the dashboard needs itself; members of groups that are new or forgotten are nobody's worry.
    pub fn needs(&self, day: &Day, record: &Record) -> Vec<(Id, &'a Thing)> {
        let mut needs = Vec::new();
        for need in self.conf.dashboards.get(&day.dashboard).into_iter().flat_map(|dashboard| &dashboard.needs) {
            match need.as_str().strip_prefix("group:") {
                Some(group) => {
                    let members =
                        self.script.things.iter().filter(|(_, thing)| thing.group.as_ref().is_some_and(|of| of.as_str() == group));
                    let known = members.filter(|(id, thing)| self.is_old(thing, day) && !was_retired(record, id));
                    needs.extend(known.map(|(id, thing)| (id.clone(), thing)));
                }
                None if !self.conf.is_due(need, day.date) => {}
                None => needs.extend(self.thing(need).map(|thing| (need.clone(), thing))),
            }
        }
        needs
    }

    pub fn thing(&self, check: &Id) -> Option<&'a Thing> {
        let name = self.conf.checks.get(check).and_then(|check| check.thing.as_ref()).unwrap_or(check);
        self.script.things.get(name)
    }

    /// A member that was there from the beginning.
    fn is_old(&self, thing: &Thing, day: &Day) -> bool {
        thing.is_there(self.script.from) && thing.gone.iter().all(|span| span.from > day.deadline || span.from > self.script.from)
    }

    /// When what counts for the day could first be seen at its source.
    pub fn arrival(&self, thing: &Thing, day: &Day) -> Option<Instant> {
        let there = |at: Instant| visible(thing, at);
        match thing.what {
            What::Pipeline => {
                thing.runs.iter().filter(|run| counts(run, day)).filter_map(Course::succeeded_at).filter_map(there).min()
            }
            What::Arrival => self.data(thing, day.opens),
            What::Data { through } => self.data(thing, on(day.date, through)),
        }
    }

    fn data(&self, thing: &Thing, enough: Instant) -> Option<Instant> {
        let newest = |at: &Instant| thing.newest(*at).is_some_and(|stamp| stamp >= enough && stamp <= *at + AHEAD);
        thing.data.iter().filter_map(|(at, _)| visible(thing, *at)).filter(newest).min()
    }

    /// Has anybody who looked seen that it came? A time that was ahead when it could first be seen may have been right by then.
    pub fn was_seen(&self, thing: &Thing, day: &Day, record: &Record, by: Instant) -> bool {
        if self.arrival(thing, day).is_some_and(|arrived| saw(record, &thing.source, arrived, by)) {
            return true;
        }
        let enough = match thing.what {
            What::Pipeline => return false,
            What::Arrival => day.opens,
            What::Data { through } => on(day.date, through),
        };
        let swept = record.swept.get(&thing.source).into_iter().flatten().filter(|swept| **swept <= by);
        let good = |at: &Instant| thing.newest(*at).is_some_and(|stamp| stamp >= enough && stamp <= *at + AHEAD);
        swept.into_iter().filter(|at| visible(thing, **at) == Some(**at)).any(good)
    }

    /// Is the day plain: one configuration, a clock that is right?
    pub fn is_plain(&self, day: &Day, until: Instant) -> bool {
        let changed = self.script.changes.iter().any(|change| day.opens - TimeDelta::hours(1) <= change.at && change.at <= until);
        !changed && !self.clock_is_off(day.opens, until)
    }

    pub fn clock_is_off(&self, from: Instant, to: Instant) -> bool {
        // What was written down at another time stays so for a while.
        self.script.jumps.iter().any(|(span, _)| span.touches(from - TimeDelta::hours(1), to + TimeDelta::hours(1)))
    }

    /// All that a dashboard may wait for: by name, and the members of groups.
    pub fn closure(&self, dashboard: &Id) -> BTreeSet<Id> {
        let Some(dashboard) = self.conf.dashboards.get(dashboard) else { return BTreeSet::new() };
        let mut all = self.conf.closure(dashboard);
        let groups: Vec<String> = all.iter().filter_map(|id| id.as_str().strip_prefix("group:")).map(str::to_owned).collect();
        for (id, thing) in &self.script.things {
            if thing.group.as_ref().is_some_and(|group| groups.iter().any(|of| *of == group.as_str())) {
                all.insert(id.clone());
            }
        }
        all
    }
}

fn day(id: &Id, dashboard: &Dashboard, date: NaiveDate, next: NaiveDate, nth: usize) -> Day {
    let deadline = on(date, dashboard.ready_by[nth]);
    Day {
        dashboard: id.clone(),
        date,
        nth,
        opens: if nth == 0 { on(date, dashboard.opens) } else { on(date, dashboard.ready_by[nth - 1]) },
        closes: if nth + 1 < dashboard.ready_by.len() { deadline } else { on(next, dashboard.opens) },
        deadline,
        audience: dashboard.audience.holds(date),
    }
}

pub fn counts(run: &Course, day: &Day) -> bool {
    day.opens <= run.scheduled_at && run.scheduled_at < day.closes
}

/// The first instant from then on at which the source says anything sensible of it.
fn visible(thing: &Thing, mut at: Instant) -> Option<Instant> {
    // Each span can push it on once.
    for _ in 0..=thing.gone.len() + thing.strange.len() {
        match thing.gone.iter().chain(&thing.strange).find(|span| span.holds(at)) {
            Some(span) => at = span.to,
            None => return Some(at),
        }
    }
    None
}

/// Did the source answer between `from` and `to`?
pub fn saw(record: &Record, source: &Id, from: Instant, to: Instant) -> bool {
    record.swept.get(source).into_iter().flatten().any(|swept| from <= *swept && *swept <= to)
}

fn was_retired(record: &Record, id: &Id) -> bool {
    use dawnwatch::core::command::Order;
    record.granted.iter().any(|granted| matches!(&granted.order, Order::Retire { check } if check == id))
}
