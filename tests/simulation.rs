//! A seeded simulation of the two doors: random nights with all that goes wrong in them, held against the promises of the design.
//!
//! A failing seed prints how to play it alone: `SIM_SEED=17 cargo test --test simulation -- --nocapture`. More of them:
//! `SIM_SEEDS=0..5000 cargo test --release --test simulation`.

#[path = "support/sim/mod.rs"]
mod sim;
#[path = "support/world.rs"]
mod world;

use sim::oracle::violations;
use sim::player::{Manner, Player, play};
use sim::script::{Script, script};

#[expect(clippy::disallowed_methods, reason = "a test is asked for other seeds by hand")]
fn seeds(few: std::ops::Range<u64>) -> Vec<u64> {
    let range = |text: String| text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    match (std::env::var("SIM_SEED"), std::env::var("SIM_SEEDS").ok().and_then(range)) {
        (Ok(seed), _) => vec![seed.parse().expect("SIM_SEED is a number")],
        (_, Some(range)) => range.collect(),
        _ => few.collect(),
    }
}

fn lines(player: &Player<'_>) -> Vec<String> {
    let line = |said: &sim::player::Said| {
        let said = world::Said { at: said.at, chat: said.post.chat.to_string(), post: said.post.clone() };
        world::line(&said)
    };
    player.said.iter().map(line).collect()
}

/// Plays many seeds; `wrong` says what is wrong with one.
fn all(few: std::ops::Range<u64>, wrong: fn(&Script) -> Vec<String>) {
    let mut bad = Vec::new();
    for seed in seeds(few) {
        let found = std::panic::catch_unwind(|| wrong(&script(seed))).unwrap_or_else(|panic| {
            vec![format!("panic: {}", panic.downcast_ref::<String>().map_or("without words", String::as_str))]
        });
        if !found.is_empty() {
            bad.push(format!("seed {seed} (SIM_SEED={seed} cargo test --test simulation):\n  {}", found.join("\n  ")));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// The same script says the same when it is played in another manner.
fn says_the_same(script: &Script, manner: Manner) -> Vec<String> {
    let said = lines(&play(script, Manner::default()));
    let other = lines(&play(script, manner));
    let differs = (0..said.len().max(other.len())).find(|ix| said.get(*ix) != other.get(*ix));
    differs.map(|ix| format!("it says {:?} instead of {:?}", other.get(ix), said.get(ix))).into_iter().collect()
}

/// One night in full, for whoever looks for its fault.
fn tell(script: &Script, player: &Player<'_>, said: &[String]) {
    println!("{}", script.story());
    let entries = player.ledger.iter().filter(|entry| !matches!(entry.about, dawnwatch::core::state::About::Check(_)));
    for entry in entries {
        let (at, chat) = (sim::oracle::local(entry.at), entry.chat.as_ref().map_or("", |chat| chat.as_str()));
        println!("  {at} {:?} {chat} {:?} {:?}", entry.about, entry.decision, entry.reason);
    }
    println!("said:\n  {}", said.join("\n  "));
}

#[test]
fn the_promises_hold() {
    all(0..32, |script| {
        let player = play(script, Manner::default());
        if std::env::var_os("SIM_SEED").is_some() {
            tell(script, &player, &lines(&player));
        }
        violations(&player)
    });
}

#[test]
fn the_same_seed_says_the_same() {
    all(0..4, |script| says_the_same(script, Manner::default()));
}

#[test]
fn a_state_that_is_read_back_before_every_step_says_the_same() {
    all(0..6, |script| says_the_same(script, Manner { amnesia: true, ..Manner::default() }));
}

#[test]
fn a_tick_that_nobody_asked_for_changes_nothing() {
    all(0..8, |script| says_the_same(script, Manner { extra_ticks: Some(script.seed), ..Manner::default() }));
}
