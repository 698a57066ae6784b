//! The store's own history.

use super::*;
use chrono::TimeDelta;
use dawnwatch::store::Store;
use std::path::PathBuf;

/// A real store, written commit by commit.
async fn recorded(observed: &[Observed], put: Vec<Row>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dawnwatch.db");
    let mut store = Store::open(&path).await.unwrap();
    store.commit(&Commit { put, ..Commit::default() }).await.unwrap();
    for part in observed.chunks(3) {
        store.commit(&Commit { observed: part.to_vec(), ..Commit::default() }).await.unwrap();
    }
    store.close().await.unwrap();
    (folder, path)
}

pub(super) fn group_plan() -> Plan {
    let mut plan = plan();
    plan.sources.get_mut(&id("airflow")).unwrap().kind = SourceKind::Airflow;
    plan.checks.clear();
    let matches = Matcher { tags: vec!["mart".to_owned()], ..Matcher::default() };
    let each = check("");
    plan.groups.insert(id("mart"), Group { source: id("airflow"), matches, exclude: Matcher::default(), each });
    plan.dashboards.get_mut(&id("exec")).unwrap().needs = vec![Need::Group(id("mart"))];
    plan
}

#[tokio::test]
async fn a_night_in_the_store_says_the_same_again() {
    let (from, to) = ("2026-11-22 23:00", "2026-11-23 12:00");
    let expected = [
        "Mon 03:10 team post alert orders failed +0 [exec]",
        "Mon 06:30 team post digest failed",
        "Mon 07:00 team notify update orders failed +0 [exec]",
        "Mon 07:50 team post resolved orders 0/1 missed",
    ];
    let set = |w: &mut World| {
        w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
        w.run("orders", "2026-11-23 07:30", "2026-11-23 07:50").run("sales", "2026-11-23 04:00", "2026-11-23 04:31");
        w.dark("airflow", "2026-11-23 04:10", "2026-11-23 04:40");
    };
    let world = night_of(group_plan(), from, to, set, &expected);
    let (_folder, path) = recorded(&world.observed, world.rows.values().cloned().collect()).await;
    let history = History::stored(&path, &world.plan).await.unwrap();
    assert_eq!(history.span(), Some((world.observed[0].at, world.observed.last().unwrap().at)));
    assert_eq!(all(history).await, world.observed);

    // Twice, and while an agent has it.
    for _ in 0..2 {
        let agent = Store::open(&path).await.unwrap();
        let history = History::stored(&path, &world.plan).await.unwrap();
        assert_eq!(played(&world.plan, history, from, to).await, expected);
        drop(agent);
    }
}

fn ran(at: &str, subject: &str) -> Observed {
    let fact = Some(Fact::Runs(Vec::new()));
    Observed { at: seoul(at), news: News::Subject { source: id("airflow"), subject: id(subject), fact } }
}

fn listed(at: &str, changed: Vec<Member>, gone: &[&str]) -> Observed {
    let gone = gone.iter().map(|subject| id(subject)).collect();
    Observed { at: seoul(at), news: News::Listing { source: id("airflow"), changed, gone } }
}

#[tokio::test]
async fn what_was_listed_longer_ago_than_lines_are_kept_is_listed_when_it_is_seen() {
    let member = |subject: &str, paused: bool| Member {
        subject: id(subject),
        tags: vec!["mart".to_owned()],
        owners: vec![],
        paused,
        import_error: paused,
        next_run_at: paused.then(|| seoul("2026-12-31 00:00")),
    };
    let kept = [
        ran("2026-11-01 03:00", "orders"),
        ran("2026-11-01 04:00", "orders"),
        ran("2026-11-01 04:00", "not_listed_now"),
        // It joins here, and is not there before; `sales` goes and comes back.
        listed("2026-11-02 05:00", vec![member("young", true)], &["sales"]),
        ran("2026-11-02 06:00", "young"),
        ran("2026-11-03 06:00", "sales"),
    ];
    let rows =
        vec![Row::Members(id("airflow"), vec![member("orders", true), member("sales", false), member("young", false)].into())];
    let (_folder, path) = recorded(&kept, rows).await;
    let history = History::stored(&path, &group_plan()).await.unwrap();
    let expected = [
        // As it is now, but for what it then was nobody knows.
        listed("2026-11-01 03:00", vec![member("orders", false)], &[]),
        kept[0].clone(),
        kept[1].clone(),
        kept[2].clone(),
        kept[3].clone(),
        kept[4].clone(),
        listed("2026-11-03 06:00", vec![member("sales", false)], &[]),
        kept[5].clone(),
    ];
    assert_eq!(all(history).await, expected);
}

#[tokio::test]
async fn it_reaches_as_far_back_as_retention_and_comes_page_by_page() {
    // Out of order, as answers cross; more than a page.
    let mut lines: Vec<Observed> = (0..5_000).map(|n| ran("2026-11-01 00:00", &format!("s{n}"))).collect();
    for (n, line) in (0..).zip(&mut lines) {
        line.at += TimeDelta::minutes(n ^ 1);
    }
    let (_folder, path) = recorded(&lines, vec![]).await;
    let mut plan = group_plan();
    plan.retention = TimeDelta::minutes(4_500);
    let mut history = History::stored(&path, &plan).await.unwrap();
    let first_page = history.next_page().await.unwrap().unwrap();
    assert!(first_page.len() < 4_501, "all at once");
    lines.sort_by_key(|line| line.at);
    let rest = all(history).await;
    assert_eq!([first_page, rest].concat(), lines[499..]);
}

#[tokio::test]
async fn without_a_store_there_is_a_sentence_and_an_empty_one_has_no_span() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dawnwatch.db");
    let Err(error) = History::stored(&path, &plan()).await else { panic!("there is none") };
    assert_eq!(error.exit().code(), 3);
    assert!(error.to_string().starts_with("there is no store "), "{error}");
    assert!(!path.exists());

    Store::open(&path).await.unwrap().close().await.unwrap();
    let history = History::stored(&path, &plan()).await.unwrap();
    assert_eq!(history.span(), None);
    assert!(all(history).await.is_empty());

    std::fs::write(&path, "no database").unwrap();
    let Err(error) = History::stored(&path, &plan()).await else { panic!("it is no store") };
    assert_eq!(error.exit().code(), 3);
}
