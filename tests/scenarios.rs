//! The golden nights in `tests/scenarios`: all hold, and no reason of a decision and no situation of the design is without one.

use dawnwatch::core::state::Reason;
use dawnwatch::scenario::{self, Outcome, Scenario};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What the design says about meaning (DESIGN, section 5), in its words. Of the forecast what this version has.
const SITUATIONS: [&str; 53] = [
    "days: a local time that does not exist moves forward by the gap",
    "days: a local time that exists twice means the first",
    "days: a cycle closes where the next one opens and keeps its result",
    "days: an open incident goes on and may speak once in each cycle with an audience",
    "days: a cycle whose deadline lay before dawnwatch first knew the check is not_watched, not late",
    "what counts: Friday's catch-up run that ends on Monday is not Monday's",
    "what counts: backfills never count",
    "what counts: a manual run or a cleared one of the same business date does",
    "what counts: a dataset counts by arrival time inside the window",
    "what counts: a dataset with through counts by its data time",
    "what counts: early data of the old cycle is not fresh",
    "what counts: a data time in the future is suspicious, never green",
    "what counts: a failed run that will be retried is not failed yet",
    "what counts: a running run in which a task has finally failed is failed",
    "what counts: a run waiting in a sensor is waiting for its cause, not running long",
    "what counts: a run that was never created is not arrived, with the reason found",
    "arrival sticks: a source that goes dark later takes nothing back",
    "arrival: a newer run of the same business date takes it back (rerunning)",
    "members: one that vanished is unknown until it is retired",
    "members: a new one is silent until its first success",
    "members: each is due by its source's own schedule, else by its on",
    "precedence: not_due before all else",
    "precedence: ready (evidence) before unknown",
    "precedence: failed before unknown",
    "precedence: unknown before late",
    "precedence: late before at risk",
    "precedence: past its deadline a dashboard is late, and says what is unknown",
    "forecast: from the check's own history",
    "forecast: carried through the graph, a check arrives after the last of its needs",
    "forecast: with too little history it falls back on the declared rule",
    "forecast: a run under way is held against its own run times",
    "forecast: strata by the turn of the month",
    "forecast: a moved schedule is noticed within days and said once",
    "forecast: an ETA that improves withdraws the warning",
    "forecast: habitually late but in time is no word",
    "act-by: past it, what can still be expected and what to tell the readers",
    "outside quiet hours: at risk or failed, a person is asked at once",
    "at risk: at_latest before the deadline",
    "in quiet hours: posted without push; the person is asked when they end",
    "in quiet hours: asked at the deadline at the latest",
    "only wake = true breaks them, at act-by",
    "wake: only while acting can still save the deadline",
    "held is state: judged, worded and addressed again at release",
    "what heals before its word is a line in the digest, healed by itself",
    "without an audience nobody is asked; the digest says it if it is sent",
    "not answered and not repaired within escalate_after: the next rung is asked; a rung is not a repeat",
    "unknown is told before act-by, not at the first timeout",
    "many causes with one source, error and time fold into one",
    "when unrelated hosts fail together the watch suspects itself and says so",
    "edits never push: worse is a new post, better is none",
    "silent green: all green on the days chosen is silent, yet recorded, and the outward heartbeat goes on",
    "silent green: unknown breaks the silence",
    "hand-off: nobody's owner is unknown and goes to the dashboard's tell",
];

fn situations() -> BTreeSet<&'static str> {
    SITUATIONS.into_iter().collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

fn nights() -> Vec<Scenario> {
    let files = scenario::files(&folder()).unwrap();
    files.iter().map(|file| scenario::read(file).unwrap_or_else(|findings| panic!("{findings:#?}"))).collect()
}

#[test]
fn all_golden_nights_hold() {
    let nights = nights();
    let faults: Vec<String> = nights
        .iter()
        .map(Scenario::run)
        .filter_map(|result| match result.outcome {
            Outcome::Holds => None,
            other => Some(format!("{}: {}\n{other:#?}", result.file.display(), result.name)),
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn no_reason_is_without_a_night() {
    let nights = nights();
    let covered: BTreeSet<&Reason> = nights.iter().flat_map(Scenario::reasons).collect();
    let covered: BTreeSet<String> =
        covered.into_iter().map(|reason| serde_json::to_value(reason).unwrap().as_str().unwrap().to_owned()).collect();
    let words = scenario::words_of::<Reason>();
    assert!(words.len() > 40, "the list of reasons is not read: {words:?}");
    let missing: Vec<&&str> = words.iter().filter(|word| !covered.contains(**word)).collect();
    assert!(missing.is_empty(), "no golden night has [[decides]] with these reasons: {missing:?}");
}

#[test]
fn no_situation_is_without_a_night() {
    let nights = nights();
    let named: BTreeSet<&str> = nights.iter().flat_map(|night| night.situations.iter().map(String::as_str)).collect();
    let missing: Vec<&str> = situations().difference(&named).copied().collect();
    assert!(missing.is_empty(), "no golden night is about: {missing:#?}");
    let unknown: Vec<&str> = named.difference(&situations()).copied().collect();
    assert!(unknown.is_empty(), "these stand in no list of the design's situations: {unknown:#?}");
}

#[test]
fn no_two_nights_have_one_name() {
    let nights = nights();
    let names: BTreeSet<&str> = nights.iter().map(|night| night.name.as_str()).collect();
    assert_eq!(names.len(), nights.len());
}
