//! How long the parts of one sweep may take, so that slow ones leave the others their turn.

use std::time::Duration;
use tokio::time::Instant as Mono;

/// All parts together: less than the agent's patience with one question (`agent::poll`), so that what was seen comes back.
const PARTS: u32 = 12;
const LONGEST: Duration = Duration::from_secs(240);

#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    each: Duration,
    ends: Mono,
}

impl Budget {
    /// `each`: what one part may take.
    pub(super) fn new(each: Duration) -> Self {
        Self { each, ends: Mono::now() + each.saturating_mul(PARTS).min(LONGEST) }
    }

    /// How long all parts may take together, from now.
    pub(super) fn all(&self) -> Duration {
        self.ends.saturating_duration_since(Mono::now())
    }

    /// How long the next part may take; `None`: nothing is left.
    pub(super) fn next(&self) -> Option<Duration> {
        let left = self.all();
        (!left.is_zero()).then(|| left.min(self.each))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_last_part_gets_what_is_left() {
        let s = Duration::from_secs;
        let budget = Budget::new(s(10));
        assert_eq!(budget.next(), Some(s(10)));
        tokio::time::advance(s(115)).await;
        assert_eq!(budget.next(), Some(s(5)));
        tokio::time::advance(s(5)).await;
        assert_eq!(budget.next(), None);
        assert_eq!(Budget::new(s(600)).next(), Some(LONGEST));
    }
}
