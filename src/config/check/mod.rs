//! The check: raw tables → plan and wiring. Collects every error and never stops at one: what is wrong gets a stand-in value, and
//! nothing that was built counts once anything was reported.

mod calendars;
mod chats;
mod checks;
mod dashboards;
mod file;
mod heartbeat;
mod http;
mod lints;
mod loops;
mod maintenance;
mod secrets;
mod sources;
mod sql;
mod text;

pub(super) use lints::reached_from;
pub(crate) use text::{days, duration};

use super::place::{Keys, Place, Report, hint, keys, nearest};
use super::raw::Raw;
use super::shape::{Names, Origins, Shaped};
use super::wiring::{Web, Wiring};
use crate::core::plan::{Id, Language, Need, Plan};
use chrono::TimeDelta;
use chrono_tz::Tz;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

/// Longer names fit into no message.
const NAME_CHARS: usize = 250;

/// What all parts of the check share.
struct Checker<'a> {
    names: &'a Names,
    origins: &'a Origins,
    removed: &'a BTreeSet<Keys>,
    report: &'a mut Report,
}

/// The plan and the wiring, as far as they could be made, and where each key stands. They count only when the report has no errors.
pub(super) fn check(shaped: Shaped, fingerprint: impl FnOnce(&Plan) -> Arc<str>, report: &mut Report) -> (Plan, Wiring, Origins) {
    let Shaped { mut raw, names, origins, removed } = shaped;
    let mut checker = Checker { names: &names, origins: &origins, removed: &removed, report };
    checker.names_are_usable(&raw);
    let checks = std::mem::take(&mut raw.checks);
    let raw = &raw;
    let (sources, source_wiring) = checker.sources(raw);
    let (chats, chat_wiring) = checker.chats(raw);
    let (heartbeat_every, heartbeat) = checker.heartbeat(raw).unzip();
    let mut plan = Plan {
        fingerprint: Arc::default(),
        timezone: checker.timezone(raw),
        retention: checker.duration(&["retention"], raw.retention.as_ref(), TimeDelta::days(400)),
        tell: checker.chat_list(&["tell"], &raw.tell),
        calendars: checker.calendars(raw),
        owners: checker.owners(raw),
        groups: checker.groups(raw),
        checks: checker.checks(raw, checks),
        dashboards: checker.dashboards(raw),
        digests: checker.digests(raw),
        maintenance: checker.maintenance(raw),
        heartbeat_every,
        sources,
        chats,
    };
    checker.refuse_loops(&plan);
    let store = checker.path(&["store", "path"], raw.store.path.as_ref(), "dawnwatch.db");
    let web = checker.web(raw);
    if !checker.report.has_errors() {
        checker.lints(&plan, &chat_wiring);
    }
    plan.fingerprint = fingerprint(&plan);
    (plan, Wiring { store, web, sources: source_wiring, chats: chat_wiring, heartbeat }, origins)
}

/// The key that a path ends in; an element of a list has only its list's.
fn key_of<'a>(path: &[&'a str]) -> &'a str {
    let numbered = |key: &&&str| key.bytes().all(|byte| byte.is_ascii_digit());
    path.iter().rev().find(|key| !numbered(key)).copied().unwrap_or_default()
}

impl Checker<'_> {
    fn place(&self, path: &[&str]) -> Place {
        self.origins.value(&keys(path))
    }

    fn error(&mut self, path: &[&str], text: impl Into<String>) {
        let place = self.place(path);
        self.report.error(place, text);
    }

    fn warning(&mut self, path: &[&str], text: impl Into<String>) {
        let place = self.place(path);
        self.report.warning(place, text);
    }

    /// `key` of the table at `path` is not there and has to be.
    fn missing(&mut self, path: &[&str], key: &str, such_as: &str) {
        let mut full = keys(path);
        full.push(key.to_owned());
        // Already reported as something worse than missing.
        if !self.removed.iter().any(|slip| slip.starts_with(&full)) {
            let table = if path.is_empty() { String::new() } else { format!(" in [{}]", path.join(".")) };
            self.error(path, format!("{key} is missing{table}; expected {such_as}"));
        }
    }

    /// The value as `read` understands it; its error says what was expected.
    fn read<T>(&mut self, path: &[&str], text: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        match read(text) {
            Ok(value) => Some(value),
            Err(expected) => {
                self.error(path, format!("{}: {} is not {expected}", key_of(path), text::quoted(text)));
                None
            }
        }
    }

    fn optional<T>(&mut self, path: &[&str], raw: Option<&String>, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        raw.and_then(|text| self.read(path, text, read))
    }

    fn duration(&mut self, path: &[&str], raw: Option<&String>, default: TimeDelta) -> TimeDelta {
        self.optional(path, raw, text::duration).unwrap_or(default)
    }

    fn path(&mut self, path: &[&str], raw: Option<&String>, default: &str) -> std::path::PathBuf {
        if raw.is_some_and(String::is_empty) {
            self.error(path, format!("{} is empty; expected a path", key_of(path)));
        }
        self.place(path).join(raw.map_or(default, String::as_str))
    }

    /// A name that has to be in `section`.
    fn known(&mut self, path: &[&str], section: &str, what: &str, name: &str) -> Option<Id> {
        if self.names.has(section, name) {
            return Some(Id::from(name));
        }
        let hint = hint(name, self.names.of_section(section));
        self.error(path, format!("there is no {what} {}{hint}", text::quoted(name)));
        None
    }

    /// Elements of a list, each with its own place.
    fn each<T>(&mut self, path: &[&str], items: &[String], mut one: impl FnMut(&mut Self, &[&str], &str) -> Option<T>) -> Vec<T> {
        let mut found = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let at = at.to_string();
            let element: Vec<&str> = path.iter().copied().chain([at.as_str()]).collect();
            found.extend(one(self, &element, item));
        }
        found
    }

    fn chat_list(&mut self, path: &[&str], items: &[String]) -> Vec<Id> {
        self.each(path, items, |checker, path, name| checker.known(path, "chats", "chat", name))
    }

    fn needs(&mut self, path: &[&str], items: &[String]) -> Vec<Need> {
        self.each(path, items, |checker, path, name| match name.strip_prefix("group:") {
            Some(group) => checker.known(path, "groups", "group", group).map(Need::Group),
            None if checker.names.has("checks", name) => Some(Need::Check(Id::from(name))),
            None => {
                checker.unknown_need(path, name);
                None
            }
        })
    }

    fn unknown_need(&mut self, path: &[&str], name: &str) {
        let groups: Vec<String> = self.names.of_section("groups").map(|group| format!("group:{group}")).collect();
        let as_group = format!("group:{name}");
        let all = self.names.of_section("checks").chain(groups.iter().map(String::as_str));
        let near = groups.iter().find(|group| **group == as_group).map(String::as_str).or_else(|| nearest(name, all));
        let hint = match near {
            Some(near) => format!("did you mean {near:?}?"),
            None => "expected a name in [checks], or \"group:NAME\"; a member of a group that is needed by its own name gets \
                     a [checks.NAME] with the same source and id"
                .to_owned(),
        };
        self.error(path, format!("there is no check {}; {hint}", text::quoted(name)));
    }

    fn timezone(&mut self, raw: &Raw) -> Tz {
        let Some(name) = &raw.timezone else {
            self.missing(&[], "timezone", "the zone of all clock times, such as timezone = \"Asia/Seoul\"");
            return Tz::UTC;
        };
        self.read(&["timezone"], name, text::zone).unwrap_or(Tz::UTC)
    }

    fn language(&mut self, path: &[&str], raw: Option<&String>) -> Option<Language> {
        let words = [("en", Language::En), ("ko", Language::Ko)];
        self.optional(path, raw, |word| text::one_of("a language", &words, word))
    }

    fn web(&mut self, raw: &Raw) -> Option<Web> {
        let listen = raw.web.listen.as_deref().unwrap_or("127.0.0.1:8606");
        if listen == "off" {
            return None;
        }
        let address =
            |text: &str| text.parse::<SocketAddr>().map_err(|_| "an address such as \"127.0.0.1:8606\", or \"off\"".to_owned());
        let listen = self.read(&["web", "listen"], listen, address)?;
        let loopback = listen.ip().is_loopback();
        let token = raw.web.token.as_ref().and_then(|token| self.secret(&["web", "token"], token, loopback));
        if !loopback && raw.web.token.is_none() {
            let removed = self.removed.contains(&keys(&["web", "token"]));
            if !removed {
                let text = format!(
                    "web.listen = \"{listen}\" is open to others; expected token = {{ env = \"DAWNWATCH_TOKEN\" }} beside it"
                );
                self.error(&["web", "listen"], text);
            }
        }
        Some(Web { listen, token })
    }

    /// Names stand in messages, in `group:NAME` and in `CAL:workdays`.
    fn names_are_usable(&mut self, raw: &Raw) {
        let sections: [(&str, Vec<&String>); 10] = [
            ("calendars", raw.calendars.keys().collect()),
            ("owners", raw.owners.keys().collect()),
            ("maintenance", raw.maintenance.keys().collect()),
            ("sources", raw.sources.keys().collect()),
            ("templates", raw.templates.keys().collect()),
            ("groups", raw.groups.keys().collect()),
            ("checks", raw.checks.keys().collect()),
            ("dashboards", raw.dashboards.keys().collect()),
            ("chats", raw.chats.keys().collect()),
            ("digests", raw.digests.keys().collect()),
        ];
        for (section, names) in sections {
            for name in names {
                let colon = name.contains(':');
                if name.trim().is_empty() || colon || name.chars().any(char::is_control) || name.chars().count() > NAME_CHARS {
                    let text = format!("{} is no name; expected 1 to {NAME_CHARS} characters without a colon", text::quoted(name));
                    self.error(&[section, name], text);
                }
            }
        }
    }
}
