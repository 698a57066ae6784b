//! The one error of the program and its exit codes. A finding about the pipelines is not an error: it is a result ([`Exit`]).

use crate::agent::StartError;
use crate::backtest::BacktestError;
use crate::config::Refused;
use crate::replay::HistoryError;
use crate::store::StoreError;
use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Fine,
    /// Not everything is green.
    Findings,
    /// The command line makes no sense.
    Usage,
    /// A source, a chat, the store or the page's address could not be used.
    CouldNotLook,
    /// The configuration was refused.
    Refused,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::CouldNotLook => 3,
            // EX_CONFIG of sysexits.h.
            Self::Refused => 78,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Usage(String),
    #[error("{}", refused_text(.0))]
    Refused(Refused),
    /// The configuration is well formed, but what it names is not there: a secret's variable, a file.
    #[error("{}", .0.join("\n"))]
    Unusable(Vec<String>),
    #[error("the store cannot be used")]
    Store(#[source] StoreError),
    #[error("there is no store at {0} yet: `dawnwatch run` makes it, and writes the ledger there")]
    NoStore(String),
    #[error("the status page cannot listen on {listen}: change [web] listen, or switch it \"off\"")]
    Listen { listen: SocketAddr, source: io::Error },
    /// A whole sentence: the running agent cannot be asked.
    #[error("{0}")]
    NoAgent(String),
    #[error("the agent cannot start")]
    Start(#[from] StartError),
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Backtest(BacktestError),
    #[error("the demo cannot be played")]
    Demo(#[source] io::Error),
    #[error("threads cannot be started")]
    Runtime(#[source] io::Error),
    #[error("signals cannot be waited for")]
    Signals(#[source] io::Error),
    #[error("the result cannot be written")]
    Output(#[source] io::Error),
}

impl Error {
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Refused(_) | Self::Unusable(_) => Exit::Refused,
            Self::History(why) => why.exit(),
            Self::Backtest(BacktestError::Row { .. }) => Exit::Usage,
            Self::Store(_)
            | Self::NoStore(_)
            | Self::Listen { .. }
            | Self::NoAgent(_)
            | Self::Start(_)
            | Self::Backtest(_)
            | Self::Demo(_)
            | Self::Runtime(_)
            | Self::Signals(_)
            | Self::Output(_) => Exit::CouldNotLook,
        }
    }
}

fn refused_text(refused: &Refused) -> String {
    // The findings each begin a line, so that an editor or a terminal can jump to their places.
    refused.errors.iter().fold(refused.to_string(), |text, finding| format!("{text}\n{}: {}", finding.place, finding.text))
}

/// An error and all that is behind it, in one line.
pub fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut behind = error.source();
    while let Some(cause) = behind {
        text = format!("{text}: {cause}");
        behind = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Finding;

    #[test]
    fn a_refused_configuration_names_every_error_and_exits_78() {
        let finding = |place: &str, text: &str| Finding { place: place.to_owned(), text: text.to_owned() };
        let errors = vec![finding("a.toml:1:2", "no such key"), finding("a.toml:9:1", "no such check")];
        let error = Error::Refused(Refused { errors, warnings: vec![] });
        assert_eq!(
            error.to_string(),
            "the configuration was refused: 2 findings\na.toml:1:2: no such key\na.toml:9:1: no such check"
        );
        assert_eq!(error.exit().code(), 78);
    }

    #[test]
    fn a_chain_is_one_line() {
        let listen = "127.0.0.1:8606".parse().unwrap();
        let error = Error::Listen { listen, source: io::Error::other("address in use") };
        assert_eq!(
            chain(&error),
            "the status page cannot listen on 127.0.0.1:8606: change [web] listen, or switch it \"off\": address in use"
        );
        assert_eq!(error.exit(), Exit::CouldNotLook);
    }
}
