//! From a file to a golden night: everything that is wrong with it is found at once, each with its place.

use super::happens::{self, Event, Events, Here};
use super::names::Names;
use super::raw::{self, Happens, Head, MARKS, Usually};
use super::times::Times;
use super::words::value_of;
use super::{Decides, Expect, Scenario, Silence};
use crate::config::{Document, Entry, Finding, Piece, load_pieces};
use crate::core::plan::{Id, Plan};
use crate::core::time::{Instant, local_date};
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Golden nights in one folder.
pub const FILES_MAX: usize = 2_000;
/// A golden night is a few nights; what is longer is a replay.
const SPAN_MAX: TimeDelta = TimeDelta::days(31);

/// A file itself; of a folder its `*.toml` in order of name that are golden nights: they have a key at the top that no configuration
/// has (`from`, `to`, `expect`, …). Folders within it are not looked into. The error is a sentence.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    let shown = path.display();
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let cannot = |error: std::io::Error| format!("{shown} cannot be read: {error}");
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(cannot)? {
        let file = entry.map_err(cannot)?.path();
        let hidden = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden || !file.is_file() || file.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        // One that is no TOML at all is looked at too: its author is to know.
        if Document::read(&file).map_or(true, |document| document.has_any(&MARKS)) {
            found.push(file);
        }
        if found.len() > FILES_MAX {
            return Err(format!("{shown} holds more than {FILES_MAX} golden nights"));
        }
    }
    if found.is_empty() {
        return Err(format!("{shown} holds no golden night: no *.toml in it has from, to or expect at its top"));
    }
    found.sort();
    Ok(found)
}

/// Reads one golden night, and the configuration that it names.
pub fn read(path: &Path) -> Result<Scenario, Vec<Finding>> {
    let mut doc = Document::read(path)?;
    let pieces: Vec<Piece> = doc.take_piece(&["with"]).into_iter().collect();
    let keys = doc.keys_of("happens");
    let reloads = reload_pieces(&mut doc, keys.len());
    let lists = Lists::take(&mut doc, &keys);
    let head: Head = doc.rest().unwrap_or_default();
    let base = head.config.as_deref().map(|config| doc.join(config));
    if base.is_none() && pieces.is_empty() {
        doc.error(&[], "no configuration; expected config = \"../config\", or [with] with the whole of one");
        return Err(doc.into_errors());
    }
    let plans = match plans(base.as_deref(), pieces, &reloads) {
        Ok(plans) => plans,
        Err(errors) => return Err([doc.into_errors(), errors].concat()),
    };
    let mut reader = Reader { times: Times { zone: plans.first.timezone, date: None }, names: plans.names(), doc };
    let scenario = reader.scenario(path, head, &lists, plans);
    let errors = reader.doc.into_errors();
    if errors.is_empty() { scenario.ok_or(errors) } else { Err(errors) }
}

/// The configuration at the beginning, and after each reload (by the place in `happens`).
struct Plans {
    first: Arc<Plan>,
    later: Vec<(usize, Arc<Plan>)>,
}

impl Plans {
    fn names(&self) -> Names {
        let plans = [&self.first].into_iter().chain(self.later.iter().map(|(_, plan)| plan)).cloned().collect();
        Names { plans, announced: BTreeMap::new() }
    }
}

/// Takes out what is reloaded; each lies over what was in force.
fn reload_pieces(doc: &mut Document, happens: usize) -> Vec<(usize, Piece)> {
    let piece = |at: usize| {
        let place = at.to_string();
        let path = ["happens", place.as_str(), "reload"];
        if doc.is_text(&path) { None } else { Some((at, doc.take_piece(&path)?)) }
    };
    (0..happens).filter_map(piece).collect()
}

fn plans(base: Option<&Path>, mut pieces: Vec<Piece>, reloads: &[(usize, Piece)]) -> Result<Plans, Vec<Finding>> {
    let load = |pieces: &[Piece]| load_pieces(base, pieces).map(|loaded| Arc::new(loaded.plan)).map_err(|refused| refused.errors);
    let first = load(&pieces)?;
    let mut later = Vec::new();
    for (at, piece) in reloads {
        pieces.push(piece.clone());
        later.push((*at, load(&pieces)?));
    }
    Ok(Plans { first, later })
}

struct Lists {
    usually: Vec<Entry<Usually>>,
    /// With the keys that stand in each.
    happens: Vec<(Vec<String>, Entry<Happens>)>,
    expect: Vec<Entry<raw::Expect>>,
    decides: Vec<Entry<raw::Decides>>,
    silence: Vec<Entry<raw::Silence>>,
}

impl Lists {
    fn take(doc: &mut Document, keys: &[Vec<String>]) -> Self {
        let happens: Vec<Entry<Happens>> = doc.take_list("happens");
        // One that is no table of the right types was reported and left out.
        let with_keys = happens.into_iter().map(|entry| {
            let at = entry.keys.last().and_then(|at| at.parse::<usize>().ok()).unwrap_or_default();
            (keys.get(at).cloned().unwrap_or_default(), entry)
        });
        Self {
            happens: with_keys.collect(),
            usually: doc.take_list("usually"),
            expect: doc.take_list("expect"),
            decides: doc.take_list("decides"),
            silence: doc.take_list("silence"),
        }
    }
}

pub(super) struct Reader {
    pub(super) doc: Document,
    pub(super) times: Times,
    pub(super) names: Names,
}

impl Reader {
    fn scenario(&mut self, path: &Path, head: Head, lists: &Lists, plans: Plans) -> Option<Scenario> {
        let (from, to) = self.span(&head)?;
        if head.name.as_deref().is_none_or(|name| name.trim().is_empty()) {
            self.doc.error(&[], "name is missing; expected one sentence that says what the night shows");
        }
        // Whoever has a line of its own in a listing is known by it to all that names it.
        lists.happens.iter().filter_map(|(_, entry)| entry.value.member.as_ref()).for_each(|name| self.names.announce(name));
        let told = lists.happens.iter().flat_map(|(keys, entry)| self.happens(keys, entry, &plans));
        let told: Events = told.collect();
        let (known_from, there, mut events) = self.rows(&lists.usually, head.rows.as_deref(), from, &told);
        events.extend(told);
        events.sort_by_key(|(at, _)| *at);
        self.refuse_in_sleep(&events);
        Some(Scenario {
            file: path.to_owned(),
            name: head.name.unwrap_or_default(),
            situations: head.situations,
            plan: plans.first,
            known_from,
            from,
            to,
            there,
            events,
            expect: lists.expect.iter().filter_map(|entry| self.expect(entry)).collect(),
            decides: lists.decides.iter().filter_map(|entry| self.decides(entry)).collect(),
            silences: lists.silence.iter().filter_map(|entry| self.silence(entry)).collect(),
        })
    }

    fn span(&mut self, head: &Head) -> Option<(Instant, Instant)> {
        let time = |reader: &mut Self, key: &'static str, text: Option<&String>| match text {
            Some(text) => reader.time(&[key], text),
            None => {
                reader.doc.error(&[], format!("{key} is missing; expected a time such as {key} = \"2026-11-23 00:00\""));
                None
            }
        };
        let from = time(self, "from", head.from.as_ref());
        self.times.date = from.map(|from| local_date(from, self.times.zone));
        let to = time(self, "to", head.to.as_ref());
        let (from, to) = from.zip(to)?;
        if to <= from || to - from > SPAN_MAX {
            self.doc.error(&["to"], format!("to lies not after from, or more than {} days after it", SPAN_MAX.num_days()));
            return None;
        }
        Some((from, to))
    }

    fn time(&mut self, path: &[&str], text: &str) -> Option<Instant> {
        self.value(path, self.times.instant(text).map_err(|expected| not(path, text, expected)))
    }

    fn moment(&mut self, path: &[&str], text: &str) -> Option<super::times::Moment> {
        self.value(path, self.times.moment(text).map_err(|expected| not(path, text, expected)))
    }

    pub(super) fn value<T>(&mut self, path: &[&str], read: Result<T, String>) -> Option<T> {
        read.map_err(|why| self.doc.error(path, why)).ok()
    }

    fn happens(&mut self, keys: &[String], entry: &Entry<Happens>, plans: &Plans) -> Events {
        let path: Vec<&str> = entry.keys.iter().map(String::as_str).collect();
        let kind = match happens::kind(keys) {
            Ok(kind) => kind,
            Err((key, why)) => {
                self.doc.error(&[path.as_slice(), &[key.as_str()]].concat(), why);
                return Vec::new();
            }
        };
        let plan = plans.later.iter().find(|(at, _)| path.last() == Some(&at.to_string().as_str())).map(|(_, plan)| plan.clone());
        let here = Here { names: &self.names, times: &self.times, place: self.doc.place(&path), plan };
        match here.read(kind, &entry.value) {
            Ok(events) => events,
            Err((key, why)) => {
                self.doc.error(&[path.as_slice(), &[key]].concat(), why);
                Vec::new()
            }
        }
    }

    /// Nobody can give an order to a machine that sleeps, nor start anything on it.
    fn refuse_in_sleep(&mut self, events: &[(Instant, Event)]) {
        let mut asleep: Option<Instant> = None;
        for (at, event) in events {
            match event {
                Event::Asleep { until } => asleep = Some(*until),
                Event::Order(..) | Event::Restart | Event::Reload(_) | Event::ReloadRefused(_)
                    if asleep.is_some_and(|until| *at < until) =>
                {
                    let at = self.times.shown(*at);
                    self.doc.error(&["happens"], format!("at {at} the machine sleeps: no order, restart or reload then"));
                }
                _ => {}
            }
        }
    }

    fn expect(&mut self, entry: &Entry<raw::Expect>) -> Option<Expect> {
        let raw = &entry.value;
        let path: Vec<&str> = entry.keys.iter().map(String::as_str).collect();
        let key = |key: &'static str| [path.as_slice(), &[key]].concat();
        let chat = raw.chat.as_ref().map(|name| self.value(&key("chat"), self.names.chat(name)));
        let kind = raw.kind.as_ref().map(|word| self.value(&key("kind"), value_of("kind", word)));
        let attention = raw.attention.as_ref().map(|word| self.value(&key("attention"), value_of("attention", word)));
        let verdict = raw.verdict.as_ref().map(|word| self.value(&key("verdict"), value_of("verdict", word)));
        if raw.kind.as_deref() == Some("silent") {
            self.doc.error(&key("kind"), "silence is no message; expected [[decides]] with decision = \"silent\", or [[silence]]");
        }
        let Some(at) = &raw.at else {
            self.doc.error(&path, "at is missing; expected the time of the message");
            return None;
        };
        Some(Expect {
            place: self.doc.place(&path),
            at: self.moment(&key("at"), at)?,
            chat: chat.flatten(),
            kind: kind.flatten(),
            attention: attention.flatten(),
            verdict: verdict.flatten(),
            incident: raw.incident,
            cause: raw.cause.clone(),
            dashboards: raw.dashboards.clone(),
            checks: raw.checks.clone(),
            says: raw.says.clone(),
        })
    }

    fn decides(&mut self, entry: &Entry<raw::Decides>) -> Option<Decides> {
        let raw = &entry.value;
        let path: Vec<&str> = entry.keys.iter().map(String::as_str).collect();
        let key = |key: &'static str| [path.as_slice(), &[key]].concat();
        let decision = raw.decision.as_ref().map(|word| self.value(&key("decision"), value_of("decision", word)));
        let chat: Option<Option<Id>> = raw.chat.as_ref().map(|name| self.value(&key("chat"), self.names.chat(name)));
        let until = raw.until.as_ref().map(|text| self.moment(&key("until"), text));
        let (Some(at), Some(reason)) = (&raw.at, &raw.reason) else {
            self.doc.error(&path, "at or reason is missing; expected both");
            return None;
        };
        Some(Decides {
            place: self.doc.place(&path),
            at: self.moment(&key("at"), at)?,
            decision: decision.flatten(),
            reason: self.value(&key("reason"), value_of("reason", reason))?,
            until: until.flatten(),
            about: raw.about.clone(),
            chat: chat.flatten(),
        })
    }

    fn silence(&mut self, entry: &Entry<raw::Silence>) -> Option<Silence> {
        let path: Vec<&str> = entry.keys.iter().map(String::as_str).collect();
        let (Some(from), Some(to)) = (&entry.value.from, &entry.value.to) else {
            self.doc.error(&path, "from or to is missing; expected both");
            return None;
        };
        let (from, to) = (self.time(&path, from)?, self.time(&path, to)?);
        if to < from {
            self.doc.error(&path, "to lies before from");
        }
        Some(Silence { place: self.doc.place(&path), from, to, heartbeat: entry.value.heartbeat })
    }
}

pub(super) fn not(path: &[&str], text: &str, expected: &str) -> String {
    let shown: String = text.chars().take(80).collect();
    format!("{}: {shown:?} is no time; expected {expected}", path.last().copied().unwrap_or_default())
}
