//! The store on a real file: what was committed is there, who may have it, and what a bad file is told to be.

use chrono::{DateTime, NaiveDate, TimeDelta};
use dawnwatch::core::command::Muted;
use dawnwatch::core::forecast::{Mixture, Moved, Tonight};
use dawnwatch::core::message::{Body, Message, WatchFacts};
use dawnwatch::core::observation::{Fact, Failure, Member, Run, RunKind, RunState, Scheduler, Unreachable, Why};
use dawnwatch::core::plan::Id;
use dawnwatch::core::state::*;
use dawnwatch::core::tally::{Span, Tally};
use dawnwatch::core::time::Instant;
use dawnwatch::store::{Store, StoreError};
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Minutes after some midnight, with a fraction of a second that must survive.
fn at(minute: i64) -> Instant {
    DateTime::from_timestamp(1_795_392_000, 123_456_000).unwrap() + TimeDelta::minutes(minute)
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dawnwatch.db");
    (folder, path)
}

fn cycle_key(day: u32) -> CycleKey {
    CycleKey { dashboard: "exec_summary".into(), date: NaiveDate::from_ymd_opt(2026, 11, day).unwrap(), nth: 0 }
}

fn members() -> Row {
    let member = Member {
        subject: "회원_일".into(),
        tags: vec!["mart".into()],
        owners: vec!["data \"quoted\"".into()],
        paused: true,
        import_error: false,
        next_run_at: Some(at(3)),
    };
    Row::Members("airflow".into(), vec![member].into())
}

fn source() -> Row {
    let state = SourceState {
        swept_at: Some(at(1)),
        scheduler: Scheduler::Dead { heartbeat: Some(at(0)) },
        dark: Some(Dark { since: at(1), tries: 2, last: Unreachable { why: Why::Tls, detail: "no".into() } }),
        ..SourceState::default()
    };
    Row::Source("airflow".into(), Box::new(state))
}

fn check() -> Row {
    let run = Run {
        id: "scheduled__1".into(),
        kind: RunKind::Scheduled,
        scheduled_at: at(0),
        started_at: Some(at(1)),
        ended_at: None,
        state: RunState::Doomed { task: "load".into() },
    };
    let mut habits = Mixture::default();
    habits.learn(Tonight::of(cycle_key(22).date, -3_600, 82_800, |_| None), Some(-60), Some(2_400));
    let state = CheckState {
        fingerprint: ("airflow".into(), "orders_raw".into()),
        known_since: at(-9),
        groups: BTreeSet::from([Id::from("marts")]),
        silent_until_success: false,
        seen: Some(Seen::Runs(vec![run])),
        newest: Some(at(-5)),
        arrivals: vec![Arrival { cycle: cycle_key(22), at: at(-5), run: Some("r".into()) }],
        habits: habits.into(),
        moved: Some((Moved { from_s: 18_600, to_s: 24_000, since: cycle_key(22).date }, false)),
        resumed: Some(("r".into(), at(3))),
        failures: vec![("r".into(), Failure { task: None, try_number: Some(3), error: Some("boom\n".into()) })],
    };
    Row::Check("orders_raw".into(), Box::new(state))
}

fn cycle(day: u32, closed_at: Option<Instant>) -> Row {
    let state = CycleState {
        deadline: at(60),
        audience: true,
        opened_at: at(-600),
        closed_at,
        closing_at: closed_at,
        verdict: Verdict::OnTrack,
        ready_at: None,
        missed: false,
        told_at: Some(at(7)),
        asked_at: None,
        failed: true,
    };
    Row::Cycle(cycle_key(day), state)
}

fn pause() -> Pause {
    Pause { by: "kim".into(), reason: "on it".into(), at: at(1), until: at(90), nonce: "n1".into() }
}

fn incident(id: IncidentId, phase: Phase) -> Row {
    let impact =
        Impact { waiting: BTreeSet::from([Id::from("b")]), waited: 2, state: ImpactState::Ready(at(9)), told_at: Some(at(8)) };
    let told = Told {
        attention: Attention::Notify,
        verdict: Verdict::Failed,
        at: at(4),
        post: 1,
        cycles: BTreeMap::from([(cycle_key(23), Attention::Notify)]),
    };
    Row::Incident(Box::new(Incident {
        id,
        cause: Cause::Check("orders_raw".into()),
        hidden: None,
        opened_at: at(2),
        since: at(1),
        verdict: Verdict::Failed,
        phase,
        alike: BTreeSet::from([Id::from("a")]),
        lagging: None,
        impact: BTreeMap::from([(cycle_key(23), impact.clone()), (cycle_key(24), impact)]),
        outside: false,
        told: BTreeMap::from([("team".into(), told)]),
        escalated: BTreeSet::from([Id::from("boss")]),
        decided: vec![(Some("team".into()), Decision::Say(Attention::Notify), Reason::QuietEnded)],
        asked_at: None,
        failure: None,
        ack: Some(pause()),
        snooze: None,
        retired_by: Some("kim".into()),
    }))
}

fn post(id: PostId, topic: Topic, attempt: Attempt) -> Row {
    let message = Message {
        at: at(4),
        zone: chrono_tz::Asia::Seoul,
        attention: Attention::Post,
        body: Body::Watch(WatchFacts { chat: "team".into(), why: "gone".into() }),
    };
    Row::Post(Box::new(Post {
        id,
        chat: "team".into(),
        topic,
        revision: 1,
        message,
        wanted_at: at(4),
        not_after: at(90),
        attempt,
        failures: 1,
        ambiguities: 0,
        next_try_at: at(5),
        stands_in_for: Some("other".into()),
    }))
}

fn rows_of_every_kind() -> Vec<Row> {
    vec![
        Row::Chat("team".into(), ChatState { broken: Some((at(0), "404".into())) }),
        check(),
        Row::Counters(Counters { incident: 3, post: u64::MAX }),
        cycle(23, None),
        Row::Day(cycle_key(23).date, Box::new(Tally::new(Span { from: at(0), to: at(99) }))),
        Row::Digest("morning".into(), DigestState { date: cycle_key(23).date, done_at: at(0), before: vec![] }),
        incident(3, Phase::Recovering { since: at(8) }),
        members(),
        Row::Mute(Muted::Dashboard("exec".into()), Box::new(pause())),
        post(9, Topic::Incident(3), Attempt::Confirmed { at: at(5), handle: Some("17.3".into()) }),
        post(10, Topic::Watch("x".into()), Attempt::Started { at: at(6) }),
        source(),
        Row::Watch(WatchState {
            beaten_at: Some(at(5)),
            back_at: Some(at(4)),
            refused: Some(RefusedReload { at: at(6), findings: 2, first: "a.toml:1:1: no".into() }),
        }),
    ]
}

fn entry(minute: i64) -> Entry {
    let about = About::Cycle(cycle_key(23));
    Entry {
        at: at(minute),
        about,
        chat: None,
        decision: Decision::Hold { until: at(99) },
        reason: Reason::QuietHours,
        evidence: None,
        fingerprint: "0a1b2c".into(),
    }
}

fn seen(minute: i64) -> Observed {
    let fact = Some(Fact::Timestamp(Some(at(minute))));
    Observed { at: at(minute), news: News::Subject { source: "warehouse".into(), subject: "orders_raw".into(), fact } }
}

fn put(rows: Vec<Row>) -> Commit {
    Commit { put: rows, ..Commit::default() }
}

/// Another program on the file, which knows nothing of claims.
async fn intruder(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).connect().await.unwrap()
}

async fn tamper(path: &Path, statement: &'static str) {
    let mut connection = intruder(path).await;
    sqlx::query(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn lines(path: &Path, table: &str) -> i64 {
    let mut connection = intruder(path).await;
    let count =
        sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"))).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    count
}

fn names(folder: &TempDir) -> BTreeSet<String> {
    fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

/// The error of opening, and of peeking, at what lies under `path`.
async fn refusals(path: &Path) -> [String; 2] {
    let opened = Store::open(path).await.map(drop).expect_err("must be refused").to_string();
    let peeked = Store::peek(path).await.map(drop).expect_err("must not be read").to_string();
    [opened, peeked]
}

#[tokio::test]
async fn every_kind_of_row_comes_back_as_it_was() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).await.unwrap();
    assert_eq!(store.rows().await.unwrap(), []);
    let mut rows = rows_of_every_kind();
    store.commit(&Commit { put: rows.clone(), ledger: vec![entry(0), entry(1)], ..Commit::default() }).await.unwrap();
    assert_eq!(store.rows().await.unwrap(), rows);

    // Changed, deleted, and both: what is put wins.
    rows.retain(|row| !matches!(row, Row::Check(..)));
    rows[0] = Row::Chat("team".into(), ChatState::default());
    let delete = vec![Key::Check("orders_raw".into()), rows[0].key()];
    let change = Commit { put: vec![rows[0].clone()], delete, ..Commit::default() };
    store.commit(&change).await.unwrap();
    store.close().await.unwrap();

    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.rows().await.unwrap(), rows);
    assert_eq!(lines(&path, "ledger").await, 2);
}

#[tokio::test]
async fn a_commit_survives_a_death_without_a_goodbye() {
    let (folder, path) = folder();
    let mut store = Store::open(&path).await.unwrap();
    store.commit(&put(rows_of_every_kind())).await.unwrap();
    // What a kill leaves behind: the file and its log as they are on the disk, nobody's lock.
    let after = tempfile::tempdir().unwrap();
    for name in ["dawnwatch.db", "dawnwatch.db-wal", "dawnwatch.db.lock"] {
        fs::copy(folder.path().join(name), after.path().join(name)).unwrap();
    }
    let mut revived = Store::open(&after.path().join("dawnwatch.db")).await.unwrap();
    assert_eq!(revived.rows().await.unwrap(), rows_of_every_kind());
    revived.commit(&put(vec![cycle(24, None)])).await.unwrap();
}

#[tokio::test]
async fn a_store_that_was_dropped_can_be_opened_again() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).await.unwrap();
    store.commit(&put(rows_of_every_kind())).await.unwrap();
    drop(store);
    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.rows().await.unwrap().len(), rows_of_every_kind().len());
}

#[tokio::test]
async fn a_large_commit_is_one_commit() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).await.unwrap();
    let rows: Vec<_> = (0..1_000).map(|n| Row::Chat(format!("chat {n:04}").into(), ChatState::default())).collect();
    store.commit(&put(rows.clone())).await.unwrap();
    assert_eq!(store.rows().await.unwrap(), rows);
}

#[tokio::test]
async fn a_second_agent_is_refused_while_the_first_lives() {
    let (_folder, path) = folder();
    let first = Store::open(&path).await.unwrap();
    let error = Store::open(&path).await.map(drop).unwrap_err();
    assert!(matches!(error, StoreError::InUse { pid: Some(pid), .. } if pid == std::process::id()), "{error:?}");
    assert!(error.to_string().contains("dawnwatch.db is in use by another dawnwatch"), "{error}");
    first.close().await.unwrap();
    Store::open(&path).await.unwrap();
}

#[tokio::test]
async fn a_peek_sees_what_is_committed_and_leaves_no_trace() {
    let (folder, path) = folder();
    assert!(Store::peek(&path).await.unwrap().is_none());
    assert!(Store::peek(&path.join("below")).await.unwrap().is_none());
    assert_eq!(names(&folder), BTreeSet::new());

    let mut store = Store::open(&path).await.unwrap();
    store.commit(&put(vec![cycle(23, None)])).await.unwrap();
    let while_open = names(&folder);
    assert_eq!(Store::peek(&path).await.unwrap(), Some(vec![cycle(23, None)]));
    assert_eq!(names(&folder), while_open);
    store.commit(&put(vec![cycle(24, None)])).await.unwrap();
    store.close().await.unwrap();

    let at_rest = names(&folder);
    assert_eq!(at_rest, ["dawnwatch.db", "dawnwatch.db.lock"].map(String::from).into());
    assert_eq!(Store::peek(&path).await.unwrap(), Some(vec![cycle(23, None), cycle(24, None)]));
    assert_eq!(names(&folder), at_rest);
}

#[tokio::test]
async fn a_commit_on_rows_that_another_writer_changed_is_refused() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).await.unwrap();
    store.commit(&put(vec![cycle(23, None)])).await.unwrap();
    tamper(&path, "UPDATE meta SET value = value + 1 WHERE name = 'epoch'").await;

    let error = store.commit(&put(vec![cycle(24, None)])).await.unwrap_err();
    assert!(matches!(error, StoreError::Moved { .. }), "{error:?}");
    let error = store.prune(at(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::Moved { .. }), "pruning must not make the change its own: {error:?}");
    assert_eq!(store.rows().await.unwrap(), [cycle(23, None)]);
    store.commit(&put(vec![cycle(24, None)])).await.unwrap();
    assert_eq!(store.rows().await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_abandoned_commit_leaves_nothing_and_harms_nothing() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).await.unwrap();
    let rows = (0..1_000).map(|n| Row::Chat(format!("chat {n}").into(), ChatState::default())).collect();
    let large = put(rows);
    {
        // Polled once: it has begun and waits for SQLite.
        let mut commit = std::pin::pin!(store.commit(&large));
        assert!(futures_util::poll!(commit.as_mut()).is_pending());
    }
    assert_eq!(store.rows().await.unwrap(), []);
    store.commit(&put(vec![cycle(24, None)])).await.unwrap();
    assert_eq!(store.rows().await.unwrap(), [cycle(24, None)]);
}

#[tokio::test]
async fn bad_files_are_named_for_what_they_are() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).await.unwrap();
    let rows = (0..2_000).map(|n| Row::Chat(format!("chat {n}").into(), ChatState::default())).collect();
    store.commit(&put(rows)).await.unwrap();
    store.close().await.unwrap();
    let sound = fs::read(&path).unwrap();
    let with = |damage: fn(&mut Vec<u8>)| {
        let mut bytes = sound.clone();
        damage(&mut bytes);
        bytes
    };
    let cases = [
        ("empty", vec![], "is empty"),
        ("short text", b"hello".to_vec(), "no SQLite database"),
        ("random bytes", (0..65_536u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect(), "no SQLite database"),
        ("header", with(|b| b[..16].fill(b'x')), "no SQLite database"),
        ("first page", with(|b| b[100..4096].fill(0xff)), "is damaged"),
        ("truncated", with(|b| b.truncate(b.len() / 2)), "contradict"),
        ("truncated within the first page", with(|b| b.truncate(1_000)), "is damaged"),
        ("a page in the middle", with(|b| b[40_960..45_056].fill(0xff)), "contradict"),
    ];
    for (case, bytes, expected) in cases {
        fs::write(&path, &bytes).unwrap();
        let error = Store::open(&path).await.map(drop).expect_err(case);
        assert!(matches!(error, StoreError::Damaged { .. }), "{case}: {error:?}");
        let text = error.to_string();
        assert!(text.contains(expected) && text.contains("dawnwatch.db is damaged") && text.contains("away"), "{case}: {text}");
        assert_eq!(fs::read(&path).unwrap(), bytes, "{case}: the evidence was changed");
        // A peek does not read every page, but never panics, and never takes it for a new store.
        assert!(!matches!(Store::peek(&path).await, Ok(None)), "{case}");
    }
    fs::write(&path, &sound).unwrap();
    Store::open(&path).await.unwrap();
}

#[tokio::test]
async fn a_log_without_its_file_is_not_played_into_a_new_one() {
    let (_folder, path) = folder();
    fs::write(path.with_extension("db-wal"), "old").unwrap();
    for error in refusals(&path).await {
        assert!(error.contains("its log is still there"), "{error}");
    }
    assert!(!path.exists());
}

#[tokio::test]
async fn what_is_no_store_is_left_alone() {
    let (folder, path) = folder();
    for error in refusals(folder.path()).await {
        assert!(error.contains("it is a folder"), "{error}");
    }
    let mut other = SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
    sqlx::query("CREATE TABLE rows (id)").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    for error in refusals(&path).await {
        assert!(error.contains("a database of another program"), "{error}");
    }
}

#[tokio::test]
async fn stores_of_other_versions_are_refused() {
    for (statement, expected) in [
        ("UPDATE meta SET value = 99 WHERE name = 'format'", "written in format 99"),
        ("DELETE FROM meta WHERE name = 'format'", "does not say its format"),
        ("INSERT INTO rows VALUES ('chat', 'team', 99, '{}')", "does not know (chat team)"),
        ("INSERT INTO rows VALUES ('moon', 'full', 6, '{\"Moon\":1}')", "does not know (moon full)"),
        (
            "INSERT INTO rows VALUES ('chat', 'team', 6, '{\"Chat\":[\"other\",{\"broken\":null}]}')",
            "is damaged: the row chat team",
        ),
    ] {
        let (_folder, path) = folder();
        Store::open(&path).await.unwrap().close().await.unwrap();
        tamper(&path, statement).await;
        for error in refusals(&path).await {
            assert!(error.contains(expected) && error.contains("dawnwatch.db"), "{error}");
        }
    }
}

#[tokio::test]
async fn places_that_cannot_be_written_are_named() {
    let (folder, path) = folder();
    fs::write(&path, "a file").unwrap();
    for (place, expected) in
        [(folder.path().join("missing/dawnwatch.db"), "folder does not exist"), (path.join("dawnwatch.db"), "its folder is a file")]
    {
        let error = Store::open(&place).await.map(drop).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("dawnwatch.db"), "{error}");
    }
}

#[tokio::test]
async fn pruning_forgets_old_lines_of_the_ledger_and_the_history_and_nothing_else() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).await.unwrap();
    let put = vec![source(), check(), cycle(21, Some(at(-20))), post(1, Topic::Incident(1), Attempt::Started { at: at(-30) })];
    let ledger = (-1_300..100).map(entry).collect();
    let observed = (-15..-5).map(seen).collect();
    store.commit(&Commit { put: put.clone(), ledger, observed, ..Commit::default() }).await.unwrap();

    assert_eq!(store.prune(at(-10)).await.unwrap(), 1_290 + 5);
    let left = store.rows().await.unwrap();
    assert!(left.len() == put.len() && put.iter().all(|row| left.contains(row)), "{left:#?}");
    assert_eq!(store.prune(at(-10)).await.unwrap(), 0);
    store.close().await.unwrap();
    assert_eq!((lines(&path, "ledger").await, lines(&path, "history").await), (110, 5));
}
