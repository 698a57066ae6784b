//! `explain` over a store that was written through the two doors.

#[path = "support/command.rs"]
mod command;
#[path = "support/world.rs"]
mod world;

use dawnwatch::core::state::{Commit, Row};
use dawnwatch::store::Store;
use serde_json::Value;
use std::path::Path;
use world::*;

const CONFIG: &str = r#"
timezone = "Asia/Seoul"
tell = ["team"]
[sources.airflow]
kind = "airflow"
url = "http://127.0.0.1:8080"
token = { env = "T" }
[checks.orders]
source = "airflow"
[checks.sales]
source = "airflow"
needs = ["orders"]
[dashboards.exec]
needs = ["sales"]
ready_by = "09:00"
[chats.team]
kind = "console"
"#;

fn explain(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    command::dawnwatch(&[&["explain"], args].concat(), |command| command.arg("--config").arg(folder))
}

/// A failure on Wednesday, 14 January 2026, that is repaired by half past eight.
fn a_night() -> World {
    let mut world = World::new(plan(), "2026-01-13 22:00");
    world.fail("orders", "2026-01-14 03:00", "2026-01-14 03:10");
    world.run("orders", "2026-01-14 07:30", "2026-01-14 07:50").run("sales", "2026-01-14 07:50", "2026-01-14 08:31");
    world.until("2026-01-14 10:00");
    world
}

async fn stored(world: &World) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dawnwatch.toml"), CONFIG).unwrap();
    let mut store = Store::open(&folder.path().join("dawnwatch.db")).await.unwrap();
    let put: Vec<Row> = world.rows.values().cloned().collect();
    store.commit(&Commit { put, ledger: world.ledger.clone(), ..Commit::default() }).await.unwrap();
    (folder, store)
}

#[tokio::test]
async fn a_past_night_is_told_from_the_ledger_while_an_agent_has_the_store() {
    let (folder, store) = stored(&a_night()).await;
    let (code, out, err) = explain(folder.path(), &["orders", "--at", "2026-01-14 09:00"]);
    assert_eq!(code, Some(0), "{err}");
    let fails = "orders failed, 2 checks wait, exec by 09:00, act by 07:20";
    for expected in [
        format!("\n  Wed 2026-01-14 03:10  began (#1: {fails})\n"),
        format!(
            "\n  Wed 2026-01-14 03:10  told in team: the first word (#1: {fails}, \"connection refused (member-db-ro:5432)\")\n"
        ),
        "\n  Wed 2026-01-14 03:10  held in team until 07:00: nobody is asked in quiet hours (#1)\n".to_owned(),
        format!("\n  Wed 2026-01-14 07:00  asked a person in team: people may be asked now (#1: {fails}, \"connection"),
        "\n  Wed 2026-01-14 07:50  arrived (exec 2026-01-14 at 07:50, run 2026-01-14 07:30)\n".to_owned(),
        "\n  Wed 2026-01-14 08:31  told in team: it is over (#1)\n".to_owned(),
        "\nDecided under another configuration (test) than the one loaded now (".to_owned(),
    ] {
        assert!(out.contains(&expected), "{expected}\nis not in\n{out}");
    }
    let (_, at_five, _) = explain(folder.path(), &["sales", "--at", "2026-01-14T05:00:00+09:00"]);
    assert!(at_five.contains("orders failed") && !at_five.contains("07:00  asked"), "{at_five}");

    let (code, out, _) = explain(folder.path(), &["exec", "--at", "2026-01-14 09:00", "--format", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["kind"], &json["cycles"]), (Some(0), &"dashboard".into(), &Value::Null));
    let reasons: Vec<&str> = json["decisions"].as_array().unwrap().iter().map(|line| line["reason"].as_str().unwrap()).collect();
    assert!(
        reasons.contains(&"cycle_ready") && reasons.contains(&"digest_trouble") && reasons.contains(&"first_word"),
        "{reasons:?}"
    );
    drop(store);
}

#[tokio::test]
async fn now_is_judged_as_of_now_and_a_source_that_was_not_asked_lately_is_not_green() {
    let (folder, store) = stored(&a_night()).await;
    store.close().await.unwrap();
    let (code, out, err) = explain(folder.path(), &["exec"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.starts_with("exec: unknown") || out.starts_with("exec: late"), "{out}");
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 3, "the configuration, the store and its lock: nothing is written");
}

#[tokio::test]
async fn a_name_that_nobody_knows_exits_2_and_no_store_3() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dawnwatch.toml"), CONFIG).unwrap();
    let (code, out, err) = explain(folder.path(), &["orders"]);
    assert_eq!((code, out.as_str()), (Some(3), ""));
    assert!(err.contains("there is no store at"), "{err}");
    let _store = Store::open(&folder.path().join("dawnwatch.db")).await.unwrap();
    let cases: [(&[&str], &str); 3] = [
        (&["oders"], "there is no check and no dashboard \"oders\"; did you mean \"orders\"?"),
        (&["weather"], "there is no check and no dashboard \"weather\"; expected one of exec, orders, sales"),
        (&["orders", "--at", "noon"], "--at \"noon\" is no time"),
    ];
    for (args, expected) in cases {
        let (code, out, err) = explain(folder.path(), args);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}: {err}");
        assert!(err.contains(expected), "{args:?}: {err}");
    }
    let (code, out, _) = explain(folder.path(), &["orders"]);
    assert!(code == Some(0) && out.contains("The ledger says nothing of it in this time."), "{out}");
}
