//! Maintenance: hours in which a source or a check is expected to be dark. Knows days and hours; what is said, and what a deadline in
//! danger overrides, is `patience`'s.
//!
//! A day that its calendar does not cover is no maintenance: what nobody knows excuses no silence.

use super::plan::{Id, Maintenance, Plan};
use super::state::{Cause, Incident, Phase, State};
use super::time::{Instant, local_date, resolve, shift};
use chrono::{NaiveDate, NaiveTime};

/// How far ahead a window's next beginning is looked for, and how many windows may follow each other without a gap.
const SEARCH_DAYS: i32 = 40;

/// Until when the source is in maintenance; `None`: it is not.
pub(super) fn of_source(plan: &Plan, id: &Id, at: Instant) -> Option<Instant> {
    until(plan, at, |window| window.sources.contains(id))
}

/// Until when the check is in maintenance by its own name; that of its source is the source's.
pub(super) fn of_check(plan: &Plan, id: &Id, at: Instant) -> Option<Instant> {
    until(plan, at, |window| window.checks.contains(id))
}

/// Was the check, or its source, in maintenance at any time from `from` until `to`?
pub(super) fn was(plan: &Plan, check: &Id, source: &Id, from: Instant, to: Instant) -> bool {
    let mut concerned = plan.maintenance.values().filter(|window| window.checks.contains(check) || window.sources.contains(source));
    let days = (to - from).num_days().clamp(0, SEARCH_DAYS.into()) as i32 + 1;
    concerned.any(|window| spans(plan, window, from, days).any(|(begins, ends)| begins < to && from < ends))
}

/// Until when all that an incident is about is in maintenance. One of many alike that is not makes it everybody's again.
pub(super) fn of_incident(plan: &Plan, incident: &Incident, at: Instant) -> Option<Instant> {
    match &incident.cause {
        Cause::Source(id) | Cause::Scheduler(id) | Cause::Clock(id) => of_source(plan, id, at),
        Cause::Check(id) => {
            let all = incident.alike.iter().chain([id]).map(|id| of_check(plan, id, at));
            all.collect::<Option<Vec<Instant>>>()?.into_iter().min()
        }
        Cause::Calendar(_) | Cause::Group(_) | Cause::Watch(_) => None,
    }
}

/// The next instant at which any window that concerns an open incident begins or ends.
pub(super) fn next_change(plan: &Plan, state: &State, at: Instant) -> Option<Instant> {
    let open = || state.incidents.values().filter(|incident| !matches!(incident.phase, Phase::Resolved { .. }));
    let named = |window: &&Maintenance| open().any(|incident| concerns(window, &incident.cause));
    let windows = plan.maintenance.values().filter(named);
    windows.filter_map(|window| spans(plan, window, at, SEARCH_DAYS).flat_map(|(from, to)| [from, to]).find(|t| *t > at)).min()
}

fn concerns(window: &Maintenance, cause: &Cause) -> bool {
    match cause {
        Cause::Source(id) | Cause::Scheduler(id) | Cause::Clock(id) => window.sources.contains(id),
        Cause::Check(_) => !window.checks.is_empty(),
        // A silence that is expected is no sign of the network's fault.
        Cause::Watch(_) => !window.sources.is_empty(),
        Cause::Calendar(_) | Cause::Group(_) => false,
    }
}

/// Windows that touch each other are one.
fn until(plan: &Plan, at: Instant, wanted: impl Fn(&Maintenance) -> bool) -> Option<Instant> {
    let windows: Vec<&Maintenance> = plan.maintenance.values().filter(|window| wanted(window)).collect();
    let end = |at: Instant| {
        let spans = windows.iter().flat_map(|window| spans(plan, window, at, 0));
        spans.filter(|(from, to)| *from <= at && at < *to).map(|(_, to)| to).max()
    };
    let mut last = end(at)?;
    for _ in 0..SEARCH_DAYS {
        match end(last) {
            Some(later) => last = later,
            None => break,
        }
    }
    Some(last)
}

/// From when to when, in order of time: what began yesterday, today, and on so many days more.
fn spans<'a>(
    plan: &'a Plan,
    window: &'a Maintenance,
    at: Instant,
    days: i32,
) -> impl Iterator<Item = (Instant, Instant)> + use<'a> {
    let zone = plan.timezone;
    let today = local_date(at, zone);
    let dates = (-1..=days).map(move |days| shift(today, days));
    dates.filter(|date| window.on.holds(*date, &plan.calendars) == Some(true)).filter_map(move |date: NaiveDate| {
        let tomorrow = shift(date, 1);
        let (from, (end, to)) = match window.hours {
            None => (NaiveTime::MIN, (tomorrow, NaiveTime::MIN)),
            Some(hours) if hours.from < hours.to => (hours.from, (date, hours.to)),
            Some(hours) if hours.from > hours.to => (hours.from, (tomorrow, hours.to)),
            Some(_) => return None,
        };
        Some((resolve(date, from, zone), resolve(end, to, zone)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::calendar::{Calendar, DayRule};
    use crate::core::time::Hours;
    use std::collections::BTreeMap;

    /// Days, and from when to when.
    type Window = (DayRule, Option<(&'static str, &'static str)>);

    fn plan(windows: &[Window], zone: chrono_tz::Tz) -> Plan {
        let clock = |text: &str| format!("{text}:00").parse::<NaiveTime>().unwrap();
        let window = |(on, hours): &Window| Maintenance {
            sources: [Id::from("warehouse")].into(),
            checks: [].into(),
            on: on.clone(),
            hours: hours.map(|(from, to)| Hours { from: clock(from), to: clock(to) }),
        };
        let covered = Some(("2026-01-01".parse().unwrap(), "2026-11-24".parse().unwrap()));
        let kr = Calendar { weekend: vec![chrono::Weekday::Sat, chrono::Weekday::Sun], covered, ..Calendar::default() };
        Plan {
            fingerprint: "".into(),
            timezone: zone,
            retention: chrono::TimeDelta::days(1),
            tell: vec![],
            calendars: [(Id::from("kr"), kr)].into(),
            owners: BTreeMap::new(),
            sources: BTreeMap::new(),
            groups: BTreeMap::new(),
            checks: BTreeMap::new(),
            dashboards: BTreeMap::new(),
            chats: BTreeMap::new(),
            digests: BTreeMap::new(),
            maintenance: windows.iter().enumerate().map(|(n, w)| (Id::from(format!("w{n}")), window(w))).collect(),
            heartbeat_every: None,
        }
    }

    /// Until when at this local time, as local time.
    fn ends(plan: &Plan, at: &str) -> Option<String> {
        let (date, time) = at.split_once(' ').unwrap();
        let at = resolve(date.parse().unwrap(), format!("{time}:00").parse().unwrap(), plan.timezone);
        let until = of_source(plan, &Id::from("warehouse"), at)?;
        Some(until.with_timezone(&plan.timezone).format("%d %H:%M").to_string())
    }

    #[test]
    fn until_when_a_source_is_in_maintenance() {
        use chrono::Weekday::Mon;
        let seoul = chrono_tz::Asia::Seoul;
        let night = || Some(("02:00", "04:30"));
        let over = || Some(("22:00", "03:00"));
        let monday = || DayRule::Weekdays(vec![Mon]);
        let workdays = || DayRule::Workdays(Id::from("kr"));
        let cases: [(Vec<Window>, &str, Option<&str>); 12] = [
            (vec![(DayRule::Daily, night())], "2026-11-23 01:59", None),
            (vec![(DayRule::Daily, night())], "2026-11-23 02:00", Some("23 04:30")),
            (vec![(DayRule::Daily, night())], "2026-11-23 04:30", None),
            (vec![(monday(), over())], "2026-11-23 23:00", Some("24 03:00")),
            // On Tuesday it is still Monday's.
            (vec![(monday(), over())], "2026-11-24 02:00", Some("24 03:00")),
            (vec![(monday(), over())], "2026-11-23 02:00", None),
            (vec![(monday(), None)], "2026-11-23 00:00", Some("24 00:00")),
            // Windows that touch are one.
            (vec![(monday(), None), (DayRule::Daily, Some(("00:00", "01:00")))], "2026-11-23 12:00", Some("24 01:00")),
            (vec![(workdays(), night())], "2026-11-24 03:00", Some("24 04:30")),
            // A Wednesday that no data covers is no maintenance.
            (vec![(workdays(), night())], "2026-11-25 03:00", None),
            (vec![(DayRule::Daily, Some(("02:00", "02:00")))], "2026-11-23 02:00", None),
            // Always: said to last as far as anybody looks.
            (vec![(DayRule::Daily, None)], "2026-11-23 12:00", Some("03 00:00")),
        ];
        for (windows, at, expected) in cases {
            assert_eq!(ends(&plan(&windows, seoul), at).as_deref(), expected, "{at} {windows:?}");
        }
        // The night on which the clocks go forward: 02:30 does not exist, and the window ends where it would have.
        let york = plan(&[(DayRule::Daily, Some(("01:00", "02:30")))], chrono_tz::America::New_York);
        assert_eq!(ends(&york, "2026-03-08 01:59").as_deref(), Some("08 03:30"));
    }
}
