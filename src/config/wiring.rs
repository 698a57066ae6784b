//! The wiring: where things are and how to log in. Everything that the core must not know.
//!
//! A secret stays a reference until the shell resolves it, so that a config can be checked without any secret being set.

use crate::core::plan::Id;
use chrono::TimeDelta;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use url::Url;

#[derive(Debug, Clone)]
pub struct Wiring {
    pub store: PathBuf,
    /// `None`: off.
    pub web: Option<Web>,
    pub sources: BTreeMap<Id, SourceWiring>,
    pub chats: BTreeMap<Id, ChatWiring>,
}

#[derive(Debug, Clone)]
pub struct Web {
    pub listen: SocketAddr,
    /// Required where `listen` is not loopback.
    pub token: Option<Secret>,
}

/// A secret by reference.
#[derive(Debug, Clone)]
pub enum Secret {
    Env(String),
    /// Already joined with the folder of the file that named it.
    File(PathBuf),
    /// Only where every URL of the table is loopback.
    Value(SecretString),
}

impl Secret {
    /// The most bytes of a secret's file that are read: a key, not a database.
    const FILE_BYTES: u64 = 64 * 1024;

    /// Looks the secret up, when the shell builds what needs it. One line end at the end is no part of it. The error names the
    /// reference, never the value.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads secrets from the environment")]
    pub fn resolve(&self) -> Result<SecretString, String> {
        let text = match self {
            Self::Value(value) => return Ok(value.clone()),
            Self::Env(name) => std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))?,
            Self::File(path) => {
                let mut text = String::new();
                File::open(path)
                    .and_then(|file| file.take(Self::FILE_BYTES).read_to_string(&mut text))
                    .map_err(|e| format!("the secret's file {} cannot be read: {}", path.display(), e.kind()))?;
                text
            }
        };
        let text = text.strip_suffix('\n').map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t));
        if text.is_empty() {
            return Err(match self {
                Self::Env(name) => format!("the environment variable {name} is empty"),
                Self::File(path) => format!("the secret's file {} is empty", path.display()),
                Self::Value(_) => "the secret is empty".to_owned(),
            });
        }
        Ok(SecretString::from(text))
    }
}

/// A URL that may itself be the secret (a Slack webhook).
#[derive(Debug, Clone)]
pub enum Address {
    Plain(Url),
    Secret(Secret),
}

#[derive(Debug, Clone)]
pub struct SourceWiring {
    pub timeout: TimeDelta,
    pub ca_file: Option<PathBuf>,
    pub kind: SourceWiringKind,
}

#[derive(Debug, Clone)]
pub enum SourceWiringKind {
    Airflow { url: Url, login: AirflowLogin },
    Http(Box<HttpWiring>),
}

#[derive(Debug, Clone)]
pub enum AirflowLogin {
    Password { username: String, password: Secret },
    Token(Secret),
}

/// How to read a JSON endpoint. The paths are RFC 9535 JSONPath, already parsed once by the config check.
#[derive(Debug, Clone)]
pub struct HttpWiring {
    /// With `{id}` in it (kept as written): one request for each check.
    pub url: String,
    pub headers: BTreeMap<String, HeaderValue>,
    /// Left out: the whole body is the one item.
    pub items: Option<String>,
    pub id: Option<String>,
    pub state: Option<String>,
    pub started_at: Option<String>,
    pub ended_at: Option<String>,
    pub timestamp: Option<String>,
    pub error: Option<String>,
    /// Globs added to the usual words of each state.
    pub states: BTreeMap<StateWord, Vec<String>>,
}

#[derive(Debug, Clone)]
pub enum HeaderValue {
    Plain(String),
    Secret(Secret),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StateWord {
    Success,
    Failed,
    Running,
    Queued,
    Retrying,
}

#[derive(Debug, Clone)]
pub enum ChatWiring {
    Slack { url: Address, timeout: TimeDelta, ca_file: Option<PathBuf> },
    Webhook { url: Address, secret: Option<Secret>, timeout: TimeDelta, ca_file: Option<PathBuf> },
    Console,
}
