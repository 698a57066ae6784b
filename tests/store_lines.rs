//! The ledger read page by page, from a store at rest and beside the agent that has it.

use chrono::TimeDelta;
use dawnwatch::core::state::{About, Commit, Decision, Entry, Reason};
use dawnwatch::core::time::Instant;
use dawnwatch::store::{Lines, Store};
use sqlx::{Connection, SqliteConnection};
use std::path::Path;

fn at(second: i64) -> Instant {
    Instant::from_timestamp(1_795_300_000, 0).unwrap() + TimeDelta::seconds(second)
}

/// `name` is the order in which it was written.
fn entry(second: i64, name: i64) -> Entry {
    let about = About::Check(name.to_string().into());
    let (decision, reason, fingerprint) = (Decision::Note, Reason::Arrived, "a1".into());
    Entry { at: at(second), about, chat: None, decision, reason, evidence: None, fingerprint }
}

async fn write(store: &mut Store, ledger: Vec<Entry>) {
    store.commit(&Commit { ledger, ..Commit::default() }).await.unwrap();
}

/// All lines, and how many pages they came in.
async fn read(mut lines: Lines<Entry>) -> (Vec<Entry>, usize) {
    let (mut all, mut pages) = (Vec::new(), 0);
    while let Some(page) = lines.page().await.unwrap() {
        all.extend(page);
        pages += 1;
    }
    assert!(lines.page().await.unwrap().is_none(), "the end stays the end");
    (all, pages)
}

fn names(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| format!("{:?}", entry.about)).collect()
}

#[tokio::test]
async fn a_span_of_the_ledger_comes_in_order_and_in_pages() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dawnwatch.db");
    assert_eq!(Store::ledger_begins(&path).await.unwrap(), None, "there is no store");
    assert_eq!(read(Store::ledger(&path, at(0), at(9))).await.0, []);

    let mut store = Store::open(&path).await.unwrap();
    assert_eq!(Store::ledger_begins(&path).await.unwrap(), None, "there is nothing in it");
    // Five of each instant, more than two pages in all; the first lines come last, as the clock was set back.
    let written: Vec<Entry> = (0..10_000).map(|n| entry(10 + n / 5, n)).collect();
    write(&mut store, written.clone()).await;
    write(&mut store, vec![entry(3, 10_000)]).await;

    let beside_the_agent = read(Store::ledger(&path, at(0), at(99_999))).await;
    let expected = [vec![entry(3, 10_000)], written.clone()].concat();
    assert_eq!((names(&beside_the_agent.0), beside_the_agent.1), (names(&expected), 3));
    assert_eq!(Store::ledger_begins(&path).await.unwrap(), Some(at(3)));
    let (some, _) = read(Store::ledger(&path, at(20), at(22))).await;
    assert_eq!(some, written[50..60], "from the first instant until before the second");

    store.close().await.unwrap();
    assert_eq!(read(Store::ledger(&path, at(0), at(99_999))).await.0, expected);
    let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = files.collect();
    files.sort();
    assert_eq!(files, ["dawnwatch.db", "dawnwatch.db.lock"], "reading leaves nothing behind");
}

#[tokio::test]
async fn a_line_that_makes_no_sense_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dawnwatch.db");
    let mut store = Store::open(&path).await.unwrap();
    write(&mut store, vec![entry(1, 1), entry(2, 2)]).await;
    store.close().await.unwrap();
    tamper(&path).await;
    let error = Store::ledger(&path, at(0), at(9)).page().await.unwrap_err().to_string();
    assert!(error.contains("dawnwatch.db holds a row that this dawnwatch does not know (ledger 2)"), "{error}");
}

async fn tamper(path: &Path) {
    let mut connection = SqliteConnection::connect(&path.display().to_string()).await.unwrap();
    sqlx::query("UPDATE ledger SET body = '{}' WHERE id = 2").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
