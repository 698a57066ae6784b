//! Cycles: which due day of a dashboard is now, from when to when, and whether anybody looks.

use super::forecast::Tonight;
use super::plan::{Check, Dashboard, Id, Plan};
use super::state::CycleKey;
use super::time::{Instant, at_wall, local_date, shift, wall_s};
use chrono::{NaiveDate, TimeDelta};
use std::ops::Range;

/// One due day of a dashboard, or one of its several deadlines on that day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    pub key: CycleKey,
    pub opens_at: Instant,
    pub deadline: Instant,
    /// Where the next one opens.
    pub closes_at: Instant,
    /// Where the first window of the business date opens, and whether this cycle is that day's last.
    pub day_opens_at: Instant,
    pub last_of_day: bool,
    /// Does a miss matter to somebody? Where a calendar has ended: yes, and `calendar_ended` says so.
    pub audience: bool,
    pub calendar_ended: Option<Id>,
}

/// No rule of days is looked for further than this.
const SEARCH_DAYS: i32 = 400;
/// A window that is open longer is none for a forecast: a month.
const WINDOW_MAX_S: i32 = 31 * 86_400;

/// The cycle that is open at `at`; `None` where the rule has no day within more than a year.
pub fn current(plan: &Plan, id: &Id, dashboard: &Dashboard, at: Instant) -> Option<Cycle> {
    let today = local_date(at, plan.timezone);
    let ahead = 1 - dashboard.counts_from.day_offset;
    let (date, nth) =
        (-SEARCH_DAYS..=ahead).rev().map(|days| shift(today, days)).filter(|date| due_on(plan, dashboard, *date)).find_map(
            |date| {
                let open = (0..dashboard.ready_by.len()).rev().find(|nth| opens_at(plan, dashboard, date, *nth) <= at);
                open.map(|nth| (date, nth))
            },
        )?;
    Some(cycle_of(plan, id, dashboard, date, nth))
}

/// The cycle of a key that was stored; `None` where the dashboard no longer has such a deadline.
pub fn of_key(plan: &Plan, dashboard: &Dashboard, key: &CycleKey) -> Option<Cycle> {
    let nth = usize::try_from(key.nth).ok().filter(|nth| *nth < dashboard.ready_by.len())?;
    due_on(plan, dashboard, key.date).then(|| cycle_of(plan, &key.dashboard, dashboard, key.date, nth))
}

fn cycle_of(plan: &Plan, id: &Id, dashboard: &Dashboard, date: NaiveDate, nth: usize) -> Cycle {
    let deadline = dashboard.ready_by[nth].on(date, plan.timezone);
    let closes_at = if nth + 1 < dashboard.ready_by.len() {
        opens_at(plan, dashboard, date, nth + 1)
    } else {
        (1..=SEARCH_DAYS)
            .map(|days| shift(date, days))
            .find(|next| due_on(plan, dashboard, *next))
            .map_or(Instant::MAX_UTC, |next| opens_at(plan, dashboard, next, 0))
    };
    let (audience, calendar_ended) = match dashboard.audience.holds(date, &plan.calendars) {
        _ if dashboard.audience_also.contains(&date) => (true, None),
        Some(audience) => (audience, None),
        None => (true, dashboard.audience.calendar().cloned()),
    };
    let nth_u32 = u32::try_from(nth).unwrap_or(u32::MAX);
    Cycle {
        key: CycleKey { dashboard: id.clone(), date, nth: nth_u32 },
        opens_at: opens_at(plan, dashboard, date, nth),
        deadline,
        closes_at,
        day_opens_at: opens_at(plan, dashboard, date, 0),
        last_of_day: nth + 1 == dashboard.ready_by.len(),
        audience,
        calendar_ended,
    }
}

/// Each later window of a day opens at the deadline before it.
fn opens_at(plan: &Plan, dashboard: &Dashboard, date: NaiveDate, nth: usize) -> Instant {
    let clock = if nth == 0 { dashboard.counts_from } else { dashboard.ready_by[nth - 1] };
    clock.on(date, plan.timezone)
}

/// A day that the calendar does not cover is due: better judged for nobody than not judged.
fn due_on(plan: &Plan, dashboard: &Dashboard, date: NaiveDate) -> bool {
    dashboard.on.holds(date, &plan.calendars).unwrap_or(true)
}

impl Cycle {
    /// Where the window of `check` opens in this cycle.
    pub fn window_opens(&self, check: &Check, plan: &Plan) -> Instant {
        match check.counts_from {
            Some(clock) if self.key.nth == 0 => clock.on(self.key.date, plan.timezone),
            _ => self.opens_at,
        }
    }

    /// Where the window of `check` ends. Its own opening moves the ends of the day; between the deadlines of one day its windows are
    /// the dashboard's.
    pub fn window_closes(&self, check: &Check, plan: &Plan) -> Instant {
        match check.counts_from {
            Some(clock) if self.last_of_day => {
                let moved = clock.on(self.key.date, plan.timezone) - self.day_opens_at;
                self.closes_at.checked_add_signed(moved).unwrap_or(self.closes_at)
            }
            _ => self.closes_at,
        }
    }

    /// From when on a run counts: the window's opening, or the configured `run` time within it.
    pub fn runs_from(&self, check: &Check, plan: &Plan) -> Instant {
        let opens = self.window_opens(check, plan);
        check.run.map_or(opens, |clock| clock.on(self.key.date, plan.timezone).max(opens))
    }

    /// The window of `check`, in seconds on the wall after local midnight of the business date.
    pub fn window(&self, check: &Check, plan: &Plan) -> Range<i32> {
        let wall = |at: Instant| i32::try_from(self.wall_s(at, plan)).unwrap_or(i32::MAX).min(WINDOW_MAX_S);
        let (opens, closes) = (self.window_opens(check, plan), self.window_closes(check, plan));
        wall(opens)..wall(closes.min(opens + TimeDelta::seconds(WINDOW_MAX_S.into())))
    }

    /// What a forecast of `check` is asked about.
    pub fn tonight(&self, check: &Check, dashboard: &Dashboard, plan: &Plan) -> Tonight {
        let window = self.window(check, plan);
        let named = [&dashboard.audience, &dashboard.on].into_iter().find_map(|rule| rule.calendar());
        let only = plan.calendars.values().next().filter(|_| plan.calendars.len() == 1);
        let calendar = named.and_then(|id| plan.calendars.get(id)).or(only);
        Tonight::of(self.key.date, window.start, window.end, |date| calendar?.is_workday(date))
    }

    /// Seconds after local midnight of the business date, on the wall.
    pub fn wall_s(&self, at: Instant, plan: &Plan) -> i64 {
        wall_s(at, self.key.date, plan.timezone)
    }

    /// The instant at so many seconds after local midnight of the business date.
    pub fn at_wall(&self, wall_s: i64, plan: &Plan) -> Instant {
        at_wall(wall_s, self.key.date, plan.timezone)
    }
}
