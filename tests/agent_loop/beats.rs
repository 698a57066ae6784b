//! The outward proof of life: it goes out again and again while all is well, and stays away when the watch cannot be relied on.

use crate::house::House;
use crate::peer::{Peer, Then};

async fn house(beats: &Peer) -> House {
    let mut house = House::new(Peer::jobs(), Peer::start(|_, _| Then::ok()), "webhook").await;
    house.job("orders", "running");
    house.beats = Some(beats.port);
    house
}

#[tokio::test]
async fn it_is_given_again_and_again_and_shown() {
    let mut beats = Peer::start(|_, _| Then::ok());
    let house = house(&beats).await;
    let mut agent = house.start().await;
    for _ in 0..3 {
        assert!(beats.next().await.head.starts_with("get /verysecret http/1.1\r\n"));
    }
    let shown = agent.until(|snapshot| snapshot.counts.beats >= 3).await;
    let line = shown.heartbeat.as_ref().unwrap();
    assert!(line.beaten_at.is_some() && line.trouble.is_none(), "{line:?}");
    agent.stop().await;
}

#[tokio::test]
async fn one_that_is_not_taken_is_tried_again_and_shown_without_its_address() {
    let beats = Peer::start(|nth, _| match nth {
        0 => Then::Answer(500, String::new()),
        1 => Then::Close,
        _ => Then::ok(),
    });
    let house = house(&beats).await;
    let mut agent = house.start().await;
    let not_taken = |why: &String| !why.starts_with("withheld");
    let shown =
        agent.until(|shown| shown.heartbeat.as_ref().is_some_and(|line| line.trouble.as_ref().is_some_and(not_taken))).await;
    let line = shown.heartbeat.as_ref().unwrap();
    let trouble = line.trouble.as_ref().unwrap();
    assert!(trouble.contains(&format!("127.0.0.1:{}", beats.port)) && !trouble.contains("verysecret"), "{trouble}");
    assert_eq!((line.beaten_at, shown.counts.beats), (None, 0));
    agent
        .until(|snapshot| snapshot.heartbeat.as_ref().is_some_and(|line| line.trouble.is_none() && line.beaten_at.is_some()))
        .await;
    agent.stop().await;
}

/// Nobody can be told of the failure, so nobody may take the watch for whole.
#[tokio::test]
async fn one_that_may_not_be_given_stays_away_and_its_reason_is_shown() {
    let mut beats = Peer::start(|_, _| Then::ok());
    let mut house = House::new(Peer::jobs(), Peer::start(|_, _| Then::Answer(404, String::new())), "webhook").await;
    house.job("orders", "failed");
    house.beats = Some(beats.port);
    let mut agent = house.start().await;
    let withheld = |why: &String| why.starts_with("withheld: ") && why.contains("team");
    agent.until(|shown| shown.heartbeat.as_ref().is_some_and(|line| line.trouble.as_ref().is_some_and(withheld))).await;
    beats.forget();
    // Two would have been due.
    agent.polls(11).await;
    agent.stop().await;
    beats.is_quiet();
}

#[tokio::test]
async fn nothing_goes_out_while_the_store_fails() {
    let mut beats = Peer::start(|_, _| Then::ok());
    let house = house(&beats).await;
    let mut agent = house.start().await;
    beats.next().await;
    house.meddle("CREATE TRIGGER trouble BEFORE INSERT ON rows BEGIN SELECT RAISE(FAIL, 'no more room'); END").await;
    let tried = agent.until(|snapshot| snapshot.store_trouble.is_some()).await.counts.steps;
    // One may have been on its way when the store began to fail.
    agent.until(|snapshot| snapshot.counts.steps > tried).await;
    beats.forget();
    // By now several would have been due.
    agent.until(|snapshot| snapshot.counts.steps > tried + 4).await;
    beats.is_quiet();
    house.meddle("DROP TRIGGER trouble").await;
    beats.next().await;
    agent.stop().await;
}
