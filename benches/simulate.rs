//! Plays many simulated nights and says what was reached: `cargo bench --bench simulate -- --nights 10000 --seed 1`.
//!
//! Ends with 1 where a promise was broken; each broken one is told with its seed, and the first ones are cut down and written as
//! scenario files (`--into FOLDER`, default: the temporary folder).

#[path = "../tests/support/sim/mod.rs"]
mod sim;

use sim::player::{Manner, play};
use sim::scenario::scenario;
use sim::script::{Script, script};
use sim::shrink::{PANIC, breaks, shrink, wrong};
use sim::tally::Tally;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Every so many worlds the commits go through the real store.
const REAL_STORE_EVERY: u64 = 8;
/// So many broken worlds are cut down.
const SHRUNK: usize = 5;

struct Wanted {
    nights: u64,
    seed: u64,
    into: PathBuf,
}

fn wanted() -> Wanted {
    let mut wanted = Wanted { nights: 1000, seed: 1, into: std::env::temp_dir() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--nights" => wanted.nights = number(arguments.next()),
            "--seed" => wanted.seed = number(arguments.next()),
            "--into" => wanted.into = arguments.next().map(PathBuf::from).expect("--into wants a folder"),
            // Cargo's own.
            _ => {}
        }
    }
    wanted
}

fn number(text: Option<String>) -> u64 {
    text.and_then(|text| text.parse().ok()).expect("--nights and --seed want a number")
}

/// Cuts a broken world down and writes it down.
fn keep(script: &Script, promise: u8, manner: Manner, into: &Path) {
    let small = shrink(script, &|script| breaks(script, promise, manner));
    let still = wrong(&small, manner);
    let played = std::panic::catch_unwind(AssertUnwindSafe(|| play(&small, manner))).ok();
    let file = into.join(format!("seed-{}-promise-{promise}.toml", script.seed));
    let written = std::fs::create_dir_all(into).and_then(|()| std::fs::write(&file, scenario(&small, played.as_ref(), &still)));
    match written {
        Ok(()) => println!("  cut down to {} checks: {}", small.conf.checks.len(), file.display()),
        Err(error) => println!("  it could not be written to {}: {error}", file.display()),
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn main() -> ExitCode {
    let Wanted { nights, seed, into } = wanted();
    let began = Instant::now();
    let (mut tally, mut played, mut broken, mut worlds, mut real) = (Tally::default(), 0, 0_usize, 0, 0);
    std::panic::set_hook(Box::new(|_| {}));
    while played < nights {
        let script = script(seed + worlds);
        let real_store = script.seed.is_multiple_of(REAL_STORE_EVERY);
        let manner = Manner { real_store, ..Manner::default() };
        let found = match std::panic::catch_unwind(AssertUnwindSafe(|| play(&script, manner))) {
            Ok(player) => {
                tally.add(&player.tally);
                player.violations().to_vec()
            }
            // Played again, for its words.
            Err(_) => wrong(&script, manner),
        };
        for (promise, what) in &found {
            let named = if *promise == PANIC { String::new() } else { format!("promise {promise}: ") };
            println!("seed {}: {named}{what}", script.seed);
        }
        if let Some((promise, _)) = found.first().filter(|_| broken < SHRUNK) {
            keep(&script, *promise, manner, &into);
        }
        broken += usize::from(!found.is_empty());
        real += u64::from(real_store);
        played += script.nights();
        worlds += 1;
    }
    println!("\n{tally}");
    let seconds = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "nobody plays that many nights")]
    let rate = played as f64 / seconds;
    println!(
        "{worlds} worlds from seed {seed} ({real} of them through the real store): {played} nights in {seconds:.1} s, {rate:.1} a second"
    );
    println!("{} places of the table were never reached; {broken} worlds broke a promise", tally.never());
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
