//! Lints about time: what cannot be done by its deadline, what is never due, and what is dark when it matters.

use super::{Checker, hours_word, reached_from, span};
use crate::core::calendar::DayRule;
use crate::core::plan::{Check, Dashboard, Id, Maintenance, Need, Plan};
use crate::core::time::{ClockTime, shift};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use std::collections::BTreeMap;

impl Checker<'_> {
    pub(super) fn lint_timing(&mut self, plan: &Plan) {
        for (id, dashboard) in &plan.dashboards {
            self.too_slow(plan, id, dashboard);
            self.never_due(plan, id, dashboard);
        }
        for (id, window) in &plan.maintenance {
            self.dark_at_a_deadline(plan, id, window);
        }
        let checks = plan.checks.iter().map(|(id, check)| ("checks", id, &**check));
        let groups = plan.groups.iter().map(|(id, group)| ("groups", id, &group.each));
        for (section, id, check) in checks.chain(groups) {
            self.stale_between_looks(plan, section, id, check);
        }
    }

    fn too_slow(&mut self, plan: &Plan, id: &Id, dashboard: &Dashboard) {
        let mut opens = dashboard.counts_from;
        for deadline in &dashboard.ready_by {
            let first = opens == dashboard.counts_from;
            let mut ends = Ends { plan, opens: opens.since_midnight_s(), first, known: BTreeMap::new() };
            let last = dashboard.needs.iter().map(|need| ends.of(need)).max_by_key(|end| end.at_s);
            let over = last.filter(|end| end.declared && end.at_s > deadline.since_midnight_s());
            if let Some(end) = over {
                let (needs, late) = (end.way.join(" → "), hours_word(TimeDelta::seconds(end.at_s - deadline.since_midnight_s())));
                let text = format!(
                    "by their declared durations the needs of dashboard {id} end {late} after the deadline {deadline}, even when \
                     they begin at {opens}: {needs}"
                );
                self.warning(&["dashboards", id.as_str(), "ready_by"], text);
            }
            opens = *deadline;
        }
    }

    fn never_due(&mut self, plan: &Plan, id: &Id, dashboard: &Dashboard) {
        let path = |key| ["dashboards", id.as_str(), key];
        let due = |day| dashboard.on.holds(day, &plan.calendars);
        let looked_at = |day| due(day).zip(dashboard.audience.holds(day, &plan.calendars)).map(|(due, audience)| due && audience);
        if dashboard.on != DayRule::Daily && never(due) {
            self.warning(&path("on"), format!("dashboard {id} is never due: no day is what `on` says"));
        } else if dashboard.audience != dashboard.on && dashboard.audience != DayRule::Daily && never(looked_at) {
            let text = format!("nobody ever looks at dashboard {id}: no day of its audience is a day on which it is due");
            self.warning(&path("audience"), text);
        }
        for day in dashboard.audience_also.iter().filter(|day| due(**day) == Some(false)) {
            let text = format!("dashboard {id} is not due on {day}, so it is not judged for its audience of that day");
            self.warning(&path("audience_also"), text);
        }
    }

    fn dark_at_a_deadline(&mut self, plan: &Plan, name: &Id, window: &Maintenance) {
        for (id, dashboard) in &plan.dashboards {
            let touched = reached_from(plan, &dashboard.needs).iter().any(|need| match need {
                Need::Check(id) => {
                    window.checks.contains(id) || plan.checks.get(id).is_some_and(|check| window.sources.contains(&check.source))
                }
                Need::Group(id) => plan.groups.get(id).is_some_and(|group| window.sources.contains(&group.source)),
            });
            let covered = dashboard.ready_by.iter().find(|deadline| touched && covers(plan, window, dashboard, **deadline));
            if let Some(deadline) = covered {
                let text =
                    format!("maintenance {name} covers the deadline {deadline} of dashboard {id}: what it needs is dark then");
                self.warning(&["maintenance", name.as_str()], text);
            }
        }
    }

    fn stale_between_looks(&mut self, plan: &Plan, section: &str, id: &Id, check: &Check) {
        let every = plan.sources.get(&check.source).map(|source| source.every);
        let Some((max_age, every)) = check.max_age.zip(every).filter(|(max_age, every)| max_age < every) else { return };
        let (max_age, every, source) = (hours_word(max_age), hours_word(every), &check.source);
        let text = format!("max_age is {max_age}, but source {source} is asked only every {every}: it will look stale in between");
        self.warning(&[section, id.as_str(), "max_age"], text);
    }
}

/// Days are known, and none of them is one. Of days that no calendar covers nothing is said.
fn never(is_one: impl Fn(NaiveDate) -> Option<bool>) -> bool {
    let mut known = span().filter_map(is_one).peekable();
    known.peek().is_some() && !known.any(|one| one)
}

/// When something ends at the earliest, in seconds after midnight of the business date, and by which way.
#[derive(Clone)]
struct End {
    at_s: i64,
    way: Vec<String>,
    /// Something on the way has a declared duration: without, nothing is known.
    declared: bool,
}

/// The earliest ends within one window, by declared durations alone.
struct Ends<'a> {
    plan: &'a Plan,
    opens: i64,
    /// The first window of the day: a check's own opening holds for that one.
    first: bool,
    known: BTreeMap<Need, End>,
}

impl Ends<'_> {
    /// `needs` have no loops: such a plan was refused.
    fn of(&mut self, need: &Need) -> End {
        if let Some(end) = self.known.get(need) {
            return end.clone();
        }
        let (check, name) = match need {
            Need::Check(id) => (self.plan.checks.get(id).map(|check| &**check), id.to_string()),
            Need::Group(id) => (self.plan.groups.get(id).map(|group| &group.each), format!("group:{id}")),
        };
        let nothing = End { at_s: self.opens, way: Vec::new(), declared: false };
        let Some(check) = check else { return nothing };
        let own = check.counts_from.filter(|_| self.first).map_or(self.opens, ClockTime::since_midnight_s);
        let begins = check.run.map_or(own, |run| own.max(run.since_midnight_s()));
        let before = check.needs.iter().map(|need| self.of(need)).max_by_key(|end| end.at_s);
        let mut end = before.filter(|end| end.at_s > begins).unwrap_or(End { at_s: begins, ..nothing });
        end.at_s += check.duration.map_or(0, |duration| duration.num_seconds());
        end.declared |= check.duration.is_some();
        end.way.push(name);
        self.known.insert(need.clone(), end.clone());
        end
    }
}

/// On some day that both hold, the window is open at the deadline.
fn covers(plan: &Plan, window: &Maintenance, dashboard: &Dashboard, deadline: ClockTime) -> bool {
    span().filter(|day| dashboard.on.holds(*day, &plan.calendars) == Some(true)).any(|day| {
        let at = shift(day, deadline.day_offset).and_time(deadline.time);
        [0, -1].iter().any(|back| {
            let begins = shift(at.date(), *back);
            window.on.holds(begins, &plan.calendars) == Some(true) && open_at(window, begins.and_time(NaiveTime::MIN), at)
        })
    })
}

fn open_at(window: &Maintenance, midnight: NaiveDateTime, at: NaiveDateTime) -> bool {
    let (from, to) = match window.hours {
        None => (midnight, midnight + TimeDelta::days(1)),
        Some(hours) => {
            let over_midnight = TimeDelta::days(i64::from(hours.to <= hours.from));
            (midnight.date().and_time(hours.from), midnight.date().and_time(hours.to) + over_midnight)
        }
    };
    from <= at && at < to
}
