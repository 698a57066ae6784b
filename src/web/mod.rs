//! Inbound HTTP: a status page, `/healthz`, `/readyz`, `/metrics`, and what people may ask of the loop: `POST /-/reload`,
//! `POST /-/command`. Reads snapshots that the agent publishes and passes requests on; never touches the state.
//!
//! Bounds: `CONNECTIONS` at a time, one request each, `CONNECTION_S` in all from the first byte to the last, `HEAD_BYTES` of
//! request head, `desk::BODY_BYTES` of body.

mod desk;
mod door;
mod health;
mod metrics;
mod page;
pub mod snapshot;

use crate::agent::clock::Clock;
use crate::agent::desk::Desk;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use secrecy::SecretString;
use snapshot::Snapshot;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const CONNECTIONS: usize = 64;
/// Request and answer are some kilobytes, and the desk answers sooner: a peer that needs longer is broken or means harm.
const CONNECTION_S: u64 = 10;
/// The least that hyper takes.
const HEAD_BYTES: usize = 8 * 1024;
/// An answer is made at once; at the stop only its sending may still take time.
const LAST_ANSWER_MS: u64 = 500;
/// After an accept that failed, most likely for want of file descriptors.
const ACCEPT_AGAIN_MS: u64 = 200;

/// What every handler reads.
#[derive(Clone)]
struct Seen {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    desk: Desk,
    clock: Clock,
    token: Option<Arc<SecretString>>,
}

impl Seen {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshots.borrow().clone()
    }
}

/// Serves until `stop` is cancelled; what is in flight then is answered. `token`: when given, every path but `/healthz` (which says
/// less without it) and `/readyz` wants it, as `Authorization: Bearer`, or as the password of a browser's own dialogue.
pub async fn serve(
    listener: TcpListener,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    desk: Desk,
    token: Option<SecretString>,
    clock: Clock,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let router = router(Seen { snapshots, desk, clock, token: token.map(Arc::new) });
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = TaskTracker::new();
    let accept = async {
        loop {
            // Taken before the accept, so that who finds no place waits in the listener's queue. The semaphore is never closed.
            let Ok(place) = places.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let connection = converse(stream, router.clone(), stop.clone());
                    connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection to the status page could not be accepted");
                    tokio::time::sleep(Duration::from_millis(ACCEPT_AGAIN_MS)).await;
                }
            }
        }
    };
    stop.run_until_cancelled(accept).await;
    drop(listener);
    connections.close();
    connections.wait().await;
    Ok(())
}

/// One connection, one request. How it ends is the peer's affair.
async fn converse(stream: TcpStream, router: Router, stop: CancellationToken) {
    let connection = hyper::server::conn::http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let whole = async {
        if stop.run_until_cancelled(connection.as_mut()).await.is_none() {
            // Answers what has been asked. hyper itself would wait on for who has asked half.
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(Duration::from_millis(LAST_ANSWER_MS), connection).await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(CONNECTION_S), whole).await.is_err() {
        tracing::debug!("a connection to the status page took too long");
    }
}

fn router(seen: Seen) -> Router {
    Router::new()
        .route("/", get(status_page))
        .route("/metrics", get(metric_text))
        .route("/-/reload", post(desk::reload).route_layer(middleware::from_fn(desk::no_browsers)))
        .route("/-/command", post(desk::command).route_layer(middleware::from_fn(desk::no_browsers)))
        .layer(DefaultBodyLimit::max(desk::BODY_BYTES))
        .fallback(StatusCode::NOT_FOUND)
        .layer(middleware::from_fn_with_state(seen.token.clone(), door::guard))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .layer(middleware::from_fn_with_state(seen.token.clone(), door::no_foreign_names))
        .layer(middleware::map_response(bare))
        .with_state(seen)
}

/// Nothing may be kept by anybody between, nor taken for what it is not.
async fn bare(mut response: Response) -> Response {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, page::POLICY),
    ] {
        response.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    response
}

async fn status_page(State(seen): State<Seen>) -> Response {
    const HTML: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    let snapshot = seen.snapshot();
    let trouble = health::trouble(&snapshot, seen.clock.now());
    (HTML, page::render(&snapshot, trouble.as_deref())).into_response()
}

async fn metric_text(State(seen): State<Seen>) -> Response {
    const TEXT: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    match metrics::text(&seen.snapshot()) {
        Ok(text) => (TEXT, text).into_response(),
        Err(std::fmt::Error) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn healthz(State(seen): State<Seen>, headers: HeaderMap) -> Response {
    let snapshot = seen.snapshot();
    let now = seen.clock.now();
    let status = if health::trouble(&snapshot, now).is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let open = door::is_open(seen.token.as_deref(), &headers);
    let report = if open { health::report(&snapshot, now) } else { health::brief(&snapshot, now) };
    (status, Json(report)).into_response()
}

async fn readyz(State(seen): State<Seen>) -> Response {
    if seen.snapshot().ready {
        (StatusCode::OK, "ready\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not every source has been asked yet\n").into_response()
    }
}
