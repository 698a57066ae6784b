//! `dawnwatch test`: what makes no sense is named with its place, what does not hold is shown with what was decided, and CI reads it.

#[path = "support/command.rs"]
mod command;

use std::fs;
use tempfile::TempDir;

/// All that a night needs, without a configuration elsewhere.
const WITH: &str = r#"
[with]
timezone = "Asia/Seoul"
tell = ["team"]
[with.sources.airflow]
kind = "airflow"
url = "http://127.0.0.1:8080"
token = { env = "AIRFLOW_TOKEN" }
[with.checks.orders]
source = "airflow"
duration = "40m"
[with.dashboards.exec]
needs = ["orders"]
ready_by = "09:00"
tell = ["team"]
[with.chats.team]
kind = "console"
"#;
const HEAD: &str = "name = \"Orders fail\"\nfrom = \"2026-11-23 00:00\"\nto = \"2026-11-23 12:00\"\n";
const FAIL: &str = "rows = \"\"\"\ncheck,started_at,arrived_at,state,error\norders,03:00,03:10,failed,<disk full>\n\"\"\"\n";
const ALERT: &str = "[[expect]]\nat = \"03:10\"\nkind = \"alert\"\nverdict = \"failed\"\n";

struct Ended {
    code: Option<i32>,
    out: String,
    folder: TempDir,
}

fn test(files: &[(&str, String)], args: &[&str]) -> Ended {
    dawnwatch(files, &[&["test"], args].concat())
}

fn dawnwatch(files: &[(&str, String)], args: &[&str]) -> Ended {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
        fs::write(folder.path().join(name), text).unwrap();
    }
    let (code, out, err) = command::dawnwatch(args, |command| command.current_dir(folder.path()));
    Ended { code, out: out + &err, folder }
}

fn night(middle: &str) -> String {
    format!("{HEAD}{middle}{WITH}")
}

#[test]
fn a_night_that_holds_exits_0_and_needs_no_secret() {
    let ended = test(&[("a.toml", night(&format!("{FAIL}{ALERT}")))], &["a.toml"]);
    assert_eq!(ended.code, Some(0), "{}", ended.out);
    assert_eq!(ended.out, "holds   a.toml: Orders fail\n1 golden night: 1 hold\n");
}

#[test]
fn what_does_not_hold_is_shown_with_the_decisions_near_it() {
    let wrong = format!("{FAIL}{}[[decides]]\nat = \"03:10\"\nreason = \"muted\"\n", ALERT.replace("failed", "late"));
    let ended = test(&[("a.toml", night(&wrong))], &["a.toml"]);
    assert_eq!(ended.code, Some(1));
    let expected = "\
FAILS   a.toml: Orders fail
      expected               got
    ! Mon 03:10 alert late   Mon 03:10 team alert notify failed orders
        a.toml:8:1: verdict is failed
      decisions near it:
        Mon 03:10 incident 1 team hold until Mon 03:11 (failure_awaited)
        Mon 03:10 incident 1 team say notify (first_word)
        Mon 03:10 incident 1 team silent (already_told)
  a.toml:12:1: the ledger does not hold this decision: Mon 03:10 (muted)
      decisions near it:
        Mon 03:10 incident 1 team hold until Mon 03:11 (failure_awaited)
        Mon 03:10 incident 1 team say notify (first_word)
        Mon 03:10 incident 1 team silent (already_told)
1 golden night: 0 hold, 1 do not
";
    assert_eq!(ended.out, expected);
}

#[test]
fn what_nobody_expected_and_what_did_not_come_fail() {
    for (middle, words) in [
        (FAIL.to_owned(), "(nothing)"),
        (format!("{}{ALERT}", FAIL.replace("failed", "success")), "(nothing)"),
        (format!("{FAIL}{ALERT}[[silence]]\nfrom = \"03:00\"\nto = \"04:00\"\n"), "silence is expected"),
        (format!("{FAIL}{ALERT}[[expect]]\nat = \"04:00\"\nkind = \"heartbeat\"\n"), "no proof of life went out at Mon 04:00"),
        (format!("{FAIL}{ALERT}says = [\"on fire\"]\n"), "it does not say \"on fire\""),
    ] {
        let ended = test(&[("a.toml", night(&middle))], &["a.toml"]);
        assert_eq!(ended.code, Some(1), "{}", ended.out);
        assert!(ended.out.contains(words), "{words:?} is missing in\n{}", ended.out);
    }
}

#[test]
fn what_makes_no_sense_is_named_with_its_place_and_exits_2() {
    let cases = [
        ("situaton = []\n", "a.toml:4:1: unknown key \"situaton\" at the top; did you mean \"situations\"?"),
        ("[[happens]]\nat = \"25:00\"\ndark = \"airflow\"\n", "a.toml:5:6: at: \"25:00\" is no time; expected \"03:10\","),
        (
            "[[happens]]\nat = \"03:00\"\ndark = \"airflo\"\n",
            "a.toml:6:8: there is no source \"airflo\"; did you mean \"airflow\"?",
        ),
        ("[[happens]]\nat = \"03:00\"\ndark = \"airflow\"\nsays = \"x\"\n", "a.toml:7:8: says means nothing to dark"),
        ("[[happens]]\nat = \"03:00\"\ngone = \"orders\"\ndark = \"airflow\"\n", "gone and dark stand in one [[happens]]"),
        ("[[happens]]\nat = \"03:00\"\n", "nothing happens here; expected one of dark"),
        (
            "[[happens]]\nat = \"03:00\"\nreload = { dashboards = { exec = { ready_bye = \"1\" } } }\n",
            "a.toml:6:36: unknown key \"ready_bye\"",
        ),
        ("[[happens]]\nat = \"03:00\"\norder = \"ack\"\nuntil = \"04:00\"\n", "incident is missing beside order"),
        (
            "[[happens]]\nat = \"03:00\"\nasleep = \"05:00\"\n[[happens]]\nat = \"04:00\"\nrestart = true\n",
            "at Mon 04:00 the machine sleeps",
        ),
        ("[[expect]]\nat = \"03:10\"\nkind = \"alrt\"\n", "a.toml:6:8: there is no kind \"alrt\"; did you mean \"alert\"?"),
        ("[[expect]]\nkind = \"alert\"\n", "a.toml:4:1: at is missing"),
        (
            "[[decides]]\nat = \"03:10\"\nreason = \"quiet_hour\"\n",
            "a.toml:6:10: there is no reason \"quiet_hour\"; did you mean \"quiet_hours\"?",
        ),
        ("rows = \"\"\"\ncheck,stat\n\"\"\"\n", "a.toml:5:1: there is no column \"stat\"; did you mean \"state\"?"),
        (
            "rows = \"\"\"\n# they load it\n\ncheck,arrived_at,state\norders,soon\n\"\"\"\n",
            "a.toml:8:1: arrived_at: \"soon\" is no time; expected \"03:10\"",
        ),
        (
            "rows = \"\"\"\ncheck,arrived_at\nordres,03:00\n\"\"\"\n",
            "a.toml:6:1: check: there is no check \"ordres\"; did you mean \"orders\"?",
        ),
    ];
    for (middle, expected) in cases {
        let ended = test(&[("a.toml", night(middle))], &["a.toml"]);
        assert_eq!(ended.code, Some(2), "{middle}\n{}", ended.out);
        assert!(ended.out.contains(expected), "{expected:?} is missing in\n{}", ended.out);
    }
}

/// Whatever a row can say: a run tried again, and one cleared; a path with a date; what could not be asked; what never ended.
const ROWS: &str = "check,started_at,arrived_at,state,error,timestamp,run_after,run_type
orders,2026-11-23T03:00:00+09:00,2026-11-23T03:10:00+09:00,retrying,refused,,,
orders,2026-11-23T03:15:00+09:00,2026-11-23T03:30:00+09:00,failed,disk full,,,
orders,2026-11-23T07:30:00+09:00,2026-11-23T07:50:00+09:00,,,,2026-11-23T03:00:00+09:00,
sales,2026-11-23T05:00:00+09:00,,,,,,
sales,2026-11-23T08:00:00+09:00,2026-11-23T08:20:00+09:00,,,,,manual
clicks,,2026-11-23T04:00:00+09:00,,,,,
clicks,2026-11-23T02:00:00+09:00,2026-11-23T03:00:00+09:00,unreachable,,,,
prices,,2026-11-23T08:40:00+09:00,,,,,
prices,,2026-11-23T05:00:00+09:00,,,2026-11-20T12:00:00+09:00,,
source:landing,2026-11-23T08:10:00+09:00,2026-11-23T08:30:00+09:00,unreachable,,,,
";
const MORE: &str = r#"
[with.checks.sales]
source = "airflow"
[with.sources.landing]
kind = "file"
root = "/data"
[with.checks.clicks]
source = "landing"
path = "clicks/{date:%F}/_SUCCESS"
date = "-1d"
[with.checks.prices]
source = "landing"
path = "prices/{date:%F}/_SUCCESS"
[with.dashboards.all]
needs = ["orders", "sales", "clicks", "prices"]
ready_by = "08:35"
tell = ["team"]
"#;

#[test]
fn a_row_means_the_same_in_a_night_as_in_a_history() {
    let config = format!("{WITH}{MORE}").replace("[with.", "[").replace("[with]", "");
    let night = format!("{HEAD}rows = \"\"\"\n{ROWS}\"\"\"\n");
    let files = [("a.toml", config), ("history.csv", ROWS.to_owned())];
    let mut args = vec!["replay", "--config", "a.toml", "--history", "history.csv"];
    args.extend(["--from", "2026-11-23", "--to", "2026-11-23", "--format", "jsonl"]);
    let replayed = dawnwatch(&files, &args);
    let mut expected = String::new();
    let mut messages = 0;
    for line in replayed.out.lines().filter(|line| line.contains("\"text\"") && !line.contains("\"silent\"")) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        messages += 1;
        let keys = ["at", "chat", "kind", "attention", "verdict", "cause", "dashboards", "checks"];
        let told =
            keys.iter().filter(|key| !line[**key].is_null()).map(|key| format!("{key} = {}\n", line[*key])).collect::<String>();
        expected += &format!("[[expect]]\n{told}says = [{}]\n", line["text"]);
    }
    assert!(messages > 5, "{}", replayed.out);
    let ended = test(&[("a.toml", format!("{night}{expected}{WITH}{MORE}"))], &["a.toml"]);
    assert_eq!(ended.code, Some(0), "{}", ended.out);
}

#[test]
fn a_member_by_its_tag_is_told_of_or_the_only_one_it_can_be() {
    let group = |name: &str| format!("[with.groups.{name}]\nsource = \"airflow\"\nmatch = {{ tags = [\"{name}\"] }}\n");
    let one = format!("{WITH}{}", group("marts")).replace("needs = [\"orders\"]", "needs = [\"group:marts\"]");
    let two = format!("{one}{}", group("raw"));
    let rows = FAIL.replace("orders", "facts");
    let told = "[[happens]]\nat = \"00:00\"\nmember = \"facts\"\ntags = [\"marts\"]\n";
    let alert = format!("{ALERT}cause = \"facts\"\n");
    for (with, middle, expected) in [
        (&one, rows.clone(), Ok(())),
        (&two, format!("{rows}{told}"), Ok(())),
        (
            &two,
            rows.clone(),
            Err("a.toml:6:1: check: \"facts\" could be a member of marts or of raw: these groups select by tags or owners"),
        ),
        (&two, format!("{rows}{}", told.replace("facts", "facts_b")), Err("a.toml:6:1: check: \"facts\" could be")),
    ] {
        let ended = test(&[("a.toml", format!("{HEAD}{middle}{alert}{with}"))], &["a.toml"]);
        match expected {
            Ok(()) => assert_eq!(ended.code, Some(0), "{}", ended.out),
            Err(words) => assert!(ended.code == Some(2) && ended.out.contains(words), "{words:?} is missing in\n{}", ended.out),
        }
    }
    // Neither a check nor what any source lists.
    let ended = test(&[("a.toml", night(&told.replace("facts", "ordres")))], &["a.toml"]);
    assert_eq!(ended.out.matches("a.toml:").count(), 2, "{}", ended.out);
    assert!(ended.out.contains("a.toml:6:10: there is no check \"ordres\"; did you mean \"orders\"?"), "{}", ended.out);
}

#[test]
fn a_folders_configurations_are_no_nights() {
    let files = [
        ("nights/a.toml", night(&format!("{FAIL}{ALERT}"))),
        ("nights/base.toml", "timezone = \"UTC\"\n".to_owned()),
        ("nights/more/b.toml", night("")),
    ];
    let ended = test(&files, &["nights"]);
    assert_eq!((ended.code, ended.out.lines().last()), (Some(0), Some("1 golden night: 1 hold")), "{}", ended.out);
    let ended = test(&[("nights/base.toml", "timezone = \"UTC\"\n".to_owned())], &["nights"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.out.contains("nights holds no golden night"), "{}", ended.out);
    let ended = test(&[], &["nowhere.toml"]);
    assert_eq!(ended.code, Some(2), "{}", ended.out);
}

#[test]
fn machines_read_it_as_json_and_as_junit() {
    let files = [("a.toml", night(FAIL)), ("b.toml", night("x = 1\n")), ("c.toml", night(&format!("{FAIL}{ALERT}")))];
    let ended = test(&files, &["a.toml", "b.toml", "c.toml", "--junit", "j.xml", "--format", "json"]);
    assert_eq!(ended.code, Some(2));
    let json: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((&json["hold"], &json["fail"], &json["refused"]), (&1.into(), &1.into(), &1.into()));
    assert_eq!(json["nights"][0]["outcome"], "fails");
    assert_eq!(json["nights"][1]["findings"][0]["place"], "b.toml:4:1");
    let xml = fs::read_to_string(ended.folder.path().join("j.xml")).unwrap();
    for part in
        ["tests=\"3\" failures=\"1\" errors=\"1\"", "<failure message=", "<error message=\"b.toml:4:1: ", "name=\"Orders fail\""]
    {
        assert!(xml.contains(part), "{part} is missing in\n{xml}");
    }
}
