//! Sources that hang, flood and have nothing; and when the agent calls itself ready.

use crate::house::{House, chat, source};
use crate::peer::{Peer, Then};
use chrono::TimeDelta;
use dawnwatch::config::Loaded;
use dawnwatch::core::due::due;
use dawnwatch::core::observation::{Answer, Ask, Heard, Unreachable, Why};
use dawnwatch::core::state::{State, Verdict};
use dawnwatch::core::step::{Input, step};
use dawnwatch::web::snapshot::{Snapshot, SourceLine};
use serde_json::json;

fn line<'a>(snapshot: &'a Snapshot, name: &str) -> &'a SourceLine {
    snapshot.sources.iter().find(|line| line.id.as_str() == name).unwrap()
}

async fn house(jobs: Peer) -> House {
    House::new(jobs, Peer::start(|_, _| Then::ok()), "webhook").await
}

#[tokio::test]
async fn a_source_that_hangs_does_not_delay_another() {
    let mut slow = Peer::start(|_, _| Then::Hang);
    let mut house = house(Peer::jobs()).await;
    house.config += &source("slow", slow.port, "timeout = \"60s\"");
    house.config += "[checks.clicks]\nsource = \"slow\"\n";
    house.config = house.config.replace("needs    = [\"orders\"]", "needs = [\"orders\", \"clicks\"]");
    house.job("orders", "failed");
    let mut agent = house.start().await;
    slow.next().await;
    assert_eq!(house.team.next().await.json()["cause"], json!("orders"));
    agent.polls(5).await;
    let shown = agent.until(|snapshot| line(snapshot, "jobs").swept_at.is_some()).await;
    assert_eq!((line(&shown, "slow").swept_at, line(&shown, "slow").dark_since, shown.ready), (None, None, false));
    agent.stop().await;
    slow.is_quiet();
}

#[tokio::test]
async fn a_source_that_floods_is_unknown_with_its_reason() {
    let mut house = house(Peer::start(|_, _| Then::Flood(100 << 20))).await;
    house.config = house.config.replace("every = \"60s\"", "every = \"1h\"");
    let mut agent = house.start().await;
    let shown = agent.until(|snapshot| snapshot.ready).await;
    let trouble = format!("127.0.0.1:{} sent more than 8 MiB in one answer", house.jobs.port);
    assert_eq!(line(&shown, "jobs").trouble.as_deref(), Some(trouble.as_str()));
    assert_eq!(shown.checks, [(Verdict::Unknown, 1)]);
    agent.stop().await;
}

/// An Airflow of which nobody wants anything but a group that is empty.
fn airflow(house: &mut House) {
    let url = format!("url = \"http://127.0.0.1:{}\"", house.jobs.port);
    house.config = format!(
        "timezone = \"UTC\"\ntell = [\"team\"]\n[web]\nlisten = \"off\"\n{}
[sources.airflow]\nkind = \"airflow\"\n{url}\ntoken = {{ value = \"t\" }}\nevery = \"12h\"
[groups.mart]\nsource = \"airflow\"\nmatch = {{ tags = [\"mart\"] }}
[dashboards.exec]\nneeds = [\"group:mart\"]\nready_by = \"09:00\"\n",
        chat("team", "webhook", house.team.port, "")
    );
}

#[tokio::test]
async fn a_group_without_members_does_not_keep_the_agent_from_being_ready() {
    let answer = |path: &str| match path {
        path if path.contains("/monitor/health") => include_str!("../fixtures/airflow3/health.json"),
        _ => r#"{"dags": [], "total_entries": 0}"#,
    };
    let mut house = house(Peer::start(move |_, request| Then::Answer(200, answer(&request.head).to_owned()))).await;
    airflow(&mut house);
    let mut agent = house.start().await;
    let shown = agent.until(|snapshot| snapshot.ready).await;
    assert!(line(&shown, "airflow").swept_at.is_some(), "{shown:?}");
    agent.stop().await;

    // What was swept a moment ago is not due again, so nothing more will come, and nothing more is needed.
    let mut agent = house.start().await;
    agent.until(|snapshot| snapshot.ready).await;
    agent.stop().await;
}

/// A listing that takes longer than the source's rhythm is due again when it fails. The sweep must not wait for it for ever.
#[tokio::test]
async fn a_source_that_never_lists_is_swept_all_the_same() {
    let mut house = house(Peer::jobs()).await;
    airflow(&mut house);
    let Loaded { plan, .. } = house.load();
    let (mut state, at) = (State::restore([], &plan), house.clock.now());
    step(&mut state, &plan, at, Input::Tick);
    assert_eq!(due(&state, &plan, at).asks, [Ask::List { source: "airflow".into() }]);
    let later = at + TimeDelta::minutes(10);
    let gone = Unreachable { why: Why::Timeout, detail: "no answer".to_owned() };
    let heard = Heard { ask: Ask::List { source: "airflow".into() }, asked_at: at, answer: Answer::Unreachable(gone) };
    step(&mut state, &plan, later, Input::Heard(heard));
    let asks = due(&state, &plan, later).asks;
    assert!(matches!(asks.as_slice(), [Ask::List { .. }, Ask::Sweep { .. }]), "{asks:?}");
}
