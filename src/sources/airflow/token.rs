//! Access tokens: how long one is good for. Never logs in itself.
//!
//! `POST /auth/token` says no lifetime; it is in the token (a JWT) itself: `exp` − `iat`, 24 hours unless configured. Both are of
//! the server's clock, so their difference counted from when the token was received holds even where the two clocks differ.

use crate::core::time::Instant;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

#[derive(Clone)]
pub(super) struct Token {
    pub(super) value: SecretString,
    /// `None`: it does not say when it ends; only the server can refuse it.
    renew_at: Option<Instant>,
    received_at: Instant,
}

#[derive(Deserialize)]
struct Claims {
    exp: i64,
    iat: Option<i64>,
}

impl Token {
    pub(super) fn received(value: SecretString, now: Instant) -> Self {
        let renew_at = lifetime(value.expose_secret(), now).map(|lifetime| now + lifetime * 9 / 10);
        Self { value, renew_at, received_at: now }
    }

    /// Good until a tenth of its life is left, and never for a clock that has gone back behind its birth.
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        now >= self.received_at && self.renew_at.is_none_or(|at| now < at)
    }
}

fn lifetime(token: &str, now: Instant) -> Option<TimeDelta> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    let seconds = claims.exp.checked_sub(claims.iat.unwrap_or_else(|| now.timestamp()))?;
    // Ten years: longer ones gain nothing, and stay far from the end of the calendar.
    TimeDelta::try_seconds(seconds.min(315_360_000)).filter(|lifetime| *lifetime > TimeDelta::zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> SecretString {
        format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims)).into()
    }

    #[test]
    fn a_token_is_renewed_before_it_ends() {
        let now: Instant = "2026-11-22T12:00:00Z".parse().unwrap();
        let cases = [
            // As recorded: 24 hours, by a clock that need not be ours.
            (r#"{"exp":1795434489,"iat":1795348089,"sub":"watch"}"#, Some(86_400 * 9 / 10)),
            (r#"{"exp":60,"iat":0}"#, Some(54)),
            // No birth: our clock has to do.
            (r#"{"exp":1795349000}"#, Some((1_795_349_000 - now.timestamp()) * 9 / 10)),
            (r#"{"exp":5,"iat":9}"#, None),
            (r#"{"exp":9223372036854775807,"iat":-5}"#, None),
            (r#"{"iat":5}"#, None),
            ("no json", None),
        ];
        for (claims, seconds) in cases {
            let renew_at = seconds.map(|s| now + TimeDelta::seconds(s));
            let got = Token::received(token(claims), now);
            assert_eq!(got.renew_at, renew_at, "{claims}");
            assert!(got.is_fresh(now), "{claims}");
            assert!(renew_at.is_none_or(|at| !got.is_fresh(at)), "{claims}");
            assert!(!got.is_fresh(now - TimeDelta::seconds(1)), "{claims}");
        }
        for text in ["", "a", "a.b", "a.%%.c", "..", "a.====.b"] {
            assert_eq!(Token::received(text.into(), now).renew_at, None, "{text}");
        }
    }
}
