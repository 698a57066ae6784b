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

    /// Sleeps until this clock shows `at`; wakes early at the latest after a minute of real time, for clocks that jump.
    pub async fn sleep_until(&self, at: Instant) {
        let speed = self.played.as_ref().map_or(1.0, |p| p.speed);
        let wait = (at - self.now()).to_std().unwrap_or(Duration::ZERO).div_f64(speed);
        tokio::time::sleep(wait.min(Duration::from_secs(60))).await;
    }
}
