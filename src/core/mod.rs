//! The pure core: what is known, what it means, and what to say about it.
//!
//! Nothing in here is async, reads a clock, an environment, a file or a socket, or logs. It imports only itself, chrono,
//! chrono-tz, croner and serde (`tests/tidy.rs` enforces that). Two doors lead in: [`step::step`] takes one input and gives back
//! the one effect, a [`state::Commit`]; [`due::due`] says what is to be done now and when to look again. Beside them the shell may only
//! read: [`command::answer`] (what a person is told), [`proof::lapses`] (what is in the way of the proof of life), [`digest::facts`],
//! [`apart::apart`] (how checks stand that no dashboard needs), [`wording::word`], [`tally::Tally`] (what the ledger comes to).

mod absence;
pub mod apart;
mod aside;
mod audience;
pub mod calendar;
mod clocks;
pub mod command;
pub mod cycle;
pub mod digest;
pub mod due;
mod escalate;
mod facts;
mod fold;
pub mod forecast;
mod foresee;
mod grounds;
mod heard;
pub mod incident;
pub mod judge;
mod maintenance;
pub mod message;
pub mod observation;
mod observe;
pub mod outside;
pub mod pairs;
mod patience;
pub mod plan;
pub mod policy;
mod posts;
pub mod proof;
mod quiet;
pub mod roster;
mod rungs;
mod say;
pub mod standing;
pub mod state;
pub mod step;
mod suspicion;
pub mod tally;
pub mod time;
mod turn;
mod tx;
mod wanted;
mod week;
pub mod wording;
