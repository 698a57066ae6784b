//! Plays many simulated nights and says what was reached: `cargo bench --bench simulate -- --nights 10000 --seed 1`.
//!
//! Ends with 1 where a promise was broken; each broken one is told with its seed, and the first ones are cut down and written as
//! scenario files beside each other (`--into FOLDER`, default: the temporary folder).

#[path = "../tests/support/sim/mod.rs"]
mod sim;

use sim::player::{Manner, play};
use sim::script::script;
use sim::tally::Tally;
use std::process::ExitCode;
use std::time::Instant;

/// Every so many worlds the commits go through the real store.
const REAL_STORE_EVERY: u64 = 8;

struct Wanted {
    nights: u64,
    seed: u64,
}

fn wanted() -> Wanted {
    let mut wanted = Wanted { nights: 1000, seed: 1 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|number| number.parse().ok()).expect("a number behind it");
        match argument.as_str() {
            "--nights" => wanted.nights = number(),
            "--seed" => wanted.seed = number(),
            // Cargo's own.
            _ => {}
        }
    }
    wanted
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn main() -> ExitCode {
    let Wanted { nights, seed } = wanted();
    let began = Instant::now();
    let (mut tally, mut played, mut broken, mut worlds) = (Tally::default(), 0, 0, 0);
    std::panic::set_hook(Box::new(|_| {}));
    let mut next = seed;
    while played < nights {
        let script = script(next);
        let real_store = next.is_multiple_of(REAL_STORE_EVERY);
        let found = std::panic::catch_unwind(|| {
            let player = play(&script, Manner { real_store, ..Manner::default() });
            (player.violations().to_vec(), player.tally)
        });
        match found {
            Ok((found, reached)) => {
                tally.add(&reached);
                broken += found.len();
                for (promise, what) in found {
                    println!("seed {next}: promise {promise}: {what}");
                }
            }
            Err(panic) => {
                broken += 1;
                println!("seed {next}: panic: {}", panic.downcast_ref::<String>().map_or("without words", String::as_str));
            }
        }
        played += script.nights();
        worlds += 1;
        next += 1;
    }
    println!("\n{tally}");
    let seconds = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "nobody plays that many nights")]
    let rate = played as f64 / seconds;
    println!("{worlds} worlds from seed {seed}, {played} nights in {seconds:.1} s ({rate:.1} nights a second)");
    println!("{} of the table's places were never reached; {broken} violations", tally.never());
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
