//! The two times by which one check is judged: the clock's, and that of its source's newest answer.
//!
//! What had not come when the newest answer was asked for is what is known; the clock alone tells nothing of it. Whatever is compared
//! with either is noted, so that it is known until when a judgement holds: nobody has to work that out beside it.

use crate::core::time::{Instant, Until, earliest};

pub(super) struct Now {
    at: Instant,
    /// When the newest answer was asked for: what it tells was true then or later. `None`: there is none.
    seen_at: Option<Instant>,
    clock: Until,
    answer: Until,
    moves: bool,
}

/// Until when a judgement holds while nothing is heard.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Holds {
    /// By the clock.
    pub(super) clock: Option<Instant>,
    /// An answer from then or later changes it, even one without news.
    pub(super) answer: Option<Instant>,
    /// Every answer does, though nobody needs to be told of it.
    moves: bool,
}

impl Now {
    pub(super) fn new(at: Instant, seen_at: Option<Instant>) -> Self {
        Self { at, seen_at, clock: Until(None), answer: Until(None), moves: false }
    }

    /// Is it so late?
    pub(super) fn is(&mut self, time: Instant) -> bool {
        self.clock.by(time, self.at);
        self.at >= time
    }

    /// Is the newest answer so new?
    pub(super) fn has_seen(&mut self, time: Instant) -> bool {
        match self.seen_at {
            Some(seen_at) if seen_at >= time => true,
            seen_at => {
                self.answer.by(time, seen_at.unwrap_or(Instant::MIN_UTC));
                false
            }
        }
    }

    /// The time of the newest answer, or the clock's where there is none.
    pub(super) fn seen_at(&mut self) -> Instant {
        self.moves = true;
        self.seen_at.unwrap_or(self.at)
    }

    pub(super) fn holds(self) -> Holds {
        Holds { clock: self.clock.0, answer: self.answer.0, moves: self.moves }
    }
}

impl Holds {
    /// The first time of both that lies ahead.
    pub(super) fn after(&self, at: Instant) -> Option<Instant> {
        earliest(self.clock, self.answer.filter(|answer| *answer > at))
    }

    pub(super) fn at(&self, at: Instant, seen_at: Option<Instant>) -> bool {
        !self.moves && self.clock.is_none_or(|until| at < until) && self.answer.is_none_or(|until| seen_at < Some(until))
    }
}
