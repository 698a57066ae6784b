//! The wiring: where things are and how to log in. Everything that the core must not know.
//!
//! A secret stays a reference until the shell resolves it, so that a config can be checked without any secret being set.

use crate::core::plan::Id;
use chrono::TimeDelta;
use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use url::Url;

#[derive(Debug, Clone)]
pub struct Wiring {
    pub store: PathBuf,
    /// `None`: off.
    pub web: Option<Web>,
    pub sources: BTreeMap<Id, SourceWiring>,
    pub chats: BTreeMap<Id, ChatWiring>,
    /// Where the outward proof of life goes.
    pub heartbeat: Option<Address>,
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

/// Tokens and URLs are short; more is the wrong file.
const SECRET_BYTES_MAX: u64 = 64 << 10;

impl Secret {
    /// The secret itself. The error names the variable or the file, never the value.
    pub fn resolve(&self) -> Result<SecretString, String> {
        let (text, place) = match self {
            Self::Value(value) => return Ok(value.clone()),
            Self::Env(name) => (from_environment(name)?, format!("environment variable {name}")),
            Self::File(path) => (from_file(path)?, format!("secret file {}", path.display())),
        };
        if text.is_empty() {
            return Err(format!("{place} is empty"));
        }
        Ok(SecretString::from(text))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where a secret is looked up, when it is needed and not before")]
fn from_environment(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|error| match error {
        std::env::VarError::NotPresent => format!("environment variable {name} is not set"),
        // The error itself holds the value.
        std::env::VarError::NotUnicode(_) => format!("environment variable {name} is not UTF-8 text"),
    })
}

fn from_file(path: &Path) -> Result<String, String> {
    let named = path.display();
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(SECRET_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("secret file {named} cannot be read: {error}"))?;
    if bytes.len() as u64 > SECRET_BYTES_MAX {
        return Err(format!("secret file {named} is larger than {} KiB", SECRET_BYTES_MAX >> 10));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("secret file {named} is not UTF-8 text"))?;
    // Editors and `echo` end the line.
    let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    Ok(line.unwrap_or(&text).to_owned())
}

/// A URL that may itself be the secret (a Slack webhook).
#[derive(Clone)]
pub enum Address {
    Plain(Url),
    Secret(Secret),
}

impl Address {
    /// The URL. The error names the variable or the file, never the value.
    pub fn resolve(&self) -> Result<Url, String> {
        let secret = match self {
            Self::Plain(url) => return Ok(url.clone()),
            Self::Secret(secret) => secret,
        };
        let place = match secret {
            Secret::Env(name) => format!("environment variable {name}"),
            Secret::File(path) => format!("secret file {}", path.display()),
            Secret::Value(_) => "the address given in the configuration".to_owned(),
        };
        match Url::parse(secret.resolve()?.expose_secret().trim()) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
            _ => Err(format!("{place} does not hold a URL; expected one that begins with http:// or https://")),
        }
    }
}

/// Host only: a path or a query may be a key.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(url) => write!(f, "Plain({}://{}/…)", url.scheme(), url.host_str().unwrap_or_default()),
            Self::Secret(secret) => f.debug_tuple("Secret").field(secret).finish(),
        }
    }
}

#[derive(Debug, Clone)]
pub struct SourceWiring {
    pub timeout: TimeDelta,
    pub ca_file: Option<PathBuf>,
    pub kind: SourceWiringKind,
}

impl SourceWiring {
    /// Every secret that the source is told.
    pub fn secrets(&self) -> Vec<&Secret> {
        match &self.kind {
            SourceWiringKind::Airflow {
                login: AirflowLogin::Password { password: secret, .. } | AirflowLogin::Token(secret),
                ..
            }
            | SourceWiringKind::Sql(SqlWiring { database: Database::Secret { url: secret, .. }, .. }) => vec![secret],
            SourceWiringKind::Http(http) => http.headers.values().filter_map(HeaderValue::secret).collect(),
            SourceWiringKind::Luigi { .. } | SourceWiringKind::Sql(_) | SourceWiringKind::File { .. } => Vec::new(),
        }
    }
}

#[derive(Debug, Clone)]
pub enum SourceWiringKind {
    Airflow { url: Url, login: AirflowLogin },
    Luigi { url: Url },
    Http(Box<HttpWiring>),
    Sql(SqlWiring),
    File { root: PathBuf },
}

#[derive(Debug, Clone)]
pub struct SqlWiring {
    pub database: Database,
    /// The zone of timestamps without one; without it such a timestamp is an error.
    pub timezone: Option<Tz>,
    /// One query for all checks: rows of id and timestamp. Left out: each check's subject is its own query.
    pub rows: Option<String>,
}

#[derive(Debug, Clone)]
pub enum Database {
    Sqlite(PathBuf),
    /// `postgres://…`, as a whole: it may hold a password. It may also hold `sqlite:PATH`, which is relative to `folder`.
    Secret {
        url: Secret,
        folder: PathBuf,
    },
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

impl HeaderValue {
    fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Plain(_) => None,
            Self::Secret(secret) => Some(secret),
        }
    }
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
