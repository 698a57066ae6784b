//! Nights played again: a stream of what was seen, in order of time, through the core's two doors.
//!
//! ```text
//! store's history ─┐
//! CSV ─────────────┼─▶ Observed ─▶ Past ─▶ answers to the questions of `due` ─▶ step ─▶ what was said, and why
//! Airflow's runs ──┘
//! ```
//!
//! [`Past`] is what had been seen until an instant, and plays the sources: a poll sees of the world what had happened by then. The
//! [`Player`] drives the doors with it, from one wake instant to the next. Neither knows a clock, a network or a file; nobody is asked
//! and nothing is sent.

pub mod line;
mod past;
mod player;

pub use past::Past;
pub use player::{Answers, Came, Player, Said};
