//! A Luigi scheduler (luigid) by its RPC over HTTP; written against 3.8.1, and only its reading methods are ever asked.
//!
//! A sweep costs one request however many tasks there are: the graph of all tasks, which alone says who waits for whom. Where luigid
//! cuts it, lacks it, or it is too large to be read, the plain list of tasks is asked for instead, which says honestly when it is
//! cut; then nobody is known to wait for something, and a pending task is just queued.
//!
//! Luigi has tasks, not runs: a check's subject is a task family (or a glob of task ids), and all its tasks are the pipeline
//! together. luigid forgets a task some minutes after its worker has left, so that it knows nothing of a subject says nothing: such
//! a subject gets no item. A task that was found complete counts from when luigid first heard of it; that it was complete for a day
//! long past is not to be seen from outside. A luigid without workers is as well as one with them.

mod client;
mod method;
mod parse;
mod rows;

pub(super) use client::Luigi;

#[cfg(test)]
mod parse_tests;
