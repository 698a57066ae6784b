//! What the README says is so: its commands are run, its configurations load, its links lead somewhere, its numbers are the code's.
//!
//! Each line of its `sh` blocks is run: those of `dawnwatch` here, by the binary, on the README's own configuration with nothing to be
//! reached; the others in `.ci/run`, where they are looked for.

use clap::Parser;
use dawnwatch::cli::Cli;
use dawnwatch::config;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use tempfile::TempDir;

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

/// The words of a line as a shell has them: quotes hold together, a comment ends it.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            ('#', None) if word.is_none() => break,
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    assert!(quote.is_none(), "a quote does not end: {line}");
    words.extend(word);
    words
}

/// All lines of the `sh` blocks, as words.
fn commands() -> Vec<Vec<String>> {
    of("sh").iter().flat_map(|text| text.lines()).map(words).filter(|words| !words.is_empty()).collect()
}

/// Each block of `toml` in the file that it belongs to: the first is the main one, one may name its own, the others are further ones.
fn write(folder: &Path, blocks: &[String]) {
    for (at, text) in blocks.iter().enumerate() {
        let own = text.lines().next().and_then(|line| line.trim().strip_prefix("# my/"));
        let path = folder.join(match own {
            Some(path) => path.to_owned(),
            None if at == 0 => "dawnwatch.toml".to_owned(),
            None => format!("conf.d/{at:02}.toml"),
        });
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn the_configurations_load_without_a_warning() {
    let mut blocks = of("toml");
    assert!(blocks.len() >= 10, "{}", blocks.len());
    let good = |blocks: &[String], profile| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), blocks);
        let loaded = config::load(folder.path(), profile, &[]).unwrap_or_else(|refused| panic!("{refused:#?}"));
        assert_eq!(loaded.warnings, []);
        loaded.plan
    };
    good(&blocks[..1], None);
    let plan = good(&blocks, None);
    let sources: Vec<&str> = plan.sources.keys().map(|id| id.as_str()).collect();
    assert_eq!(sources, ["airflow", "dbt", "landing", "loads", "luigi", "warehouse"]);
    let tell = |profile| good(&blocks, profile).dashboards["summary"].tell.clone();
    assert_eq!((tell(None), tell(Some("real"))), (vec!["terminal".into()], vec!["team".into()]));
    // Each is whole with those before it, so that a reader may stop anywhere. A chat that nothing is sent to yet would be a warning.
    blocks[0] = blocks[0].replace("[\"terminal\"]", "[\"terminal\", \"team\"]");
    for count in 2..blocks.len() {
        good(&blocks[..count], None);
    }
}

#[test]
fn every_command_is_known_and_what_is_none_of_ours_is_run_in_ci() {
    let ci = fs::read_to_string(root().join(".ci/run")).unwrap();
    let mut own = 0;
    for line in commands() {
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        let in_ci = match line.as_slice() {
            ["dawnwatch", ..] => {
                let cli = Cli::try_parse_from(&line);
                assert!(cli.is_ok(), "{line:?}: {}", cli.err().unwrap());
                own += 1;
                continue;
            }
            // The command after it has it.
            ["export", "AIRFLOW_PASSWORD=…"] => continue,
            ["cargo", "run", "--release", "--", args @ ..] => format!("cargo run --release --locked -- {}", args.join(" ")),
            ["cargo", "test"] => "cargo test --locked".to_owned(),
            ["curl", "--fail", "-X", "POST", "http://127.0.0.1:8606/-/reload"] => {
                "curl --fail --silent --show-error -X POST \"$page/-/reload\"".to_owned()
            }
            ["sqlite3", "my/dawnwatch.db", ".backup copy.db"] => "sqlite3 my/dawnwatch.db \".backup copy.db\"".to_owned(),
            other => panic!("where is this command run? {other:?}"),
        };
        assert!(ci.contains(&in_ci), ".ci/run does not run {in_ci:?}");
    }
    assert!(own >= 15, "{own}");
    assert!(readme().contains("`cargo build --release --locked`") && ci.contains("cargo build --release --locked"));
}

/// The README's own configuration in `my`, and a machine on which nobody answers.
struct Desert {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

fn desert() -> Desert {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = listener.local_addr().unwrap();
    // Held, so that nobody else gets the port; each connection ends at once. It ends with the process.
    thread::spawn(move || listener.incoming().for_each(drop));
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("my"), &of("toml"));
    for night in of("toml night") {
        let own = night.lines().next().and_then(|line| line.strip_prefix("# nights/")).expect("a golden night names its file");
        fs::create_dir_all(folder.path().join("nights")).unwrap();
        fs::write(folder.path().join("nights").join(own), &night).unwrap();
    }
    let environment = [
        ("AIRFLOW_PASSWORD", "…".to_owned()),
        ("USER", "kim".to_owned()),
        ("WAREHOUSE_URL", format!("postgres://reader@{nobody}/warehouse")),
        ("SLACK_WEBHOOK_URL", format!("http://{nobody}/hook")),
        ("ONCALL_URL", format!("http://{nobody}/oncall")),
        ("ONCALL_SECRET", "…".to_owned()),
        ("HEARTBEAT_URL", format!("http://{nobody}/beat")),
        ("DAWNWATCH__SOURCES__AIRFLOW__URL", format!("http://{nobody}")),
        ("DAWNWATCH__SOURCES__LUIGI__URL", format!("http://{nobody}")),
        ("DAWNWATCH__WEB__LISTEN", nobody.to_string()),
    ];
    let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Desert { folder, environment }
}

impl Desert {
    fn command(&self, args: &[String]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dawnwatch"));
        command.current_dir(self.folder.path()).env_clear().envs(self.environment.iter().cloned()).args(args);
        command
    }
}

/// What the README's table of exit codes says of a machine on which nobody answers.
fn expected(args: &[String]) -> i32 {
    match args[0].as_str() {
        "check" if args.iter().any(|arg| arg == "--online") => 3,
        "check" | "calendar" | "schema" | "completions" | "test" => 0,
        // Its file is not there; the store and the source are not there either.
        "replay" | "backtest" if args.iter().any(|arg| arg == "--history") => 2,
        "replay" | "backtest" | "once" | "drill" | "explain" | "report" | "healthcheck" | "ack" | "snooze" | "mute" | "retire" => 3,
        other => panic!("how does {other} end?"),
    }
}

#[test]
fn every_command_ends_as_it_should_where_nobody_answers() {
    let desert = desert();
    let (commands, mut ran) = (commands(), Vec::new());
    for line in commands.iter().filter(|line| line[0] == "dawnwatch" && line[1] != "run") {
        let output = desert.command(&line[1..]).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(expected(&line[1..])), "{line:?}: {err}");
        let says = ["no agent answers", "there is no store", "could not be asked", "cannot be read"];
        assert!(!output.stdout.is_empty() || says.iter().any(|sentence| err.contains(sentence)), "{line:?}: {err}");
        ran.push(line[1].as_str());
    }
    for command in [
        "check",
        "once",
        "drill",
        "explain",
        "replay",
        "backtest",
        "report",
        "calendar",
        "schema",
        "completions",
        "healthcheck",
        "ack",
        "snooze",
        "mute",
        "retire",
        "test",
    ] {
        assert!(ran.contains(&command), "the README shows no {command}");
    }
    assert!(!desert.folder.path().join("my/dawnwatch.db").exists(), "only `run` writes a store");
}

/// Ended when it goes out of scope, whatever became of the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_watch_watches_with_every_recipe_and_ends_when_it_is_told() {
    let desert = desert();
    let lines: Vec<Vec<String>> = commands().into_iter().filter(|line| line[..2] == ["dawnwatch", "run"]).collect();
    assert_eq!(lines.len(), 2, "with a profile and without");
    for line in lines {
        let mut command = desert.command(&line[1..]);
        command.env("DAWNWATCH__WEB__LISTEN", "127.0.0.1:0").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut running = Running(command.spawn().unwrap());
        let mut first = String::new();
        BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(first.starts_with("dawnwatch is watching: 6 sources, "), "{first}");
        let told = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", running.0.id())).status().unwrap();
        assert!(told.success());
        assert_eq!(running.0.wait().unwrap().code(), Some(0), "{line:?}");
    }
}

#[test]
fn every_link_to_a_file_leads_there() {
    let text = readme();
    let links: Vec<&str> = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    let (parts, others): (Vec<&str>, Vec<&str>) = links.into_iter().partition(|link| link.starts_with('#'));
    for part in parts {
        let heading = text.lines().filter_map(|line| line.strip_prefix("## ")).any(|heading| heading.to_lowercase() == part[1..]);
        assert!(heading, "{part}");
    }
    let files: Vec<&str> = others.into_iter().filter(|link| !link.starts_with("https://")).collect();
    assert!(files.len() >= 10, "{files:?}");
    for file in files {
        assert!(root().join(file).exists(), "{file}");
    }
}

/// The constants are private, so their lines are looked for: who changes one changes the README with it.
#[test]
fn the_numbers_are_those_of_the_code() {
    let facts = [
        // The picture is what the demo says at its own speed; a machine that is busy may poll a minute sooner or later.
        ("demo/night/cast.rs", "CAUSE: &str = \"raw_member_events\"", "Failed — raw_member_events, 120 waiting"),
        (
            "demo/night/tale.rs",
            "\\\"member-db-ro\\\" (10.20.0.14), port 5432 failed",
            "\"member-db-ro\" (10.20.0.14), port 5432 failed",
        ),
        ("core/standing.rs", "DARK_TRIES: u32 = 3", "no answer 3 times in a row"),
        ("core/standing.rs", "DARK_AFTER: TimeDelta = TimeDelta::minutes(5)", "or for 5 minutes"),
        ("core/standing.rs", "FUTURE_TOLERANCE: TimeDelta = TimeDelta::minutes(5)", "more than 5 minutes in the future"),
        ("core/judge/bench.rs", "NOTICE: TimeDelta = TimeDelta::minutes(10)", "from 10 minutes before act-by"),
        ("core/judge.rs", "GRACE: TimeDelta = TimeDelta::minutes(2)", "or 2 minutes without one"),
        ("core/forecast/habit.rs", "ENOUGH_NIGHTS: usize = 5", "once 5 are known"),
        ("core/forecast/mixture.rs", "NIGHTS_KEPT: usize = 256", "its last 256 nights"),
        ("backtest/card/mod.rs", "ENOUGH_MISSES: usize = 5", "with fewer than 5 misses none is suggested"),
        ("cli/backtest/mod.rs", "NIGHTS: i32 = 90", "plays the last 90 nights"),
        ("core/fold.rs", "MANY: usize = 3", "At least 3 checks"),
        ("core/fold.rs", "TOGETHER: TimeDelta = TimeDelta::minutes(15)", "the same error within 15 minutes"),
        ("core/patience.rs", "FAILURE_WAIT: TimeDelta = TimeDelta::seconds(60)", "up to 60 s for its error line"),
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
        ("net.rs", "BODY_BYTES: usize = 16 * 1024 * 1024", "16 MiB for an answer"),
        ("sources/http/mod.rs", "MANY_BYTES: usize = 8 * 1024 * 1024", "of kind `http` 8 MiB"),
        ("sources/http/mod.rs", "ONE_BYTES: usize = 1024 * 1024", "for a URL with `{id}` 1 MiB"),
        ("sources/file/mod.rs", "ARTIFACT_BYTES: usize = 32 * 1024 * 1024", "32 MiB for an artifact of dbt"),
        ("sources/sql/mod.rs", "ROWS: usize = 10_000", "10,000 rows of a query"),
        ("sources/file/walk.rs", "ENTRIES: usize = 100_000", "100,000 files in a look"),
        ("web/mod.rs", "CONNECTIONS: usize = 64", "64 connections to the status page"),
        ("core/due.rs", "LIST_EVERY: TimeDelta = TimeDelta::minutes(10)", "asked every 10 minutes what it has"),
        ("core/command.rs", "UNTIL_AT_MOST: TimeDelta = TimeDelta::days(31)", "at most 31 days"),
        ("core/step.rs", "KEEP_OVER: TimeDelta = TimeDelta::days(3)", "leaves the state after 3 days"),
        ("core/posts.rs", "BROKEN_RETRY: TimeDelta = TimeDelta::minutes(15)", "tried again every 15 minutes"),
        ("core/posts.rs", "RETRY_LATER_AT_MOST: TimeDelta = TimeDelta::hours(1)", "is kept, up to an hour"),
        ("config/check/mod.rs", "raw.retention.as_ref(), TimeDelta::days(400)", "older than `retention` (400 days)"),
        ("config/check/sources.rs", "self.duration(path, raw, TimeDelta::seconds(10))", "`timeout` (10 s) for a request"),
        ("config/check/heartbeat.rs", "EVERY: TimeDelta = TimeDelta::minutes(5)", "every = \"5m\" # the default"),
        ("config/check/heartbeat.rs", "EVERY_AT_LEAST: TimeDelta = TimeDelta::seconds(30)", "at least 30s"),
    ];
    // Lines are broken anywhere in a paragraph.
    let said = readme().split_whitespace().collect::<Vec<_>>().join(" ");
    for (file, code, words) in facts {
        let source = fs::read_to_string(root().join("src").join(file)).unwrap();
        assert!(source.contains(code), "{file} no longer says {code:?}: see {words:?} in the README");
        assert!(said.contains(words), "the README no longer says {words:?}, which {file} has as {code:?}");
    }
}
