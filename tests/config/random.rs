//! Whatever the files hold: an answer, never a panic.

use crate::{BASE, Folder};
use proptest::prelude::*;

/// Text that is nearly a configuration, so that it comes further than the parser.
fn nearly() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("\"group:mart\"".to_owned()),
        Just("{ env = \"X\" }".to_owned()),
        Just("{ value = \"X\" }".to_owned()),
        Just("[\"a\", \"b\", 3]".to_owned()),
        Just("[[\"a\"], {}]".to_owned()),
        Just("2026-12-31".to_owned()),
        prop::sample::select(vec![
            "sql",
            "file",
            "sqlite:x",
            "postgres://a:b@c/d",
            "a/{date:%F}",
            "a/run_results.json",
            "-1 b:workdays"
        ])
        .prop_map(|text| format!("{text:?}")),
        Just("-0x1".to_owned()),
        Just("1e999".to_owned()),
        "[0-9a-z:*{}$ -]{0,12}".prop_map(|text| format!("{text:?}")),
        "\\PC{0,8}".prop_map(|text| format!("'{}'", text.replace('\'', ""))),
    ];
    let section = prop::sample::select(vec![
        "calendars",
        "owners",
        "sources",
        "templates",
        "groups",
        "checks",
        "dashboards",
        "chats",
        "digests",
        "web",
        "store",
        "heartbeat",
        "maintenance",
    ]);
    let name = prop::sample::select(vec!["a", "b", "exec", "sales_mart", "mart", "airflow", "\"\""]);
    let key = prop::sample::select(vec![
        "kind",
        "url",
        "needs",
        "source",
        "extends",
        "id",
        "on",
        "ready_by",
        "at",
        "holidays",
        "off",
        "work",
        "match",
        "headers",
        "token",
        "through",
        "states",
        "items",
        "state",
        "when_all_green",
        "listen",
        "tell",
        "quiet",
        "password",
        "match.ids",
        "at.latest",
        "every",
        "sources",
        "checks",
        "hours",
        "duration",
        "audience",
        "query",
        "path",
        "date",
        "dbt",
        "root",
        "timezone",
        "x",
    ]);
    let table = (section, name, prop::collection::vec((key, value), 0..6)).prop_map(|(section, name, keys)| {
        let keys: String = keys.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        format!("[{section}.{name}]\n{keys}")
    });
    prop::collection::vec(table, 0..6).prop_map(|tables| tables.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,80}", more in nearly(), value in "\\PC{0,20}") {
        for text in [text, more] {
            let folder = Folder::new(&[("dawnwatch.toml", BASE), ("conf.d/a.toml", &text)]);
            let _ = folder.load(None, &[("DAWNWATCH__DASHBOARDS__EXEC__NEEDS", &value), ("DAWNWATCH__WEB__TOKEN__ENV", &value)]);
        }
    }
}

#[test]
fn what_is_nested_too_deeply_is_refused() {
    const DEPTH: usize = 50_000;
    let deep = [
        format!("x = {}1{}", "[".repeat(DEPTH), "]".repeat(DEPTH)),
        format!("x = {}1{}", "{a=".repeat(DEPTH), "}".repeat(DEPTH)),
        format!("{}x = 1", "a.".repeat(DEPTH)),
        format!("[{}x]", "a.".repeat(DEPTH)),
    ];
    for text in &deep {
        let folder = Folder::new(&[("dawnwatch.toml", text)]);
        assert!(folder.load(None, &[]).is_err());
    }
}
