//! Tokens of the stand-in: shaped as JWTs, so that a client can read `exp`, and remembered, so that none can be made up.

use crate::core::time::Instant;
use axum::http::StatusCode;
use chrono::TimeDelta;
use std::sync::{Mutex, PoisonError};

/// The real one gives a day. Here two hours (`jwt_expiration_time`), so that a night holds a few renewals.
const LIFETIME: TimeDelta = TimeDelta::hours(2);
/// The most tokens that are remembered; the oldest are forgotten first.
const KEPT: usize = 64;

#[derive(Default)]
pub(super) struct Tokens {
    given: Mutex<Vec<(String, Instant)>>,
}

impl Tokens {
    pub(super) fn issue(&self, user: &str, now: Instant) -> String {
        let expires_at = now + LIFETIME;
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let claims = format!(
            r#"{{"sub":"{user}","role":"viewer","aud":"apache-airflow","nbf":{now},"iat":{now},"exp":{exp},"jti":"{serial}"}}"#,
            now = now.timestamp(),
            exp = expires_at.timestamp(),
            serial = given.len()
        );
        let parts = [r#"{"alg":"HS512","typ":"JWT"}"#, &claims, "signed by nobody: this is a stand-in"];
        let token = parts.map(|part| base64url(part.as_bytes())).join(".");
        if given.len() >= KEPT {
            given.remove(0);
        }
        given.push((token.clone(), expires_at));
        token
    }

    pub(super) fn check(&self, presented: Option<&str>, now: Instant) -> Result<(), (StatusCode, &'static str)> {
        let Some(presented) = presented else { return Err((StatusCode::UNAUTHORIZED, "Not authenticated")) };
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        match given.iter().find(|(token, _)| token == presented) {
            None => Err((StatusCode::FORBIDDEN, "Invalid JWT token")),
            Some((_, expires_at)) if *expires_at <= now => Err((StatusCode::UNAUTHORIZED, "Token Expired")),
            Some(_) => Ok(()),
        }
    }
}

/// RFC 4648 §5, without padding.
fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0_u32, |group, i| group << 8 | u32::from(chunk.get(i).copied().unwrap_or(0)));
        for position in 0..=chunk.len() {
            text.push(char::from(LETTERS[(group >> (18 - 6 * position) & 63) as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_of_rfc_4648() {
        let cases =
            [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"), ("?>~", "Pz5-")];
        for (plain, expected) in cases {
            assert_eq!(base64url(plain.as_bytes()), expected, "{plain}");
        }
    }

    #[test]
    fn a_token_is_good_for_its_time() {
        let tokens = Tokens::default();
        let now = Instant::UNIX_EPOCH;
        let token = tokens.issue("watch", now);
        assert_eq!(tokens.check(Some(&token), now), Ok(()));
        assert_eq!(tokens.check(Some(&token), now + LIFETIME), Err((StatusCode::UNAUTHORIZED, "Token Expired")));
        assert_eq!(tokens.check(Some("a.b.c"), now), Err((StatusCode::FORBIDDEN, "Invalid JWT token")));
        assert_eq!(tokens.check(None, now), Err((StatusCode::UNAUTHORIZED, "Not authenticated")));
    }
}
