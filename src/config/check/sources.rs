//! `[sources.*]`: what can be asked, how often, and how to log in.

use super::{Checker, text};
use crate::config::place::keys;
use crate::config::raw::{Raw, RawSource};
use crate::config::values::TextOrReference;
use crate::config::wiring::{AirflowLogin, Database, SourceWiring, SourceWiringKind, SqlWiring};
use crate::core::plan::{Id, Source, SourceKind};
use crate::net::is_loopback;
use chrono::TimeDelta;
use std::collections::BTreeMap;
use url::Url;

const LOGIN_KEYS: [&str; 3] = ["username", "password", "token"];

type Sources = (BTreeMap<Id, Source>, BTreeMap<Id, SourceWiring>);

pub(super) fn kind_of(raw: &RawSource) -> Option<SourceKind> {
    match raw.kind.as_deref()? {
        "airflow" => Some(SourceKind::Airflow),
        "luigi" => Some(SourceKind::Luigi),
        "http" => Some(SourceKind::Http),
        "sql" => Some(SourceKind::Sql),
        "file" => Some(SourceKind::File),
        _ => None,
    }
}

impl Checker<'_> {
    pub(super) fn sources(&mut self, raw: &Raw) -> Sources {
        let (mut plan, mut wiring) = Sources::default();
        for (name, source) in &raw.sources {
            let path = ["sources", name.as_str()];
            let Some(kind) = self.source_kind(&path, source) else { continue };
            let every = self.duration(&["sources", name, "every"], source.every.as_ref(), TimeDelta::seconds(60));
            if every > TimeDelta::days(1) {
                self.error(&["sources", name, "every"], "every is longer than a day; a source is asked at least once a day");
            }
            plan.insert(Id::from(name.as_str()), Source { kind, every, host: None });
            let inner = match kind {
                SourceKind::Airflow => self.airflow(name, source),
                SourceKind::Luigi => self.luigi(name, source),
                SourceKind::Sql => self.sql(name, source).map(SourceWiringKind::Sql),
                SourceKind::File => self.file(name, source),
                SourceKind::Http => self.http(name, source).map(|http| SourceWiringKind::Http(Box::new(http))),
            };
            let timeout = self.timeout(&["sources", name, "timeout"], source.timeout.as_ref());
            let ca_file = source.ca_file.as_ref().map(|file| self.path(&["sources", name, "ca_file"], Some(file), ""));
            if let Some(kind) = inner {
                wiring.insert(Id::from(name.as_str()), SourceWiring { timeout, ca_file, kind });
            }
        }
        number_hosts(&mut plan, &wiring);
        (plan, wiring)
    }

    fn source_kind(&mut self, path: &[&str; 2], source: &RawSource) -> Option<SourceKind> {
        let Some(kind) = &source.kind else {
            self.missing(path, "kind", "kind = \"airflow\", \"luigi\", \"http\", \"sql\" or \"file\"");
            return None;
        };
        let words = [
            ("airflow", SourceKind::Airflow),
            ("luigi", SourceKind::Luigi),
            ("http", SourceKind::Http),
            ("sql", SourceKind::Sql),
            ("file", SourceKind::File),
        ];
        self.read(&[path[0], path[1], "kind"], kind, |word| text::one_of("a kind of source", &words, word))
    }

    pub(super) fn timeout(&mut self, path: &[&str], raw: Option<&String>) -> TimeDelta {
        let timeout = self.duration(path, raw, TimeDelta::seconds(10));
        if timeout > TimeDelta::minutes(10) {
            self.error(path, "timeout is longer than ten minutes; expected the time that one request may take");
        }
        timeout
    }

    fn airflow(&mut self, name: &str, source: &RawSource) -> Option<SourceWiringKind> {
        self.refuse_all_but(name, "airflow", source, &["url", "ca_file", "username", "password", "token"]);
        let url = self.source_url(name, source, "http://127.0.0.1:8080");
        // A URL that is wrong was reported; the secret beside it is not blamed as well.
        let loopback = url.as_ref().is_none_or(is_loopback);
        let login = self.airflow_login(name, source, loopback);
        Some(SourceWiringKind::Airflow { url: url?, login: login? })
    }

    /// Luigi knows no login.
    fn luigi(&mut self, name: &str, source: &RawSource) -> Option<SourceWiringKind> {
        self.refuse_all_but(name, "luigi", source, &["url", "ca_file"]);
        let url = self.source_url(name, source, "http://127.0.0.1:8082")?;
        Some(SourceWiringKind::Luigi { url })
    }

    fn source_url(&mut self, name: &str, source: &RawSource, such_as: &str) -> Option<Url> {
        let url = self.written_url(name, source, such_as)?;
        self.url(&["sources", name, "url"], url)
    }

    fn airflow_login(&mut self, name: &str, source: &RawSource, loopback: bool) -> Option<AirflowLogin> {
        let path = |key| ["sources", name, key];
        let password = source.password.as_ref().map(|secret| self.secret(&path("password"), secret, loopback));
        let token = source.token.as_ref().map(|secret| self.secret(&path("token"), secret, loopback));
        match (&source.username, password, token) {
            (Some(username), Some(password), None) => {
                Some(AirflowLogin::Password { username: username.clone(), password: password? })
            }
            (None, None, Some(token)) => token.map(AirflowLogin::Token),
            (_, _, Some(_)) => {
                self.error(&path("token"), "token stands beside a username or password; expected either the one or the other");
                None
            }
            (username, password, None) => {
                let reported = LOGIN_KEYS.iter().any(|key| self.removed.contains(&keys(&path(key))));
                let lacks = match (username, password) {
                    (Some(_), None) => "password",
                    (None, Some(_)) => "username",
                    _ => "a login",
                };
                if !reported {
                    let expected = "username = \"…\" and password = { env = \"AIRFLOW_PASSWORD\" }, or token = { env = \"…\" }";
                    self.error(&["sources", name], format!("{lacks} is missing in [sources.{name}]; expected {expected}"));
                }
                None
            }
        }
    }

    /// The URL of a source that speaks HTTP, as written.
    pub(super) fn written_url<'a>(&mut self, name: &str, source: &'a RawSource, such_as: &str) -> Option<&'a String> {
        match &source.url {
            Some(TextOrReference::Text(url)) => return Some(url),
            Some(TextOrReference::Reference(_)) => {
                let text = format!("sources.{name}.url is a table; expected text in quotes, such as \"{such_as}\"");
                self.error(&["sources", name, "url"], text);
            }
            None => self.missing(&["sources", name], "url", &format!("url = \"{such_as}\"")),
        }
        None
    }

    /// Keys that only other kinds have.
    pub(super) fn refuse_all_but(&mut self, name: &str, kind: &str, source: &RawSource, own: &[&str]) {
        let given = [
            ("url", source.url.is_some()),
            ("ca_file", source.ca_file.is_some()),
            ("username", source.username.is_some()),
            ("password", source.password.is_some()),
            ("token", source.token.is_some()),
            ("headers", source.headers.is_some()),
            ("items", source.items.is_some()),
            ("id", source.id.is_some()),
            ("state", source.state.is_some()),
            ("started_at", source.started_at.is_some()),
            ("ended_at", source.ended_at.is_some()),
            ("timestamp", source.timestamp.is_some()),
            ("error", source.error.is_some()),
            ("states", source.states.is_some()),
            ("timezone", source.timezone.is_some()),
            ("query", source.query.is_some()),
            ("root", source.root.is_some()),
        ];
        let foreign: Vec<_> = given.into_iter().filter(|(key, _)| !own.contains(key)).collect();
        self.refuse_foreign(&["sources", name], kind, &foreign);
    }

    /// Keys that another kind would have.
    pub(super) fn refuse_foreign(&mut self, path: &[&str; 2], kind: &str, foreign: &[(&str, bool)]) {
        for (key, _) in foreign.iter().filter(|(_, given)| *given) {
            let text = format!("{key} means nothing to [{}], which is of kind {kind:?}", path.join("."));
            self.error(&[path[0], path[1], key], text);
        }
    }
}

/// Sources that are asked over the same host and port share a number. What only a secret names is a host of its own, and a file none.
fn number_hosts(plan: &mut BTreeMap<Id, Source>, wiring: &BTreeMap<Id, SourceWiring>) {
    let mut hosts: Vec<Option<String>> = Vec::new();
    for (id, source) in plan {
        let host = match wiring.get(id).map(|wiring| &wiring.kind) {
            Some(SourceWiringKind::Airflow { url, .. } | SourceWiringKind::Luigi { url }) => host_and_port(url),
            Some(SourceWiringKind::Http(http)) => Url::parse(&http.url).ok().as_ref().and_then(host_and_port),
            Some(SourceWiringKind::Sql(SqlWiring { database: Database::Secret { .. }, .. })) => None,
            Some(SourceWiringKind::Sql(SqlWiring { database: Database::Sqlite(_), .. }) | SourceWiringKind::File { .. }) | None => {
                continue;
            }
        };
        let known = hosts.iter().position(|had| had.is_some() && *had == host);
        source.host = Some(known.unwrap_or(hosts.len()));
        if known.is_none() {
            hosts.push(host);
        }
    }
}

fn host_and_port(url: &Url) -> Option<String> {
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}
