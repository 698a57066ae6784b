//! A seeded simulation of the two doors and the store: random nights with all that goes wrong in them, held against the promises of
//! the design. `cargo bench --bench simulate` plays as many as one likes.
//!
//! A failing seed is told in full with `SIM_SEED=17 cargo test --test simulation the_promises -- --nocapture`.

#[path = "support/sim/mod.rs"]
mod sim;

use sim::player::{Manner, play};
use sim::same;
use sim::script::{Script, script};

#[expect(clippy::disallowed_methods, reason = "a test is asked for other seeds by hand")]
fn asked_for(few: std::ops::Range<u64>) -> Vec<u64> {
    match std::env::var("SIM_SEED") {
        Ok(seed) => vec![seed.parse().expect("SIM_SEED is a number")],
        Err(_) => few.collect(),
    }
}

/// Plays many seeds; `wrong` says what is wrong with one.
fn all(few: std::ops::Range<u64>, wrong: fn(&Script) -> Vec<String>) {
    let mut bad = Vec::new();
    for seed in asked_for(few) {
        let found = std::panic::catch_unwind(|| wrong(&script(seed))).unwrap_or_else(|panic| {
            vec![format!("panic: {}", panic.downcast_ref::<String>().map_or("without words", String::as_str))]
        });
        if !found.is_empty() {
            bad.push(format!("seed {seed} (SIM_SEED={seed} cargo test --test simulation):\n  {}", found.join("\n  ")));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn the_promises_hold() {
    all(0..24, |script| {
        let player = play(script, Manner { real_store: script.seed % 8 == 7, ..Manner::default() });
        if std::env::var_os("SIM_SEED").is_some() {
            println!("{}\n{}", script.story(), player.story());
        }
        player.violations().iter().map(|(promise, what)| format!("promise {promise}: {what}")).collect()
    });
}

#[test]
fn the_same_seed_says_the_same() {
    all(40..42, |script| same::in_another_manner(script, Manner::default()));
}

#[test]
fn a_state_that_is_read_back_before_every_step_says_the_same() {
    all(44..47, |script| same::in_another_manner(script, Manner { amnesia: true, ..Manner::default() }));
}

#[test]
fn a_state_that_the_store_kept_says_the_same() {
    all(48..50, |script| same::in_another_manner(script, Manner { amnesia: true, real_store: true, ..Manner::default() }));
}

#[test]
fn a_tick_that_nobody_asked_for_changes_nothing() {
    all(50..53, |script| same::in_another_manner(script, Manner { extra_ticks: Some(script.seed), ..Manner::default() }));
}

#[test]
fn the_order_of_an_answer_changes_nothing() {
    all(56..58, |script| same::in_another_manner(script, Manner { shuffled: true, ..Manner::default() }));
}

#[test]
fn a_year_of_weeks_later_the_same_is_said() {
    all(60..62, same::a_year_later);
}

#[test]
fn other_names_are_told_the_same() {
    all(64..66, same::under_other_names);
}

#[test]
fn the_order_of_names_changes_no_decision() {
    all(68..71, same::in_another_order);
}

#[test]
fn what_nobody_needs_changes_nothing() {
    all(72..75, same::with_a_stranger);
}
