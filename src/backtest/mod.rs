//! Backtest: how well misses would have been foreseen. [`feeds`] answers questions about many known deadlines, in files; [`card`] plays
//! the nights of a configuration's own checks, and counts for a person what its forecasts were worth. Neither ever knows what comes later.

pub mod card;
mod feeds;

pub use feeds::{Answered, BacktestError, Files, run};

/// So many minutes before a deadline it is looked: every quarter of an hour from six hours on, in the last one every five minutes.
fn polls() -> impl Iterator<Item = i64> {
    (5..=24).rev().map(|quarter| quarter * 15).chain((1..=12).rev().map(|five| five * 5))
}
