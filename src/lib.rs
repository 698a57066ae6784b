//! dawnwatch watches data pipelines through the night, judges by itself whether each dashboard will be ready before people open it,
//! and says so in chat: briefly, once, to the right person, and only when a word helps.
//!
//! This page is the map of the house. One direction, and nothing flows back:
//!
//! ```text
//! wake ─▶ due ─▶ poll ─▶ sweep ─▶ step ───────────────────────────────▶ commit ─▶ due ─▶ claim ─▶ render · send ─▶ outcome
//!        pure    I/O             pure: observe · turn · fold · decide    one tx    pure   commit   pure     I/O      is an input
//! ```
//!
//! | room | what it does | what it never does |
//! |---|---|---|
//! | [`core`] | knows, judges, folds, decides, words | I/O, clock, environment, logging |
//! | [`config`] | files and environment → `Plan` and `Wiring`, with all errors and lints at once | ask anybody, resolve a secret before it is needed |
//! | [`sources`] | a question → an answer of one system | judge; fail (not to see is an answer) |
//! | [`sinks`] | a message → a payload → an outcome | retry, choose words or receivers |
//! | [`net`] | the one way to an HTTP client: TLS, time-outs, body limits | say an address in an error |
//! | [`store`] | one commit → one transaction | know what a row means |
//! | [`agent`] | the loop around the two doors: clock, inbox, desk, polls, deliveries, heartbeat, reload, supervisor | decide |
//! | [`web`] | status page, health, metrics, from snapshots; passes on what people ask | touch the state |
//! | [`replay`] | what was seen (recorded, written down, or an Airflow's own runs), played again through the two doors | send anything; ask any source but the one whose runs are wanted |
//! | [`backtest`] | past nights → a score card of what would have been foreseen; feeds whose arrivals are known → how likely each deadline was to be missed | know what comes later |
//! | [`scenario`] | golden nights: files that say what happens and what is to be said, played and compared | learn an expectation from what came |
//! | [`demo`] | stand-ins for an Airflow, a partner's API and a chat; one played night | replace a real part of the agent |
//! | [`explain`] | a state and the ledger → why one check or dashboard stands as it does | ask anybody, choose words |
//! | [`cli`] | one file per command | anything that a command does not say |
//!
//! # Two doors
//!
//! [`core::step::step`] takes one input (time passed, something was heard, posts are claimed, a send ended, a person asks for something,
//! a proof of life was taken, a configuration was read again) and returns a [`core::state::Commit`], the only effect: changed rows and
//! ledger entries. [`core::due::due`] derives from the state what is to be done now (questions, posts, the proof of life) and when to
//! look again. Nothing else may change what is known, and nothing that is due is stored as a command, so a lost wake-up or an extra
//! tick changes nothing. The agent, `once`, `replay`, `test` and the simulation drive the same two doors
//! with other clocks.
//!
//! Within a step, in this order, each reading only what the former left:
//!
//! | module | from → to |
//! |---|---|
//! | `absence` | the last questions → since when the watch itself was away |
//! | `observe` | an answer → what is known of sources and checks |
//! | [`core::command`] | a person's word → a pause of an incident or a name, a member forgotten |
//! | [`core::roster`] | plan + listings → which checks there are, who needs whom |
//! | [`core::cycle`] | rules of days → the open cycle of each dashboard |
//! | [`core::standing`] | what was seen × a cycle → the evidence |
//! | [`core::forecast`] | nights → an arrival, and until when it holds |
//! | [`core::judge`] | evidence + forecast → verdicts, and until when they hold |
//! | `clocks` | what sources say of the time → whose clock is off |
//! | [`core::outside`] | what is wrong whatever the deadlines are: `max_age`, failures that no dashboard waits for |
//! | `turn` | keeps verdicts up to date; what sticks becomes rows |
//! | `fold` | many causes alike → one that stands for all |
//! | `suspicion` | unrelated hosts in one trouble → the watch's own |
//! | [`core::incident`] | causes → incidents with their impact |
//! | `aside` | acks, snoozes, mutes → what is left alone, and until when |
//! | `heard` | what a chat was told of an incident → which deadlines are new to it, and of which nobody was asked |
//! | `patience`, `maintenance`, `quiet` | until when a word may wait, or a person may sleep |
//! | `audience` | an incident → the endangered cycles that somebody looks at, and their chats |
//! | [`core::policy`] | incidents × chats, in which order: what each is to hear, and what ends with an incident |
//! | `wanted` → `say` | one chat → say now, hold until, stay silent, with the reason → its post, and the line on record. Before words are made, `foresee` brings what is expected to now |
//! | `rungs` | who was asked, and when → when each next one is asked |
//! | `escalate` | nobody has answered → who is asked next |
//! | [`core::digest`] | the scheduled summary, or recorded silence |
//! | `week` | the sums of the last days → the summary of a week |
//! | `posts` | wanted messages; retry, repetition, fallback |
//! | [`core::proof`] | what is in the way of the proof of life |
//! | `facts` → [`core::message`] → [`core::wording`] | state → facts → words of a language |
//! | `grounds` → [`core::tally`] | state → what a line of the ledger rests on → counts, also those that the weekly digest tells |
//!
//! Beside the step [`core::apart`] reads, for `once`, how checks stand that no dashboard needs: there is no cycle to judge them in.
//!
//! # Seven walks through the house
//!
//! The second replica is not built; its walk shows where it will go.
//!
//! **An observation, from Airflow to the chat.** `due` names a sweep of `airflow`, with all subjects and the opening of the earliest
//! open window. The agent asks ([`sources`], three requests), and brings back [`core::observation::Heard`]. `step` keeps what changed,
//! judges the cycles that contain those checks, finds that `orders_raw` has failed and 120 checks wait for it, and opens one
//! incident. Its reason is wanted: `due` names a question for that one run, and the decision is held for at most a minute. With the
//! answer, `policy` says "post" (it is 03:10) and writes a `Post` row, and a hold until 07:00 for asking. The commit is written;
//! `due` names the post; the agent claims it (a commit: *started*), renders it in the chat's language, sends it, and brings the outcome
//! back as an input.
//!
//! **A crash between any two steps of that way.** Before the commit: the state in memory dies with the process, the store has the
//! state before, the next sweep tells the same. After the commit, before the claim: the post is idle in the store and is due again.
//! After the claim: the post is *started*; at the next start the agent reports it as ambiguous, and `posts` repeats it at most
//! once, recognisable by the incident's id, unless the platform drops repetitions by key. After the send, before its outcome is
//! written: the same. A commit that cannot be written is a crash of the state alone: it is read back from the rows.
//!
//! **An ack that comes back.** A person's word is one more input of `step`, with a nonce and the incident's id, brought by `cli`
//! through `web` and [`agent::desk`]. [`core::command::answer`] gives the sentence for it, or why it makes no sense; it goes back once the
//! commit is durable. The incident's row holds who has it and until when; `policy` and `escalate` read it, so nobody else is asked
//! before, and the next message says so. Nothing of the way out changes.
//!
//! **The proof of life.** `due` says when one is wanted; [`core::proof`] names what is in its way: a source that was not asked, a
//! dashboard that was not judged, a message that reached nobody. Only with nothing in the way does `agent::heartbeat` ask for the
//! address elsewhere, and that it was taken is an input. What is in the way stands on the status page.
//!
//! **Another configuration.** On SIGHUP or `POST /-/reload` it is read and built whole beside the running one, every secret resolved.
//! One finding, and nothing changes but a row that says so. Else the loop goes over to it between two inputs: the state is read
//! from its rows for the new plan, questions under way are given up, deliveries under way end where they began.
//!
//! **A second replica.** Both read the same rows; each commit carries the store's epoch, so the one that comes second is refused,
//! drops its state and reads it again. That is the path of the failed commit, which exists. Claims get a lease beside *started*.
//! On SQLite a second agent is refused at its start instead.
//!
//! **A replayed year.** A [`replay::History`] (what the store recorded, CSV, an Airflow's own runs) is one stream of what was seen, in
//! order of time and page by page. [`replay::Past`] holds the picture so far and answers the questions of `due` in the sources' place:
//! of a sweep only what is new. The [`replay::Player`] goes from one wake instant to the next; posts are delivered at once. Verdicts
//! say until when they hold, and a judgement costs what changed, so the cost follows the news. `core::tally` counts the ledger's
//! entries, as for `report`. A golden night ([`scenario`]) is the same player with what happens written by hand.
//!
//! # What is absent
//!
//! No queue of things to do: `due` derives it. No timers in the core: it returns instants. No "last run" of jobs: occurrences are rows.
//! No text in decisions: they carry facts until a sink needs words. No trait for sources, sinks or stores: each is one enum, and adding
//! a kind is a file, an arm, a fixture and a page. No second way to rebuild the state: start, reload and failed commit share
//! [`core::state::State::restore`]. No second way in for people: shell, HTTP and SIGHUP meet at one desk, and nothing watches files. No
//! half of a configuration: it is taken over whole or not at all. No reading of the clock outside [`agent::clock`].

pub mod agent;
pub mod backtest;
pub mod cli;
pub mod config;
pub mod core;
pub mod demo;
pub mod error;
pub mod explain;
pub mod net;
pub mod replay;
pub mod scenario;
pub mod sinks;
pub mod sources;
pub mod store;
pub mod web;
