//! Stories of a small night, told at an hour.

use super::*;
use crate::core::observation::{Answer, Ask, Fact, Failure, Heard, Item, Run, RunKind, RunState, Sweep};

const CONFIG: &str = r#"
timezone = "Asia/Seoul"
tell = ["team"]
[sources.web]
kind = "http"
url = "http://127.0.0.1:1/{id}"
state = "$.s"
every = "15m"
[checks.orders]
source = "web"
duration = "40m"
[checks.sales]
source = "web"
needs = ["orders"]
duration = "30m"
[checks.spare]
source = "web"
[dashboards.exec]
needs = ["sales"]
ready_by = "09:00"
[chats.team]
kind = "console"
quiet = "22:00-07:00"
"#;

struct Night {
    plan: Plan,
    state: State,
    ledger: Vec<Entry>,
}

fn at(clock: &str) -> Instant {
    format!("2026-11-23T{clock}:00+09:00").parse().unwrap()
}

fn run(id: &str, state: RunState, started: &str, ended: Option<&str>) -> Run {
    let (scheduled_at, started_at) = (at(started), Some(at(started)));
    Run { id: id.to_owned(), kind: RunKind::Scheduled, scheduled_at, started_at, ended_at: ended.map(at), state }
}

impl Night {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("dawnwatch.toml"), CONFIG).unwrap();
        let plan = config::load(folder.path(), None, &[]).unwrap().plan;
        let state = State::restore([], &plan);
        Self { plan, state, ledger: Vec::new() }
    }

    fn take(&mut self, clock: &str, input: Input) {
        self.ledger.extend(step(&mut self.state, &self.plan, at(clock), input).ledger);
    }

    fn sees(&mut self, clock: &str, orders: Vec<Run>) {
        let subjects: Vec<Id> = ["orders", "sales", "spare"].map(Id::from).to_vec();
        let item = |subject: &Id| {
            let runs = if subject.as_str() == "orders" { orders.clone() } else { Vec::new() };
            Item { subject: subject.clone(), fact: Fact::Runs(runs) }
        };
        let items = subjects.iter().map(item).collect();
        let ask = Ask::Sweep { source: "web".into(), subjects: subjects.into(), dates: Default::default(), since: at("00:00") };
        let answer = Answer::Sweep(Sweep { items, ..Sweep::default() });
        self.take(clock, Input::Heard(Heard { ask, asked_at: at(clock), answer }));
    }

    /// The failure of 03:10, with its reason, as far as half past three.
    fn failed() -> Self {
        let mut night = Self::new();
        night.take("02:59", Input::Tick);
        night.sees("03:00", vec![run("r1", RunState::Running, "03:00", None)]);
        night.sees("03:11", vec![run("r1", RunState::Failed, "03:00", Some("03:10"))]);
        let ask = Ask::Failure { source: "web".into(), subject: "orders".into(), run: "r1".into() };
        let failure = Failure { task: None, try_number: None, error: Some("connection refused".into()) };
        night.take("03:11", Input::Heard(Heard { ask, asked_at: at("03:11"), answer: Answer::Failure(failure) }));
        night.sees("03:30", vec![run("r1", RunState::Failed, "03:00", Some("03:10"))]);
        night
    }

    fn tell(&self, name: &str, known: bool, clock: &str) -> String {
        let subject = Subject::named(name, &self.state.roster, &self.plan).unwrap();
        let state = known.then_some(&self.state);
        let story = story(state, &self.state.roster, &self.plan, &self.ledger, &subject, at(clock));
        words::text(&story, &self.state, &self.plan)
    }
}

#[test]
fn a_check_that_has_failed() {
    let expected = "\
orders: failed, until Tue 00:00 unless something new is seen
  Seen       run r1 failed; source web last answered at 03:30
  Rule       dashboard exec needs it through other checks; what counts is of 00:00 on; ready by Mon 2026-11-23 09:00; somebody looks; act by 07:30
  Forecast   none: nothing is known from which it could be told

What was decided
  Mon 2026-11-23 02:59  the watch knows it from now on
  Mon 2026-11-23 03:11  began (#1: orders failed, 2 checks wait, exec by 09:00, act by 07:30)
  Mon 2026-11-23 03:11  held in team until 03:12: the reason of the failure was being fetched (#1)
  Mon 2026-11-23 03:11  told in team: the first word, not delivered yet (#1: orders failed, 2 checks wait, exec by 09:00, act by 07:30, \"connection refused\")
  Mon 2026-11-23 03:11  held in team until 07:00: nobody is asked in quiet hours (#1)";
    assert_eq!(Night::failed().tell("orders", true, "03:30"), expected);
}

#[test]
fn what_waits_for_it_and_the_dashboard_are_told_of_the_same_incident() {
    let night = Night::failed();
    let sales = night.tell("sales", true, "03:30");
    assert!(sales.starts_with("sales: at_risk"), "{sales}");
    assert!(sales.contains("no run yet; waits for orders; source web last answered at 03:30"), "{sales}");
    assert!(sales.contains("told in team: the first word") && sales.contains("orders failed"), "{sales}");
    let exec = night.tell("exec", true, "03:30");
    assert!(exec.contains("exec: failed") && exec.contains("0 of 2 checks have arrived"), "{exec}");
    assert!(
        exec.contains("\n             orders: failed, run r1 failed\n             sales: at_risk, no run yet; waits for orders\n"),
        "{exec}"
    );
    assert!(exec.contains("told in team: the first word"), "{exec}");
    let spare = night.tell("spare", true, "03:30");
    assert!(spare.contains("and no dashboard needs it") && !spare.contains("orders"), "{spare}");
}

#[test]
fn a_run_under_way_says_what_its_forecast_rests_on() {
    let mut night = Night::new();
    night.take("02:59", Input::Tick);
    night.sees("03:00", vec![run("r1", RunState::Running, "03:00", None)]);
    let orders = night.tell("orders", true, "03:00");
    assert!(orders.contains("Seen       running since Mon 03:00; source web last answered at 03:00"), "{orders}");
    assert!(orders.contains("Forecast   about 03:40, 03:50 at the latest, by the declared duration"), "{orders}");
}

#[test]
fn of_another_time_the_ledger_alone_tells_and_not_of_after_it() {
    let night = Night::failed();
    let before = night.tell("orders", false, "03:05");
    let expected = "\
orders at Mon 2026-11-23 03:05
  How it stood then is not known here: this is what the ledger holds until then.

What was decided
  Mon 2026-11-23 02:59  the watch knows it from now on";
    assert_eq!(before, expected);
    assert!(night.tell("orders", false, "03:30").contains("connection refused"));
}

#[test]
fn hours_in_which_the_watch_was_off_are_named() {
    let mut night = Night::failed();
    night.take("06:10", Input::Tick);
    let told = night.tell("orders", true, "06:10");
    assert!(told.contains("06:10  the watch is back: it was off, or its machine asleep (away since 03:30)"), "{told}");
}

#[test]
fn another_configuration_is_named() {
    let mut night = Night::failed();
    assert!(!night.tell("orders", true, "03:30").contains("another configuration"));
    let before = night.plan.fingerprint.clone();
    night.plan.fingerprint = "0a1b2c".into();
    let told = night.tell("orders", true, "03:30");
    let expected = format!("\nDecided under another configuration ({before}) than the one loaded now (0a1b2c).");
    assert!(told.ends_with(&expected), "{told}");
}

#[test]
fn a_message_is_told_with_its_delivery() {
    let mut night = Night::failed();
    let post = *night.state.posts.keys().next().unwrap();
    night.take("03:31", Input::Claim(vec![post]));
    night.take("03:32", Input::Sent { post, outcome: crate::core::step::Outcome::Confirmed { handle: None } });
    let told = night.tell("orders", true, "03:40");
    assert!(told.contains("the first word, delivered at 03:32 (#1"), "{told}");
    assert_eq!(told.matches("delivered").count(), 1, "{told}");
}

#[test]
fn times_are_read_with_and_without_a_zone() {
    let zone = chrono_tz::Asia::Seoul;
    let read = |text: &str| time(text, zone, at("10:00"));
    for text in ["2026-11-23 06:00", "2026-11-23T06:00:00", "2026-11-23T06:00:00+09:00", "2026-11-22T21:00:00Z"] {
        assert_eq!(read(text).unwrap(), at("06:00"), "{text}");
    }
    for (text, expected) in [("tomorrow", "is no time"), ("2026-11-23", "is no time"), ("2026-11-23 10:01", "has not come yet")] {
        assert!(read(text).unwrap_err().to_string().contains(expected), "{text}");
    }
}

/// Thirty nights on which orders came about 03:40 and sales about 04:20.
fn used() -> Night {
    let mut night = Night::new();
    for (name, arrives_min) in [("orders", 220), ("sales", 260)] {
        let ix = night.state.roster.place(&Id::from(name)).unwrap();
        for back in (1..=30).rev() {
            let date = crate::core::time::shift("2026-11-23".parse().unwrap(), -back);
            let late_min = back * 7 % 11 - 5;
            let tonight = crate::core::forecast::Tonight::of(date, 0, 86_400, |_| None);
            let habits = night.state.checks[ix].habits.of_mut(&(0..86_400));
            habits.learn(tonight, Some((arrives_min + late_min) * 60), Some(i64::from(40 + late_min) * 60));
        }
    }
    night
}

#[test]
fn what_is_usual_and_how_it_does_tonight_are_told_in_a_sentence() {
    let mut night = used();
    night.take("02:59", Input::Tick);
    night.sees("03:00", vec![run("r1", RunState::Running, "03:00", None)]);
    let forecast = |night: &Night, name: &str, clock: &str| {
        let told = night.tell(name, true, clock);
        told.lines().find_map(|line| line.trim().strip_prefix("Forecast")).unwrap().trim().to_owned()
    };
    let expected = "about 03:40, 03:45 at the latest, by its last 30 nights; usually 03:40, 9 of 10 nights by 03:45 (its last 28); \
                    running for 5 min, usually 40 min";
    assert_eq!(forecast(&night, "orders", "03:05"), expected);
    let until = |name: &str| night.tell(name, true, "03:05").lines().next().unwrap().to_owned();
    assert_eq!(until("orders"), "orders: on_track, until 03:40 unless something new is seen");
    // What it waits for may be late before it is.
    assert_eq!(until("sales"), "sales: on_track, until 03:40 unless something new is seen");
    assert_eq!(until("exec"), "exec: on_track, until 03:40 unless something new is seen");
    // Nothing was heard of it since.
    let expected = "was expected at 03:40, 03:45 at the latest, by its last 30 nights; usually 03:40, 9 of 10 nights by 03:45 (its last 28); \
                    running for 42 min, usually 40 min, longer than usual";
    assert_eq!(forecast(&night, "orders", "03:42"), expected);
    assert_eq!(forecast(&night, "exec", "03:42"), "about 04:25 (04:20 to 04:40), by its last 30 nights; 1% to miss 09:00");
    night.sees("03:50", vec![run("r1", RunState::Running, "03:00", None)]);
    let expected = "about 04:00, 04:05 at the latest, by its last 30 nights; usually 03:40, 9 of 10 nights by 03:45 (its last 28); \
                    running for 50 min, usually 40 min, longer than 9 of 10 nights";
    assert_eq!(forecast(&night, "orders", "03:50"), expected);
    assert_eq!(forecast(&night, "exec", "03:50"), "about 04:40 (04:30 to 04:45), by its last 30 nights; 7% to miss 09:00");
}
