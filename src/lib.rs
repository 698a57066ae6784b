//! dawnwatch watches data pipelines through the night and says in chat what will miss its dashboard's deadline.

pub mod agent;
pub mod cli;
pub mod config;
pub mod core;
pub mod demo;
pub mod net;
pub mod sinks;
pub mod sources;
pub mod store;
pub mod web;
