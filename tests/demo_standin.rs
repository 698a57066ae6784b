//! The demo's stand-ins, over real HTTP on loopback: they answer as the real systems were recorded to answer.

use chrono::{DateTime, Utc};
use dawnwatch::agent::clock::Clock;
use dawnwatch::core::plan::Language;
use dawnwatch::demo::airflow::{PASSWORD, USERNAME};
use dawnwatch::demo::night::{Night, cast};
use dawnwatch::demo::{Stage, set_up};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The stage at a moment of the weekday night, and a client that is logged in to its Airflow.
struct Visit {
    stage: Stage,
    client: Client,
    token: String,
}

impl Visit {
    /// The clock goes at its usual pace: to a test it stands still.
    async fn at(hour: u32, minute: u32) -> Self {
        let clock = Clock::played(Night::Weekday.at(hour, minute), 1.0);
        let stage = set_up(Night::Weekday, clock, Language::En).await.unwrap();
        // Plain HTTP needs no certificates, and a machine may have none.
        let client = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let mut visit = Self { stage, client, token: String::new() };
        let (_, body) = visit.send(Method::POST, "/auth/token", Some(json!({ "username": USERNAME, "password": PASSWORD }))).await;
        visit.token = body["access_token"].as_str().unwrap().to_owned();
        visit
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let url = format!("http://{}{path}", self.stage.addresses.airflow);
        let mut request = self.client.request(method, url);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        (status, response.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, body) = self.send(Method::POST, path, Some(body)).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }
}

const RUNS_LIST: &str = "/api/v2/dags/~/dagRuns/list";
const TASKS_LIST: &str = "/api/v2/dags/~/dagRuns/~/taskInstances/list";

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/airflow3-shape")
}

fn fixture(name: &str) -> Value {
    let text = std::fs::read_to_string(fixtures().join(name).with_extension("json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Path → the JSON types seen there; all elements of an array share one path.
fn shape(value: &Value) -> BTreeMap<String, BTreeSet<&'static str>> {
    fn walk(value: &Value, path: &str, found: &mut BTreeMap<String, BTreeSet<&'static str>>) {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        found.entry(path.to_owned()).or_default().insert(kind);
        match value {
            Value::Array(items) => items.iter().for_each(|item| walk(item, &format!("{path}[]"), found)),
            Value::Object(fields) => fields.iter().for_each(|(key, field)| walk(field, &format!("{path}.{key}"), found)),
            _ => {}
        }
    }
    let mut found = BTreeMap::new();
    walk(value, "$", &mut found);
    found
}

/// The same keys everywhere, and no type that the real one was not seen to give there.
fn assert_same_shape(name: &str, played: &Value) {
    let (real, played) = (shape(&fixture(name)["body"]), shape(played));
    let keys = |shape: &BTreeMap<String, _>| shape.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&played), keys(&real), "{name}: keys");
    for (path, types) in &played {
        assert!(types.is_subset(&real[path]), "{name} {path}: {types:?} is not in {:?}", real[path]);
    }
}

#[tokio::test]
async fn answers_have_the_recorded_shape() {
    let visit = Visit::at(3, 0).await;
    let tonight = json!({ "run_after_gte": "2026-11-23T00:00:00+09:00", "page_limit": 10_000 });
    let account = json!({ "username": USERNAME, "password": PASSWORD });
    let (status, token) = visit.send(Method::POST, "/auth/token", Some(account)).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_same_shape("auth_token", &token);
    assert_same_shape("health", &visit.get("/api/v2/monitor/health").await);
    assert_same_shape("dags", &visit.get("/api/v2/dags?limit=100").await);
    assert_same_shape("dag_runs_list", &visit.post(RUNS_LIST, tonight.clone()).await);
    let updated = "/api/v2/dags/~/dagRuns?updated_at_gte=2026-11-22T17%3A00%3A00Z&order_by=-updated_at&limit=100";
    assert_same_shape("dag_runs", &visit.get(updated).await);
    assert_same_shape("task_instances_list", &visit.post(TASKS_LIST, tonight).await);

    let run = format!("/api/v2/dags/{}/dagRuns/scheduled__2026-11-22T17%3A30%3A00%2B00%3A00", cast::CAUSE);
    let one = visit.get(&run).await;
    assert_eq!((&one["state"], &one["run_type"]), (&json!("failed"), &json!("scheduled")));
    let tasks = visit.get(&format!("{run}/taskInstances")).await;
    let export = tasks["task_instances"].as_array().unwrap().iter().find(|t| t["task_id"] == "export").unwrap();
    assert_eq!((&export["state"], &export["try_number"]), (&json!("failed"), &json!(3)));
    assert_same_shape(
        "task_instances",
        &json!({ "task_instances": [export], "total_entries": 1,
        "total_entries_limit": null, "next_cursor": null, "previous_cursor": null }),
    );
    let log = visit.get(&format!("{run}/taskInstances/export/logs/3?full_content=true")).await;
    let failed = log["content"].as_array().unwrap().iter().find(|line| line["level"] == "error").unwrap();
    let error = failed["error_detail"][0]["exc_value"].as_str().unwrap();
    assert!(error.contains("Connection refused"), "{error}");
    assert_same_shape("log", &log);
}

/// Each recorded refusal, asked for again with the recorded request.
#[tokio::test]
async fn refusals_are_the_recorded_ones() {
    let mut visit = Visit::at(3, 0).await;
    let good = visit.token.clone();
    let names = std::fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut seen = 0;
    for name in names.filter(|name| name.starts_with("error_")) {
        let recorded = fixture(&name);
        visit.token = match name.as_str() {
            "error_no_token.json" => String::new(),
            "error_bad_token.json" => "made.up.token".to_owned(),
            _ => good.clone(),
        };
        let request = &recorded["request"];
        let method = request["method"].as_str().unwrap().parse().unwrap();
        let (status, body) = visit.send(method, request["path"].as_str().unwrap(), request.get("json").cloned()).await;
        assert_eq!((json!(status.as_u16()), &body), (recorded["status"].clone(), &recorded["body"]), "{name}");
        seen += 1;
    }
    assert_eq!(seen, 16);
}

#[tokio::test]
async fn lists_are_cut_as_the_real_one_cuts() {
    let visit = Visit::at(8, 40).await;
    let dags = visit.get("/api/v2/dags?limit=1000&offset=300&order_by=dag_id").await;
    assert_eq!((dags["dags"].as_array().unwrap().len(), &dags["total_entries"]), (3, &json!(303)));
    assert_eq!(visit.get("/api/v2/dags?limit=1000").await["dags"].as_array().unwrap().len(), 100);
    assert_eq!(visit.get("/api/v2/dags").await["dags"].as_array().unwrap().len(), 50);

    let since = json!({ "run_after_gte": "2026-11-23T00:00:00+09:00", "page_limit": 100_000, "order_by": "-run_after" });
    let runs = visit.post(RUNS_LIST, since).await;
    let states: BTreeSet<&str> = runs["dag_runs"].as_array().unwrap().iter().map(|r| r["state"].as_str().unwrap()).collect();
    assert_eq!((runs["total_entries"].clone(), states), (json!(303), BTreeSet::from(["success"])));
    assert_eq!(runs["dag_runs"].as_array().unwrap().len(), 303);
    let last = visit.post(RUNS_LIST, json!({ "page_offset": 4_540 })).await;
    assert_eq!(last["dag_runs"].as_array().unwrap().len(), 5, "fifteen nights in all");
    let ids = json!({ "dag_ids": [cast::CAUSE, "nope"], "run_after_gte": "2026-11-22T15:00:00Z" });
    assert_eq!(visit.post(RUNS_LIST, ids).await["total_entries"], 1);
    let (status, _) = visit.send(Method::GET, "/api/v2/dags?paused=true", None).await;
    assert_eq!(status, StatusCode::NOT_IMPLEMENTED, "a filter that is not played is refused, not ignored");
}

#[tokio::test]
async fn a_hundred_and_twenty_wait_in_their_sensors() {
    let visit = Visit::at(6, 30).await;
    let waiting = json!({ "state": ["up_for_reschedule"], "run_after_gte": "2026-11-22T15:00:00Z", "page_limit": 1_000 });
    let tasks = visit.post(TASKS_LIST, waiting).await;
    assert_eq!(tasks["total_entries"], 121);
    assert!(tasks["task_instances"].as_array().unwrap().iter().all(|t| t["operator"] == "ExternalTaskSensor"));
    let running = visit.post(RUNS_LIST, json!({ "states": ["running"], "run_after_gte": "2026-11-22T15:00:00Z" })).await;
    assert!(running["total_entries"].as_u64().unwrap() >= 122);
}

#[tokio::test]
async fn a_token_says_when_it_ends() {
    let visit = Visit::at(3, 0).await;
    let parts: Vec<&str> = visit.token.split('.').collect();
    assert_eq!(parts.len(), 3);
    let claims: Map<String, Value> = serde_json::from_slice(&decode(parts[1])).unwrap();
    let ends_at = DateTime::<Utc>::from_timestamp(claims["exp"].as_i64().unwrap(), 0).unwrap();
    assert!(ends_at > Night::Weekday.at(4, 59) && ends_at < Night::Weekday.at(5, 1), "{ends_at}");
}

/// base64url without padding.
fn decode(text: &str) -> Vec<u8> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = text.bytes().flat_map(|b| {
        let six = LETTERS.bytes().position(|l| l == b).unwrap();
        (0..6).rev().map(move |i| u8::from(six >> i & 1 == 1))
    });
    bits.collect::<Vec<_>>().chunks_exact(8).map(|byte| byte.iter().fold(0, |n, bit| n << 1 | bit)).collect()
}

#[tokio::test]
async fn the_partner_goes_dark_and_comes_back() {
    for (hour, minute, answers) in [(5, 45, true), (5, 47, false), (6, 39, false), (6, 41, true)] {
        let visit = Visit::at(hour, minute).await;
        let asked = visit.client.get(format!("http://{}/files", visit.stage.addresses.partner)).send().await;
        assert_eq!(asked.is_ok(), answers, "{hour}:{minute}");
        if let Ok(response) = asked {
            assert_eq!(response.headers()["connection"], "close");
            let body: Value = response.json().await.unwrap();
            assert_eq!(body["files"].as_array().unwrap().len(), 4);
        }
    }
}

#[tokio::test]
async fn the_chat_takes_what_slack_takes_and_escapes_it() {
    let mut visit = Visit::at(7, 0).await;
    let hook = format!("{}services/T000/B000/demo", visit.stage.page());
    let post = |body: &'static str| {
        let request = visit.client.post(&hook).body(body);
        async move {
            let response = request.send().await.unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
        }
    };
    assert_eq!(post("payload=no").await, (400, "invalid_payload".to_owned()));
    assert_eq!(post("[1]").await, (400, "invalid_payload".to_owned()));
    assert_eq!(post("{}").await, (400, "no_text".to_owned()));
    let payload = r#"{"text":"late &lt;risk&gt;","blocks":[
        {"type":"header","text":{"type":"plain_text","text":"<script>alert('x')</script>"}},
        {"type":"section","text":{"type":"mrkdwn","text":"<!subteam^S0DEMO|@data-oncall> *act* <img src=x onerror=alert(1)>"}}]}"#;
    assert_eq!(post(payload).await, (200, "ok".to_owned()));

    let posted = visit.stage.messages.recv().await.unwrap();
    assert_eq!((posted.preview.as_str(), posted.asks), ("late <risk>", true));
    assert_eq!(posted.plain(), "<script>alert('x')</script>\n@data-oncall act <img src=x onerror=alert(1)>\n");
    for path in ["", "feed"] {
        let page = visit.client.get(format!("{}{path}", visit.stage.page())).send().await.unwrap().text().await.unwrap();
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"), "{page}");
        assert!(page.contains("<mark>@data-oncall</mark> <b>act</b> &lt;img"), "{page}");
        assert!(page.contains("07:00 · asks a person"), "{page}");
    }
}

#[tokio::test]
async fn the_chat_keeps_the_last_messages() {
    let mut visit = Visit::at(7, 0).await;
    let hook = format!("{}services/T000/B000/demo", visit.stage.page());
    for number in 0..=dawnwatch::demo::chat::KEPT {
        let sent = visit.client.post(&hook).json(&json!({ "text": format!("message {number}.") })).send().await.unwrap();
        assert_eq!(sent.status(), 200);
    }
    let feed = visit.client.get(format!("{}feed", visit.stage.page())).send().await.unwrap().text().await.unwrap();
    assert!(!feed.contains("message 0.") && feed.contains("message 1.") && feed.contains("message 200."));
    assert_eq!(visit.stage.messages.recv().await.unwrap().preview, "message 0.");
}

#[tokio::test]
async fn the_stage_can_be_struck() {
    let visit = Visit::at(7, 0).await;
    let (page, config) = (visit.stage.page(), visit.stage.config().join("dawnwatch.toml"));
    assert!(config.exists());
    visit.stage.stop().await;
    assert!(visit.client.get(page).send().await.is_err());
    assert!(!config.exists());
}
