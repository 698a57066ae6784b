//! The configuration: files and environment → raw tables → checked → ([`Plan`](crate::core::plan::Plan), [`wiring::Wiring`]).

pub mod wiring;
