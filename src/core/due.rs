//! The second door: what is to be done now. Derived, never stored: a lost wake-up or an extra tick changes nothing.

use super::observation::Ask;
use super::plan::Plan;
use super::state::{PostId, State};
use super::time::Instant;

/// What the shell is to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Due {
    /// Questions whose time has come. The shell leaves out those to a source that it is asking already.
    pub asks: Vec<Ask>,
    /// Posts to claim (`Input::Claim`) and then send.
    pub posts: Vec<PostId>,
    /// The next instant at which something is due or a judgement may change by time alone.
    pub wake_at: Option<Instant>,
}

/// What is due at `at`.
pub fn due(_state: &State, _plan: &Plan, _at: Instant) -> Due {
    unimplemented!()
}
