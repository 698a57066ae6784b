//! Secrets by reference, and URLs. Nothing here repeats a value.

use super::Checker;
use crate::config::place::keys;
use crate::config::values::{Reference, TextOrReference};
use crate::config::wiring::{Address, Secret};
use crate::net::is_loopback;
use secrecy::SecretString;
use url::Url;

impl Checker<'_> {
    /// `loopback`: every URL of the table is.
    pub(super) fn secret(&mut self, path: &[&str], raw: &Reference, loopback: bool) -> Option<Secret> {
        let name = path.last().copied().unwrap_or_default();
        let given = [&raw.env, &raw.file, &raw.value].into_iter().flatten().count();
        // `{ enw = "X" }`: the slip was reported, and with it gone nothing is left.
        if given == 0 && self.removed.iter().any(|slip| slip.starts_with(&keys(path))) {
            return None;
        }
        if given != 1 {
            self.error(
                path,
                format!("{name} has {given} references; expected exactly one of {{ env = \"NAME\" }} or {{ file = \"PATH\" }}"),
            );
            return None;
        }
        if let Some(variable) = &raw.env {
            if variable.is_empty() || variable.contains(['=', '\0']) {
                self.error(
                    path,
                    format!("{name}: env is no name of a variable; expected for example {{ env = \"AIRFLOW_PASSWORD\" }}"),
                );
            }
            return Some(Secret::Env(variable.clone()));
        }
        if let Some(file) = &raw.file {
            if file.is_empty() {
                self.error(path, format!("{name}: file is empty; expected a path"));
            }
            return Some(Secret::File(self.place(path).join(file)));
        }
        let value = raw.value.clone()?;
        if !loopback {
            let text = "holds the secret itself, which is taken only where every URL of the table is loopback; expected \
                        { env = \"NAME\" } or { file = \"PATH\" }";
            self.error(path, format!("{name} {text}"));
        }
        Some(Secret::Value(SecretString::from(value)))
    }

    /// An http(s) URL without credentials in it.
    pub(super) fn url(&mut self, path: &[&str], text: &str) -> Option<Url> {
        let name = path.last().copied().unwrap_or_default();
        let url = match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            _ => {
                self.error(path, format!("{name} is not a URL; expected for example \"http://127.0.0.1:8080\""));
                return None;
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            self.error(path, format!("{name} has credentials in it; expected them by reference, apart from the URL"));
        }
        Some(url)
    }

    /// A URL, or a reference to one; with it whether it surely is loopback.
    pub(super) fn address(&mut self, path: &[&str], raw: &TextOrReference) -> Option<(Address, bool)> {
        match raw {
            TextOrReference::Text(text) => {
                let url = self.url(path, text)?;
                let loopback = is_loopback(&url);
                Some((Address::Plain(url), loopback))
            }
            TextOrReference::Reference(reference) => {
                let value = reference.value.as_deref().and_then(|value| Url::parse(value).ok());
                let loopback = value.as_ref().is_some_and(is_loopback);
                self.secret(path, reference, loopback).map(|secret| (Address::Secret(secret), loopback))
            }
        }
    }
}
