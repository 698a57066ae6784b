//! The inbox: the closed list of what can happen to the loop. Everything that runs beside it speaks through here, and only here.

use super::poll::Round;
use super::reload::Fresh;
use crate::core::observation::Heard;
use crate::core::plan::Id;
use crate::core::state::PostId;
use crate::core::step::Outcome;

/// Events that may wait. Whoever has one more waits with it; polls and deliveries are bounded, so this is never a dead lock.
pub(super) const CAPACITY: usize = 256;

pub(super) enum Event {
    /// A source was asked, and answered or did not.
    Heard(Heard, Round),
    /// A sweep of this source has asked all that it had to ask, and waits for answers that hang.
    AllAsked(Id, Round),
    /// A delivery has ended.
    Sent { post: PostId, chat: Id, outcome: Outcome },
    /// The configuration was read again: it can be worked with, or there are findings. Not small, and rare.
    Loaded(Box<Result<Fresh, Vec<String>>>),
    /// A beat has ended: taken, or why not.
    Beaten(Result<(), String>),
    /// The scheduler's backstop: look again, whatever the timer thinks.
    Tick,
    /// The daily housekeeping.
    Prune,
}
