//! What the README says is so: its commands are known, its configurations load, its links lead somewhere, its numbers are the code's.

use clap::Parser;
use dawnwatch::cli::Cli;
use dawnwatch::config;
use std::fs;
use std::path::Path;

struct Block {
    kind: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

fn blocks() -> Vec<Block> {
    let text = readme();
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (line.trim().strip_prefix("```"), &mut open) {
            (Some(kind), None) => open = Some(Block { kind: kind.to_owned(), text: String::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a code block of the README does not end");
    blocks
}

fn of(kind: &str) -> Vec<String> {
    blocks().into_iter().filter(|block| block.kind == kind).map(|block| block.text).collect()
}

#[test]
fn every_command_is_one() {
    let mut seen = 0;
    for line in of("sh").iter().flat_map(|text| text.lines()) {
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        let args = match words.as_slice() {
            ["cargo", "run", "--release", "--", args @ ..] => args,
            ["dawnwatch", args @ ..] => args,
            ["cargo", "test"] | ["export" | "printf", ..] => continue,
            other => panic!("what is this command? {other:?}"),
        };
        let cli = Cli::try_parse_from(["dawnwatch"].iter().chain(args));
        assert!(cli.is_ok(), "{line}: {}", cli.err().unwrap());
        seen += 1;
    }
    assert!(seen >= 8, "{seen}");
}

#[test]
fn the_configurations_load_without_a_warning() {
    let texts = of("toml");
    let (whole, parts) = texts.split_first().unwrap();
    // What follows the whole configuration are further tables of it. A chat that nothing is sent to would be a warning.
    for part in [None].into_iter().chain(parts.iter().map(Some)) {
        let folder = tempfile::tempdir().unwrap();
        let text = match part {
            Some(part) => format!("{}\n{part}", whole.replace("[\"terminal\"]", "[\"terminal\", \"team\"]")),
            None => whole.clone(),
        };
        fs::write(folder.path().join("dawnwatch.toml"), text).unwrap();
        let loaded = config::load(folder.path(), None, &[]).unwrap_or_else(|refused| panic!("{refused:#?}"));
        assert_eq!(loaded.warnings, []);
    }
}

#[test]
fn every_link_to_a_file_leads_there() {
    let text = readme();
    let links: Vec<&str> = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    let files: Vec<&&str> = links.iter().filter(|link| !link.starts_with("https://")).collect();
    assert!(files.len() >= 10, "{files:?}");
    for file in files {
        assert!(root().join(file).exists(), "{file}");
    }
}

/// The constants are private, so their lines are looked for: who changes one changes the README with it.
#[test]
fn the_numbers_are_those_of_the_code() {
    let facts = [
        ("core/standing.rs", "DARK_TRIES: u32 = 3", "no answer 3 times in a row"),
        ("core/standing.rs", "DARK_AFTER: TimeDelta = TimeDelta::minutes(5)", "or for 5 minutes"),
        ("core/standing.rs", "FUTURE_TOLERANCE: TimeDelta = TimeDelta::minutes(5)", "more than 5 minutes in the future"),
        ("core/judge.rs", "NOTICE: TimeDelta = TimeDelta::minutes(10)", "from 10 minutes before act-by"),
        ("core/judge.rs", "GRACE: TimeDelta = TimeDelta::minutes(2)", "or 2 minutes without one"),
        ("core/forecast.rs", "ENOUGH_NIGHTS: usize = 5", "once 5 are known"),
        ("core/forecast.rs", "nights.len().saturating_sub(28)", "the last 28 nights"),
        ("core/forecast.rs", "OVERDUE_AT_LEAST: TimeDelta = TimeDelta::minutes(5)", "at least 5 minutes more"),
        ("core/fold.rs", "MANY: usize = 3", "At least 3 checks"),
        ("core/fold.rs", "TOGETHER: TimeDelta = TimeDelta::minutes(15)", "the same error within 15 minutes"),
        ("core/policy.rs", "FAILURE_WAIT: TimeDelta = TimeDelta::seconds(60)", "up to 60 s for its error line"),
        ("core/patience.rs", "PATIENCE: TimeDelta = TimeDelta::minutes(10)", "no sooner than 10 minutes after it began"),
        ("core/suspicion.rs", "TOGETHER: TimeDelta = TimeDelta::minutes(2)", "go dark within 2 minutes"),
        ("core/clocks.rs", "OFF_S: i64 = 60", "off by more than 60 s"),
        ("core/patience.rs", "BEFORE_ACT_BY: TimeDelta = TimeDelta::minutes(90)", "90 minutes before act-by"),
        ("core/patience.rs", "BEFORE_ACT_BY_AT_LATEST: TimeDelta = TimeDelta::minutes(10)", "but 10 minutes before act-by"),
        ("core/digest.rs", "WAIT_FOR_ANSWERS: TimeDelta = TimeDelta::minutes(5)", "waits up to 5 minutes"),
        ("core/posts.rs", "FIRST_RETRY: TimeDelta = TimeDelta::seconds(5)", "tried again after 5 s"),
        ("core/posts.rs", "RETRY_AT_MOST: TimeDelta = TimeDelta::minutes(5)", "up to 5 minutes, on 408"),
        ("core/posts.rs", "FALLBACK_AFTER: TimeDelta = TimeDelta::minutes(10)", "fails for 10 minutes"),
        ("core/posts.rs", "AMBIGUITIES: u32 = 2", "it is repeated once"),
        ("core/posts.rs", "AMBIGUITIES_IDEMPOTENT: u32 = 10", "up to 10 times"),
        ("config/check/dashboards.rs", "raw.reaction.as_ref(), TimeDelta::minutes(20)", "`reaction` (20 minutes)"),
        ("config/check/dashboards.rs", "raw.at_latest.as_ref(), TimeDelta::minutes(15)", "`at_latest` (15 minutes)"),
        ("config/check/dashboards.rs", "raw.escalate_after.as_ref(), TimeDelta::minutes(30)", "`escalate_after` (30 minutes)"),
        ("web/health.rs", "FRESH: TimeDelta = TimeDelta::minutes(3)", "nothing was judged for 3 minutes"),
        ("agent/poll.rs", "POOL: usize = 16", "16 questions at a time"),
        ("agent/poll.rs", "PER_HOST: usize = 4", "4 to one host"),
        ("net.rs", "CONNECT_TIMEOUT: Duration = Duration::from_secs(5)", "5 s to connect"),
        ("net.rs", "BODY_BYTES: usize = 32 * 1024 * 1024", "32 MiB for an answer"),
    ];
    // Lines are broken anywhere in a paragraph.
    let said = readme().split_whitespace().collect::<Vec<_>>().join(" ");
    for (file, code, words) in facts {
        let source = fs::read_to_string(root().join("src").join(file)).unwrap();
        assert!(source.contains(code), "{file} no longer says {code:?}: see {words:?} in the README");
        assert!(said.contains(words), "the README no longer says {words:?}, which {file} has as {code:?}");
    }
}
