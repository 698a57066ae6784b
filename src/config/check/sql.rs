//! Sources of kind sql, and their checks: where the database is, and which query yields the timestamps.

use super::{Checker, text};
use crate::config::raw::{RawCheck, RawSource};
use crate::config::values::TextOrReference;
use crate::config::wiring::{Database, Secret, SqlWiring};
use crate::core::plan::{Check, Id};
use crate::sources::sql::target::{postgres_url, sqlite_path};
use secrecy::SecretString;
use std::net::IpAddr;
use url::{Host, Url};

/// A query longer than this is a program.
const QUERY_CHARS: usize = 20_000;

impl Checker<'_> {
    pub(super) fn sql(&mut self, name: &str, source: &RawSource) -> Option<SqlWiring> {
        self.refuse_all_but(name, "sql", source, &["url", "ca_file", "timezone", "query"]);
        let database = self.database(name, source);
        if let (Some(Database::Sqlite(_)), Some(_)) = (&database, &source.ca_file) {
            self.error(&["sources", name, "ca_file"], "ca_file means nothing to a file of SQLite");
        }
        let timezone = self.optional(&["sources", name, "timezone"], source.timezone.as_ref(), text::zone);
        let rows = source.query.as_ref().and_then(|query| self.query(&["sources", name, "query"], query));
        Some(SqlWiring { database: database?, timezone, rows })
    }

    fn database(&mut self, name: &str, source: &RawSource) -> Option<Database> {
        let path = ["sources", name, "url"];
        let folder = self.place(&path).join("");
        match &source.url {
            None => {
                self.missing(&path[..2], "url", "url = { env = \"WAREHOUSE_URL\" }, or url = \"sqlite:PATH\"");
                None
            }
            Some(TextOrReference::Reference(reference)) => {
                let open = reference.value.as_deref();
                let loopback =
                    open.is_some_and(|text| sqlite_path(text).is_some() || postgres_url(text).is_ok_and(|url| local(&url)));
                self.secret(&path, reference, loopback).map(|url| Database::Secret { url, folder })
            }
            Some(TextOrReference::Text(text)) => match sqlite_path(text) {
                Some(file) => Some(Database::Sqlite(folder.join(file))),
                None => self.postgres(&path, text).then(|| {
                    let url = Secret::Value(SecretString::from(text.clone()));
                    Database::Secret { url, folder }
                }),
            },
        }
    }

    /// Is it an address that may stand in the open? It is never repeated.
    fn postgres(&mut self, path: &[&str], text: &str) -> bool {
        match postgres_url(text) {
            Err(expected) => self.error(path, format!("url is not {expected}")),
            Ok(url) if url.password().is_some() && !local(&url) => {
                let text = "url has a password in it; expected the whole address by reference, such as { env = \"WAREHOUSE_URL\" }";
                self.error(path, text);
            }
            Ok(_) => return true,
        }
        false
    }

    fn query(&mut self, path: &[&str], query: &str) -> Option<String> {
        let query = query.trim();
        if query.is_empty() || query.chars().count() > QUERY_CHARS {
            self.error(path, format!("query is empty or longer than {QUERY_CHARS} characters; expected one SELECT"));
            return None;
        }
        // The database would say so too, but at night.
        let first: String = query.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
        let begins = matches!(first.as_str(), "select" | "with" | "values") || query.starts_with(['(', '-', '/']);
        if !begins {
            self.error(path, format!("query: {} is not a query; expected one SELECT", text::quoted(query)));
        }
        Some(query.to_owned())
    }

    /// Either the source's query yields a row for each check, or the check has its own.
    pub(super) fn sql_check(&mut self, name: &str, check: &RawCheck, source: &RawSource, built: &mut Check) {
        let path = |key| ["checks", name, key];
        let id = check.source.as_deref().unwrap_or_default();
        match (&source.query, &check.query) {
            (Some(_), Some(_)) => {
                let text = format!("query stands beside the query of [sources.{id}], which yields the rows of all its checks");
                self.error(&path("query"), text);
            }
            (Some(_), None) => {}
            (None, Some(query)) => {
                if check.id.is_some() {
                    self.error(&path("id"), "id stands beside query; a check with its own query has no other name in the source");
                }
                if let Some(query) = self.query(&path("query"), query) {
                    built.subject = Id::from(query);
                }
            }
            (None, None) => {
                let such_as = format!(
                    "query = \"select max(loaded_at) from raw.orders\", or a query in [sources.{id}] that yields rows of id and \
                     timestamp"
                );
                self.missing(&["checks", name], "query", &such_as);
            }
        }
    }
}

/// By its own word, as `net::is_loopback`; the host of such a URL is text even where it is an address.
fn local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
