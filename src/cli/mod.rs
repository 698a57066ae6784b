//! The command line: one file per command. Arguments in, a result on standard output, an [`Exit`] or the one [`Error`] back.
//!
//! Reads no environment and sets up no logging; `main` does both and passes them in.

mod agent_call;
mod backtest;
mod calendar;
mod check;
mod completions;
mod demo;
mod drill;
mod explain;
mod healthcheck;
mod nights;
mod once;
mod order;
mod output;
mod replay;
mod report;
mod run;
mod schema;
mod test;

use crate::agent::clock::Clock;
use crate::config::{self, Finding, Loaded};
use crate::core::plan::Language;
use crate::demo::night::Night;
use crate::error::{Error, Exit};
use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};
use order::Wanted;
use std::net::SocketAddr;
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0   fine
  1   findings: not everything is green, or the agent refuses
  2   usage: the command line makes no sense
  3   could not look: a source, a chat, the store, the agent or the status page's address cannot be used
  78  the configuration was refused, or a secret or file that it names is not there";

const ORDER_EXIT_CODES: &str = "Exit codes: 0 done, 1 refused by the agent, 3 no agent answers at [web] listen.";

/// Watches data pipelines through the night and says in chat, briefly and once, what will miss its dashboard's deadline.
#[derive(Debug, Parser)]
#[command(name = "dawnwatch", version, after_help = EXIT_CODES, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub struct Common {
    /// The configuration: a file, or a folder with dawnwatch.toml, conf.d/ and profiles/.
    #[arg(long, global = true, value_name = "PATH", default_value = "config/")]
    pub config: PathBuf,
    /// Reads profiles/NAME.toml over the configuration.
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// How the result is written to standard output.
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// How log lines are written to standard error. RUST_LOG filters them; default: warn,dawnwatch=info (demo: warn).
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
    /// One JSON text a line, as it goes (replay).
    Jsonl,
    /// For a page or a ticket (report).
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watches until it is stopped (SIGTERM or SIGINT; a second one ends it at once).
    #[command(after_help = "\
A store that is corrupt, read-only or in use by another agent, and an address of the status page that is taken, stop the start
with exit code 3; a secret that is not set with 78.

SIGHUP, and POST /-/reload of the status page, read the configuration again. A bad one changes nothing, and is said in the log,
in the answer and in the next digest.")]
    Run,
    /// Plays one whole night in about a minute, on this machine alone.
    Demo(Demo),
    /// Asks every source now, judges, and prints the digest. Writes nothing to the store.
    #[command(after_help = "\
Exit codes: 0 all is ready or on track, 1 not green (or a check that no dashboard needs has failed, is older than its max_age, or
cannot be seen), 3 a source (or with --post a chat) could not be reached.")]
    Once(Once),
    /// Checks the configuration without asking anybody and without any secret being set. Warnings alone exit 0.
    #[command(after_help = "\
Exit codes: 0 fine, 78 refused; with --online also 1 a source does not know what is asked of it or cannot tell, 3 one cannot be reached.")]
    Check(Check),
    /// Sends a marked test message through every chat, at its largest size. Asks nobody.
    #[command(after_help = "Exit codes: 0 all delivered, 3 not all.")]
    Drill(Drill),
    /// Plays past nights through the configuration: what would have been said, when and to whom. Asks nobody, sends nothing.
    #[command(after_help = "\
The history is what the store has recorded, or imported: CSV with the columns check, started_at, arrived_at, state, error, timestamp,
run_after, run_type, or (--from-source) an Airflow's own runs. --format jsonl prints a line for each message as it goes, and a summary.

Exit codes: 0 played, 2 the history makes no sense, 3 the store or the source cannot be read.")]
    Replay(Replay),
    /// Plays past nights, and counts how well their misses would have been foreseen: the score card of warn_at and of the deadlines.
    #[command(after_help = backtest::AFTER_HELP)]
    Backtest(backtest::Args),
    /// Plays golden nights: files that say what happens in a night, and what is to be said of it. Asks nobody.
    #[command(after_help = "\
Each file names its own configuration. Of a folder its *.toml are played that are golden nights: they have from, to, expect or another
key at the top that no configuration has. Each night is played twice, the second time with the state read back from its rows before
every step; both must say the same, and nothing but what is expected.

Exit codes: 0 all hold, 1 one does not, 2 a file makes no sense.")]
    Test(Test),
    /// Shows what kind of day each day is: workday or off in each calendar, due or not for each dashboard.
    Calendar(Calendar),
    /// Tells why a check or a dashboard stands as it does, and what was said, held or left silent about it, and why.
    #[command(after_help = "\
Exit codes: 0 told, 2 there is no such check or dashboard, 3 there is no store, or it cannot be read. An agent may be running on it.")]
    Explain(Explain),
    /// Counts what the ledger says of some days: deadlines met and missed, who was asked and woken, what healed, how quiet it was.
    #[command(after_help = "\
Exit codes: 0 told, 3 there is no store, or it cannot be read. An agent may be running on it.")]
    Report(Report),
    /// Prints the JSON Schema of a configuration file, for editors.
    Schema,
    /// Prints the script by which a shell completes commands and options.
    Completions(Completions),
    /// Says that somebody has an incident: nobody else is asked before the end.
    #[command(after_help = ORDER_EXIT_CODES)]
    Ack(order::OnIncident),
    /// Wants no word about an incident before the end, but that it is over.
    #[command(after_help = ORDER_EXIT_CODES)]
    Snooze(order::OnIncident),
    /// Wants no word about a check, a dashboard or a source before the end, but that something told before is over.
    #[command(after_help = ORDER_EXIT_CODES)]
    Mute(order::Mute),
    /// Forgets a member of a group that has vanished from its source for good.
    #[command(after_help = ORDER_EXIT_CODES)]
    Retire(order::Retire),
    /// Asks the running agent whether it is well, for containers and monitors. Needs no secret.
    #[command(after_help = "Exit codes: 0 well, 1 not well, 3 no agent answers.")]
    Healthcheck(Healthcheck),
}

#[derive(Debug, Args)]
pub struct Calendar {
    /// One calendar; left out: all of them.
    #[arg(value_name = "CAL")]
    pub name: Option<String>,
    /// The first day; default: today.
    #[arg(long, value_name = "DATE")]
    pub from: Option<NaiveDate>,
    /// How many days; default: 14.
    #[arg(long, value_name = "N", conflicts_with = "to", value_parser = clap::value_parser!(u32).range(1..=3_660))]
    pub days: Option<u32>,
    /// The last day.
    #[arg(long, value_name = "DATE")]
    pub to: Option<NaiveDate>,
}

#[derive(Debug, Args)]
pub struct Replay {
    /// The first day, in the configuration's timezone.
    #[arg(long, value_name = "DATE")]
    pub from: NaiveDate,
    /// The last day.
    #[arg(long, value_name = "DATE")]
    pub to: NaiveDate,
    #[command(flatten)]
    pub origin: nights::Origin,
    /// Shows only what this other configuration would have said otherwise.
    #[arg(long, value_name = "PATH")]
    pub diff: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Completions {
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Which night.
    #[arg(long, value_enum, default_value_t = Night::Weekday)]
    pub night: Night,
    /// The language of the messages.
    #[arg(long, value_enum, default_value_t = Tongue::En)]
    pub language: Tongue,
    /// How many times faster than a real night.
    #[arg(long, value_name = "TIMES", default_value_t = 450.0, value_parser = speed)]
    pub speed: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Tongue {
    En,
    Ko,
}

impl From<Tongue> for Language {
    fn from(tongue: Tongue) -> Self {
        match tongue {
            Tongue::En => Self::En,
            Tongue::Ko => Self::Ko,
        }
    }
}

#[derive(Debug, Args)]
pub struct Check {
    /// Also asks every source, and whether every chat can be reached. Posts nothing; needs the secrets.
    #[arg(long)]
    pub online: bool,
}

#[derive(Debug, Args)]
pub struct Test {
    /// Golden nights, or folders of them.
    #[arg(value_name = "FILES", required = true)]
    pub files: Vec<PathBuf>,
    /// Also writes the results as JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Drill {
    /// Only these chats.
    #[arg(value_name = "CHAT")]
    pub chats: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Healthcheck {
    /// Asks there, and reads no configuration: one that the running agent has refused says nothing of its health.
    #[arg(long, value_name = "IP:PORT")]
    pub address: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub struct Explain {
    /// Its name; of a dashboard and a check of one name, the dashboard.
    #[arg(value_name = "CHECK|DASHBOARD")]
    pub name: String,
    /// As of then: "2026-11-23 06:00" in the configuration's time zone, or 2026-11-23T06:00:00+09:00; default: now.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
}

#[derive(Debug, Args)]
pub struct Report {
    /// The first day, in the configuration's time zone; default: six days before the last.
    #[arg(long, value_name = "DATE")]
    pub from: Option<NaiveDate>,
    /// The last day, counted with it; default: yesterday.
    #[arg(long, value_name = "DATE")]
    pub to: Option<NaiveDate>,
}

#[derive(Debug, Args)]
pub struct Once {
    /// Also sends the digest to its chats.
    #[arg(long)]
    pub post: bool,
}

fn speed(text: &str) -> Result<f64, String> {
    const EXPECTED: &str = "expected a number between 1 and 10000";
    text.parse().ok().filter(|speed| (1.0..=10_000.0).contains(speed)).ok_or_else(|| EXPECTED.to_owned())
}

/// Carries out one command. `environment`: its variables, for the configuration.
pub async fn run(cli: &Cli, environment: &[(String, String)]) -> Result<Exit, Error> {
    let foreign = match cli.common.format {
        Format::Text | Format::Json => None,
        Format::Jsonl => (!matches!(cli.command, Command::Replay(_))).then_some("jsonl is for replay"),
        Format::Markdown => (!matches!(cli.command, Command::Report(_))).then_some("markdown is for report"),
    };
    if let Some(why) = foreign {
        return Err(Error::Usage(format!("--format {why} alone; expected text or json")));
    }
    match &cli.command {
        Command::Backtest(args) => backtest::run(&cli.common, args, environment).await,
        Command::Replay(args) => replay::run(&cli.common, args, environment).await,
        Command::Run => run::run(&cli.common, environment).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Once(args) => once::run(&cli.common, args, environment).await,
        Command::Check(args) => check::run(&cli.common, args, environment).await,
        Command::Drill(args) => drill::run(&cli.common, args, environment).await,
        Command::Test(args) => test::run(&cli.common, args),
        Command::Calendar(args) => calendar::run(&cli.common, args, environment),
        Command::Explain(args) => explain::run(&cli.common, args, environment).await,
        Command::Report(args) => report::run(&cli.common, args, environment).await,
        Command::Schema => schema::run(),
        Command::Completions(args) => completions::run(args),
        Command::Ack(args) => order::run(&cli.common, Wanted::Ack(args), environment).await,
        Command::Snooze(args) => order::run(&cli.common, Wanted::Snooze(args), environment).await,
        Command::Mute(args) => order::run(&cli.common, Wanted::Mute(args), environment).await,
        Command::Retire(args) => order::run(&cli.common, Wanted::Retire(args), environment).await,
        Command::Healthcheck(args) => healthcheck::run(&cli.common, args, environment).await,
    }
}

/// Loads the configuration and logs its warnings.
fn load(common: &Common, environment: &[(String, String)]) -> Result<Loaded, Error> {
    let loaded = config::load(&common.config, common.profile.as_deref(), environment).map_err(Error::Refused)?;
    warn(&loaded.warnings);
    warn(&config::outlook::calendars(&loaded, Clock::real().now()));
    Ok(loaded)
}

fn warn(warnings: &[Finding]) {
    for warning in warnings {
        tracing::warn!(place = warning.place, "{}: {}", warning.place, warning.text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_may_stand_behind_the_command() {
        let cli = Cli::try_parse_from(["dawnwatch", "once", "--post", "--config", "a.toml", "--format", "json"]).unwrap();
        assert!(matches!(cli.command, Command::Once(Once { post: true })));
        assert_eq!((cli.common.config.to_str(), cli.common.format), (Some("a.toml"), Format::Json));
    }

    #[test]
    fn a_speed_has_bounds() {
        for text in ["0", "-3", "nan", "inf", "1e9", "fast"] {
            assert!(speed(text).is_err(), "{text}");
        }
        assert_eq!(speed("450"), Ok(450.0));
    }
}
