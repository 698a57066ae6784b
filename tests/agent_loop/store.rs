//! A store that takes no writes for a while: nothing leaves before it is durable, and nothing is lost or repeated.

use crate::house::House;
use crate::peer::{Peer, Then};
use dawnwatch::store::Store;
use serde_json::json;

const LIFT: &str = "DROP TRIGGER trouble";

async fn house() -> House {
    let house = House::new(Peer::jobs(), Peer::start(|_, _| Then::ok()), "webhook").await;
    house.job("orders", "running");
    house
}

#[tokio::test]
async fn a_second_agent_on_a_store_is_refused() {
    let house = house().await;
    let agent = house.start().await;
    let refused = Store::open(&house.store()).await.unwrap_err().to_string();
    assert!(refused.contains("dawnwatch.db is in use") && refused.contains(&std::process::id().to_string()), "{refused}");
    agent.stop().await;
    Store::open(&house.store()).await.unwrap().close().await.unwrap();
}

/// Not a decision, nor the beginning of a send: in both cases no byte leaves.
#[tokio::test]
async fn nothing_is_sent_before_it_is_durable() {
    for trouble in [
        "CREATE TRIGGER trouble BEFORE INSERT ON rows BEGIN SELECT RAISE(FAIL, 'no more room'); END",
        "CREATE TRIGGER trouble BEFORE INSERT ON rows WHEN NEW.kind = 'post' AND NEW.body LIKE '%Started%'
            BEGIN SELECT RAISE(FAIL, 'no more room'); END",
    ] {
        let mut house = house().await;
        let mut agent = house.start().await;
        agent.until(|snapshot| snapshot.ready).await;
        house.meddle(trouble).await;
        house.job("orders", "failed");
        let shown = agent.until(|snapshot| snapshot.store_trouble.is_some()).await;
        assert!(shown.store_trouble.as_ref().unwrap().contains("no more room"), "{shown:?}");
        let tried = shown.counts.steps;
        agent.until(|snapshot| snapshot.counts.steps > tried + 1).await;
        house.team.is_quiet();

        house.meddle(LIFT).await;
        assert_eq!(house.team.next().await.json()["kind"], json!("incident"));
        agent.until(|snapshot| snapshot.store_trouble.is_none()).await;
        agent.polls(5).await;
        assert_eq!(agent.stop().await.counts.posts_confirmed, 1, "{trouble}");
        house.team.is_quiet();
    }
}

#[tokio::test]
async fn an_outcome_that_cannot_be_written_is_kept_and_nothing_is_sent_again() {
    let mut house = house().await;
    let mut agent = house.start().await;
    agent.until(|snapshot| snapshot.ready).await;
    house
        .meddle(
            "CREATE TRIGGER trouble BEFORE INSERT ON rows WHEN NEW.kind = 'post' AND NEW.body LIKE '%Confirmed%'
                BEGIN SELECT RAISE(FAIL, 'no more room'); END",
        )
        .await;
    house.job("orders", "failed");
    house.team.next().await;
    let tried = agent.until(|snapshot| snapshot.store_trouble.is_some()).await.counts.steps;
    agent.until(|snapshot| snapshot.counts.steps > tried + 1).await;
    house.meddle(LIFT).await;
    agent.until(|snapshot| snapshot.counts.posts_confirmed == 1).await;
    agent.polls(5).await;
    assert_eq!(agent.stop().await.unsettled, 0);
    house.team.is_quiet();
}

/// As when somebody has put a copy back under a running agent: it reads again, and judges from there.
#[tokio::test]
async fn a_store_that_was_written_by_another_is_read_again() {
    let mut house = house().await;
    let mut agent = house.start().await;
    agent.until(|snapshot| snapshot.ready).await;
    house.meddle("UPDATE meta SET value = value + 5 WHERE name = 'epoch'").await;
    house.job("orders", "failed");
    assert_eq!(house.team.next().await.json()["kind"], json!("incident"));
    house.meddle("UPDATE meta SET value = value + 5 WHERE name = 'epoch'").await;
    house.job("orders", "success");
    assert_eq!(house.team.next().await.json()["kind"], json!("resolved"));
    agent.polls(5).await;
    agent.stop().await;
    house.team.is_quiet();
}
