//! The simulation: a seed makes a configuration and some nights ([`script`]), they are played through the two doors ([`player`]),
//! and what was said is held against the promises ([`oracle`]).

pub mod oracle;
pub mod player;
mod rng;
pub mod script;
mod setup;
