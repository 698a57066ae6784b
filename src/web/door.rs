//! Who may look. One token for all; it is compared in constant time and never said.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Lets nobody past without the token, where there is one. Unknown paths are guarded too: who may not look learns nothing.
pub(super) async fn guard(State(token): State<Option<Arc<SecretString>>>, request: Request, next: Next) -> Response {
    match token {
        Some(token) if !admits(&token, request.headers()) => {
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"dawnwatch\", Bearer")], "a token is needed\n")
                .into_response()
        }
        _ => next.run(request).await,
    }
}

fn admits(token: &SecretString, headers: &HeaderMap) -> bool {
    let Some((scheme, value)) = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()?.split_once(' ')) else {
        return false;
    };
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return same(token, value.as_bytes());
    }
    // A browser can send no Bearer by itself, but asks its user for a name and a password: the token is the password.
    scheme.eq_ignore_ascii_case("basic")
        && STANDARD.decode(value).is_ok_and(|pair| {
            let colon = pair.iter().position(|&b| b == b':');
            colon.is_some_and(|at| same(token, &pair[at + 1..]))
        })
}

/// Hashed first, so that neither the content nor the length shows in the time it takes.
fn same(token: &SecretString, given: &[u8]) -> bool {
    Sha256::digest(token.expose_secret().as_bytes()).ct_eq(&Sha256::digest(given)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_opens() {
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        for (value, expected) in [
            ("Bearer s3cret".to_owned(), true),
            ("bearer  s3cret".to_owned(), true),
            (basic("anybody:s3cret"), true),
            (basic(":s3cret"), true),
            ("Bearer s3cre".to_owned(), false),
            ("Bearer ".to_owned(), false),
            ("s3cret".to_owned(), false),
            (basic("s3cret"), false),
            (basic("s3cret:"), false),
            ("Basic ???".to_owned(), false),
        ] {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
            assert_eq!(admits(&"s3cret".into(), &headers), expected, "{value}");
        }
        assert!(!admits(&"s3cret".into(), &HeaderMap::new()));
    }
}
