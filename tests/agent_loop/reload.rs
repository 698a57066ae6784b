//! Another configuration under a running agent: gone over to whole or not at all, and nothing is lost or told twice.

use crate::house::{House, chat, job};
use crate::peer::{Peer, Then};
use dawnwatch::agent::desk::Reloaded;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Notify;

const MORE: &str = "[checks.clicks]\nsource = \"jobs\"\n\
     [dashboards.sales]\nneeds = [\"clicks\"]\nready_by = \"23:00\"\ntell = [\"sales\"]\n";

async fn house() -> House {
    let house = House::new(Peer::jobs(), Peer::start(|_, _| Then::ok()), "webhook").await;
    house.job("orders", "running");
    house
}

fn taken(answer: Reloaded) -> String {
    match answer {
        Reloaded::Taken(sentence) => sentence,
        Reloaded::Refused(findings) => panic!("{findings:#?}"),
    }
}

#[tokio::test]
async fn a_new_check_dashboard_and_chat_are_watched_without_a_restart() {
    let mut sales = Peer::start(|_, _| Then::ok());
    let mut house = house().await;
    let mut agent = house.start().await;
    agent.until(|snapshot| snapshot.ready).await;
    house.config += &(MORE.to_owned() + &chat("sales", "webhook", sales.port, ""));
    house.write();
    let said = taken(agent.desk.reload().await.unwrap());
    assert_eq!(said, "the configuration was taken over: 1 source, 2 checks and 0 groups for 2 dashboards");
    let now = house.clock.now();
    house.jobs.say(&json!({"jobs": [job("orders", "running", now), job("clicks", "failed", now)]}).to_string());
    assert_eq!(sales.next().await.json()["cause"], json!("clicks"));
    agent.polls(5).await;
    agent.stop().await;
    house.team.is_quiet();
    sales.is_quiet();
}

#[tokio::test]
async fn a_bad_one_changes_nothing_and_is_shown_until_a_good_one_comes() {
    let mut house = house().await;
    let mut agent = house.start().await;
    agent.until(|snapshot| snapshot.ready).await;
    let good = house.config.clone();
    let cases = [
        (good.replace("ready_by", "redy_by"), "redy_by"),
        (good.clone() + "[chats.other]\nkind = \"slack\"\nurl = { env = \"DAWNWATCH_TEST_NOWHERE\" }\n", "DAWNWATCH_TEST_NOWHERE"),
        ("[".to_owned(), "dawnwatch.toml:1"),
    ];
    for (bad, expected) in cases {
        house.config = bad;
        house.write();
        let Reloaded::Refused(findings) = agent.desk.reload().await.unwrap() else { panic!("{expected} was taken") };
        assert!(findings.iter().any(|finding| finding.contains(expected)), "{findings:?}");
        let shown = |snapshot: &dawnwatch::web::snapshot::Snapshot| {
            snapshot.config_refused.as_ref().is_some_and(|why| findings.iter().any(|finding| why.starts_with(finding.as_str())))
        };
        agent.until(shown).await;
    }
    // What was refused is also remembered by the next process, until it has read a good one.
    house.job("orders", "failed");
    assert_eq!(house.team.next().await.json()["cause"], json!("orders"));
    house.config = good;
    house.write();
    taken(agent.desk.reload().await.unwrap());
    agent.until(|snapshot| snapshot.config_refused.is_none()).await;
    house.config = "[".to_owned();
    house.write();
    assert!(matches!(agent.desk.reload().await.unwrap(), Reloaded::Refused(_)));
    agent.stop().await;

    house.config = House::new(Peer::jobs(), Peer::start(|_, _| Then::ok()), "webhook").await.config;
    let mut agent = house.start().await;
    agent.until(|snapshot| snapshot.counts.commits > 0 && snapshot.config_refused.is_none()).await;
    agent.stop().await;
    house.team.is_quiet();
}

#[tokio::test]
async fn a_delivery_under_way_is_neither_lost_nor_repeated() {
    for without_the_chat in [false, true] {
        let released = Arc::new(Notify::new());
        let release = released.clone();
        let team = Peer::start(move |nth, _| if nth == 0 { Then::HangUntil(released.clone()) } else { Then::ok() });
        let mut house = House::new(Peer::jobs(), team, "slack").await;
        let mut other = Peer::start(|_, _| Then::ok());
        house.job("orders", "failed");
        let mut agent = house.start().await;
        house.team.next().await;
        let good = house.config.clone();
        if without_the_chat {
            house.config = good.replace("[chats.team]", "[chats.other]").replace("\"team\"", "\"other\"");
            house.config = house.config.replace(&house.team.port.to_string(), &other.port.to_string());
        } else {
            house.config += "[checks.clicks]\nsource = \"jobs\"\n";
        }
        house.write();
        let (answer, ()) = tokio::join!(agent.desk.reload(), async {
            agent.snapshots.changed().await.unwrap();
            release.notify_one();
        });
        taken(answer.unwrap());
        agent.until(|snapshot| snapshot.counts.posts_confirmed >= 1).await;
        agent.polls(5).await;
        if without_the_chat {
            // Another chat has never heard of it.
            other.next().await;
            house.config = good;
            house.write();
            taken(agent.desk.reload().await.unwrap());
            agent.polls(5).await;
        }
        agent.stop().await;
        house.team.is_quiet();
        other.is_quiet();
    }
}

#[tokio::test]
async fn fifty_reloads_in_a_row_say_nothing_twice() {
    let mut house = house().await;
    house.job("orders", "failed");
    let mut agent = house.start().await;
    for nth in 0..50 {
        if nth % 7 == 3 {
            house.config = house.config.replace("ready_by", "redy_by");
        }
        house.write();
        let answer = agent.desk.reload().await.unwrap();
        assert_eq!(matches!(answer, Reloaded::Taken(_)), nth % 7 != 3, "{nth}: {answer:?}");
        house.config = house.config.replace("redy_by", "ready_by");
    }
    agent.until(|snapshot| snapshot.config_refused.is_none() && snapshot.counts.posts_confirmed == 1).await;
    agent.polls(5).await;
    assert_eq!(agent.stop().await.unsettled, 0);
    house.team.next().await;
    house.team.is_quiet();
}

#[tokio::test]
async fn several_at_once_are_all_answered() {
    let house = house().await;
    let agent = house.start().await;
    let answers = futures_util::future::join_all((0..10).map(|_| agent.desk.reload())).await;
    for answer in answers {
        taken(answer.unwrap());
    }
    agent.stop().await;
}

/// Once it cannot be written down, once the rows cannot even be read: nothing is lost, and it is taken over in the end.
#[tokio::test]
async fn a_store_in_trouble_delays_a_reload_and_loses_nothing() {
    let cases = [
        ("CREATE TRIGGER trouble BEFORE INSERT ON rows BEGIN SELECT RAISE(FAIL, 'no more room'); END", "DROP TRIGGER trouble"),
        ("ALTER TABLE rows RENAME TO away", "ALTER TABLE away RENAME TO rows"),
    ];
    for (trouble, lift) in cases {
        let mut sales = Peer::start(|_, _| Then::ok());
        let mut house = house().await;
        let mut agent = house.start().await;
        agent.until(|snapshot| snapshot.ready).await;
        house.config += &(MORE.to_owned() + &chat("sales", "webhook", sales.port, ""));
        house.write();
        house.meddle(trouble).await;
        let asked = tokio::spawn({
            let desk = agent.desk.clone();
            async move { desk.reload().await }
        });
        agent.until(|snapshot| snapshot.store_trouble.is_some()).await;
        let now = house.clock.now();
        house.jobs.say(&json!({"jobs": [job("orders", "failed", now), job("clicks", "failed", now)]}).to_string());
        house.meddle(lift).await;
        taken(asked.await.unwrap().unwrap());
        assert_eq!(sales.next().await.json()["cause"], json!("clicks"), "{trouble}");
        assert_eq!(house.team.next().await.json()["cause"], json!("orders"), "{trouble}");
        agent.polls(5).await;
        agent.stop().await;
        house.team.is_quiet();
        sales.is_quiet();
    }
}
