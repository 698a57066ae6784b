//! `test`: golden nights. Plays files that say what happens in a night and what is to be said of it, and tells what does not hold.
//! Asks nobody; the files name their own configuration.

use super::{Common, Format, Test as Args, output};
use crate::agent::clock::Clock;
use crate::core::message::clean;
use crate::error::{Error, Exit};
use crate::scenario::{self, Ended, Outcome};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

pub(super) fn run(common: &Common, args: &Args) -> Result<Exit, Error> {
    let mut files: Vec<PathBuf> = Vec::new();
    for path in &args.files {
        files.extend(scenario::files(path).map_err(Error::Usage)?);
    }
    let clock = Clock::real();
    let results: Vec<(Ended, f64)> = files
        .iter()
        .map(|file| {
            let began = clock.now();
            let played = play(file);
            // A clock that was set back in between says nothing.
            let took = (clock.now() - began).to_std().unwrap_or_default();
            (played, took.as_secs_f64())
        })
        .collect();
    if let Some(path) = &args.junit {
        fs::write(path, scenario::junit(&results))
            .map_err(|error| Error::Usage(format!("--junit {} cannot be written: {error}", path.display())))?;
    }
    let results: Vec<Ended> = results.into_iter().map(|(played, _)| played).collect();
    output::write(&match common.format {
        Format::Text => text(&results),
        _ => json(&results).to_string(),
    })?;
    Ok(exit(&results))
}

fn play(file: &Path) -> Ended {
    match scenario::read(file) {
        Ok(night) => night.run(),
        Err(findings) => Ended { file: file.to_owned(), name: String::new(), outcome: Outcome::Refused(findings) },
    }
}

fn exit(results: &[Ended]) -> Exit {
    let any = |is: fn(&Outcome) -> bool| results.iter().any(|result| is(&result.outcome));
    if any(|outcome| matches!(outcome, Outcome::Refused(_))) {
        Exit::Usage
    } else if any(|outcome| matches!(outcome, Outcome::Fails(_))) {
        Exit::Findings
    } else {
        Exit::Fine
    }
}

/// (hold, do not, make no sense)
fn counts(results: &[Ended]) -> (usize, usize, usize) {
    results.iter().fold((0, 0, 0), |(hold, fail, refused), result| match result.outcome {
        Outcome::Holds => (hold + 1, fail, refused),
        Outcome::Fails(_) => (hold, fail + 1, refused),
        Outcome::Refused(_) => (hold, fail, refused + 1),
    })
}

fn text(results: &[Ended]) -> String {
    let mut lines = Vec::new();
    for result in results {
        let (file, name) = (result.file.display(), clean(&result.name));
        match &result.outcome {
            Outcome::Holds => lines.push(format!("holds   {file}: {name}")),
            Outcome::Fails(faults) => {
                lines.push(format!("FAILS   {file}: {name}"));
                lines.extend(faults.iter().flat_map(|fault| fault.lines()).map(|line| format!("  {line}")));
            }
            Outcome::Refused(findings) => {
                lines.push(format!("REFUSED {file}: makes no sense"));
                lines.extend(findings.iter().map(|finding| format!("{}: {}", finding.place, clean(&finding.text))));
            }
        }
    }
    let (hold, fail, refused) = counts(results);
    let nights = if results.len() == 1 { "night" } else { "nights" };
    let mut sum = format!("{} golden {nights}: {hold} hold", results.len());
    for (count, what) in [(fail, "do not"), (refused, "make no sense")] {
        if count > 0 {
            sum.push_str(&format!(", {count} {what}"));
        }
    }
    lines.push(sum);
    lines.join("\n")
}

fn json(results: &[Ended]) -> Value {
    let nights = results.iter().map(|result| {
        let (outcome, faults, findings) = match &result.outcome {
            Outcome::Holds => ("holds", vec![], vec![]),
            Outcome::Fails(faults) => ("fails", faults.clone(), vec![]),
            Outcome::Refused(findings) => ("refused", vec![], findings.clone()),
        };
        let findings: Vec<Value> = findings.iter().map(|f| json!({"place": f.place, "text": f.text})).collect();
        json!({"file": result.file.display().to_string(), "name": result.name, "outcome": outcome, "faults": faults, "findings": findings})
    });
    let (hold, fail, refused) = counts(results);
    json!({"nights": nights.collect::<Vec<_>>(), "hold": hold, "fail": fail, "refused": refused})
}
