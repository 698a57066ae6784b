//! A stand-in for an Airflow 3.3.2: the part of its public API that a watch needs, answered from the script of the night.
//!
//! It answers as the real one was measured to (shapes, limits, status codes), and what it cannot answer truly it refuses with
//! 501. It starts no pipeline, and never says anything but what the script has for the clock's instant.

mod filter;
mod listing;
mod rows;
mod token;

use super::night::Script;
use crate::agent::clock::Clock;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::Arc;
use token::Tokens;

/// The account that the demo's configuration logs in with. Only ever on loopback.
pub const USERNAME: &str = "watch";
pub const PASSWORD: &str = "demo-only";

struct Airflow {
    script: Arc<Script>,
    clock: Clock,
    tokens: Tokens,
}

type Shared = State<Arc<Airflow>>;
type Answer = Result<Json<Value>, Refusal>;

/// An answer that is not 200.
struct Refusal(StatusCode, Value);

impl Refusal {
    fn detail(status: StatusCode, detail: impl Into<Value>) -> Self {
        Self(status, json!({ "detail": detail.into() }))
    }

    fn not_found(detail: String) -> Self {
        Self::detail(StatusCode::NOT_FOUND, detail)
    }

    /// A request that the real one answers and this one does not know how to.
    fn not_played(what: &str) -> Self {
        Self::detail(StatusCode::NOT_IMPLEMENTED, format!("the stand-in does not play {what:?}"))
    }

    /// One fault of one input, as FastAPI words it.
    fn invalid(kind: &str, place: Value, message: &str, input: Value, context: Option<Value>) -> Self {
        let mut fault = json!({ "type": kind, "loc": place, "msg": message, "input": input });
        if let Some(context) = context {
            fault["ctx"] = context;
        }
        Self::detail(StatusCode::UNPROCESSABLE_ENTITY, json!([fault]))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}

/// The whole API; the state of the night is that of `clock` at each request.
pub fn router(script: Arc<Script>, clock: Clock) -> Router {
    let airflow = Arc::new(Airflow { script, clock, tokens: Tokens::default() });
    let runs = "/api/v2/dags/{dag}/dagRuns";
    let run = format!("{runs}/{{run}}");
    Router::new()
        .route("/api/v2/dags", get(dags))
        .route(runs, get(dag_runs))
        .route(&format!("{runs}/list"), post(dag_runs_list))
        .route(&run, get(dag_run))
        .route(&format!("{run}/taskInstances"), get(task_instances))
        .route(&format!("{run}/taskInstances/list"), post(task_instances_list))
        .route(&format!("{run}/taskInstances/{{task}}/logs/{{number}}"), get(log))
        .route_layer(middleware::from_fn_with_state(airflow.clone(), logged_in))
        .route("/auth/token", post(login))
        .route("/api/v2/monitor/health", get(health))
        .route("/api/v2/version", get(version))
        .method_not_allowed_fallback(|| async { Refusal::detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed") })
        .fallback(|| async { Refusal(StatusCode::NOT_FOUND, json!({ "error": "API route not found" })) })
        .with_state(airflow)
}

/// 401 without a token or with an old one, 403 with one that was never given out: so did the real one.
async fn logged_in(State(airflow): Shared, request: Request, next: Next) -> Response {
    let presented =
        request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
    match airflow.tokens.check(presented, airflow.clock.now()) {
        Ok(()) => next.run(request).await,
        Err((status, detail)) => Refusal::detail(status, detail).into_response(),
    }
}

async fn login(State(airflow): Shared, body: Bytes) -> Result<(StatusCode, Json<Value>), Refusal> {
    let fields: Value = serde_json::from_slice(&body).unwrap_or_default();
    let field = |name: &str| {
        // Here, and here alone, the detail of a 422 is a string.
        let missing = format!("1 validation error for LoginBody\n{name}\n  Field required [type=missing]");
        fields[name].as_str().ok_or_else(|| Refusal::detail(StatusCode::UNPROCESSABLE_ENTITY, missing))
    };
    if (field("username")?, field("password")?) != (USERNAME, PASSWORD) {
        return Err(Refusal::detail(StatusCode::UNAUTHORIZED, "Invalid credentials"));
    }
    let token = airflow.tokens.issue(USERNAME, airflow.clock.now());
    Ok((StatusCode::CREATED, Json(json!({ "access_token": token }))))
}

async fn health(State(airflow): Shared) -> Json<Value> {
    Json(rows::health(airflow.clock.now()))
}

async fn version() -> Json<Value> {
    Json(json!({ "version": "3.3.2", "git_version": ".release:demo" }))
}

async fn dags(State(airflow): Shared, RawQuery(query): RawQuery) -> Answer {
    listing::dags(&airflow.script, airflow.clock.now(), query.as_deref()).map(Json)
}

async fn dag_runs(State(airflow): Shared, Path(dag): Path<String>, RawQuery(query): RawQuery) -> Answer {
    listing::dag_runs(&airflow.script, airflow.clock.now(), &dag, query.as_deref()).map(Json)
}

async fn dag_runs_list(State(airflow): Shared, Path(dag): Path<String>, body: Bytes) -> Answer {
    only_all("dag_id", &dag)?;
    listing::dag_runs_list(&airflow.script, airflow.clock.now(), &body).map(Json)
}

async fn dag_run(State(airflow): Shared, Path((dag, run)): Path<(String, String)>) -> Answer {
    listing::dag_run(&airflow.script, airflow.clock.now(), &dag, &run).map(Json)
}

async fn task_instances(State(airflow): Shared, Path((dag, run)): Path<(String, String)>, RawQuery(query): RawQuery) -> Answer {
    listing::task_instances(&airflow.script, airflow.clock.now(), (&dag, &run), query.as_deref()).map(Json)
}

async fn task_instances_list(State(airflow): Shared, Path((dag, run)): Path<(String, String)>, body: Bytes) -> Answer {
    only_all("dag_id", &dag)?;
    only_all("dag_run_id", &run)?;
    listing::task_instances_list(&airflow.script, airflow.clock.now(), &body).map(Json)
}

async fn log(State(airflow): Shared, Path((dag, run, task, number)): Path<(String, String, String, u32)>) -> Answer {
    listing::log(&airflow.script, airflow.clock.now(), (&dag, &run, &task), number).map(Json)
}

/// The list endpoints take `~` and nothing else.
fn only_all(name: &str, value: &str) -> Result<(), Refusal> {
    if value == "~" {
        return Ok(());
    }
    let context = Some(json!({ "expected": "'~'" }));
    Err(Refusal::invalid("literal_error", json!(["path", name]), "Input should be '~'", json!(value), context))
}
