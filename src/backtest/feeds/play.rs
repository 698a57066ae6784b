//! Plays one feed: what would have been foreseen, cycle by cycle, by what had come before.

use super::read::{Cycle, Feed, SLACKS};
use crate::backtest::polls;
use crate::core::forecast::{Mixture, Outlook, Tonight};
use crate::core::time::{Instant, at_wall, wall_s};
use chrono::{SecondsFormat, TimeDelta};
use std::fmt::Write;

pub(super) const PREDICTION_COLUMNS: &str = "feed,cycle,slack,minutes_before,p_miss";
pub(super) const ETA_COLUMNS: &str = "feed,cycle,p10,p25,p50,p75,p90,p95";
const QUANTILES: [f32; 6] = [0.10, 0.25, 0.50, 0.75, 0.90, 0.95];
/// Minutes after the reviewed deadline.
const SLACK_MINUTES: [u32; SLACKS] = [0, 60, 180];

/// Rows of CSV, without their columns' names.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) predictions: String,
    pub(super) eta: String,
    pub(super) cycles: usize,
    pub(super) asked: usize,
}

pub(super) fn play(feed: &Feed) -> Answers {
    let mut answers = Answers::default();
    let mut mixture = Mixture::default();
    for cycle in &feed.cycles {
        let clock = Clock { feed, cycle };
        // The feeds name no calendar.
        let tonight = Tonight::of(cycle.date, clock.wall_s(cycle.opens_at), clock.wall_s(cycle.ends_at), |_| None);
        let first = feed.arrivals.partition_point(|at| *at < cycle.opens_at);
        let arrived_at = feed.arrivals.get(first).copied().filter(|at| *at < cycle.ends_at);
        if let (true, Some(deadlines)) = (cycle.scored, cycle.deadlines) {
            let outlook = mixture.outlook(tonight);
            answers.cycles += 1;
            answers.foresee(&clock, &outlook, deadlines, arrived_at);
            answers.expect(&clock, &outlook);
        }
        mixture.learn(tonight, arrived_at.map(|at| clock.wall_s(at)), None);
    }
    answers
}

impl Answers {
    /// The chance to miss, at each poll in the window at which nothing has come.
    fn foresee(&mut self, clock: &Clock<'_>, outlook: &Outlook, deadlines: [Instant; SLACKS], arrived_at: Option<Instant>) {
        let (feed, number) = (&clock.feed.name, clock.cycle.number);
        for (deadline, slack) in deadlines.into_iter().zip(SLACK_MINUTES) {
            let deadline_s = clock.wall_s(deadline);
            for minutes in polls() {
                let at = deadline - TimeDelta::minutes(minutes);
                if at < clock.cycle.opens_at || arrived_at.is_some_and(|arrived| arrived <= at) {
                    continue;
                }
                let p_miss = outlook.misses(deadline_s as f32, clock.wall_s(at) as f32);
                let _ = writeln!(self.predictions, "{feed},{number},{slack},{minutes},{p_miss:.9}");
                self.asked += 1;
            }
        }
    }

    /// The quantiles of the arrival, as known when the window opens.
    fn expect(&mut self, clock: &Clock<'_>, outlook: &Outlook) {
        let _ = write!(self.eta, "{},{}", clock.feed.name, clock.cycle.number);
        let mut before = clock.cycle.opens_at;
        for share in QUANTILES {
            let at = outlook.quantile(share).map(|wall_s| clock.at_wall(wall_s));
            // Where the clocks go forward, a wall time in the gap comes after one behind it.
            before = at.map_or(before, |at| at.max(before));
            let text = at.map(|_| before.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default();
            let _ = write!(self.eta, ",{text}");
        }
        self.eta.push('\n');
    }
}

/// Wall times of a cycle: seconds after local midnight of its date.
struct Clock<'a> {
    feed: &'a Feed,
    cycle: &'a Cycle,
}

impl Clock<'_> {
    fn wall_s(&self, at: Instant) -> i32 {
        i32::try_from(wall_s(at, self.cycle.date, self.feed.zone)).unwrap_or(i32::MAX)
    }

    fn at_wall(&self, wall_s: f32) -> Instant {
        at_wall(wall_s.round() as i64, self.cycle.date, self.feed.zone)
    }
}
