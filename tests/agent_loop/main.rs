//! The real agent, with a real store, real sources and real sinks, against peers on loopback that misbehave.

mod beats;
mod binary;
mod chats;
mod house;
mod peer;
mod people;
mod reload;
mod sources;
mod store;
mod supervised;

use house::House;
use peer::{Peer, Then};
use serde_json::json;

#[tokio::test]
async fn a_failure_is_told_once_and_resolved_once_across_a_restart() {
    let mut house = House::new(Peer::jobs(), Peer::start(|_, _| Then::ok()), "webhook").await;
    house.job("orders", "failed");
    let mut agent = house.start().await;
    let told = house.team.next().await.json();
    assert_eq!((&told["kind"], &told["verdict"], &told["cause"]), (&json!("incident"), &json!("failed"), &json!("orders")));
    assert!(told["text"].as_str().unwrap().contains("disk full"), "{told}");
    agent.polls(5).await;
    let report = agent.stop().await;
    assert_eq!((report.counts.posts_confirmed, report.unsettled, report.closed), (1, 0, true));

    let mut agent = house.start().await;
    agent.polls(5).await;
    house.job("orders", "success");
    let resolved = house.team.next().await.json();
    assert_eq!((&resolved["kind"], &resolved["incident"]), (&json!("resolved"), &told["incident"]));
    agent.polls(5).await;
    agent.stop().await;
    house.team.is_quiet();
}
