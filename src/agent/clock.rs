//! The one clock. The demo runs on a faster one; nothing else of the program knows the difference.

use crate::core::time::Instant;
use chrono::{TimeDelta, Utc};
use std::time::Duration;
use tokio::time::Instant as Mono;

/// Wall time, or wall time that started at another instant and runs faster.
#[derive(Debug, Clone)]
pub struct Clock {
    played: Option<Played>,
}

#[derive(Debug, Clone)]
struct Played {
    from: Instant,
    began: Mono,
    speed: f64,
}

impl Clock {
    pub fn real() -> Self {
        Self { played: None }
    }

    /// Shows `from` now and runs `speed` times as fast as real time.
    pub fn played(from: Instant, speed: f64) -> Self {
        Self { played: Some(Played { from, began: Mono::now(), speed }) }
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    pub fn now(&self) -> Instant {
        match &self.played {
            None => Utc::now(),
            Some(played) => {
                let real_us = i64::try_from(played.began.elapsed().as_micros()).unwrap_or(i64::MAX);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_precision_loss,
                    reason = "a demo's night in microseconds is far below 2^52"
                )]
                let played_us = (real_us as f64 * played.speed) as i64;
                played.from + TimeDelta::microseconds(played_us)
            }
        }
    }

    /// By how much this clock moves while `real` time passes.
    pub fn moves_in(&self, real: Duration) -> TimeDelta {
        TimeDelta::from_std(real.mul_f64(self.speed())).unwrap_or(TimeDelta::MAX)
    }

    /// How much real time passes while this clock moves by `span`.
    pub fn takes(&self, span: Duration) -> Duration {
        span.div_f64(self.speed())
    }

    fn speed(&self) -> f64 {
        self.played.as_ref().map_or(1.0, |p| p.speed)
    }

    /// Sleeps until this clock shows `at`; wakes early at the latest after a minute of real time, for clocks that jump.
    pub async fn sleep_until(&self, at: Instant) {
        let wait = self.takes((at - self.now()).to_std().unwrap_or(Duration::ZERO));
        tokio::time::sleep(wait.min(Duration::from_secs(60))).await;
    }
}

/// Small steps back, as time synchronisation makes them, are not passed on: the reading stands still instead.
const STANDS_STILL_FOR: TimeDelta = TimeDelta::minutes(2);
/// From here on the wall clock and the machine's uptime disagree so much that it is worth a line in the log.
const JUMP: TimeDelta = TimeDelta::minutes(1);

/// The loop's reading of the clock. It does not run back by a little, and it notices jumps: a suspended machine, a clock set anew.
#[derive(Debug)]
pub struct Reading {
    clock: Clock,
    at: Instant,
    read: Mono,
}

impl Reading {
    pub fn new(clock: Clock) -> Self {
        Self { at: clock.now(), read: Mono::now(), clock }
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub fn now(&mut self) -> Instant {
        let passed = self.clock.moves_in(self.read.elapsed());
        let (at, jumped) = settle(self.at, passed, self.clock.now());
        if let Some(jumped) = jumped {
            let jump_s = jumped.num_seconds();
            tracing::warn!(
                jump_s,
                "the clock jumped by {jump_s} s: the machine slept, or its clock was set; everything is judged anew"
            );
        }
        self.at = at;
        self.read = Mono::now();
        at
    }
}

/// What to read when the clock shows `shown` and `passed` should have gone by since `before`; and by how much it jumped, if it did.
/// A real jump is followed, in both directions: deadlines are on the wall.
fn settle(before: Instant, passed: TimeDelta, shown: Instant) -> (Instant, Option<TimeDelta>) {
    let off = shown - before.checked_add_signed(passed).unwrap_or(before);
    let at = if shown < before && before - shown <= STANDS_STILL_FOR { before } else { shown };
    (at, (off.abs() > JUMP).then_some(off))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reading_stands_still_for_a_small_step_back_and_follows_a_jump() {
        let before: Instant = "2026-11-23T00:00:00Z".parse().unwrap();
        let s = TimeDelta::seconds;
        // (passed, shown after `before`, read after `before`, jump)
        let cases = [
            (s(5), s(5), s(5), None),
            (s(5), s(-2), s(0), None),
            (s(0), s(-119), s(0), Some(s(-119))),
            (s(5), s(-3600), s(-3600), Some(s(-3605))),
            (s(5), s(7200), s(7200), Some(s(7195))),
        ];
        for (passed, shown, read, jump) in cases {
            assert_eq!(settle(before, passed, before + shown), (before + read, jump), "{passed} {shown}");
        }
    }

    #[test]
    fn a_played_clock_moves_faster() {
        let clock = Clock::played("2026-11-23T00:00:00Z".parse().unwrap(), 450.0);
        assert_eq!(clock.moves_in(Duration::from_secs(2)), TimeDelta::seconds(900));
        assert_eq!(clock.takes(Duration::from_secs(900)), Duration::from_secs(2));
        assert_eq!(Clock::real().moves_in(Duration::from_secs(2)), TimeDelta::seconds(2));
    }
}
