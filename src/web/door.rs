//! Who may look. One token for all; it is compared in constant time and never said. Where there is none, only this machine can reach the
//! page, and a browser on it that was led here by a foreign name must not.

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use subtle::ConstantTimeEq;
use url::Host;

/// Lets nobody past without the token, where there is one. Unknown paths are guarded too: who may not look learns nothing.
pub(super) async fn guard(State(token): State<Option<Arc<SecretString>>>, request: Request, next: Next) -> Response {
    if is_open(token.as_deref(), request.headers()) {
        return next.run(request).await;
    }
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"dawnwatch\", Bearer")], "a token is needed\n")
        .into_response()
}

/// Where there is no token, a page of another site could read this one: its name, once its DNS points to this machine, makes both the
/// same origin (DNS rebinding). No DNS can lead an address or `localhost` astray, and every browser says by which name it came; who
/// says none is no browser.
pub(super) async fn no_foreign_names(State(token): State<Option<Arc<SecretString>>>, request: Request, next: Next) -> Response {
    if token.is_none() && !request.headers().get_all(header::HOST).iter().all(is_own_name) {
        let sentence =
            "without a token this page answers to an IP address or localhost, and to no other name: [web] token lifts that\n";
        return (StatusCode::MISDIRECTED_REQUEST, sentence).into_response();
    }
    next.run(request).await
}

fn is_own_name(host: &HeaderValue) -> bool {
    let Ok(authority) = Authority::try_from(host.as_bytes()) else { return false };
    match Host::parse(authority.host()) {
        Ok(Host::Domain(name)) => name == "localhost",
        Ok(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        Err(_) => false,
    }
}

/// Whether who asks may see all: with the token, or where none is needed.
pub(super) fn is_open(token: Option<&SecretString>, headers: &HeaderMap) -> bool {
    token.is_none_or(|token| admits(token, headers))
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

    #[test]
    fn a_name_of_others_is_none_of_ours() {
        for (host, expected) in [
            ("127.0.0.1:8606", true),
            ("[::1]:8606", true),
            ("10.1.2.3", true),
            ("localhost", true),
            ("LocalHost:8606", true),
            ("evil.example", false),
            ("localhost.evil.example:8606", false),
            ("127.0.0.1.evil.example:8606", false),
            ("127.0.0.1@evil.example", false),
            ("::1", false),
            ("", false),
        ] {
            assert_eq!(is_own_name(&HeaderValue::from_static(host)), expected, "{host}");
        }
    }
}
