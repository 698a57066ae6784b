//! The reader on lists, single items, odd words and odd times.

use super::parse::*;
use crate::config::wiring::{HttpWiring, StateWord};
use crate::core::observation::{Fact, Why};
use crate::core::plan::Id;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn wiring() -> HttpWiring {
    let path = |text: &str| Some(text.to_owned());
    HttpWiring {
        url: "http://127.0.0.1:9/jobs".to_owned(),
        headers: BTreeMap::new(),
        items: path("$.jobs[*]"),
        id: path("$.name"),
        state: path("$.state"),
        started_at: path("$.started"),
        ended_at: path("$.ended"),
        timestamp: path("$.newest"),
        error: path("$.message"),
        states: BTreeMap::from([
            (StateWord::Failed, vec!["ERR*".to_owned()]),
            (StateWord::Success, vec!["err-but-fine".to_owned()]),
        ]),
    }
}

fn reader() -> Reader {
    Reader::build(&wiring()).unwrap()
}

/// What the reader makes of a list, for the subjects `a` and `b`.
fn many(body: &Value) -> Result<BTreeMap<Id, Found>, Why> {
    reader().many(body.to_string().as_bytes(), &[Id::from("a"), Id::from("b")]).map_err(|e| e.why)
}

/// What the reader makes of one item.
fn fact(mut item: Value) -> String {
    item["name"] = json!("a");
    let found = many(&json!({"jobs": [item]})).unwrap().remove("a").unwrap();
    match found.fact {
        Fact::Runs(runs) => runs.iter().map(|r| format!("{:?} {}", r.state, r.scheduled_at.format("%d %H:%M"))).collect(),
        Fact::Timestamp(at) => at.map_or("no data".to_owned(), |at| at.format("data %d %H:%M").to_string()),
        Fact::Dated(_) => unreachable!("an HTTP source knows no dates"),
        Fact::Suspicious(reason) => format!("? {reason}"),
    }
}

#[test]
fn what_would_take_too_much_memory_is_not_read() {
    let mib = 1024 * 1024;
    for piece in ["{\"\":0},", "[[]],", "[1],", "1,"] {
        let body = format!("{{\"jobs\": [{}0]}}", piece.repeat(8 * mib / piece.len()));
        let error = reader().many(body.as_bytes(), &[Id::from("a")]).unwrap_err();
        assert!(error.why == Why::TooLarge && error.detail.ends_with("read, they take more than 192 MiB"), "{piece}: {error:?}");
    }
    let job =
        r#"{"name": "load_orders_0001", "state": "success", "started": "2026-11-23T03:00:00Z", "ended": "2026-11-23T03:10:00Z"},"#;
    assert!(weight(job.repeat(8 * mib / job.len()).as_bytes()) < VALUES_BYTES, "an honest list is read");
}

#[test]
fn items_become_facts() {
    let t = "2026-11-23T03:00:00+09:00";
    let cases = [
        (json!({"state": "Succeeded", "started": t}), "Success 22 18:00"),
        (json!({"state": "IN-PROGRESS", "started": 1_795_402_800}), "Running 23 03:00"),
        (json!({"state": "done", "ended": t}), "Success 22 18:00"),
        (json!({"state": "up for retry", "started": t}), "Retrying { task: \"a\" } 22 18:00"),
        // The configuration's globs, whatever their case, before the usual words; the longer before the shorter.
        (json!({"state": "Err42", "started": t}), "Failed 22 18:00"),
        (json!({"state": "err-but-fine", "started": t}), "Success 22 18:00"),
        (json!({"state": "queued"}), ""),
        (json!({"state": null}), ""),
        (json!({"state": "success"}), "? it is \"success\", but has no time that says of which run"),
        (json!({"state": "hibernating", "started": t}), "? its state \"hibernating\" is not known; name it under `states`"),
        (json!({"state": ["ok"], "started": t}), "? its state is neither text nor a number"),
        (json!({"state": "ok", "started": "2026-11-23T03:00:00"}), "? its started_at has no time zone"),
        (json!({"state": "ok", "started": "soon"}), "? its started_at is no time"),
        (json!({"newest": t}), "data 22 18:00"),
        (json!({"newest": "1795402800000"}), "data 23 03:00"),
        (json!({"newest": null}), "no data"),
        (json!({}), "no data"),
        (json!({"newest": "2026-11-23 03:00:00"}), "? its timestamp has no time zone"),
    ];
    for (item, expected) in cases {
        assert_eq!(fact(item.clone()), expected, "{item}");
    }
}

#[test]
fn a_list_is_absent_empty_or_wrong() {
    let names = |found: BTreeMap<Id, Found>| found.keys().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let item = |name: Value| json!({"name": name, "state": "queued"});
    let cases = [
        (json!({"jobs": []}), Ok("")),
        (json!({"jobs": [item(json!("b")), item(json!("other"))]}), Ok("b")),
        (json!({"jobs": {"x": item(json!("a"))}}), Ok("a")),
        (json!({"error": "maintenance"}), Err(Why::Malformed)),
        (json!({"jobs": null}), Err(Why::Malformed)),
        (json!({"jobs": "none"}), Err(Why::Malformed)),
        (json!({"jobs": [1, 2]}), Err(Why::Malformed)),
        (json!({"jobs": [{"title": "a"}]}), Err(Why::Malformed)),
        (json!([]), Err(Why::Malformed)),
    ];
    for (body, expected) in cases {
        assert_eq!(many(&body).map(names), expected.map(str::to_owned), "{body}");
    }
    // A number is an id as well.
    let wanted = [Id::from("7")];
    let found = reader().many(json!({"jobs": [item(json!(7))]}).to_string().as_bytes(), &wanted).unwrap();
    assert!(found.contains_key("7"));
}

#[test]
fn of_two_items_of_one_id_the_newer_counts_and_the_odd_one_is_not_hidden() {
    let item = |state: &str, started: Value| json!({"name": "a", "state": state, "started": started});
    let (old, new) = (json!("2026-11-22T00:00:00Z"), json!("2026-11-23T00:00:00Z"));
    let state = |items: Vec<Value>| format!("{:?}", many(&json!({ "jobs": items })).unwrap().remove("a").unwrap().fact);
    assert!(state(vec![item("failed", new.clone()), item("ok", old.clone())]).contains("Failed"));
    assert!(state(vec![item("ok", old), item("failed", new.clone())]).contains("Failed"));
    assert!(state(vec![item("ok", new), item("ok", json!("no time"))]).contains("Suspicious"));
}

#[test]
fn a_body_may_be_the_one_item() {
    let reader = Reader::build(&HttpWiring { items: None, id: None, ..wiring() }).unwrap();
    let body = json!({"state": "failed", "started": "2026-11-23T00:00:00Z", "message": " disk\nfull "}).to_string();
    let found = reader.one(body.as_bytes(), &Id::from("any")).unwrap().unwrap();
    assert_eq!(found.error.as_deref(), Some("disk full"));
    assert_eq!(reader.one(b"[1]", &Id::from("any")).unwrap_err().why, Why::Malformed);
    assert_eq!(reader.one(b"{\"state\": \"fai", &Id::from("any")).unwrap_err().why, Why::Malformed);
    assert!(reader.many(body.as_bytes(), &[Id::from("only")]).unwrap().contains_key("only"));
    // Two checks and no name: whose it is, nobody can say.
    assert_eq!(reader.many(body.as_bytes(), &[Id::from("x"), Id::from("y")]).unwrap_err().why, Why::Malformed);
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop_oneof!["[a-z]{0,8}", Just("success".to_owned()), Just("2026-11-23T00:00:00Z".to_owned()), "\\PC{0,12}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.prop_map(Value::from)
    ];
    let key =
        prop_oneof![Just("name"), Just("state"), Just("started"), Just("newest"), Just("jobs"), Just("x")].prop_map(str::to_owned);
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(key.clone(), inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_answer_makes_the_reader_panic(body in any_json(), cut in 0..200_usize) {
        let text = json!({"jobs": [body.clone()]}).to_string();
        let subjects = [Id::from("a"), Id::from("success")];
        let _ = reader().many(text.as_bytes(), &subjects);
        let _ = reader().many(body.to_string().as_bytes(), &subjects);
        let _ = reader().one(&text.as_bytes()[..cut.min(text.len())], &subjects[0]);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
        let _ = reader().one(&bytes, &Id::from("a"));
    }
}
