//! How long the loop waits between two turns. It decides nothing, and always waits a little.

use super::clock::Clock;
use crate::core::time::Instant;
use std::time::Duration;
use tokio::time::Instant as Mono;

/// Real time between two looks when the core wants to be woken at an instant that is already past: it waits for an answer that is
/// under way, and the answer wakes the loop anyway. Doubles with every such look.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// Nothing to wait for, or so it seems.
const IDLE_PAUSE: Duration = Duration::from_secs(60);

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wait {
    Until(Instant),
    /// In real time.
    For(Duration),
}

/// `sooner`: in real time, if that comes first.
pub(super) async fn sleep(clock: &Clock, wait: Wait, sooner: Option<Mono>) {
    let waited = async {
        match wait {
            Wait::Until(at) => clock.sleep_until(at).await,
            Wait::For(pause) => tokio::time::sleep(pause).await,
        }
    };
    let Some(sooner) = sooner else { return waited.await };
    tokio::select! {
        () = waited => {}
        () = tokio::time::sleep_until(sooner) => {}
    }
}

/// How long to wait for the next look. Never not at all: whatever the core says, there is a pause, so that no answer of it can
/// make the loop spin.
pub(super) fn wait(wake_at: Option<Instant>, now: Instant, hasty: u32) -> Wait {
    match wake_at {
        None => Wait::For(IDLE_PAUSE),
        Some(at) if at > now => Wait::Until(at),
        Some(_) => Wait::For(SHORTEST_PAUSE.saturating_mul(2_u32.saturating_pow(hasty.saturating_sub(1))).min(LONGEST_PAUSE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_a_pause() {
        let now: Instant = "2026-11-23T00:00:00Z".parse().unwrap();
        let later = now + chrono::TimeDelta::microseconds(1);
        let ms = Duration::from_millis;
        let cases = [
            (None, 0, Wait::For(IDLE_PAUSE)),
            (Some(later), 9, Wait::Until(later)),
            (Some(now), 1, Wait::For(ms(10))),
            (Some(now - chrono::TimeDelta::days(1)), 3, Wait::For(ms(40))),
            (Some(now), u32::MAX, Wait::For(ms(250))),
        ];
        for (wake_at, hasty, expected) in cases {
            assert_eq!(wait(wake_at, now, hasty), expected, "{wake_at:?} {hasty}");
        }
    }
}
