//! Looking at files: real ones, with times set by hand, in folders of their own; and dbt's artifacts, as dbt wrote them.

use chrono::{DateTime, NaiveDate, TimeDelta};
use dawnwatch::config::wiring::{SourceWiring, SourceWiringKind};
use dawnwatch::core::observation::{Answer, Ask, Fact, Failure, Item, Run, RunKind, RunState, Sweep, Unreachable, Why};
use dawnwatch::core::plan::Id;
use dawnwatch::core::time::Instant;
use dawnwatch::sources::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File, FileTimes};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use tempfile::TempDir;

struct Landing {
    folder: TempDir,
    source: Source,
}

fn source(root: &Path) -> Source {
    let kind = SourceWiringKind::File { root: root.to_owned() };
    Source::build(&Id::from("landing"), &SourceWiring { timeout: TimeDelta::seconds(20), ca_file: None, kind }).unwrap()
}

impl Landing {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("root")).unwrap();
        let source = source(&folder.path().join("root"));
        Self { folder, source }
    }

    fn file(&self, path: impl AsRef<Path>, modified: &str) {
        let path = self.folder.path().join("root").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let modified: Instant = modified.parse().unwrap();
        File::create(path).unwrap().set_times(FileTimes::new().set_modified(modified.into())).unwrap();
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.folder.path().join("root").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn link(&self, from: &str, to: &str) {
        symlink(to, self.folder.path().join("root").join(from)).unwrap();
    }

    async fn facts(&self, subjects: &[&str]) -> Vec<Item> {
        match ask(&self.source, subjects, &[]).await {
            Answer::Sweep(Sweep { items, .. }) => items,
            other => panic!("{other:?}"),
        }
    }

    async fn fact(&self, subject: &str) -> Fact {
        self.facts(&[subject]).await.remove(0).fact
    }

    /// The newest modification, "none", or why that cannot be said.
    async fn newest(&self, path: &str) -> String {
        match self.fact(path).await {
            Fact::Timestamp(Some(at)) => at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
            Fact::Timestamp(None) => "none".to_owned(),
            Fact::Suspicious(why) => format!("? {why}"),
            other => panic!("{other:?}"),
        }
    }

    async fn runs(&self, subject: &str) -> Vec<Run> {
        match self.fact(subject).await {
            Fact::Runs(runs) => runs,
            other => panic!("{other:?}"),
        }
    }

    async fn failure(&self, subject: &str, run: &str) -> Failure {
        let ask = Ask::Failure { source: Id::from("landing"), subject: Id::from(subject), run: run.to_owned() };
        match self.source.ask(&ask, DateTime::UNIX_EPOCH).await {
            Answer::Failure(failure) => failure,
            other => panic!("{other:?}"),
        }
    }
}

async fn ask(source: &Source, subjects: &[&str], dates: &[&str]) -> Answer {
    let now: Instant = "2026-11-23T00:00:00Z".parse().unwrap();
    let dates: BTreeSet<NaiveDate> = dates.iter().map(|date| date.parse().unwrap()).collect();
    let subjects: Vec<Id> = subjects.iter().copied().map(Id::from).collect();
    let dates: BTreeMap<_, _> = subjects.iter().filter(|_| !dates.is_empty()).map(|id| (id.clone(), dates.clone())).collect();
    source
        .ask(&Ask::Sweep { source: Id::from("landing"), subjects: subjects.into(), dates, since: now - TimeDelta::days(1) }, now)
        .await
}

async fn unreachable(source: &Source) -> Unreachable {
    match ask(source, &["a"], &[]).await {
        Answer::Unreachable(gone) => gone,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_newest_modification_under_a_path_counts() {
    let landing = Landing::new();
    landing.file("prices/p_1.csv", "2026-11-22T01:00:00Z");
    landing.file("prices/p_2.csv", "2026-11-22T03:00:00.123456789Z");
    landing.file("prices/notes.txt", "2026-11-22T09:00:00Z");
    landing.file("prices/.p_3.csv.crc", "2026-11-22T20:00:00Z");
    landing.file("prices/old/deep/p_0.csv", "2026-11-22T05:00:00Z");
    landing.file("prices/_temporary/0/part-0", "2026-11-22T21:00:00Z");
    landing.file("other/part-0", "2026-11-22T23:00:00Z");
    fs::create_dir(landing.folder.path().join("root/empty")).unwrap();
    let cases = [
        ("prices/p_1.csv", "2026-11-22T01:00:00Z"),
        // In whole microseconds, as the stores keep it.
        ("prices/p_*.csv", "2026-11-22T03:00:00.123456Z"),
        ("prices/p_?.csv", "2026-11-22T03:00:00.123456Z"),
        ("prices/*", "2026-11-22T09:00:00Z"),
        ("prices/.*", "2026-11-22T20:00:00Z"),
        ("prices", "2026-11-22T09:00:00Z"),
        ("pri*", "2026-11-22T09:00:00Z"),
        ("prices/**/*.csv", "2026-11-22T05:00:00Z"),
        ("**/p_0.csv", "2026-11-22T05:00:00Z"),
        ("**/p_?.csv", "2026-11-22T05:00:00Z"),
        ("**", "2026-11-22T23:00:00Z"),
        ("prices/p_9.csv", "none"),
        ("prices/q_*", "none"),
        ("nowhere/at/all", "none"),
        ("prices/p_1.csv/below_a_file", "none"),
        ("empty", "none"),
    ];
    for (path, expected) in cases {
        assert_eq!(landing.newest(path).await, expected, "{path}");
    }
    assert_eq!(landing.source.traffic().requests, cases.len() as u64);
}

#[tokio::test]
async fn a_name_that_is_no_text_hides_nothing_beside_it() {
    let landing = Landing::new();
    landing.file("prices/p_1.csv", "2026-11-22T01:00:00Z");
    // In Latin 1: a file, and a folder with a file of a plain name.
    let root = landing.folder.path().join("root/prices");
    let odd = |name: &[u8]| root.join(OsStr::from_bytes(name));
    landing.file(odd(b"caf\xe9.csv"), "2026-11-22T03:00:00Z");
    landing.file(odd(b"fran\xe7ais/p_2.csv"), "2026-11-22T02:00:00Z");
    let cases = [
        // What no pattern names does not count there; in a folder it does.
        ("prices/*.csv", "2026-11-22T01:00:00Z"),
        ("prices/**/p_*.csv", "2026-11-22T02:00:00Z"),
        ("prices", "2026-11-22T03:00:00Z"),
        ("*", "2026-11-22T03:00:00Z"),
    ];
    for (path, expected) in cases {
        assert_eq!(landing.newest(path).await, expected, "{path}");
    }
}

#[tokio::test]
async fn a_date_in_the_path_is_looked_for_where_it_was_asked() {
    let landing = Landing::new();
    landing.file("clicks/dt=2026-11-21/_SUCCESS", "2026-11-22T01:00:00Z");
    landing.file("clicks/dt=2026-11-23/_SUCCESS", "2026-11-23T04:00:00Z");
    landing.file("2026/11/23/a.csv", "2026-11-23T02:00:00Z");
    landing.file("2026/11/23/b.csv", "2026-11-23T03:00:00Z");
    let subjects = ["clicks/dt={date:%Y-%m-%d}/_SUCCESS", "{date:%Y/%m/%d}/*.csv"];
    let answer = ask(&landing.source, &subjects, &["2026-11-21", "2026-11-22", "2026-11-23"]).await;
    let Answer::Sweep(Sweep { items, .. }) = answer else { panic!("{answer:?}") };
    let told = |at: usize| match &items[at].fact {
        Fact::Dated(found) => found.iter().map(|(day, at)| format!("{day} {at:?}")).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(told(0), ["2026-11-21 Some(2026-11-22T01:00:00Z)", "2026-11-22 None", "2026-11-23 Some(2026-11-23T04:00:00Z)"]);
    assert_eq!(told(1), ["2026-11-21 None", "2026-11-22 None", "2026-11-23 Some(2026-11-23T03:00:00Z)"]);
    // Past the end of a calendar nobody asks for a date.
    assert_eq!(landing.fact(subjects[0]).await, Fact::Dated(BTreeMap::new()));
}

#[tokio::test]
async fn no_link_leads_out_of_the_root() {
    let landing = Landing::new();
    let outside = landing.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("new.csv"), "").unwrap();
    landing.file("inside/a.csv", "2026-11-22T01:00:00Z");
    let old = "2026-11-22T01:00:00Z";
    landing.link("current", "inside");
    landing.link("alias.csv", "inside/a.csv");
    landing.link("leaves", outside.to_str().unwrap());
    landing.link("leaf.csv", "../outside/new.csv");
    landing.link("dangling", "nowhere");
    landing.link("circle", ".");
    landing.link("inside/up", "..");
    landing.link("inside/leaf.csv", "../../outside/new.csv");
    for (path, expected) in [
        ("current/a.csv", old),
        ("current", old),
        ("alias.csv", old),
        ("*/a.csv", old),
        ("**", old),
        ("inside", old),
        ("inside/*.csv", old),
        ("dangling", "none"),
        ("leaves/new.csv", "? its path is a link that leads out of the source's root"),
        ("leaf.csv", "? its path is a link that leads out of the source's root"),
        ("leaves/*", "? its path is a link that leads out of the source's root"),
        (
            "../outside/new.csv",
            "? its path is not a path beneath the source's root; expected one without .. and with { before each }",
        ),
    ] {
        assert_eq!(landing.newest(path).await, expected, "{path}");
    }
}

#[tokio::test]
async fn a_root_that_is_a_link_is_a_root() {
    let landing = Landing::new();
    landing.file("a", "2026-11-22T01:00:00Z");
    let link = landing.folder.path().join("link");
    symlink("root", &link).unwrap();
    let Answer::Sweep(sweep) = ask(&source(&link), &["a"], &[]).await else { panic!() };
    assert!(matches!(sweep.items[0].fact, Fact::Timestamp(Some(_))));
}

#[tokio::test]
async fn what_cannot_be_looked_at_is_said() {
    let landing = Landing::new();
    let gone = unreachable(&source(&landing.folder.path().join("nowhere"))).await;
    assert!(gone.why == Why::Connect && gone.detail.ends_with("/nowhere cannot be read: entity not found"), "{gone:?}");
    landing.write("file", "");
    let gone = unreachable(&source(&landing.folder.path().join("root/file"))).await;
    assert!(gone.detail.ends_with("cannot be read: not a directory"), "{gone:?}");

    // A name that no file system takes: this one path cannot be read, the others can.
    let long = "x".repeat(300);
    landing.file("a", "2026-11-22T01:00:00Z");
    let told = landing.facts(&[&long, "a"]).await;
    assert!(
        matches!(&told[0].fact, Fact::Suspicious(why) if why.starts_with("cannot be read (invalid filename): xxx")),
        "{told:?}"
    );
    assert!(matches!(told[1].fact, Fact::Timestamp(Some(_))));

    let deep = "d/".repeat(40) + "x";
    landing.file(&deep, "2026-11-22T01:00:00Z");
    assert!(landing.newest("d").await.starts_with("? more than 32 folders lie beneath each other"));
    assert!(landing.newest("**/x").await.starts_with("? more than 32 folders lie beneath each other"));

    // Looked at again and again from every folder on the way, a few files are many.
    for depth in 0..10 {
        let folder = landing.folder.path().join("root/few").join("d/".repeat(depth));
        fs::create_dir_all(&folder).unwrap();
        (0..100).for_each(|n| drop(File::create(folder.join(format!("f{n}"))).unwrap()));
    }
    let told = landing.newest("few/**/**/**/**/**/**/**/**/x").await;
    assert_eq!(told, "? there are more than 100000 entries to look at; expected a narrower path");

    let kind = SourceWiringKind::File { root: landing.folder.path().join("root") };
    let wiring = SourceWiring { timeout: TimeDelta::zero(), ca_file: None, kind };
    let hasty = Source::build(&Id::from("landing"), &wiring).unwrap();
    let Answer::Sweep(sweep) = ask(&hasty, &["a"], &[]).await else { panic!() };
    assert!(matches!(&sweep.items[0].fact, Fact::Suspicious(why) if why.contains("took too long")), "{sweep:?}");

    let list = Ask::List { source: Id::from("landing") };
    assert!(matches!(landing.source.ask(&list, DateTime::UNIX_EPOCH).await, Answer::Unreachable(_)));
}

const SOURCES: &str = include_str!("fixtures/dbt/sources.json");
const RUN: &str = include_str!("fixtures/dbt/run_results.json");
const BUILD: &str = include_str!("fixtures/dbt/build_results.json");

#[tokio::test]
async fn freshness_of_dbt_is_when_its_sources_were_loaded() {
    let landing = Landing::new();
    landing.write("target/sources.json", SOURCES);
    let subject = |table: &str| format!("target/sources.json#source.shop.shop.{table}");
    for (table, expected) in [
        ("fresh", "2026-11-22T10:53:51.323798Z"),
        ("late", "2026-11-22T04:53:51.333090Z"),
        ("stale", "2026-11-19T11:53:51.334990Z"),
        // No rows, and rows without a time: year 1.
        ("empty", "none"),
        ("all_null", "none"),
    ] {
        assert_eq!(landing.newest(&subject(table)).await, expected, "{table}");
    }
    // One whose query failed, and one that nobody watches, are not there.
    let (missing, unwatched) = (subject("missing"), subject("unwatched"));
    assert_eq!(landing.facts(&[&missing, &unwatched]).await, []);
    assert_eq!(landing.newest("elsewhere/sources.json#source.shop.shop.fresh").await, "none");
}

#[tokio::test]
async fn results_of_dbt_are_runs_of_its_nodes() {
    let landing = Landing::new();
    landing.write("target/run_results.json", RUN);
    let subject = |node: &str| format!("target/run_results.json#model.shop.{node}");
    let state = async |node: &str| landing.runs(&subject(node)).await[0].state.clone();
    assert_eq!(state("fresh_model").await, RunState::Success);
    assert_eq!(state("broken_model").await, RunState::Failed);
    assert_eq!(state("after_broken").await, RunState::Failed);
    assert_eq!(landing.facts(&[&subject("unknown")]).await, []);
    assert_eq!(landing.runs("elsewhere/run_results.json#model.shop.fresh_model").await, []);

    let [run]: [Run; 1] = landing.runs(&subject("broken_model")).await.try_into().unwrap();
    assert_eq!((run.id.as_str(), run.kind), ("2026-11-22T11:54:11Z model.shop.broken_model", RunKind::Scheduled));
    let at = |text: &str| text.parse::<Instant>().unwrap();
    assert_eq!(run.scheduled_at, at("2026-11-22T11:54:11.457912Z"));
    assert_eq!(run.started_at, Some(at("2026-11-22T11:54:13.240328Z")));
    assert_eq!(run.ended_at, Some(at("2026-11-22T11:54:13.434247Z")));
    let failure = landing.failure(&subject("broken_model"), &run.id).await;
    let error = failure.error.unwrap();
    assert!(error.starts_with("Runtime Error in model broken_model") && error.contains("\"no_such_column\" not found"), "{error}");
    assert_eq!(failure.task, None);
    assert_eq!(landing.failure(&subject("broken_model"), "another run").await, Failure::default());
}

#[tokio::test]
async fn nodes_of_a_glob_are_parts_and_the_failed_ones_have_reasons() {
    let landing = Landing::new();
    landing.write("run/run_results.json", RUN);
    landing.write("build/run_results.json", BUILD);
    let models = landing.runs("run/run_results.json#model.shop.*").await;
    assert!(models.iter().all(|run| run.kind == RunKind::Part) && models.len() == 4, "{models:?}");
    // Skipped has no time of its own: it is as late as the file.
    let skipped = models.iter().find(|run| run.id.ends_with("after_broken")).unwrap();
    assert_eq!(skipped.ended_at, Some("2026-11-22T11:54:13.535866Z".parse().unwrap()));
    let failure = landing.failure("run/run_results.json#model.shop.*", &skipped.id).await;
    assert_eq!(failure.task.as_deref(), Some("model.shop.after_broken"));
    assert_eq!(failure.error.as_deref(), Some("skipped: something that it needs has failed"));

    let states =
        |runs: Vec<Run>| runs.iter().filter(|run| run.state == RunState::Failed).map(|run| run.id.clone()).collect::<Vec<_>>();
    assert_eq!(states(landing.runs("build/run_results.json#model.*").await), [""; 0]);
    let failed = states(landing.runs("build/run_results.json#*").await);
    assert_eq!(failed.len(), 1);
    // A warning is none.
    assert!(failed[0].contains("test.shop.unique_duplicate_model_id"), "{failed:?}");
}

fn results(nodes: &[(String, &str, &str)]) -> String {
    let nodes: Vec<_> = nodes
        .iter()
        .map(|(id, status, ended)| {
            serde_json::json!({"unique_id": id, "status": status, "timing": [{"started_at": null, "completed_at": ended}]})
        })
        .collect();
    serde_json::json!({
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json", "generated_at": "2026-11-22T12:00:00Z"},
        "results": nodes,
    })
    .to_string()
}

#[tokio::test]
async fn of_many_parts_those_that_decide_are_kept() {
    let landing = Landing::new();
    let mut nodes: Vec<(String, &str, &str)> =
        (0..100).map(|n| (format!("model.shop.m{n:03}"), "success", "2026-11-22T11:00:00Z")).collect();
    nodes[0] = ("model.shop.m000".to_owned(), "error", "2026-11-22T10:00:00Z");
    nodes[1] = ("model.shop.m001".to_owned(), "success", "2026-11-22T11:59:00Z");
    landing.write("run_results.json", results(&nodes));
    let runs = landing.runs("run_results.json#model.shop.*").await;
    assert_eq!(runs.len(), 32);
    assert_eq!(runs[0].state, RunState::Failed);
    assert_eq!(runs[1].ended_at, Some("2026-11-22T11:59:00Z".parse().unwrap()));
}

#[tokio::test]
async fn what_dbt_has_not_written_as_a_whole_is_never_green() {
    let landing = Landing::new();
    let subject = "target/run_results.json#model.shop.fresh_model";
    let wrong = |text: &str| RUN.replace("\"status\": \"success\"", text);
    for (content, words) in [
        (RUN[..RUN.len() / 2].to_owned(), "not yet as a whole"),
        (String::new(), "not yet as a whole"),
        ("[]".to_owned(), "it is not what dbt writes"),
        (wrong("\"status\": \"reused\""), "the status \"reused\" of model.shop.fresh_model is not known"),
        (wrong("\"status\": 7"), "the status \"\" of model.shop.fresh_model is not known"),
        (RUN.replace("run-results/v6", "manifest/v12"), "is no artifact"),
        (RUN.replace("2026-11-22T11:54:11.457912Z", "soon"), "its invocation_started_at is no time"),
        (RUN.replace("2026-11-22T11:54:13.529516Z", "2026-11-22T11:54:13"), "its completed_at has no time zone"),
        (" ".repeat(33 * 1024 * 1024), "larger than 32 MiB"),
    ] {
        landing.write("target/run_results.json", content);
        let told = landing.fact(subject).await;
        assert!(matches!(&told, Fact::Suspicious(why) if why.contains(words)), "{words}: {told:?}");
    }
    fs::remove_file(landing.folder.path().join("root/target/run_results.json")).unwrap();
    fs::create_dir(landing.folder.path().join("root/target/run_results.json")).unwrap();
    assert!(matches!(landing.fact(subject).await, Fact::Suspicious(why) if why.contains("it is no file")));
    let text = SOURCES
        .replace("\"max_loaded_at\": \"2026-11-22T10:53:51.323798+00:00\"", "\"max_loaded_at\": null, \"error\": \"no table\"");
    landing.write("target/sources.json", text.replace("\"status\": \"pass\"", "\"status\": \"runtime error\""));
    let told = landing.newest("target/sources.json#source.shop.shop.fresh").await;
    assert_eq!(told, "? dbt could not ask (runtime error): no table");
}

mod hostile {
    use super::*;
    use proptest::prelude::*;

    fn block<T>(doing: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(doing)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        /// Cut off anywhere, with a byte changed anywhere: an answer, and no success that was not written.
        #[test]
        fn no_artifact_makes_it_panic(cut in 0..3196_usize, at in 0..3196_usize, byte: u8) {
            let landing = Landing::new();
            let subject = "run_results.json#model.shop.broken_model";
            block(async {
                landing.write("run_results.json", &RUN.as_bytes()[..cut.min(RUN.len())]);
                prop_assert!(matches!(landing.fact(subject).await, Fact::Suspicious(_)));
                let mut changed = RUN.as_bytes().to_vec();
                let at = at % changed.len();
                changed[at] = byte;
                landing.write("run_results.json", changed);
                for item in landing.facts(&[subject]).await {
                    let green = matches!(&item.fact, Fact::Runs(runs) if runs.iter().any(|run| run.state == RunState::Success));
                    prop_assert!(!green, "{:?}", item);
                }
                Ok(())
            })?;
        }

        /// Whatever stands as a path: an answer from within the root.
        #[test]
        fn no_path_makes_it_panic(path in "[a-z.*?/{}%:#\\PC]{0,24}", date in "[%A-Za-z-]{0,8}") {
            let landing = Landing::new();
            landing.file("a/b", "2026-11-22T01:00:00Z");
            block(async {
                let dated = format!("a/{{date:{date}}}/{path}");
                let answer = ask(&landing.source, &[&path, &dated], &["2026-11-22"]).await;
                prop_assert!(matches!(answer, Answer::Sweep(_)), "{:?}", answer);
                Ok(())
            })?;
        }
    }
}
