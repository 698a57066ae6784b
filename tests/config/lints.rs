//! What is accepted and said all the same: each lint with what brings it about, and with what does not.

use crate::{BASE, Folder};
use dawnwatch::config::{Finding, Loaded, outlook};
use dawnwatch::core::forecast::{Mixture, Tonight};
use dawnwatch::core::state::{CheckState, Row};
use dawnwatch::core::time::Instant;

fn loaded(more: &str) -> Loaded {
    let folder = Folder::new(&[("dawnwatch.toml", BASE), ("conf.d/case.toml", more)]);
    folder.load(None, &[]).unwrap_or_else(|refused| panic!("{more}\n{}", folder.lines(&refused.errors)))
}

fn texts(findings: Vec<Finding>) -> Vec<String> {
    findings.into_iter().map(|finding| finding.text).collect()
}

/// Each case brings exactly one warning, which holds the words.
fn warned(cases: &[(&str, &str)]) {
    for (case, expected) in cases {
        let found = texts(loaded(case).warnings);
        assert!(found.len() == 1 && found[0].contains(expected), "{case}\n{found:#?}");
    }
}

fn silent(cases: &[&str]) {
    for case in cases {
        assert_eq!(texts(loaded(case).warnings), [""; 0], "{case}");
    }
}

#[test]
fn what_nobody_needs_or_is_told() {
    warned(&[
        ("[checks.lone]\nsource = \"airflow\"\nid = \"x\"\n[groups.mart.exclude]\nids = [\"x\"]", "no dashboard needs check lone"),
        ("[groups.lone]\nsource = \"airflow\"\nmatch = { ids = [\"x\"] }", "no dashboard needs group:lone"),
        ("[chats.lone]\nkind = \"console\"", "nothing is ever told to chat lone"),
    ]);
    let alone = |tell: &str| {
        let text = format!("timezone = \"UTC\"\n{tell}\n[digests.d]\nat = \"06:30\"\nto = [\"c\"]\n[chats.c]\nkind = \"console\"");
        let folder = Folder::new(&[("dawnwatch.toml", &text)]);
        texts(folder.load(None, &[]).unwrap().warnings)
    };
    let found = alone("");
    assert!(found.iter().any(|text| text.contains("no tell at the top")), "{found:?}");
    let found = alone("tell = [\"c\"]");
    assert!(found.len() == 1 && found[0].contains("digest d has nothing to sum up"), "{found:?}");
}

#[test]
fn a_dashboard_without_tell_is_told_at_the_top() {
    let dashboard = "[dashboards.b]\nneeds = [\"sales_mart\"]\nready_by = \"10:00\"";
    silent(&[dashboard]);
    let folder = Folder::new(&[
        ("dawnwatch.toml", BASE.replace("tell = [\"terminal\"]", "").as_str()),
        ("conf.d/a.toml", dashboard),
        ("conf.d/b.toml", "[dashboards.exec]\nescalate = [\"terminal\"]"),
    ]);
    let found = texts(folder.load(None, &[]).unwrap().warnings);
    assert!(
        found.contains(&"neither dashboard b nor the top has a tell: nobody is told when it will be late".to_owned()),
        "{found:?}"
    );
}

#[test]
fn owners_that_nobody_can_reach() {
    warned(&[
        ("[checks.sales_mart]\nowner = \"serch\"\n[owners.search]", "did you mean \"search\"?"),
        ("[checks.sales_mart]\nowner = \"search\"\n[owners.search]\nname = \"Search\"", "owner search has no contact"),
        ("[groups.mart]\nowner = \"search\"\n[owners.search]", "owner search has no contact"),
    ]);
    silent(&["[checks.sales_mart]\nowner = \"search\"\n[owners.search]\ncontact = \"search@example.com\""]);
}

#[test]
fn declared_durations_that_do_not_fit() {
    let chain = |first: &str, second: &str, more: &str| {
        format!(
            "[checks.raw]\nsource = \"airflow\"\nduration = \"{first}\"\n[checks.late]\nsource = \"airflow\"\nneeds = [\"raw\", \"sales_mart\"]\n\
             duration = \"{second}\"\n[dashboards.b]\nneeds = [\"late\"]\nready_by = \"09:00\"\n{more}"
        )
    };
    let text = "the needs of dashboard b end 1 h 30 min after the deadline 09:00, even when they begin at 00:00: raw → late";
    warned(&[(&chain("8h", "150m", ""), text)]);
    silent(&[&chain("8h", "1h", ""), &chain("8h", "150m", "counts_from = \"-1d 20:00\"")]);
    // A later window is short, and a run that is scheduled late begins late.
    warned(&[
        (
            "[checks.sales_mart]\nduration = \"2h\"\n[dashboards.b]\nneeds = [\"sales_mart\"]\nready_by = [\"09:00\", \"10:00\"]",
            "1 h after the deadline 10:00",
        ),
        ("[checks.sales_mart]\nduration = \"2h\"\nrun = \"08:00\"", "1 h after the deadline 09:00"),
        ("[groups.mart]\nduration = \"10h\"", "group:mart"),
    ]);
    // Its own window opens the evening before.
    silent(&["[checks.sales_mart]\nduration = \"10h\"\ncounts_from = \"-1d 20:00\""]);
}

#[test]
fn quiet_that_never_ends() {
    warned(&[
        ("[chats.terminal]\nquiet = \"22:00-21:30\"", "in 30 min of it only"),
        ("[chats.terminal]\nquiet_days = \"mon-sun\"", "chat terminal is quiet on every day"),
        ("[chats.terminal]\nquiet_days = \"* * *\"", "chat terminal is quiet on every day"),
    ]);
    silent(&["[chats.terminal]\nquiet = \"22:00-07:00\"\nquiet_days = \"kr:offdays\""]);
}

#[test]
fn rungs_that_lead_nowhere() {
    let second = "[chats.second]\nkind = \"webhook\"\nurl = { env = \"B\" }\n";
    let case = |more: &str| format!("{second}[dashboards.exec]\n{more}");
    warned(&[
        (&case("escalate = [\"second\", \"terminal\"]"), "dashboard exec escalates to chat terminal, which is told first"),
        (&case("escalate = [\"second\"]\nwake = true"), "none of its chats is ever quiet"),
        ("[chats.terminal]\nquiet = \"22:00-07:00\"\n[dashboards.exec]\nwake = true", "wake = true and no escalate"),
    ]);
    silent(&[&case("escalate = [\"second\"]\nwake = true\n[chats.terminal]\nquiet = \"22:00-07:00\"")]);
}

#[test]
fn a_fallback_that_is_the_same_place() {
    let chats = |other: &str| {
        format!(
            "[chats.a]\nkind = \"slack\"\nurl = {{ env = \"A\" }}\nfallback = \"b\"\n[chats.b]\nkind = \"slack\"\nurl = {{ env = \"{other}\" }}\n\
             [digests.d]\nat = \"06:30\"\nto = [\"a\"]"
        )
    };
    warned(&[(&chats("A"), "chat a and its fallback b have the same url")]);
    silent(&[&chats("B")]);
}

#[test]
fn a_mention_that_reaches_nobody() {
    let chat = |mention: &str| {
        format!(
            "[chats.a]\nkind = \"slack\"\nurl = {{ env = \"A\" }}\nmention = \"{mention}\"\n[digests.d]\nat = \"06:30\"\nto = [\"a\"]"
        )
    };
    warned(&[(&chat("@data-oncall"), "reaches nobody in Slack"), (&chat(" "), "the mention of chat a is empty")]);
    silent(&[&chat("<@U0123ABCD>"), &chat("<!subteam^S0123ABCD|@data>"), &chat("<!here>")]);
}

#[test]
fn digests_that_come_too_late() {
    let digest = |name: &str, at: &str| format!("[digests.{name}]\nat = {at}\nto = [\"terminal\"]\n");
    let late = digest("a", "{ when = \"ready\", latest = \"09:00\" }");
    warned(&[(&late, "digest a is given at 09:00, when every deadline is over (the last is 09:00)")]);
    // Beside one that comes before, a look back in the evening is fine.
    silent(&[&format!("{}{}", digest("a", "\"06:30\""), digest("b", "\"18:00\"")), &digest("a", "\"08:59\"")]);
}

#[test]
fn a_week_is_told_on_a_day_of_its_own_and_at_any_hour() {
    let week = |on: &str| format!("[digests.w]\nabout = \"week\"\nat = \"09:30\"\n{on}\nto = [\"terminal\"]\n");
    warned(&[(&week(""), "digest w tells the last 7 days on every day"), (&week("on = \"sun-sat\""), "on every day")]);
    silent(&[&week("on = \"mon\""), &week("on = \"day 1\"")]);
    // It stands in for no digest that comes too late.
    let late = format!("{}[digests.a]\nat = \"10:00\"\nto = [\"terminal\"]", week("on = \"mon\"").replace("09:30", "06:30"));
    warned(&[(&late, "digest a is given at 10:00")]);
}

#[test]
fn a_manner_that_no_chat_can_do_yet() {
    let digest = |green: &str| format!("[digests.d]\nat = \"06:30\"\nto = [\"terminal\"]\nwhen_all_green = {{ {green} }}");
    warned(&[
        (&digest("workdays = \"quiet\""), "workdays = \"quiet\": no chat can edit a message yet, so digest d is silent then"),
        (&digest("otherwise = \"quiet\""), "otherwise = \"quiet\": no chat can edit a message yet"),
    ]);
    silent(&[&digest("workdays = \"silent\", otherwise = \"post\""), &digest("workdays = \"post\"")]);
    let found = loaded(&digest("workdays = \"quiet\"")).warnings;
    assert!(found[0].to_string().contains("case.toml:4:31"), "{}", found[0]);
}

#[test]
fn days_that_never_come() {
    warned(&[
        ("[dashboards.exec]\non = \"30 2 *\"", "dashboard exec is never due"),
        ("[dashboards.exec]\non = \"kr:workdays\"\naudience = \"kr:offdays\"", "nobody ever looks at dashboard exec"),
        ("[dashboards.exec]\non = \"mon-fri\"\naudience_also = [\"2026-11-29\"]", "dashboard exec is not due on 2026-11-29"),
    ]);
    // 29 February comes, and an audience on one day in the month is one.
    silent(&[
        "[dashboards.exec]\non = \"29 2 *\"",
        "[dashboards.exec]\non = \"kr:workdays\"\naudience = \"kr:workday -1\"\naudience_also = [\"2026-11-27\"]",
    ]);
}

#[test]
fn maintenance_at_a_deadline() {
    let window = |what: &str| format!("[maintenance.night]\n{what}");
    let text = "maintenance night covers the deadline 09:00 of dashboard exec";
    warned(&[
        (&window("sources = [\"airflow\"]\nhours = \"08:30-09:30\""), text),
        (&window("sources = [\"airflow\"]\non = \"day 1\""), text),
        (&window("checks = [\"sales_mart\"]\nhours = \"23:00-22:00\""), text),
    ]);
    silent(&[
        &window("sources = [\"airflow\"]\nhours = \"02:00-09:00\""),
        // The Sunday's deadline is over when it begins, and it is over on Monday.
        &window("sources = [\"airflow\"]\non = \"sun\"\nhours = \"23:00-08:00\""),
        &window("sources = [\"airflow\"]\non = \"sat,sun\"\n[dashboards.exec]\non = \"mon-fri\""),
        &window("sources = [\"jobs\"]"),
    ]);
}

#[test]
fn stale_between_two_looks() {
    warned(&[
        ("[checks.sales_mart]\nmax_age = \"30s\"", "max_age is 30 s, but source airflow is asked only every 1 min"),
        (
            "[sources.airflow]\nevery = \"2h\"\n[groups.mart]\nmax_age = \"90m\"",
            "max_age is 1 h 30 min, but source airflow is asked only every 2 h",
        ),
    ]);
    silent(&["[checks.sales_mart]\nmax_age = \"60s\""]);
}

#[test]
fn a_calendar_that_ends_soon() {
    let loaded = loaded("");
    let at = |now: &str| texts(outlook::calendars(&loaded, now.parse().unwrap()));
    assert_eq!(at("2027-09-01T00:00:00Z"), [""; 0]);
    assert_eq!(
        at("2027-12-01T00:00:00Z"),
        ["calendar kr knows the holidays up to 2027-12-31, for 30 more days: days after it are judged as if somebody looks"]
    );
    // In Seoul the year has begun.
    assert_eq!(
        at("2027-12-31T20:00:00Z"),
        ["calendar kr knew the holidays up to 2027-12-31, which is over: days after it are judged as if somebody looks"]
    );
}

fn history(check: &str, group: Option<&str>, arrived_s: i32, nights: usize) -> Row {
    let mut habits = Mixture::default();
    for day in 1..=nights {
        let date = format!("2026-11-{day:02}").parse().unwrap();
        habits.learn(Tonight::of(date, 0, 86_400, |_| None), Some(arrived_s), None);
    }
    let state = CheckState {
        fingerprint: ("airflow".into(), check.into()),
        known_since: Instant::UNIX_EPOCH,
        newest: None,
        groups: group.map(Into::into).into_iter().collect(),
        silent_until_success: false,
        seen: None,
        arrivals: vec![],
        habits: habits.into(),
        moved: None,
        resumed: None,
        failures: vec![],
    };
    Row::Check(check.into(), Box::new(state))
}

#[test]
fn a_deadline_before_the_usual_arrival() {
    let loaded = loaded("");
    let said = |row: Row| texts(outlook::arrivals(&loaded, &[row]));
    let late_s = 9 * 3_600 + 40 * 60;
    assert_eq!(
        said(history("sales_mart", None, late_s, 12)),
        [
            "the deadline 09:00 of dashboard exec is before sales_mart usually arrives (09:40, by its last 12 nights): it will be missed as a rule"
        ]
    );
    assert_eq!(said(history("dm_orders", Some("mart"), late_s + 86_400, 12)).len(), 1);
    let silent = [
        history("sales_mart", None, late_s, 2),
        history("sales_mart", None, 9 * 3_600, 12),
        history("sales_mart", None, -3_600, 12),
        history("somebody_elses", None, late_s, 12),
        history("dm_orders", Some("other"), late_s, 12),
    ];
    for row in silent {
        assert_eq!(said(row.clone()), [""; 0], "{row:?}");
    }
}
