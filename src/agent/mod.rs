//! The shell around the core: clock, inbox, loop, poll pool, delivery, shutdown.

pub mod clock;
