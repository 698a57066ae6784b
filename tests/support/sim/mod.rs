//! The simulation: a seed makes a configuration and some nights ([`script`]), they are played through the two doors and, for a share,
//! the real store ([`player`]), and what was said is held against the promises ([`oracle`]). What was reached is counted ([`tally`]); a
//! script that breaks a promise is cut down ([`shrink`]) and written as a scenario ([`scenario`]).

#![allow(dead_code, reason = "the test and the bench each use a part of it")]

mod around;
pub mod conf;
mod kept;
mod night;
pub mod oracle;
mod past;
pub mod player;
pub mod record;
mod rng;
pub mod same;
pub mod scenario;
pub mod script;
mod setup;
pub mod shrink;
mod store;
pub mod tally;
pub mod things;
mod told;
pub mod truth;
