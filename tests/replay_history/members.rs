//! Who is meant by a name in a CSV, and when a source begins to list what has rows.

use super::csv::{dataset, rows};
use super::*;
use dawnwatch::replay::HistoryError;

/// What is so before anything happens.
async fn beginning(plan: &Plan, text: &str) -> Vec<String> {
    let (_folder, path) = file(&rows(text));
    let all = all(History::csv(&path, &Arc::new(plan.clone())).unwrap()).await;
    let beginning = all.into_iter().filter(|observed| observed.at == BEGINNING);
    let shown = beginning.map(|observed| match observed.news {
        News::Subject { source, subject, fact } => format!("{source} {subject}: {}", fact_shown(&fact.unwrap())),
        news => listed(&news),
    });
    shown.collect()
}

fn listed(news: &News) -> String {
    let News::Listing { source, changed, gone } = news else { return format!("{news:?}") };
    assert!(gone.is_empty());
    let member = |member: &Member| format!("{}{:?}", member.subject, member.tags);
    format!("{source} lists {}", changed.iter().map(member).collect::<Vec<_>>().join(" "))
}

fn airflow() -> Plan {
    let mut plan = plan();
    plan.sources.get_mut(&id("airflow")).unwrap().kind = SourceKind::Airflow;
    plan
}

fn group(source: &str, tags: &[&str], ids: &[&str], exclude: &[&str]) -> Group {
    let strings = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    Group {
        source: id(source),
        matches: Matcher { tags: strings(tags), ids: strings(ids), owners: vec![] },
        exclude: Matcher { ids: strings(exclude), ..Matcher::default() },
        each: Check { source: id(source), ..check("") },
    }
}

#[tokio::test]
async fn what_the_plan_names_is_known_from_the_beginning_also_without_a_row() {
    let mut plan = airflow();
    dataset("raw", &mut plan, Evidence::ArrivalTime);
    assert_eq!(
        beginning(&plan, "check,arrived_at\n").await,
        ["airflow lists orders[] raw[] sales[]", "airflow orders: ", "airflow raw: newest none", "airflow sales: "]
    );
}

/// Two sources that list, and three groups of all kinds.
fn groups() -> Plan {
    let mut plan = airflow();
    let other = plan.sources[&id("airflow")].clone();
    plan.sources.insert(id("lab"), other);
    plan.groups.insert(id("any"), group("airflow", &["daily"], &[], &["*_test"]));
    plan.groups.insert(id("lab"), group("lab", &["x", "y"], &["lab_*", "both_*", "mart_old"], &[]));
    plan.groups.insert(id("mart"), group("airflow", &["mart"], &["mart_*", "both_*", "sal*"], &["mart_old"]));
    plan
}

#[tokio::test]
async fn a_name_that_is_no_check_is_a_member_of_the_groups_that_it_fits() {
    let mut plan = groups();
    plan.groups.insert(id("all_marts"), group("airflow", &["all"], &["mart*"], &[]));
    // By its id in its source: a check that has another name, and is no member of the group without ids.
    plan.checks.insert(id("facts"), Check { subject: id("facts_daily"), ..check("facts") }.into());
    let text = "check,arrived_at,state
        mart_a,Mon 03:00,
        airflow/mart_a,Mon 03:00,
        airflow/both_b,Mon 03:00,
        lab/both_b,Mon 03:00,
        lab_1,Mon 03:00,
        loose,Mon 03:00,
        loose_test,Mon 03:00,
        facts_daily,Mon 03:00,
        source:nowhere,Mon 03:00,unreachable";
    assert_eq!(
        beginning(&plan, text).await,
        [
            // One that fits a group by its id is in that: whether it has another group's tag nobody knows. One that fits none is in the
            // only group that asks for none.
            r#"airflow lists both_b["mart"] facts_daily[] loose["daily"] mart_a["all", "mart"] orders[] sales["mart"]"#,
            r#"lab lists both_b["x"] lab_1["x"]"#,
            "airflow facts_daily: ",
            "airflow orders: ",
            "airflow sales: ",
            "airflow mart_a: ",
            "airflow both_b: ",
            "lab both_b: ",
            "lab lab_1: ",
            "airflow loose: ",
        ]
    );
}

#[tokio::test]
async fn a_name_that_could_be_of_several_is_refused_and_the_way_out_is_said() {
    let mut plan = groups();
    plan.groups.insert(id("hourly"), group("airflow", &["hourly"], &[], &[]));
    let text = rows(
        "check,arrived_at
         both_b,Mon 03:00
         mart_a,Mon 03:00
         loose,Mon 03:00
         loose,Tue 03:00
         loose_test,Mon 03:00",
    );
    let (folder, path) = file(&text);
    let Err(HistoryError::Refused(findings)) = History::csv(&path, &Arc::new(plan)) else { panic!("it was taken") };
    let folder = format!("{}/", folder.path().display());
    let told: Vec<String> = findings.iter().map(|finding| finding.to_string().replace(&folder, "")).collect();
    assert_eq!(
        told,
        [
            r#"nights.csv:2:check: "both_b" could be of airflow or of lab; expected airflow/both_b or lab/both_b"#,
            "nights.csv:4:check: \"loose\" could be a member of any or of hourly: these groups select by tags or owners, which no row tells; \
             give them ids in match, or name it under [checks]",
        ]
    );
}

#[tokio::test]
async fn what_has_its_first_row_later_is_listed_from_then_on() {
    let mut plan = airflow();
    plan.groups.insert(id("mart"), group("airflow", &[], &["mart_*"], &[]));
    let text = rows(
        "check,started_at,arrived_at
         mart_late,Wed 03:00,Wed 03:40
         mart_late,Tue 03:01,Tue 03:40
         mart_a,Mon 03:00,Mon 03:40
         mart_daily,Tue 03:00,
         sales,Thu 03:00,Thu 03:40",
    );
    let first = beginning(&plan, &text).await;
    assert_eq!(first[0], "airflow lists mart_a[] mart_daily[] orders[] sales[]");
    assert!(!first.iter().any(|line| line.contains("mart_late")), "{first:?}");
    let (_folder, path) = file(&text);
    let all = all(History::csv(&path, &Arc::new(plan)).unwrap()).await;
    let listings: Vec<String> = all
        .iter()
        .filter(|observed| observed.at != BEGINNING && matches!(observed.news, News::Listing { .. }))
        .map(|observed| format!("{} {}", local(observed.at), listed(&observed.news)))
        .collect();
    assert_eq!(listings, ["Tue 03:01 airflow lists mart_late[]"]);
}
