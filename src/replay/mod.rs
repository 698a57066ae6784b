//! Nights played again: a stream of what was seen, in order of time, through the core's two doors.
//!
//! ```text
//! store's history ─┐
//! CSV ─────────────┼─▶ Observed ─▶ Past ─▶ answers to the questions of `due` ─▶ step ─▶ what was said, and why
//! Airflow's runs ──┘
//! ```
//!
//! A [`History`] hands out what was seen, page by page, whatever its origin. [`Past`] is what had been seen until an instant, and plays the sources: a poll sees of the world what had happened by then. The
//! [`Player`] drives the doors with it, from one wake instant to the next. Neither of these two knows a clock, a network or a
//! file; no sink is ever told anything, and of the sources at most the one whose own run history is wanted.

pub(crate) mod csv;
mod fetched;
mod history;
pub mod line;
mod part;
mod past;
mod play;
mod player;
mod sort;
mod stored;

pub use history::{BEGINNING, History, HistoryError};
pub use part::of_source;
pub use past::Past;
pub use play::{Day, KNOWN, Play, days, state_at};
pub use player::{Answers, Came, Player, Said};
