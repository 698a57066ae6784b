//! What people may ask by POST: a reload, a command. Passes it on to the loop's [`Desk`] and says what came of it; decides nothing.
//!
//! No browser is let in: on a page without a token any website that its user has open could send as well as they. Every browser sends
//! `Origin` with a POST (Fetch standard, "append a request `Origin` header"), `curl` and `dawnwatch` itself send none.

use super::Seen;
use crate::agent::desk::{NoAnswer, Reloaded};
use crate::core::command::Command;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A command is a few hundred bytes.
pub(super) const BODY_BYTES: usize = 8 * 1024;

/// Lets no browser past.
pub(super) async fn no_browsers(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site") {
        return (StatusCode::FORBIDDEN, "this is not for browsers: use the dawnwatch command, or curl\n").into_response();
    }
    next.run(request).await
}

pub(super) async fn reload(State(seen): State<Seen>, headers: HeaderMap) -> Response {
    let json = headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"application/json"));
    match seen.desk.reload().await {
        Ok(Reloaded::Taken(sentence)) if json => Json(json!({"taken": true, "sentence": sentence})).into_response(),
        Ok(Reloaded::Taken(sentence)) => text(StatusCode::OK, &sentence),
        Ok(Reloaded::Refused(findings)) if json => {
            (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"taken": false, "findings": findings}))).into_response()
        }
        Ok(Reloaded::Refused(findings)) => {
            let all = findings.join("\n");
            text(StatusCode::UNPROCESSABLE_ENTITY, &format!("refused, and everything is as it was:\n{all}"))
        }
        Err(none) => no_answer(none),
    }
}

pub(super) async fn command(State(seen): State<Seen>, headers: HeaderMap, body: Bytes) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        return text(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a command is JSON: content-type: application/json");
    }
    let command: Command = match serde_json::from_slice(&body) {
        Ok(command) => command,
        // The place is enough for whoever wrote it, and says nothing back of what stands there.
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            return text(StatusCode::BAD_REQUEST, &format!("this is no command: line {line}, column {column}"));
        }
    };
    match seen.desk.command(command).await {
        Ok(Ok(sentence)) => text(StatusCode::OK, &sentence),
        Ok(Err(why)) => text(StatusCode::CONFLICT, &why),
        Err(none) => no_answer(none),
    }
}

fn no_answer(none: NoAnswer) -> Response {
    // 202: it was handed over, and nobody knows yet what becomes of it.
    let status = if none == NoAnswer::Late { StatusCode::ACCEPTED } else { StatusCode::SERVICE_UNAVAILABLE };
    text(status, &none.to_string())
}

fn text(status: StatusCode, sentence: &str) -> Response {
    (status, format!("{sentence}\n")).into_response()
}
