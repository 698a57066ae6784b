//! When a check will arrive in a cycle. For now from its own nights' medians or the declared run time; what asks for it here will
//! ask a model the same question: given what is known at `at`, when, how surely, and until when does the answer hold?
//!
//! It never says whether that is in time: `judge` does.

mod mixture;
mod outlook;

pub use mixture::{Mixture, Tonight};
pub use outlook::Outlook;

use super::message::{Basis, Eta};
use super::observation::RunState;
use super::state::Night;
use super::time::{Instant, round_up};
use chrono::TimeDelta;

/// Fewer nights than this are too little history.
pub const ENOUGH_NIGHTS: usize = 5;
/// Habits change: what is older than so many nights says nothing of tonight.
const RECENT: usize = 28;
/// What people see of an ETA changes in such steps only.
const SHOWN_STEP: TimeDelta = TimeDelta::minutes(5);
/// "Later than" holds from the next second on.
const INSTANT_AFTER: TimeDelta = TimeDelta::seconds(1);
/// A run that is longer than usual is expected to end no sooner than so long from now.
const OVERDUE_AT_LEAST: TimeDelta = TimeDelta::minutes(5);

/// A check's habits, as far as they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Habit {
    /// The usual run time and a long one.
    pub run: Option<RunTime>,
    /// The usual arrival, in seconds after local midnight of the business date, and the latest of the recent nights.
    pub arrives_s: Option<(i64, i64)>,
    pub nights: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunTime {
    pub usual: TimeDelta,
    pub long: TimeDelta,
    pub basis: Basis,
}

impl Habit {
    /// Observed run times win over the declared one once there are enough of them.
    pub fn of(nights: &[Night], declared: Option<TimeDelta>) -> Self {
        let recent = &nights[nights.len().saturating_sub(RECENT)..];
        let count = u32::try_from(recent.len()).unwrap_or(u32::MAX);
        let mut room = [[0; RECENT]; 2];
        let [for_took, for_arrived] = &mut room;
        let took = sorted(for_took, recent.iter().filter_map(|night| night.took_s));
        let arrived = sorted(for_arrived, recent.iter().map(|night| night.arrived_s));
        let run = if took.len() >= ENOUGH_NIGHTS {
            let nights = u32::try_from(took.len()).unwrap_or(u32::MAX);
            let [usual, long] = [quantile(took, 50), quantile(took, 90)].map(TimeDelta::seconds);
            Some(RunTime { usual, long, basis: Basis::Observed { nights } })
        } else {
            declared.map(|usual| RunTime { usual, long: usual * 5 / 4, basis: Basis::Declared })
        };
        let arrives_s =
            (arrived.len() >= ENOUGH_NIGHTS).then(|| (quantile(arrived, 50), arrived.last().copied().unwrap_or_default()));
        Self { run, arrives_s, nights: count }
    }

    pub fn run_time(&self) -> TimeDelta {
        self.run.map_or(TimeDelta::zero(), |run| run.usual)
    }
}

/// Asked for everything that is outstanding whenever something of its dashboard changes: it takes no memory.
fn sorted(room: &mut [i64; RECENT], values: impl Iterator<Item = i64>) -> &[i64] {
    let mut count = 0;
    for (place, value) in room.iter_mut().zip(values) {
        *place = value;
        count += 1;
    }
    room[..count].sort_unstable();
    &room[..count]
}

/// The smallest value that `percent` of all do not exceed. `sorted` is not empty.
fn quantile(sorted: &[i64], percent: usize) -> i64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted[rank - 1]
}

/// What is known of the cycle's run now.
#[derive(Debug, Clone, Copy)]
pub struct Now<'a> {
    pub at: Instant,
    /// The run under way: its state and start.
    pub run: Option<(&'a RunState, Option<Instant>)>,
    /// When the last of its needs is expected, if one is outstanding. `Some(None)`: outstanding, nobody knows when.
    pub needs: Option<Option<Instant>>,
    /// When it starts by its source's schedule, and until when that it has may not have been seen.
    pub starts: Option<(Instant, Instant)>,
    /// When it usually arrives.
    pub arrives_at: Option<Instant>,
}

/// An expected arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    pub at: Instant,
    pub high: Instant,
    pub basis: Basis,
    pub course: Course,
}

/// How an expected arrival moves on while nothing is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// A run under way that usually ends at `end`, and seldom after `long`. Past that it is expected to take as long again as it is over already: of
    /// how much a run will overrun, nothing is known but how much it has.
    Run { end: Instant, long: Instant },
    /// Stays until then: a schedule still ahead, a need that is on its way.
    Until(Instant),
    /// Nothing makes it come: "if it started now", moving on with every minute.
    FromNow,
}

/// `None`: nothing is known from which an arrival could be told.
pub fn arrival(habit: &Habit, now: &Now<'_>) -> Option<Forecast> {
    let at = now.at;
    if let Some((state, started_at)) = now.run {
        let run = habit.run?;
        let started = match state {
            RunState::Running | RunState::Retrying { .. } => started_at,
            // It waits for something else: its own run time begins when that is over.
            _ => None,
        };
        return Some(match started {
            Some(started) => {
                let end = started + run.usual;
                let expected = overrun(end, at);
                Forecast {
                    at: expected,
                    high: (started + run.long).max(overrun(end, expected)),
                    basis: run.basis,
                    course: Course::Run { end, long: started + run.long },
                }
            }
            None => from_start(at, at, run),
        });
    }
    if let Some(needs) = now.needs {
        return Some(from_start(at, needs?, habit.run?));
    }
    if let (Some((starts, seen_by)), Some(run)) = (now.starts.filter(|(_, seen_by)| *seen_by > at), habit.run) {
        return Some(Forecast { course: Course::Until(seen_by), ..from_start(starts, starts, run) });
    }
    if let Some(arrives) = now.arrives_at.filter(|arrives| *arrives > at) {
        let basis = Basis::Observed { nights: habit.nights };
        return Some(Forecast { at: arrives, high: arrives, basis, course: Course::Until(arrives) });
    }
    Some(from_start(at, at, habit.run?))
}

fn overrun(end: Instant, at: Instant) -> Instant {
    end.max(at + OVERDUE_AT_LEAST.max(at - end))
}

fn from_start(at: Instant, starts: Instant, run: RunTime) -> Forecast {
    let course = if starts > at { Course::Until(starts) } else { Course::FromNow };
    let starts = starts.max(at);
    Forecast { at: starts + run.usual, high: starts + run.long, basis: run.basis, course }
}

impl Forecast {
    /// Does anything make it come by itself?
    pub fn is_moving(&self) -> bool {
        self.course != Course::FromNow
    }

    /// Until when it is the same; `None`: it moves on with time.
    pub fn stays_until(&self) -> Option<Instant> {
        match self.course {
            Course::Run { end, .. } => Some(end - OVERDUE_AT_LEAST),
            Course::Until(until) => Some(until),
            Course::FromNow => None,
        }
    }

    /// When it will be expected after `limit`, if nothing is heard until then: the curve inverted, not polled. `now` is the instant
    /// of the forecast.
    pub fn passes(&self, limit: Instant, now: Instant) -> Instant {
        if self.at > limit {
            return now;
        }
        match self.course {
            Course::Run { end, .. } => {
                let early = limit - OVERDUE_AT_LEAST;
                let passes = if early - end <= OVERDUE_AT_LEAST { early } else { end + (limit - end) / 2 };
                passes + INSTANT_AFTER
            }
            Course::Until(until) => until,
            Course::FromNow => now + (limit - self.at) + INSTANT_AFTER,
        }
    }

    /// As people see it: quantised, so that a message is not edited for every minute.
    pub fn shown(&self) -> Eta {
        let at = round_up(self.at, SHOWN_STEP);
        Eta { at, low: at.min(round_up(self.at, SHOWN_STEP)), high: round_up(self.high, SHOWN_STEP).max(at), basis: self.basis }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn night(day: u32, arrived_min: i64, took_min: i64) -> Night {
        Night {
            date: chrono::NaiveDate::from_ymd_opt(2026, 11, day).unwrap(),
            arrived_s: arrived_min * 60,
            took_s: Some(took_min * 60),
        }
    }

    fn at(clock: &str) -> Instant {
        format!("2026-11-23T{clock}:00Z").parse().unwrap()
    }

    fn idle(clock: &str) -> Now<'static> {
        Now { at: at(clock), run: None, needs: None, starts: None, arrives_at: None }
    }

    #[test]
    fn observed_nights_win_once_there_are_enough() {
        let declared = Some(TimeDelta::minutes(40));
        let few: Vec<Night> = (1..5).map(|d| night(d, 300, 20)).collect();
        assert_eq!(Habit::of(&few, declared).run_time(), TimeDelta::minutes(40));
        let many: Vec<Night> = (1..9).map(|d| night(d, 300, 20)).collect();
        assert_eq!(Habit::of(&many, declared).run_time(), TimeDelta::minutes(20));
        assert_eq!(Habit::of(&few, None).run, None);
    }

    #[test]
    fn a_run_under_way_ends_after_its_usual_time_and_moves_on_when_overdue() {
        let habit = Habit::of(&[], Some(TimeDelta::minutes(40)));
        let running = RunState::Running;
        let now = |clock| Now { run: Some((&running, Some(at("04:00")))), ..idle(clock) };
        let at_clock = |clock| arrival(&habit, &now(clock)).unwrap();
        assert_eq!(at_clock("04:10").at, at("04:40"));
        assert_eq!(at_clock("04:38").at, at("04:43"));
        // An hour over: as long again.
        assert_eq!(at_clock("05:40").at, at("06:40"));
    }

    #[test]
    fn the_instant_at_which_a_limit_is_passed_is_where_the_forecast_passes_it() {
        let habit = Habit::of(&[], Some(TimeDelta::minutes(40)));
        let running = RunState::Running;
        for limit in ["04:41", "04:44", "05:00", "07:30"] {
            let limit = at(limit);
            let forecast =
                |now| arrival(&habit, &Now { at: now, run: Some((&running, Some(at("04:00")))), ..idle("04:00") }).unwrap();
            let passes = forecast(at("04:10")).passes(limit, at("04:10"));
            assert!(forecast(passes).at > limit, "{limit} {passes}");
            assert!(forecast(passes - TimeDelta::seconds(2)).at <= limit, "{limit} {passes}");
        }
    }

    #[test]
    fn what_has_not_started_is_expected_from_its_needs_its_schedule_or_now() {
        let habit = Habit::of(&[], Some(TimeDelta::minutes(40)));
        let by_needs = arrival(&habit, &Now { needs: Some(Some(at("05:00"))), ..idle("04:00") }).unwrap();
        assert_eq!((by_needs.at, by_needs.is_moving()), (at("05:40"), true));
        assert_eq!(arrival(&habit, &Now { needs: Some(None), ..idle("04:00") }), None);
        let scheduled = |clock| arrival(&habit, &Now { starts: Some((at("06:00"), at("06:07"))), ..idle(clock) }).unwrap();
        assert_eq!((scheduled("04:00").at, scheduled("04:00").course), (at("06:40"), Course::Until(at("06:07"))));
        assert_eq!((scheduled("06:06").at, scheduled("06:06").is_moving()), (at("06:40"), true), "nobody may have looked since");
        assert_eq!((scheduled("06:07").at, scheduled("06:07").is_moving()), (at("06:47"), false));
        let nothing = arrival(&habit, &idle("04:00")).unwrap();
        assert_eq!((nothing.at, nothing.is_moving()), (at("04:40"), false));
        assert_eq!(arrival(&Habit::default(), &idle("04:00")), None);
    }
}
