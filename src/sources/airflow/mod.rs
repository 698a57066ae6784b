//! Airflow by its public API, read-only: 3.x (`/api/v2`, written against 3.3.2) and 2.x (`/api/v1`, against 2.11.2). Which of the two
//! answers is found out at the first question, and again whenever the answers say that it has changed.
//!
//! A sweep costs three requests however many DAGs it serves: health; the runs of all asked DAGs since an instant; and, while any of them is
//! running, the unfinished and failed tasks of just these runs. A steady sweep asks for the runs that were updated and merges them
//! into the window that it remembers (see `window`); where that cannot do, the whole is asked for as the fourth, which an Airflow 2
//! tells in two lists (see `v2`). The POST lists take a page limit beyond the 100 of the GET ones (measured), which is not relied on:
//! pages are asked for until all is there.
//!
//! The list of runs cannot tell a DAG that never ran from one that does not exist; the last listing can, and is remembered for it.
//!
//! | file | what it has |
//! |---|---|
//! | `client` | the questions of a sweep, a listing, a failure; the only I/O |
//! | `generation`, `v2`, `v3` | what the two generations say differently: addresses, bodies, shapes |
//! | `login`, `token` | a token for Airflow 3, the password with each request for Airflow 2 |
//! | `rows`, `parse`, `window` | rows, and what they mean; pure, and the same for both |

mod client;
mod generation;
mod login;
mod parse;
mod rows;
mod token;
mod v2;
mod v3;
mod window;

pub(super) use client::Airflow;

#[cfg(test)]
mod parse_tests;
