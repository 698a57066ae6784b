//! What a source was told in confidence must not come back in its answers: servers like to echo a request in their errors, and what
//! they say is stored and shown. Takes known secrets out of the texts of an answer.
//!
//! Names and ids stay as they are: a password that is also a word ("airflow") must not turn one pipeline into another.

use crate::config::wiring::SourceWiring;
use crate::core::observation::{Answer, Fact};
use crate::net::encoded;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use secrecy::ExposeSecret;
use std::cmp::Reverse;
use url::Url;

/// Stands where a secret stood.
const MASK: &str = "***";
/// Shorter ones are guessed as fast as read, and would be found all over an honest sentence.
const SECRET_BYTES_MIN: usize = 5;
/// Texts are cut somewhere: of a secret at their end this much shows that it is one.
const BEGINNING_BYTES: usize = 4;
/// The first letters of every JSON Web Token, `{"` in Base64 (RFC 7519): access tokens are nobody's to show, whoever gave them out.
const TOKEN: &str = "eyJ";
const TOKEN_BYTES_MIN: usize = 20;

/// The secrets of one source, in the forms in which they may come back. It has no `Debug`.
pub(super) struct Guard {
    /// The longest first: what contains another goes as a whole.
    needles: Vec<String>,
}

impl Guard {
    /// Secrets that cannot be looked up are not known here; building the source says why.
    pub(super) fn new(wiring: &SourceWiring) -> Self {
        let secrets = wiring.secrets().into_iter().filter_map(|secret| secret.resolve().ok());
        Self::of(secrets.flat_map(|secret| parts(secret.expose_secret())))
    }

    fn of(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut needles: Vec<String> = secrets.into_iter().flat_map(|secret| forms(&secret)).collect();
        needles.sort_by(|a, b| Reverse(a.len()).cmp(&Reverse(b.len())).then(a.cmp(b)));
        needles.dedup();
        Self { needles }
    }

    /// The answer without secrets in its texts.
    pub(super) fn masked(&self, mut answer: Answer) -> Answer {
        match &mut answer {
            Answer::Unreachable(unreachable) => self.mask(&mut unreachable.detail),
            Answer::Failure(failure) => failure.error.iter_mut().chain(&mut failure.task).for_each(|text| self.mask(text)),
            Answer::Sweep(sweep) | Answer::Part(sweep) => sweep.items.iter_mut().for_each(|item| {
                if let Fact::Suspicious(text) = &mut item.fact {
                    self.mask(text);
                }
            }),
            Answer::Listing(_) => {}
        }
        answer
    }

    fn mask(&self, text: &mut String) {
        for needle in &self.needles {
            if text.contains(needle) {
                *text = text.replace(needle, MASK);
            }
            // The longest beginning of the secret with which the text breaks off.
            let cut = (BEGINNING_BYTES..needle.len()).rev().find(|length| needle.get(..*length).is_some_and(|b| text.ends_with(b)));
            if let Some(length) = cut {
                text.truncate(text.len() - length);
                text.push_str(MASK);
            }
        }
        while let Some((at, length)) = token(text) {
            text.replace_range(at..at + length, MASK);
        }
    }
}

fn token(text: &str) -> Option<(usize, usize)> {
    let in_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=');
    let tokens = text.match_indices(TOKEN).map(|(at, _)| {
        let rest = &text[at..];
        (at, rest.find(|c| !in_token(c)).unwrap_or(rest.len()))
    });
    tokens.into_iter().find(|(_, length)| *length >= TOKEN_BYTES_MIN)
}

/// A secret, and what in it is one by itself: the part behind "Bearer ", the password of a URL.
fn parts(secret: &str) -> Vec<String> {
    let behind_scheme = secret.split_once(' ').map(|(_, behind)| behind.trim().to_owned());
    let password = Url::parse(secret).ok().and_then(|url| url.password().map(str::to_owned));
    [Some(secret.to_owned()), behind_scheme, password].into_iter().flatten().collect()
}

/// As it is, in JSON text, in a URL, and in Base64 by itself or behind any first bytes (`user:secret`).
fn forms(secret: &str) -> Vec<String> {
    if secret.len() < SECRET_BYTES_MIN {
        return Vec::new();
    }
    let mut forms = vec![secret.to_owned(), encoded(secret)];
    // Text as JSON cannot fail, and stands in quotes.
    forms.extend(serde_json::to_string(secret).map(|json| json.trim_matches('"').to_owned()));
    for before in 0..3 {
        let shifted = [&[0; 3][..before], secret.as_bytes()].concat();
        // Three bytes make four letters: those in which the bytes around the secret have a part are left out.
        let (first, whole) = ([0, 2, 3][before], shifted.len() / 3 * 4);
        let base64 = [STANDARD, URL_SAFE].map(|engine| engine.encode(&shifted));
        forms.extend(base64.iter().filter_map(|text| text.get(first..whole).map(str::to_owned)));
    }
    forms.retain(|form| form.len() >= SECRET_BYTES_MIN);
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::observation::{Failure, Item, Run, RunKind, RunState, Sweep, Unreachable, Why};
    use crate::core::time::Instant;

    fn masked(guard: &Guard, text: &str) -> String {
        let mut text = text.to_owned();
        guard.mask(&mut text);
        text
    }

    #[test]
    fn a_secret_goes_in_every_form_and_the_rest_stays() {
        let secret = "pä\"ss/word+1";
        let guard = Guard::of([secret.to_owned()]);
        let base64 = |text: String| STANDARD.encode(text);
        let cases = [
            format!("Bearer {secret}"),
            serde_json::json!({ "password": secret }).to_string(),
            format!("/jobs?key={}", encoded(secret)),
            base64(secret.to_owned()),
            base64(format!("watch:{secret}")),
            base64(format!("watch2:{secret}")),
            base64(format!("w:{secret}:and more")),
        ];
        for text in cases {
            let found = masked(&guard, &format!("before {text} after"));
            assert!(found.starts_with("before ") && found.ends_with(" after") && found.contains(MASK), "{found}");
            assert!(!forms(secret).iter().any(|form| found.contains(form)), "{found}");
        }
        let honest = "answered 500: no word of it, eyJa";
        assert_eq!(masked(&guard, honest), honest);
    }

    #[test]
    fn a_secret_that_is_cut_off_goes_too() {
        let guard = Guard::of(["hunter2-and-more".to_owned()]);
        assert_eq!(masked(&guard, "refused: hunter2-an"), "refused: ***");
        assert_eq!(masked(&guard, "refused: hunt"), "refused: ***");
        assert_eq!(masked(&guard, "refused: hun"), "refused: hun");
    }

    #[test]
    fn parts_of_headers_and_urls_and_given_tokens_go_too() {
        let guard = Guard::of(["Bearer hunter2", "postgres://watch:s3cret!@127.0.0.1/db"].into_iter().flat_map(parts));
        assert_eq!(masked(&guard, "token hunter2 of watch, password s3cret!"), "token *** of watch, password ***");
        assert_eq!(masked(&guard, "no: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln."), "no: ***");
    }

    #[test]
    fn what_is_short_damages_no_sentence_and_what_is_a_name_stays_one() {
        let guard = Guard::of(["a".to_owned(), String::new(), "airflow".to_owned()]);
        assert_eq!(masked(&guard, "a table was late"), "a table was late");
        let run = Run {
            id: "airflow__1".to_owned(),
            kind: RunKind::Scheduled,
            scheduled_at: Instant::UNIX_EPOCH,
            started_at: None,
            ended_at: None,
            state: RunState::Queued,
        };
        let item = |fact| Item { subject: "airflow_daily".into(), fact };
        let sweep = |text: &str| {
            let items = vec![item(Fact::Runs(vec![run.clone()])), item(Fact::Suspicious(text.to_owned()))];
            Answer::Sweep(Sweep { items, ..Sweep::default() })
        };
        assert_eq!(guard.masked(sweep("airflow says airflow")), sweep("*** says ***"));
        let failure = |text: &str| Answer::Failure(Failure { error: Some(text.to_owned()), ..Failure::default() });
        assert_eq!(guard.masked(failure("login as airflow")), failure("login as ***"));
        let dark = |text: &str| Answer::Unreachable(Unreachable { why: Why::Auth, detail: text.to_owned() });
        assert_eq!(guard.masked(dark("refused airflow")), dark("refused ***"));
    }
}
