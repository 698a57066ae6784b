//! Airflow 3.x by its public API (`/api/v2`); written against 3.3.2, read-only.
//!
//! A sweep costs three requests however many DAGs it serves: health; the runs of all asked DAGs since an instant; and, while any of them is
//! running, the unfinished and failed tasks of just these runs. A steady sweep asks for the runs that were updated and merges them
//! into the window that it remembers (see `window`); where that cannot do, the whole is asked for as the fourth. The POST lists take a
//! page limit beyond the 100 of the GET ones (measured), which is not relied on: pages are asked for until all is there.
//!
//! The list of runs cannot tell a DAG that never ran from one that does not exist; the last listing can, and is remembered for it.

mod client;
mod parse;
mod rows;
mod token;
mod window;

pub(super) use client::Airflow;

#[cfg(test)]
mod parse_tests;
