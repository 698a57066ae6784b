//! The configurations that ship: all are accepted, without a warning, with no secret set.

use crate::Folder;
use dawnwatch::config::{Loaded, load};
use dawnwatch::core::plan::{Id, Language, Need, When};
use dawnwatch::core::time::ClockTime;
use std::fs;
use std::path::{Path, PathBuf};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)
}

fn accepted(path: &Path) -> Loaded {
    with_profile(path, None)
}

fn with_profile(path: &Path, profile: Option<&str>) -> Loaded {
    let loaded = load(path, profile, &[]).unwrap_or_else(|refused| panic!("{refused:#?}"));
    assert_eq!(loaded.warnings, [], "{} {profile:?}", path.display());
    loaded
}

#[test]
fn the_default_is_accepted_and_every_example() {
    let default = accepted(&shipped(""));
    assert!(!default.plan.dashboards.is_empty());
    let mut examples = 0;
    for entry in fs::read_dir(shipped("examples")).unwrap() {
        accepted(&entry.unwrap().path());
        examples += 1;
    }
    assert_eq!(examples, 12);
}

#[test]
fn the_default_has_its_profiles() {
    let [dev, stg, real] = ["dev", "stg", "real"].map(|profile| with_profile(&shipped(""), Some(profile)));
    assert!(dev.wiring.web.is_none() && dev.wiring.store != stg.wiring.store);
    let tell = |loaded: &Loaded| loaded.plan.dashboards[&Id::from("summary")].tell.clone();
    assert_eq!((tell(&dev), tell(&stg), tell(&real)), (vec!["terminal".into()], vec!["staging".into()], vec!["team".into()]));
    assert!(real.wiring.heartbeat.is_some() && real.plan.maintenance.len() == 1);
}

/// `# key = …` and `# [table]` of the default's text; prose behind a # is none of these.
fn commented_out(line: &str) -> Option<&str> {
    let code = line.strip_prefix("# ")?;
    let key = code.split_once(" = ").map_or("", |(key, _)| key.trim_end());
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    (is_key || code.starts_with('[')).then_some(code)
}

#[test]
fn what_the_default_has_behind_a_comment_sign_holds_without_it() {
    let text = fs::read_to_string(shipped("dawnwatch.toml")).unwrap();
    let whole: Vec<&str> = text.lines().map(|line| commented_out(line).unwrap_or(line)).collect();
    let folder = Folder::new(&[("dawnwatch.toml", &whole.join("\n"))]);
    let loaded = folder.load(None, &[]).unwrap_or_else(|refused| panic!("{}", folder.lines(&refused.errors)));
    assert_eq!((loaded.plan.sources.len(), loaded.plan.chats.len(), loaded.plan.maintenance.len()), (5, 3, 1));
    // What it warns of is that examples name things that nothing needs; nothing in it contradicts itself.
    let warnings = folder.lines(&loaded.warnings);
    assert!(warnings.lines().all(|line| line.contains("no dashboard needs") || line.contains("covers the deadline")), "{warnings}");
}

#[test]
fn the_default_speaks_of_every_key() {
    let text = fs::read_to_string(shipped("dawnwatch.toml")).unwrap();
    let schema = dawnwatch::config::json_schema();
    let mut missing = Vec::new();
    let tables = schema["$defs"].as_object().unwrap().iter().map(|(name, table)| (name.as_str(), table));
    for (name, table) in tables.chain([("the top", &schema)]) {
        for key in table["properties"].as_object().into_iter().flatten().map(|(key, _)| key) {
            let spoken_of =
                [format!("{key} = "), format!("[{key}]"), format!("[{key}.")].iter().any(|form| squeezed(&text).contains(form));
            if !spoken_of {
                missing.push(format!("{key} of {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "config/dawnwatch.toml does not speak of {missing:?}");
}

fn squeezed(text: &str) -> String {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[test]
fn the_korean_office_is_whole() {
    let plan = accepted(&shipped("examples/korean-office")).plan;
    assert_eq!(plan.chats[&Id::from("team")].language, Language::Ko);
    assert_eq!(plan.groups.len(), 3);
    let exec = &plan.dashboards[&Id::from("exec_summary")];
    assert_eq!(exec.ready_by[0].to_string(), "09:00");
    // The third Thursday of November 2026 is a workday, Liberation Day's substitute is not.
    let holds = |day: &str| exec.audience.holds(day.parse().unwrap(), &plan.calendars);
    assert_eq!((holds("2026-11-19"), holds("2026-08-17")), (Some(true), Some(false)));
    assert_eq!(plan.digests[&Id::from("opening")].when, When::Ready { latest: ClockTime::at(8, 30) });
    assert_eq!((plan.maintenance.len(), plan.heartbeat_every.is_some()), (2, true));
    // What is left on Luigi feeds the marts on Airflow.
    let mart = &plan.groups[&Id::from("mart")];
    assert!(mart.each.needs.contains(&Need::Check("click_logs".into())) && mart.source == "airflow".into());
    assert_eq!(plan.checks[&Id::from("click_logs")].source, "luigi".into());
    // … and these the table in the warehouse, on which the summary waits.
    let rows = &plan.checks[&Id::from("daily_sales_rows")];
    assert_eq!((&rows.source, &rows.needs), (&"warehouse".into(), &vec![Need::Group("mart".into())]));
    assert!(exec.needs.contains(&Need::Check("daily_sales_rows".into())));
    // The day off of the company's own file.
    assert_eq!(holds("2026-12-31"), Some(false));
}

#[test]
fn the_schema_for_editors_is_current() {
    let shipped = fs::read_to_string(shipped("dawnwatch.schema.json")).unwrap();
    let current = serde_json::to_string_pretty(&dawnwatch::config::json_schema()).unwrap() + "\n";
    assert!(shipped == current, "config/dawnwatch.schema.json is not what the code says; it should read:\n{current}");
}
