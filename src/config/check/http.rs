//! `[sources.*]` of kind http: how to read any JSON endpoint.

use super::{Checker, text};
use crate::config::raw::{RawSource, RawStates};
use crate::config::values::TextOrReference;
use crate::config::wiring::{HeaderValue, HttpWiring, StateWord};
use crate::net::is_loopback;
use reqwest::header;
use serde_json_path::JsonPath;
use std::collections::BTreeMap;

const PLACEHOLDER: &str = "{id}";

impl Checker<'_> {
    pub(super) fn http(&mut self, name: &str, source: &RawSource) -> Option<HttpWiring> {
        let own = ["items", "id", "state", "started_at", "ended_at", "timestamp", "error", "states"];
        self.refuse_all_but(name, "http", source, &[&own[..], &["url", "ca_file", "headers"]].concat());
        let (url, loopback) = self.http_url(name, source);
        if source.state.is_none() && source.timestamp.is_none() {
            self.missing(
                &["sources", name],
                "state",
                "state = \"$.state\" for pipelines, or timestamp = \"$.newest\" for datasets",
            );
        }
        let one_each = url.as_ref().is_some_and(|url| url.contains(PLACEHOLDER));
        if source.items.is_some() && source.id.is_none() && !one_each {
            self.missing(&["sources", name], "id", "id = \"$.name\", to tell the items apart");
        }
        let mut json_path = |key: &str, raw: &Option<String>| {
            let read = |text: &str| {
                let expected = |error| format!("a JSONPath (RFC 9535): {error}");
                JsonPath::parse(text).map(|_| text.to_owned()).map_err(expected)
            };
            self.optional(&["sources", name, key], raw.as_ref(), read)
        };
        let items = json_path("items", &source.items);
        let id = json_path("id", &source.id);
        let state = json_path("state", &source.state);
        let started_at = json_path("started_at", &source.started_at);
        let ended_at = json_path("ended_at", &source.ended_at);
        let timestamp = json_path("timestamp", &source.timestamp);
        let error = json_path("error", &source.error);
        let headers = self.headers(name, source, loopback);
        let states = source.states.as_ref().map(|states| self.states(name, states)).unwrap_or_default();
        Some(HttpWiring { url: url?, headers, items, id, state, started_at, ended_at, timestamp, error, states })
    }

    /// The URL as written, and whether it is loopback.
    fn http_url(&mut self, name: &str, source: &RawSource) -> (Option<String>, bool) {
        let path = ["sources", name, "url"];
        let Some(written) = self.written_url(name, source, "http://127.0.0.1:9000/jobs") else { return (None, true) };
        let plain = written.replace(PLACEHOLDER, "id");
        let Some(url) = self.url(&path, &plain) else { return (None, true) };
        // A check's id must not decide which machine is asked.
        let host_end = written.split_once("://").map(|(_, rest)| rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let host = written.split_once("://").zip(host_end).map(|((_, rest), end)| &rest[..end]);
        if plain.contains(['{', '}']) || host.is_some_and(|host| host.contains('{')) {
            self.error(
                &path,
                "url has braces other than {id} in its path or query; expected for example \"https://jobs.example.com/{id}\"",
            );
        }
        (Some(written.clone()), is_loopback(&url))
    }

    fn headers(&mut self, name: &str, source: &RawSource, loopback: bool) -> BTreeMap<String, HeaderValue> {
        let mut headers = BTreeMap::new();
        for (header, value) in source.headers.iter().flatten() {
            let path = ["sources", name, "headers", header];
            if header::HeaderName::from_bytes(header.as_bytes()).is_err() {
                self.error(&path, format!("{} is no name of a header; expected for example x-api-key", text::quoted(header)));
                continue;
            }
            let value = match value {
                TextOrReference::Reference(reference) => self.secret(&path, reference, loopback).map(HeaderValue::Secret),
                TextOrReference::Text(plain) => self.plain_header(&path, header, plain, loopback),
            };
            headers.extend(value.map(|value| (header.to_lowercase(), value)));
        }
        headers
    }

    fn plain_header(&mut self, path: &[&str], header: &str, plain: &str, loopback: bool) -> Option<HeaderValue> {
        let lower = header.to_lowercase();
        let guarded = ["authorization", "cookie"].iter().any(|word| lower.contains(word))
            || ["key", "token", "secret", "password"].iter().any(|word| lower.ends_with(word));
        if guarded && !loopback {
            self.error(path, format!("header {header} holds a secret; expected a reference such as {{ env = \"NAME\" }}"));
        } else if header::HeaderValue::from_str(plain).is_err() {
            self.error(path, format!("header {header} has characters that no header may have"));
        }
        Some(HeaderValue::Plain(plain.to_owned()))
    }

    fn states(&mut self, name: &str, states: &RawStates) -> BTreeMap<StateWord, Vec<String>> {
        let words = [
            ("success", StateWord::Success, &states.success),
            ("failed", StateWord::Failed, &states.failed),
            ("running", StateWord::Running, &states.running),
            ("queued", StateWord::Queued, &states.queued),
            ("retrying", StateWord::Retrying, &states.retrying),
        ];
        let mut found = BTreeMap::new();
        for (key, word, globs) in words {
            let globs =
                self.each(&["sources", name, "states", key], globs, |checker, path, glob| checker.read(path, glob, text::glob));
            if !globs.is_empty() {
                found.insert(word, globs);
            }
        }
        found
    }
}
