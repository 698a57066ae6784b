//! The binary: installs TLS, parses the arguments, sets up logging, and maps the one error to an exit code. Results go to
//! standard output, logs and errors to standard error.

use clap::Parser;
use dawnwatch::cli::{self, Cli, Command, LogFormat};
use dawnwatch::error::{Error, Exit, chain};
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

const DEFAULT_FILTER: &str = "warn,dawnwatch=info";
/// The demo shows the chat; a line for each decision between its messages would hide them.
const DEMO_FILTER: &str = "warn";
/// Threads that hang in a system call (a disk that does not answer) must not keep the process.
const LAST_THREADS: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    // One provider in the whole tree. It fails only where one is installed already, and nothing ran before this.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    // Ends with exit code 2 by itself, and with 0 for --help and --version.
    let cli = Cli::parse();
    match run(&cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            // Not a log line: it must be read also where RUST_LOG is "off".
            eprintln!("dawnwatch: {}", chain(&error));
            error.exit().into()
        }
    }
}

fn run(cli: &Cli) -> Result<Exit, Error> {
    let environment = environment();
    let quiet = matches!(cli.command, Command::Demo(_));
    log_to_stderr(cli.common.log_format, if quiet { DEMO_FILTER } else { DEFAULT_FILTER }, &environment)?;
    // One thread: nearly all of the work is one loop's and waiting for others, and a poll that wakes another thread costs twice. Names
    // are looked up, and the store writes, on threads of their own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let exit = runtime.block_on(cli::run(cli, &environment));
    runtime.shutdown_timeout(LAST_THREADS);
    exit
}

/// Variables that are not UTF-8 cannot be ours.
fn environment() -> Vec<(String, String)> {
    std::env::vars_os().filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok())).collect()
}

fn log_to_stderr(format: LogFormat, default: &str, environment: &[(String, String)]) -> Result<(), Error> {
    let wanted = environment.iter().find(|(name, value)| name == "RUST_LOG" && !value.is_empty());
    let filter = match wanted {
        Some((_, value)) => EnvFilter::try_new(value)
            .map_err(|error| Error::Usage(format!("RUST_LOG is no filter such as \"{DEFAULT_FILTER}\": {error}")))?,
        None => EnvFilter::new(default),
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}
