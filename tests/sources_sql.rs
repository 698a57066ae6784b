//! Asking databases: real SQLite files, and servers that only pretend to be a PostgreSQL. The real one is asked in CI (tests/peers).

use chrono::TimeDelta;
use chrono_tz::Tz;
use dawnwatch::config::wiring::{Database, Secret, SourceWiring, SourceWiringKind, SqlWiring};
use dawnwatch::core::observation::{Answer, Ask, ERROR_CHARS, Fact, Item, Sweep, Unreachable, Why};
use dawnwatch::core::plan::Id;
use dawnwatch::core::time::Instant;
use dawnwatch::sources::Source;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, SqliteConnection, raw_sql};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const ORDERS: &str = "
    CREATE TABLE orders (id INTEGER PRIMARY KEY, iso TEXT, plain TEXT, epoch INTEGER, frac REAL, mixed, day TEXT, blob BLOB);
    INSERT INTO orders VALUES
        (1, '2026-01-03T21:30:15Z', '2026-01-04 06:30:15', 1767475815, 1767475815.5, 1767475815, '2026-01-03', x'00'),
        (2, '2026-01-03T23:59:59Z', '2026-01-04 08:59:59', 1767484799, 1767484799.5, '2026-01-01', '2026-01-04', x'00'),
        (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    CREATE TABLE empty_table (updated_at TEXT);
    CREATE TABLE newest (id TEXT, at TEXT);
    INSERT INTO newest VALUES ('orders', '2026-01-03T23:59:59Z'), ('clicks', NULL), ('odd', 'typo'), ('unasked', 'typo'),
        ('twice', '2026-01-03T23:59:59Z'), ('twice', '2026-01-03T23:59:59Z'), ('7', '2026-01-03T23:59:59Z');";

struct Shop {
    folder: TempDir,
    path: PathBuf,
}

async fn writer(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

async fn shop() -> Shop {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("shop.db");
    writer(&path).await.execute(raw_sql(ORDERS)).await.unwrap();
    Shop { folder, path }
}

fn source(database: Database, rows: Option<&str>, timezone: Option<Tz>, timeout_ms: i64) -> Result<Source, String> {
    let sql = SqlWiring { database, timezone, rows: rows.map(str::to_owned) };
    let wiring = SourceWiring { timeout: TimeDelta::milliseconds(timeout_ms), ca_file: None, kind: SourceWiringKind::Sql(sql) };
    Source::build(&Id::from("warehouse"), &wiring)
}

impl Shop {
    fn source(&self, rows: Option<&str>, timezone: Option<Tz>) -> Source {
        source(Database::Sqlite(self.path.clone()), rows, timezone, 10_000).unwrap()
    }
}

async fn ask(source: &Source, subjects: &[&str]) -> Answer {
    let now: Instant = "2026-01-04T00:00:00Z".parse().unwrap();
    let subjects = subjects.iter().copied().map(Id::from).collect();
    let since = now - TimeDelta::days(1);
    source.ask(&Ask::Sweep { source: Id::from("warehouse"), subjects, dates: Default::default(), since }, now).await
}

async fn unreachable(source: &Source, subjects: &[&str]) -> Unreachable {
    match ask(source, subjects).await {
        Answer::Unreachable(gone) => {
            assert!(gone.detail.chars().count() <= ERROR_CHARS && !gone.detail.contains("hunter2"), "{gone:?}");
            gone
        }
        other => panic!("{other:?}"),
    }
}

/// What is told of each subject, in a word or a sentence.
async fn told(source: &Source, subjects: &[&str]) -> Vec<String> {
    let Answer::Sweep(Sweep { items, .. }) = ask(source, subjects).await else { panic!("no sweep") };
    let word = |Item { subject, fact }: Item| match fact {
        Fact::Timestamp(Some(at)) => format!("{subject}: {}", at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
        Fact::Timestamp(None) => format!("{subject}: no data"),
        Fact::Suspicious(why) => format!("{subject}: ? {why}"),
        Fact::Runs(_) | Fact::Dated(_) => unreachable!("a database knows neither"),
    };
    items.into_iter().map(word).collect()
}

async fn told_one(source: &Source, query: &str) -> String {
    let all = told(source, &[query]).await;
    all[0].strip_prefix(&format!("{query}: ")).unwrap().to_owned()
}

#[tokio::test]
async fn each_kind_of_value_of_sqlite_is_read() {
    let shop = shop().await;
    let source = shop.source(None, Some(Tz::Asia__Seoul));
    let nine = "2026-01-03T23:59:59Z";
    let cases = [
        ("select max(iso) from orders", nine),
        ("select max(plain) from orders;", nine),
        ("select max(epoch) from orders -- seconds", nine),
        ("select max(epoch) * 1000 from orders", nine),
        ("select max(frac) from orders", "2026-01-03T23:59:59.500Z"),
        ("select max(day) from orders", "2026-01-03T15:00:00Z"),
        ("with newest as (select max(iso) as at from orders) select at from newest", nine),
        ("values ('2026-01-03T23:59:59Z')", nine),
        ("select max(updated_at) from empty_table", "no data"),
        ("select updated_at from empty_table", "no data"),
        ("select '0001-01-01T00:00:00Z'", "no data"),
        ("select null", "no data"),
    ];
    for (query, expected) in cases {
        assert_eq!(told_one(&source, query).await, expected, "{query}");
    }
    assert_eq!(source.traffic().requests, cases.len() as u64);
}

#[tokio::test]
async fn what_is_no_time_is_never_green() {
    let shop = shop().await;
    let zoned = shop.source(None, Some(Tz::Asia__Seoul));
    let cases = [
        // A column that is not there, in double quotes, is a text in SQLite.
        ("select max(\"nope\") from orders", "the value \"nope\" is no time"),
        ("select 'infinity'", "the value \"infinity\" is no time"),
        ("select 20260104", "the value 20260104 is no time"),
        ("select -1", "the value -1 is no time"),
        ("select blob from orders where id = 1", "the value is of type BLOB"),
        ("select printf('%5000d', 1)", "the value is of 5000 bytes"),
        ("select iso from orders", "its query yields more than one row"),
        ("select iso, plain from orders where id = 1", "its query yields 2 columns"),
    ];
    for (query, expected) in cases {
        let told = told_one(&zoned, query).await;
        assert!(told.starts_with(&format!("? {expected}")), "{query}: {told}");
    }
    let without = shop.source(None, None);
    assert!(told_one(&without, "select max(plain) from orders").await.contains("say its zone with `timezone`"));
    assert_eq!(told_one(&without, "select max(iso) from orders").await, "2026-01-03T23:59:59Z");
}

#[tokio::test]
async fn a_query_that_is_refused_leaves_the_others_seen() {
    let shop = shop().await;
    let source = shop.source(None, None);
    let told = told(&source, &["select max(x) from no_such", "select max(nope) from orders", "select max(iso) from orders"]).await;
    assert_eq!(told[0], "select max(x) from no_such: ? the database refuses the query: no such table: no_such");
    assert_eq!(told[1], "select max(nope) from orders: ? the database refuses the query: no such column: nope");
    assert_eq!(told[2], "select max(iso) from orders: 2026-01-03T23:59:59Z");
}

#[tokio::test]
async fn what_is_no_query_changes_nothing() {
    let shop = shop().await;
    let before = fs::read(&shop.path).unwrap();
    let other = shop.folder.path().join("other.db");
    let source = shop.source(None, None);
    let vacuum = format!("vacuum into '{}'", other.display());
    let attach = format!("attach database '{}' as other", other.display());
    let breaks_out = format!("select 1) as a; vacuum into '{}'; select * from (select 1", other.display());
    for statement in [
        "insert into orders (id) values (9)",
        "delete from orders",
        "drop table orders",
        "update orders set iso = null; select 1",
        "select 1; delete from orders",
        "select 1) as a; delete from orders; select * from (select 1",
        "insert into orders (id) values (9) returning iso",
        "with x as (select 1) delete from orders",
        "pragma query_only = off",
        "pragma journal_mode = wal",
        "create temp table t (x)",
        "begin exclusive",
        "",
        &vacuum,
        &attach,
        &breaks_out,
    ] {
        // One connection for both: the first must not have opened a door for the second.
        let told = told(&source, &[statement, "delete from orders", "select max(iso) from orders"]).await;
        assert!(told[0].starts_with(&format!("{statement}: ? the database refuses the query")), "{told:?}");
        assert_eq!(told[2], "select max(iso) from orders: 2026-01-03T23:59:59Z", "{statement}");
    }
    assert_eq!(fs::read(&shop.path).unwrap(), before);
    assert!(!other.exists());
}

#[tokio::test]
async fn one_query_serves_all_checks_by_its_rows() {
    let shop = shop().await;
    let source = shop.source(Some("select id, at from newest"), None);
    let told = told(&source, &["orders", "clicks", "odd", "twice", "gone", "7"]).await;
    assert_eq!(told[..2], ["orders: 2026-01-03T23:59:59Z", "clicks: no data"]);
    assert!(told[2].starts_with("odd: ? the value \"typo\" is no time"), "{told:?}");
    assert_eq!(told[3], "twice: ? 2 rows have its id; expected one");
    // "gone" has no row: the source does not know it.
    assert_eq!(told[4..], ["7: 2026-01-03T23:59:59Z"]);
    assert_eq!(source.traffic().requests, 1);
    let numbers = shop.source(Some("select id, iso from orders where id < 3"), None);
    assert_eq!(self::told(&numbers, &["2"]).await, ["2: 2026-01-03T23:59:59Z"]);
}

#[tokio::test]
async fn rows_that_make_no_sense_leave_nothing_to_see() {
    let shop = shop().await;
    let many = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 10001) select i, i from n";
    for (query, why, words) in [
        ("select at from newest", Why::Malformed, "rows of 1 columns; expected two"),
        ("select id, at, 1 from newest", Why::Malformed, "rows of 3 columns; expected two"),
        ("select id, at from no_such", Why::Status, "no such table: no_such"),
        (many, Why::TooLarge, "more than 10000 rows"),
    ] {
        let gone = unreachable(&shop.source(Some(query), None), &["orders"]).await;
        assert_eq!(gone.why, why, "{gone:?}");
        assert!(gone.detail.contains(words), "{gone:?}");
    }
}

#[tokio::test]
async fn a_query_without_end_is_ended_and_the_next_is_asked() {
    let shop = shop().await;
    let source = source(Database::Sqlite(shop.path.clone()), None, None, 100).unwrap();
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n";
    let told = told(&source, &[endless, "select max(iso) from orders"]).await;
    assert_eq!(told[0], format!("{endless}: ? the query did not end within 0.1 s"));
    assert_eq!(told[1], "select max(iso) from orders: 2026-01-03T23:59:59Z");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_made_and_one_that_is_none_is_said() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("missing.db");
    let source = source(Database::Sqlite(path.clone()), None, None, 10_000).unwrap();
    let gone = unreachable(&source, &["select 1"]).await;
    assert!(gone.why == Why::Connect && gone.detail.contains("unable to open database file"), "{gone:?}");
    assert!(!path.exists());
    fs::write(&path, "this is no database, and long enough to be taken for one by its header alone, or so one might think")
        .unwrap();
    let gone = unreachable(&source, &["select * from x"]).await;
    assert!(gone.why == Why::Malformed && gone.detail.contains("not a database"), "{gone:?}");
}

#[tokio::test]
async fn a_file_that_is_replaced_is_read_anew_and_a_lock_is_out_of_reach() {
    let shop = shop().await;
    let source = source(Database::Sqlite(shop.path.clone()), None, None, 50).unwrap();
    let query = "select max(iso) from orders";
    assert_eq!(told_one(&source, query).await, "2026-01-03T23:59:59Z");
    let newer = shop.folder.path().join("newer.db");
    let mut connection = writer(&newer).await;
    connection.execute(raw_sql(ORDERS)).await.unwrap();
    connection.execute("insert into orders (iso) values ('2026-01-04T03:00:00Z')").await.unwrap();
    fs::rename(&newer, &shop.path).unwrap();
    assert_eq!(told_one(&source, query).await, "2026-01-04T03:00:00Z");
    connection.execute(raw_sql("begin exclusive")).await.unwrap();
    let gone = unreachable(&source, &[query]).await;
    assert!(gone.why == Why::Timeout && gone.detail.contains("locked"), "{gone:?}");
    connection.execute(raw_sql("rollback")).await.unwrap();
    assert_eq!(told_one(&source, query).await, "2026-01-04T03:00:00Z");
}

#[tokio::test]
async fn a_file_that_is_being_written_is_read() {
    let shop = shop().await;
    let mut connection = writer(&shop.path).await;
    connection.execute(raw_sql("pragma journal_mode = wal; begin immediate; delete from orders")).await.unwrap();
    assert_eq!(told_one(&shop.source(None, None), "select max(iso) from orders").await, "2026-01-03T23:59:59Z");
}

#[tokio::test]
async fn an_address_may_be_a_secret_and_is_never_shown() {
    let shop = shop().await;
    let address = |text: String| Database::Secret { url: Secret::Value(text.into()), folder: shop.folder.path().to_owned() };
    let relative = source(address("sqlite:shop.db\n".to_owned()), None, None, 1000).unwrap();
    assert_eq!(told_one(&relative, "select max(iso) from orders").await, "2026-01-03T23:59:59Z");
    for wrong in ["hunter2", "mysql://w:hunter2@db/x", "postgres://w:hunter2@db/x?pasword=hunter2"] {
        let error = source(address(wrong.to_owned()), None, None, 1000).err().unwrap();
        assert!(error.starts_with("source warehouse: its url is not ") && !error.contains("hunter2"), "{error}");
    }
    assert!(!format!("{:?}", address("postgres://w:hunter2@db/x".to_owned())).contains("hunter2"));
}

/// What a server answers to the first message, by length and code; then it hangs up, or says nothing more.
async fn pretender(answers: &[&[u8]], hangs: bool) -> Source {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answers: Vec<Vec<u8>> = answers.iter().map(|answer| answer.to_vec()).collect();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            for answer in &answers {
                let mut buffer = [0; 1024];
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(answer).await;
            }
            if hangs {
                open.push(stream);
            }
        }
    });
    postgres(&format!("127.0.0.1:{port}"), "")
}

fn postgres(place: &str, query: &str) -> Source {
    let url = Secret::Value(format!("postgres://watch:hunter2@{place}/mart{query}").into());
    source(Database::Secret { url, folder: PathBuf::new() }, None, None, 500).unwrap()
}

/// `ErrorResponse`, as <https://www.postgresql.org/docs/current/protocol-message-formats.html> has it.
fn refusal(code: &str, words: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C{code}\0M{words}\0\0");
    [b"E", &(fields.len() as u32 + 4).to_be_bytes()[..], fields.as_bytes()].concat()
}

#[tokio::test]
async fn a_server_that_cannot_be_asked_has_its_own_reason() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let place = format!("127.0.0.1:{port}");
    let wrong_password = refusal("28P01", "password authentication failed for user \"watch\"");
    let too_many = refusal("53300", "sorry, too many clients already");
    let no_database = refusal("3D000", "database \"mart\" does not exist");
    let cases = [
        // Nobody listens.
        (postgres(&place, ""), Why::Connect, "no connection to 127.0.0.1"),
        // Listens and never says a word: about TLS, or at all.
        (pretender(&[], true).await, Why::Timeout, "did not answer in time"),
        (pretender(&[b"N"], true).await, Why::Timeout, "did not answer in time"),
        (pretender(&[b"S"], true).await, Why::Timeout, "did not answer in time"),
        // Hangs up.
        (pretender(&[b"N"], false).await, Why::Connect, "127.0.0.1"),
        (pretender(&[b"N", &wrong_password], false).await, Why::Auth, "password authentication failed"),
        (pretender(&[b"N", &too_many], false).await, Why::Connect, "too many clients"),
        (pretender(&[b"N", &no_database], false).await, Why::Status, "\"mart\" does not exist"),
        (pretender(&[b"S", b"this is no TLS record at all"], false).await, Why::Tls, "no trusted connection"),
        (pretender(&[b"HTTP/1.1 400 Bad Request\r\n\r\n"], false).await, Why::Malformed, "not what a database says"),
    ];
    for (source, why, words) in cases {
        let gone = unreachable(&source, &["select 1"]).await;
        assert_eq!(gone.why, why, "{gone:?}");
        assert!(gone.detail.contains(words) && source.host().starts_with("127.0.0.1:"), "{gone:?}");
    }
}

#[tokio::test]
async fn it_does_not_list_and_knows_no_runs() {
    let shop = shop().await;
    let source = shop.source(None, None);
    let now = "2026-01-04T00:00:00Z".parse().unwrap();
    let list = Ask::List { source: Id::from("warehouse") };
    assert!(matches!(source.ask(&list, now).await, Answer::Unreachable(_)));
    let why = Ask::Failure { source: Id::from("warehouse"), subject: Id::from("x"), run: "1".to_owned() };
    assert_eq!(source.ask(&why, now).await, Answer::Failure(Default::default()));
}

mod hostile {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever lies in a column, or stands as a query: an answer, and no panic.
        #[test]
        fn no_value_and_no_query_makes_it_panic(text in "\\PC{0,40}", blob: Vec<u8>, query in "[a-z0-9 '\"();,*-]{0,40}") {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let folder = TempDir::new().unwrap();
                let path = folder.path().join("x.db");
                let hex: String = blob.iter().map(|byte| format!("{byte:02x}")).collect();
                let make = format!("create table t (a, b); insert into t values ('{}', cast(x'{hex}' as text))", text.replace('\'', "''"));
                writer(&path).await.execute(raw_sql(AssertSqlSafe(make))).await.unwrap();
                let source = source(Database::Sqlite(path), None, Some(Tz::UTC), 1000).unwrap();
                let subjects = ["select a from t", "select b from t", "select a || b from t", &query];
                match ask(&source, &subjects).await {
                    Answer::Sweep(sweep) => prop_assert_eq!(sweep.items.len(), subjects.len()),
                    other => prop_assert!(false, "{:?}", other),
                }
                Ok(())
            })?;
        }
    }
}
