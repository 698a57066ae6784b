//! A history written down as CSV.

use super::*;
use dawnwatch::core::time::ClockTime;

const HEADER: &str = "check,started_at,arrived_at,state,error,timestamp\n";

/// `Mon 03:00` → RFC 3339, in a week of November 2026; the rest of a row as it is.
pub fn rows(text: &str) -> String {
    let time = |field: &str| {
        let (day, clock) = field.split_once(' ')?;
        let day = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].iter().position(|name| *name == day)? + 23;
        Some(format!("2026-11-{day}T{clock}:00+09:00"))
    };
    let row = |row: &str| row.split(',').map(|field| time(field).unwrap_or(field.to_owned())).collect::<Vec<_>>().join(",") + "\n";
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(row).collect()
}

async fn says(plan: &Plan, text: &str, expected: &[&str]) {
    let text = rows(text);
    let (folder, path) = file(&format!("{HEADER}{text}"));
    assert_eq!(seen(plan, &path).await, expected, "{text}");

    // In whichever order the rows stand, and in two files that hold the same.
    let mut lines: Vec<&str> = text.lines().collect();
    lines.reverse();
    std::fs::write(folder.path().join("again.csv"), format!("{HEADER}{}\n", lines.join("\n"))).unwrap();
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines.dedup();
        lines
    };
    let once = sorted(expected.iter().map(|line| (*line).to_owned()).collect());
    assert_eq!(sorted(seen(plan, &folder.path().join("again.csv")).await), once, "from the last row to the first");
    assert_eq!(sorted(seen(plan, folder.path()).await), once, "twice");
}

pub fn dataset(check_name: &str, plan: &mut Plan, evidence: Evidence) {
    plan.checks.insert(id(check_name), Check { evidence, ..check(check_name) }.into());
}

#[tokio::test]
async fn a_row_is_a_run_that_is_seen_from_its_start() {
    says(
        &plan(),
        "orders,Mon 03:00,Mon 03:40,,,
         sales,Mon 04:00,Mon 04:10,failed,no space left,
         sales,Mon 05:00,,success,,
         orders,,Mon 06:00,success,,",
        &[
            "Mon 03:00 orders running 03:00/03:00/-",
            "Mon 03:40 orders success 03:00/03:00/03:40",
            "Mon 04:00 sales running 04:00/04:00/-",
            "Mon 04:10 sales because no space left",
            "Mon 04:10 sales failed 04:00/04:00/04:10",
            "Mon 05:00 sales running 05:00/05:00/-",
            "Mon 06:00 orders success 06:00/06:00/06:00",
        ],
    )
    .await;
}

#[tokio::test]
async fn columns_stand_in_any_order_and_say_when_a_run_was_wanted_and_by_whom() {
    let text = rows(
        "run_type, run_after ,check,arrived_at,started_at
         manual,Mon 01:00,orders,Mon 03:40,Mon 03:00
         backfill,,orders,Mon 04:40,Mon 04:00
         asset_triggered,,sales,Mon 05:40,Mon 05:00",
    );
    // As some spreadsheets write it.
    let (_folder, path) = file(&format!("\u{feff}{}", text.replace('\n', "\r\n")));
    let expected = [
        "Mon 03:00 orders manual running 01:00/03:00/-",
        "Mon 03:40 orders manual success 01:00/03:00/03:40",
        "Mon 04:00 orders backfill running 04:00/04:00/-",
        "Mon 04:40 orders backfill success 04:00/04:00/04:40",
        "Mon 05:00 sales triggered running 05:00/05:00/-",
        "Mon 05:40 sales triggered success 05:00/05:00/05:40",
    ];
    assert_eq!(seen(&plan(), &path).await, expected);
}

#[tokio::test]
async fn after_a_try_that_failed_the_next_row_is_the_same_run() {
    says(
        &plan(),
        "orders,Mon 03:00,Mon 03:10,retrying,refused,
         orders,Mon 03:10,Mon 03:20,retrying,refused,
         orders,Mon 03:25,Mon 03:30,failed,refused,
         orders,Tue 03:00,Tue 03:30,,,",
        &[
            "Mon 03:00 orders running 03:00/03:00/-",
            "Mon 03:10 orders retrying 03:00/03:00/-",
            "Mon 03:10 orders running 03:00/03:00/-",
            "Mon 03:20 orders retrying 03:00/03:00/-",
            "Mon 03:25 orders running 03:00/03:00/-",
            "Mon 03:30 orders because refused",
            "Mon 03:30 orders failed 03:00/03:00/03:30",
            "Tue 03:00 orders running 03:00/03:00/-",
            "Tue 03:30 orders success 03:00/03:00/03:30",
        ],
    )
    .await;
    // What is over is not tried again: what runs in the afternoon is another run.
    let text = rows(
        "check,started_at,arrived_at,state,run_after
         orders,Mon 03:00,Mon 03:10,retrying,Mon 03:00
         orders,Mon 03:00,Mon 03:50,,Mon 03:00
         orders,Mon 13:00,Mon 13:10,,",
    );
    let (_folder, path) = file(&text);
    assert_eq!(seen(&plan(), &path).await.last().unwrap(), "Mon 13:10 orders success 13:00/13:00/13:10");
    // A run of another time is another run.
    let text = rows(
        "check,run_after,started_at,arrived_at,state
         orders,Mon 03:00,Mon 03:01,Mon 03:10,retrying
         orders,Mon 06:00,Mon 06:00,Mon 06:10,
         orders,Mon 03:00,Mon 07:00,Mon 07:10,",
    );
    let (_folder, path) = file(&text);
    let expected = [
        "Mon 03:01 orders running 03:00/03:01/-",
        "Mon 03:10 orders retrying 03:00/03:01/-",
        "Mon 06:00 orders running 06:00/06:00/-",
        "Mon 06:10 orders success 06:00/06:00/06:10",
        "Mon 07:00 orders running 03:00/03:01/-",
        "Mon 07:10 orders success 03:00/03:01/07:10",
    ];
    assert_eq!(seen(&plan(), &path).await, expected);
}

#[tokio::test]
async fn rows_of_one_time_are_one_run_that_was_cleared() {
    let text = rows(
        "check,run_after,started_at,arrived_at,state,run_type
         orders,Mon 03:00,Mon 03:01,Mon 03:10,failed,
         orders,Mon 03:00,Mon 07:00,Mon 07:10,,
         orders,Mon 03:00,Mon 08:00,Mon 08:10,,manual",
    );
    let (_folder, path) = file(&text);
    let all = all(History::csv(&path, &Arc::new(plan())).unwrap()).await;
    let runs = all.iter().filter_map(|observed| match &observed.news {
        News::Subject { fact: Some(Fact::Runs(runs)), .. } => {
            runs.first().map(|run| (run.id.as_str(), fact_shown(&Fact::Runs(vec![run.clone()]))))
        }
        _ => None,
    });
    let (ids, shown): (Vec<&str>, Vec<String>) = runs.unzip();
    let (cleared, by_hand) = ("scheduled__2026-11-22T18:00:00Z", "manual__2026-11-22T18:00:00Z");
    assert_eq!(ids, [cleared, cleared, cleared, cleared, by_hand, by_hand]);
    let expected = [
        "running 03:00/03:01/-",
        "failed 03:00/03:01/03:10",
        "running 03:00/07:00/-",
        "success 03:00/07:00/07:10",
        "manual running 03:00/08:00/-",
        "manual success 03:00/08:00/08:10",
    ];
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn of_a_dataset_the_newest_of_what_has_come_is_known() {
    let mut plan = plan();
    dataset("raw", &mut plan, Evidence::ArrivalTime);
    dataset("events", &mut plan, Evidence::DataTime { through: ClockTime::at(0, 0) });
    says(
        &plan,
        "raw,Mon 01:00,Mon 02:00,,,
         events,Mon 02:00,Mon 02:30,,,Mon 01:00
         events,Mon 03:00,Mon 03:30,,,Mon 00:10
         events,,Mon 04:30,,,Mon 04:00
         raw,,Mon 05:00,failed,no space left,
         raw,Mon 06:00,,,,
         raw,,Mon 07:00,,,",
        &[
            "Mon 02:00 raw newest Mon 02:00",
            "Mon 02:30 events newest Mon 01:00",
            "Mon 04:30 events newest Mon 04:00",
            "Mon 07:00 raw newest Mon 07:00",
        ],
    )
    .await;
}

#[tokio::test]
async fn of_a_path_with_a_date_each_row_is_a_date() {
    let mut plan = plan();
    let clicks = Check { dated: Some(DateShift::Days(-1)), evidence: Evidence::ArrivalTime, ..check("clicks") };
    plan.checks.insert(id("clicks"), clicks.into());
    says(
        &plan,
        "clicks,,Tue 02:00,,,
         clicks,,Tue 03:00,,,Mon 00:30",
        &["Tue 02:00 clicks 2026-11-23 Tue 02:00", "Tue 03:00 clicks 2026-11-23 Tue 03:00"],
    )
    .await;
    let (_folder, path) = file(&rows("check,arrived_at,timestamp\nclicks,Wed 02:00,\nclicks,Wed 03:00,Mon 00:30\n"));
    assert_eq!(seen(&plan, &path).await, ["Wed 02:00 clicks 2026-11-24 Wed 02:00", "Wed 03:00 clicks 2026-11-23 Wed 03:00"]);
}

#[tokio::test]
async fn what_could_not_be_asked_is_out_of_sight_for_so_long() {
    let mut plan = plan();
    dataset("raw", &mut plan, Evidence::ArrivalTime);
    says(
        &plan,
        "orders,Mon 03:00,Mon 03:40,,,
         orders,Mon 03:20,Mon 04:00,unreachable,,
         raw,,Mon 03:10,,,
         raw,Mon 03:20,Mon 04:00,unreachable,,
         raw,Mon 03:50,Mon 05:00,unreachable,,
         raw,,Mon 04:30,,,
         source:airflow,Mon 06:00,Mon 06:30,unreachable,,
         source:airflow,Mon 07:00,,unreachable,maintenance of the network,",
        &[
            "Mon 03:00 orders running 03:00/03:00/-",
            "Mon 03:10 raw newest Mon 03:10",
            "Mon 03:20 orders could not be asked",
            "Mon 03:20 raw could not be asked",
            "Mon 04:00 orders success 03:00/03:00/03:40",
            "Mon 05:00 raw newest Mon 04:30",
            "Mon 06:00 airflow dark: the history says that it could not be asked",
            "Mon 06:30 airflow back",
            "Mon 07:00 airflow dark: the history says that it could not be asked",
        ],
    )
    .await;
}

async fn refused(path: &Path) -> Vec<String> {
    let Err(error) = History::csv(path, &Arc::new(plan())) else { panic!("it was taken") };
    assert_eq!(error.exit().code(), 2);
    let folder = format!("{}/", path.parent().unwrap().display());
    error.to_string().replace(&folder, "").lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn all_that_is_wrong_is_named_with_its_place() {
    let (folder, path) = file(
        "check,started_at,arrived_at,state,run_type\n\
         orders,yesterday,2026-11-23 03:00,done,cron\n\
         orders,2026-11-23T03:00:00+09:00,2026-11-23T02:00:00+09:00,,\n\
         ,,,,\n\
         orders,2026-11-23T03:00:00+09:00\n\
         source:airflow,2026-11-23T03:00:00+09:00,,failed,\n",
    );
    assert_eq!(
        refused(&path).await,
        [
            "the history cannot be played",
            "nights.csv:2:started_at: \"yesterday\" is no time; expected RFC 3339 with its zone, such as 2026-11-23T03:00:00+09:00",
            "nights.csv:2:arrived_at: \"2026-11-23 03:00\" is no time; expected RFC 3339 with its zone, such as 2026-11-23T03:00:00+09:00",
            "nights.csv:2:run_type: \"cron\" is no kind of run; expected scheduled, manual, backfill or asset_triggered",
            "nights.csv:2:state: \"done\" is no state; expected success, failed, retrying or unreachable",
            "nights.csv:3:arrived_at: \"2026-11-23T02:00:00+09:00\" lies before started_at, \"2026-11-23T03:00:00+09:00\"; expected it then or later",
            "nights.csv:4:check: the name is missing; expected the name of a check, or source:ID",
            "nights.csv:4:started_at: neither started_at nor arrived_at is given; expected at least one of them",
            "nights.csv:5: the row has 2 values; expected 5, one for each column",
            "nights.csv:6:state: a row of a source says when it could not be asked; expected unreachable, not \"failed\"",
        ]
    );

    // Files go on being read after one whose columns make no sense.
    std::fs::write(folder.path().join("a.csv"), "check,arrived,state,state\nx,y,z,z\n").unwrap();
    std::fs::write(folder.path().join("b.csv"), "").unwrap();
    std::fs::write(folder.path().join("c.csv"), b"check,arrived_at\n\xff,\n\"x\n\ny\",\n\"z\",\n").unwrap();
    std::fs::write(folder.path().join("d.txt"), "not looked at").unwrap();
    std::fs::remove_file(&path).unwrap();
    let known = "check, started_at, arrived_at, state, error, timestamp, run_after, run_type";
    let name = folder.path().file_name().unwrap().to_str().unwrap();
    let all = refused(folder.path()).await;
    let all: Vec<String> = all.iter().map(|line| line.replace(&format!("{name}/"), "")).collect();
    assert_eq!(
        all[1..],
        [
            format!("a.csv:1: there is no column \"arrived\"; expected one of {known}"),
            "a.csv:1:state: this column is there twice".to_owned(),
            format!("a.csv:1: the column arrived_at is missing; the first line names the columns: {known}"),
            "b.csv: the file is empty; expected a first line that names the columns".to_owned(),
            "c.csv:2: this row is not UTF-8; expected a text in UTF-8".to_owned(),
            // A name with lines of its own.
            "c.csv:3:started_at: neither started_at nor arrived_at is given; expected at least one of them".to_owned(),
            "c.csv:6:started_at: neither started_at nor arrived_at is given; expected at least one of them".to_owned(),
        ]
    );
}

#[tokio::test]
async fn a_place_is_the_line_that_an_editor_shows() {
    let rows =
        ["check,arrived_at", "", "", "orders,soon", "\"", "\",", "orders,later", "sales,2026-11-23T03:00:00Z", "", "sales,never"];
    for end in ["\n", "\r\n"] {
        for last in ["", end] {
            let (_folder, path) = file(&(rows.join(end) + last));
            let all = refused(&path).await;
            let places: Vec<&str> = all[1..].iter().map(|line| line.split_once(": ").unwrap().0).collect();
            let expected = ["4:arrived_at", "5:check", "5:started_at", "7:arrived_at", "10:arrived_at"]
                .map(|place| format!("nights.csv:{place}"));
            assert_eq!(places, expected, "{end:?} {last:?}");
        }
    }
}

#[tokio::test]
async fn what_is_read_has_bounds() {
    let many = format!("check,arrived_at\n{}", "orders,soon\n".repeat(1_000));
    let (_folder, path) = file(&many);
    let all = refused(&path).await;
    assert_eq!(all.len(), 1 + 20);
    assert!(all[20].ends_with("(nothing was read beyond this)"), "{}", all[20]);

    // A quote that never closes.
    let (_folder, path) = file(&format!("check,arrived_at\norders,2026-11-23T03:00:00Z\n\"{}", "x,\n".repeat(400_000)));
    let all = refused(&path).await;
    assert_eq!(all[1..], ["nights.csv:3: a row of more than 1024 KiB begins here; is there a quote that never closes?"]);

    let (_folder, path) = file(&format!("check,arrived_at\n\"{}\",x", "x".repeat(500)));
    assert!(refused(&path).await[1].chars().count() < 200);

    // The ids of runs under the wrong heading.
    let runs = (0..=100_000).map(|n| format!("scheduled__{n},2026-11-23T03:00:00Z\n")).collect::<String>();
    let (_folder, path) = file(&format!("check,arrived_at\n{runs}"));
    let told = "nights.csv: there are more than 100000 different names under check; expected the names of checks, not of runs";
    assert_eq!(refused(&path).await[1], format!("{told} (nothing was read beyond this)"));

    let empty = tempfile::tempdir().unwrap();
    assert!(refused(empty.path()).await[0].ends_with("holds no file *.csv"));
    assert!(refused(&empty.path().join("none.csv")).await[0].starts_with("the history none.csv cannot be read"));
}

#[tokio::test]
async fn a_history_says_how_far_it_reaches() {
    let span = |text: &str| {
        let (_folder, path) = file(&rows(text));
        History::csv(&path, &Arc::new(plan())).unwrap().span()
    };
    let text = "check,started_at,arrived_at\nsales,Tue 03:00,\norders,Mon 03:00,Wed 03:40\nstranger,Mon 01:00,Mon 02:00";
    assert_eq!(span(text), Some((seoul("2026-11-23 03:00"), seoul("2026-11-25 03:40"))));
    assert_eq!(span("check,arrived_at\n"), None);
}

/// A night as it was lived, and from what is written down of it.
async fn lived_and_read(plan: Plan, set: impl Fn(&mut World), text: &str, expected: &[&str]) {
    let (from, to) = ("2026-11-22 23:00", "2026-11-23 12:00");
    night_of(plan.clone(), from, to, set, expected);
    let (_folder, path) = file(&rows(text));
    let history = History::csv(&path, &Arc::new(plan.clone())).unwrap();
    assert_eq!(played(&plan, history, from, to).await, expected, "from CSV");
}

#[tokio::test]
async fn a_failed_night_says_the_same_from_csv() {
    lived_and_read(
        plan(),
        |w| {
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
            w.run("orders", "2026-11-23 07:30", "2026-11-23 07:50").run("sales", "2026-11-23 07:50", "2026-11-23 08:31");
        },
        "check,started_at,arrived_at,state,error
         sales,Mon 07:50,Mon 08:31,,
         orders,Mon 07:30,Mon 07:50,,
         orders,Mon 03:00,Mon 03:10,failed,connection refused (member-db-ro:5432)",
        &[
            "Mon 03:10 team post alert orders failed +1 [exec]",
            "Mon 06:30 team post digest failed",
            "Mon 07:00 team notify update orders failed +1 [exec]",
            "Mon 08:31 team post resolved orders 0/1 missed",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_dark_night_says_the_same_from_csv() {
    lived_and_read(
        plan(),
        |w| {
            w.dark("airflow", "2026-11-23 02:00", "2026-11-23 08:00");
            w.run("orders", "2026-11-23 03:00", "2026-11-23 03:40").run("sales", "2026-11-23 04:00", "2026-11-23 04:35");
        },
        "check,started_at,arrived_at,state
         orders,Mon 03:00,Mon 03:40,
         sales,Mon 04:00,Mon 04:35,
         source:airflow,Mon 02:00,Mon 08:00,unreachable",
        &[
            "Mon 05:50 team post alert source:airflow unknown +2 [exec]",
            "Mon 06:30 team post digest unknown",
            "Mon 07:00 team notify update source:airflow unknown +2 [exec]",
            "Mon 08:00 team post resolved source:airflow 0/1 missed",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_run_that_is_tried_again_and_arrives_is_no_word() {
    lived_and_read(
        plan(),
        |w| {
            w.run("orders", "2026-11-23 03:00", "2026-11-23 03:50").run("sales", "2026-11-23 04:00", "2026-11-23 04:35");
        },
        "check,started_at,arrived_at,state,error
         orders,Mon 03:00,Mon 03:10,retrying,refused
         orders,Mon 03:15,Mon 03:50,,
         sales,Mon 04:00,Mon 04:35,,",
        &["Mon 06:30 team post digest Ready"],
    )
    .await;
}

#[tokio::test]
async fn data_of_an_older_date_takes_nothing_back() {
    let mut plan = plan();
    plan.checks.clear();
    plan.digests.clear();
    plan.sources.get_mut(&id("airflow")).unwrap().kind = SourceKind::File;
    let clicks = Check { dated: Some(DateShift::Days(-1)), evidence: Evidence::ArrivalTime, duration: None, ..check("clicks") };
    plan.checks.insert(id("clicks"), clicks.into());
    plan.dashboards.get_mut(&id("exec")).unwrap().needs = vec![Need::Check(id("clicks"))];
    let arrives = |w: &mut World, of: &str, at: &str| {
        w.subjects.entry(id("clicks")).or_default().dated.insert(of.parse().unwrap(), seoul(at));
    };
    lived_and_read(
        plan.clone(),
        |w| {
            arrives(w, "2026-11-22", "2026-11-23 02:00");
            arrives(w, "2026-11-20", "2026-11-23 02:30");
        },
        "check,arrived_at,timestamp
         clicks,Mon 02:00,
         clicks,Mon 02:30,2026-11-20T12:00:00+09:00",
        &[],
    )
    .await;
    // Nothing but what is older.
    lived_and_read(
        plan,
        |w| arrives(w, "2026-11-20", "2026-11-23 02:30"),
        "check,arrived_at,timestamp
         clicks,Mon 02:30,2026-11-20T12:00:00+09:00",
        &["Mon 08:30 team notify alert clicks at_risk +0 [exec]"],
    )
    .await;
}
