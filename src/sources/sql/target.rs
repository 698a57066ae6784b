//! Where the database is: `sqlite:PATH` or `postgres://…`, taken apart once when the source is built. No error repeats the address.

use crate::config::wiring::{Database, SourceWiring, SqlWiring};
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::path::{Path, PathBuf};
use url::Url;

pub(super) enum Target {
    Sqlite(PathBuf),
    Postgres { options: Box<PgConnectOptions>, host: String },
}

impl Target {
    pub(super) fn build(sql: &SqlWiring, wiring: &SourceWiring) -> Result<Self, String> {
        match &sql.database {
            Database::Sqlite(path) => Ok(Self::Sqlite(path.clone())),
            Database::Secret { url, folder } => {
                Self::parse(url.resolve()?.expose_secret().trim(), folder, wiring.ca_file.as_deref())
            }
        }
    }

    fn parse(text: &str, folder: &Path, ca_file: Option<&Path>) -> Result<Self, String> {
        if let Some(path) = sqlite_path(text) {
            return Ok(Self::Sqlite(folder.join(path)));
        }
        let url = postgres_url(text).map_err(|expected| format!("its url is not {expected}"))?;
        let host = format!("{}:{}", decoded(url.host_str().unwrap_or_default())?, url.port().unwrap_or(5432));
        Ok(Self::Postgres { options: Box::new(options(&url, ca_file)?), host })
    }

    /// What may be shown of it.
    pub(super) fn host(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres { host, .. } => host.clone(),
        }
    }
}

/// The path of `sqlite:PATH`. What begins with two slashes means different places to different programs, and is none.
pub(crate) fn sqlite_path(text: &str) -> Option<&str> {
    text.strip_prefix("sqlite:").filter(|path| !path.is_empty() && !path.starts_with("//"))
}

/// The error says what was expected, to follow "is not".
pub(crate) fn postgres_url(text: &str) -> Result<Url, String> {
    const EXPECTED: &str = "an address of a database; expected postgres://USER@HOST/DATABASE or sqlite:PATH";
    let url = Url::parse(text).map_err(|_| EXPECTED.to_owned())?;
    if !matches!(url.scheme(), "postgres" | "postgresql") || url.host_str().is_none_or(str::is_empty) {
        return Err(EXPECTED.to_owned());
    }
    // sqlx would log a parameter that it does not know with its value, which may be a misspelt password.
    match url.query_pairs().find(|(key, value)| key != "sslmode" || value.parse::<PgSslMode>().is_err()) {
        None => Ok(url),
        Some(_) => Err("understood behind the ?; expected nothing there but sslmode=disable, prefer, require, verify-ca or \
                        verify-full (the certificates to trust are named by ca_file)"
            .to_owned()),
    }
}

fn options(url: &Url, ca_file: Option<&Path>) -> Result<PgConnectOptions, String> {
    let host = decoded(url.host_str().unwrap_or_default())?;
    let mut options = PgConnectOptions::new_without_pgpass()
        .application_name("dawnwatch")
        .port(url.port().unwrap_or(5432))
        .statement_cache_capacity(0)
        .disable_statement_logging();
    // A path is the folder of a Unix socket, as in libpq.
    options = if host.starts_with('/') { options.socket(&host) } else { options.host(&host) };
    if !url.username().is_empty() {
        options = options.username(&decoded(url.username())?);
    }
    if let Some(password) = url.password() {
        options = options.password(&decoded(password)?);
    }
    let database = decoded(url.path().trim_start_matches('/'))?;
    if !database.is_empty() {
        options = options.database(&database);
    }
    let asked = url.query_pairs().find_map(|(_, value)| value.parse::<PgSslMode>().ok());
    if let Some(ca_file) = ca_file {
        // Named certificates are there to be checked, whatever weaker was asked for.
        let mode = if matches!(asked, Some(PgSslMode::VerifyCa)) { PgSslMode::VerifyCa } else { PgSslMode::VerifyFull };
        return Ok(options.ssl_mode(mode).ssl_root_cert(ca_file));
    }
    // As libpq does: encrypted where the server can.
    Ok(options.ssl_mode(asked.unwrap_or(PgSslMode::Prefer)))
}

fn decoded(part: &str) -> Result<String, String> {
    let text =
        percent_decode_str(part).decode_utf8().map_err(|_| "its url is not UTF-8 text where it is percent-encoded".to_owned())?;
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, ca_file: Option<&str>) -> Result<Target, String> {
        Target::parse(text, Path::new("/etc/dawnwatch"), ca_file.map(Path::new))
    }

    #[test]
    fn addresses_are_taken_apart() {
        for (text, expected) in [("sqlite:mart.db", "/etc/dawnwatch/mart.db"), ("sqlite:/data/mart.db", "/data/mart.db")] {
            assert!(matches!(parse(text, None).unwrap(), Target::Sqlite(path) if path == Path::new(expected)), "{text}");
        }
        for (text, ca_file, host, mode) in [
            ("postgres://watch:a%20b@db.example.com:6543/mart", None, "db.example.com:6543", PgSslMode::Prefer),
            ("postgresql://db/mart?sslmode=require", None, "db:5432", PgSslMode::Require),
            ("postgres://db/mart?sslmode=disable", Some("ca.pem"), "db:5432", PgSslMode::VerifyFull),
            ("postgres://db/mart?sslmode=verify-ca", Some("ca.pem"), "db:5432", PgSslMode::VerifyCa),
            ("postgres://w@%2Fvar%2Frun%2Fpostgresql/mart", None, "/var/run/postgresql:5432", PgSslMode::Prefer),
        ] {
            let Ok(Target::Postgres { options, host: shown }) = parse(text, ca_file) else { panic!("{text}") };
            assert_eq!(shown, host);
            assert_eq!(format!("{:?}", options.get_ssl_mode()), format!("{mode:?}"), "{text}");
            assert_eq!(options.get_database(), Some("mart"));
        }
    }

    #[test]
    fn no_error_repeats_the_address() {
        for text in [
            "hunter2",
            "sqlite:",
            "sqlite:///hunter2",
            "mysql://w:hunter2@db/mart",
            "postgres://",
            "postgres://w@db/mart?pasword=hunter2",
            "postgres://w@db/mart?sslmode=hunter2",
            "postgres://w:hunter2%ff@db/mart",
        ] {
            let error = parse(text, None).err().unwrap();
            assert!(error.starts_with("its url is not ") && !error.contains("hunter2"), "{error}");
        }
    }
}
