//! Chats that refuse, fail and lose answers.

use crate::house::{House, chat};
use crate::peer::{Peer, Request, Then};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Notify;

fn key(request: &Request) -> String {
    request.header("idempotency-key").to_owned()
}

#[tokio::test]
async fn a_chat_that_is_down_for_a_while_gets_it_once() {
    let team = Peer::start(|nth, _| if nth < 2 { Then::Answer(503, String::new()) } else { Then::ok() });
    let mut house = House::new(Peer::jobs(), team, "webhook").await;
    house.job("orders", "failed");
    let mut agent = house.start().await;
    let tries = [house.team.next().await, house.team.next().await, house.team.next().await];
    assert!(tries.iter().all(|one| one.body == tries[0].body && key(one) == key(&tries[0])), "{tries:?}");
    agent.polls(5).await;
    let counts = agent.stop().await.counts;
    assert_eq!((counts.posts_confirmed, counts.posts_failed), (1, 2));
    house.team.is_quiet();
}

#[tokio::test]
async fn a_chat_that_is_gone_is_shown_as_broken_and_its_fallback_is_told() {
    let mut backup = Peer::start(|_, _| Then::ok());
    let team = Peer::start(|_, _| Then::Answer(404, "verysecret".to_owned()));
    let mut house = House::new(Peer::jobs(), team, "webhook").await;
    house.config = house.config.replace("[chats.team]", "[chats.team]\nfallback = \"backup\"");
    house.config = house.config.replace("tell = [\"team\"]\n[web]", "tell = [\"team\", \"backup\"]\n[web]");
    house.config += &chat("backup", "webhook", backup.port, "");
    house.job("orders", "failed");
    let mut agent = house.start().await;
    house.team.next().await;
    let told = [backup.next().await, backup.next().await];
    let mut kinds = told.each_ref().map(|request| request.json()["kind"].as_str().unwrap().to_owned());
    kinds.sort();
    assert_eq!(kinds, ["incident", "watch"]);
    let shown = agent.until(|snapshot| snapshot.counts.posts_confirmed == 2).await;
    let broken: Vec<_> = shown.chats.iter().filter_map(|chat| Some((chat.id.as_str(), chat.broken.as_deref()?))).collect();
    assert_eq!(broken, [("team", "HTTP 404")]);
    assert!(told.iter().all(|request| !request.body.contains("verysecret")));
    agent.polls(5).await;
    agent.stop().await;
    house.team.is_quiet();
    backup.is_quiet();
}

#[tokio::test]
async fn a_lost_answer_is_repeated_once_recognisably_and_then_told_elsewhere() {
    let mut backup = Peer::start(|_, _| Then::ok());
    let mut house = House::new(Peer::jobs(), Peer::start(|_, _| Then::Close), "slack").await;
    house.config = house.config.replace("[chats.team]", "[chats.team]\nfallback = \"backup\"");
    house.config += &chat("backup", "webhook", backup.port, "");
    house.job("orders", "failed");
    let mut agent = house.start().await;
    let tries = [house.team.next().await, house.team.next().await];
    assert_eq!(tries[0].body, tries[1].body);
    let told = backup.next().await.json();
    assert_eq!(told["kind"], json!("incident"));
    assert!(tries[0].body.contains(&format!("#{}", told["incident"])), "{}", tries[0].body);
    agent.polls(5).await;
    agent.stop().await;
    house.team.is_quiet();
    backup.is_quiet();
}

#[tokio::test]
async fn an_answer_that_comes_while_stopping_is_remembered() {
    let released = Arc::new(Notify::new());
    let release = released.clone();
    let mut house = House::new(Peer::jobs(), Peer::start(move |_, _| Then::HangUntil(released.clone())), "slack").await;
    house.job("orders", "failed");
    let agent = house.start().await;
    house.team.next().await;
    agent.stop.cancel();
    release.notify_one();
    let report = agent.ended().await;
    assert_eq!((report.counts.posts_confirmed, report.unsettled, report.closed), (1, 0, true));

    let mut agent = house.start().await;
    agent.polls(5).await;
    agent.stop().await;
    house.team.is_quiet();
}

#[tokio::test]
async fn a_post_that_was_cut_short_is_owned_up_to_and_never_sent_three_times() {
    let mut house = House::new(Peer::jobs(), Peer::start(|_, _| Then::Hang), "slack").await;
    house.job("orders", "failed");
    let mut sent = Vec::new();
    for _ in 0..2 {
        let agent = house.start().await;
        sent.push(house.team.next().await.body);
        agent.kill().await;
    }
    assert_eq!(sent[0], sent[1]);
    let mut agent = house.start().await;
    agent.polls(5).await;
    assert_eq!(agent.stop().await.unsettled, 0);
    house.team.is_quiet();
}
