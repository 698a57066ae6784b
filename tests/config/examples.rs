//! The configurations that ship: all are accepted, without a warning, with no secret set.

use dawnwatch::config::{Loaded, load};
use dawnwatch::core::plan::{Id, Language};
use std::fs;
use std::path::{Path, PathBuf};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)
}

fn accepted(path: &Path) -> Loaded {
    let loaded = load(path, None, &[]).unwrap_or_else(|refused| panic!("{refused:#?}"));
    assert_eq!(loaded.warnings, [], "{}", path.display());
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
    assert_eq!(examples, 10);
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
}

#[test]
fn the_schema_for_editors_is_current() {
    let shipped = fs::read_to_string(shipped("dawnwatch.schema.json")).unwrap();
    let current = serde_json::to_string_pretty(&dawnwatch::config::json_schema()).unwrap() + "\n";
    assert!(shipped == current, "config/dawnwatch.schema.json is not what the code says; it should read:\n{current}");
}
