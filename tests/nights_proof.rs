//! The proof of life: it goes out while all is asked, judged and told, and not otherwise. 2026-11-23 is a Monday in Seoul.

#[path = "support/world.rs"]
mod world;

use chrono::TimeDelta;
use dawnwatch::core::due::due;
use dawnwatch::core::plan::*;
use dawnwatch::core::proof::{Lapse, lapses};
use dawnwatch::core::state::RefusedReload;
use dawnwatch::core::step::{Input, Outcome};
use world::*;

/// A beat every five minutes, nothing in the digest's way.
fn beating() -> Plan {
    Plan { heartbeat_every: Some(TimeDelta::minutes(5)), ..plan() }
}

/// The beats of the night as local times; the same when the state is read back before every step.
fn beats(plan: Plan, from: &str, to: &str, set: impl Fn(&mut World)) -> Vec<String> {
    let play = |amnesia: bool| -> Vec<String> {
        let mut world = World::new(plan.clone(), from);
        world.tick = TimeDelta::minutes(2);
        world.amnesia = amnesia;
        world.subjects.insert(id("orders"), Subject::default());
        world.subjects.insert(id("sales"), Subject::default());
        set(&mut world);
        world.until(to);
        world.beats.iter().map(|at| at.with_timezone(&chrono_tz::Asia::Seoul).format("%H:%M:%S").to_string()).collect()
    };
    let beats = play(false);
    assert_eq!(beats, play(true), "with amnesia");
    beats
}

fn between<'a>(beats: &'a [String], from: &str, to: &str) -> Vec<&'a str> {
    beats.iter().map(String::as_str).filter(|at| from < *at && *at < to).collect()
}

const GREEN: fn(&mut World) = |w| {
    w.run("orders", "2026-11-23 03:00", "2026-11-23 03:40").run("sales", "2026-11-23 04:00", "2026-11-23 04:35");
};

#[test]
fn a_night_that_is_watched_beats() {
    let beats = beats(beating(), "2026-11-23 02:00", "2026-11-23 09:00", GREEN);
    assert_eq!(beats.len(), 7 * 12 + 1, "{beats:?}");
    assert_eq!((beats[0].as_str(), beats[1].as_str()), ("02:00:00", "02:05:00"));
}

#[test]
fn nobody_who_wants_no_beat_gets_one() {
    assert!(beats(plan(), "2026-11-23 02:00", "2026-11-23 09:00", GREEN).is_empty());
}

#[test]
fn a_dark_source_that_is_held_and_told_is_no_lapse() {
    let beats = beats(beating(), "2026-11-23 01:00", "2026-11-23 09:00", |w| {
        GREEN(w);
        w.dark("airflow", "2026-11-23 02:00", "2026-11-23 08:00");
    });
    assert_eq!(beats.len(), 8 * 12 + 1, "{beats:?}");
}

#[test]
fn a_dark_source_of_which_nobody_can_be_told_is_a_lapse() {
    let mut nobody = Plan { tell: vec![], ..beating() };
    nobody.dashboards.get_mut(&id("exec")).unwrap().tell.clear();
    nobody.digests.clear();
    let dark = |w: &mut World| {
        GREEN(w);
        w.dark("airflow", "2026-11-23 02:00", "2026-11-23 08:00");
    };
    let monday = beats(nobody, "2026-11-23 01:00", "2026-11-23 08:30", dark);
    assert_eq!(between(&monday, "02:02", "07:59"), [""; 0], "{monday:?}");
    assert!(monday.contains(&"02:00:00".to_owned()) && monday.contains(&"08:00:00".to_owned()), "{monday:?}");
    // That nobody looks on a Sunday is a reason to tell nobody.
    let sunday = beats(beating(), "2026-11-22 01:00", "2026-11-22 06:00", |w| {
        w.dark("airflow", "2026-11-22 02:00", "2026-11-22 08:00");
    });
    assert_eq!(sunday.len(), 5 * 12 + 1, "{sunday:?}");
}

#[test]
fn a_message_that_was_refused_is_a_lapse_while_it_would_be_of_use() {
    let refused = |w: &mut World| w.outcomes = vec![Outcome::Refused { why: "404 no_service".to_owned() }];
    // The chat takes the alert of 07:10; the digest was worth reading until 09:00.
    let alone = beats(beating(), "2026-11-23 06:00", "2026-11-23 09:30", refused);
    assert_eq!(between(&alone, "06:30:01", "09:00"), [""; 0], "{alone:?}");
    assert!(alone.contains(&"06:30:00".to_owned()) && alone.contains(&"09:00:00".to_owned()), "{alone:?}");
    let mut two = beating();
    two.chats.get_mut(&id("team")).unwrap().fallback = Some(id("backup"));
    two.chats.insert(id("backup"), chat());
    let helped = beats(two.clone(), "2026-11-23 06:00", "2026-11-23 07:30", refused);
    assert_eq!(helped.len(), 19, "{helped:?}");
    // Nor does the one that stands in take it.
    let both = |w: &mut World| {
        let gone = || Outcome::Refused { why: "404 no_service".to_owned() };
        w.outcomes = vec![gone(), gone()];
    };
    let lost = beats(two, "2026-11-23 06:00", "2026-11-23 08:30", both);
    assert_eq!(between(&lost, "06:30:01", "08:30:01"), [""; 0], "{lost:?}");
}

#[test]
fn a_message_that_is_too_long_on_its_way_is_a_lapse() {
    let beats = beats(beating(), "2026-11-23 06:00", "2026-11-23 07:08", |w| {
        GREEN(w);
        w.outcomes = vec![Outcome::Failed { why: "503".to_owned(), retry_at: None }; 12];
    });
    // Tried at 06:30:00, :05, :15, :35, 31:15, 32:35, 35:15, and then every five minutes; taken at 07:05:15.
    assert_eq!(between(&beats, "06:40:01", "07:05:15"), [""; 0], "{beats:?}");
    assert!(beats.contains(&"06:40:00".to_owned()) && beats.contains(&"07:05:15".to_owned()), "{beats:?}");
}

#[test]
fn what_is_not_asked_and_not_judged_is_a_lapse() {
    let mut world = World::new(beating(), "2026-11-23 02:00");
    let named = |world: &World| lapses(&world.state, &world.plan, world.at);
    let fresh = named(&world);
    assert!(fresh.contains(&Lapse::NotAsked { source: id("airflow"), since: None }), "{fresh:?}");
    assert!(fresh.contains(&Lapse::NotJudged { dashboard: id("exec"), since: None }), "{fresh:?}");
    assert_eq!(fresh[0].to_string(), "source airflow was never asked");
    GREEN(&mut world);
    world.until("2026-11-23 03:00");
    assert_eq!(named(&world), []);
    // Five minutes past its time a question is late; all that the judgement waits for is the next hour's.
    world.at = seoul("2026-11-23 03:06");
    assert_eq!(named(&world), []);
    world.at = seoul("2026-11-23 03:07");
    let late = named(&world);
    assert!(late.contains(&Lapse::NotAsked { source: id("airflow"), since: Some(seoul("2026-11-23 03:01")) }), "{late:?}");
    assert!(!due(&world.state, &world.plan, world.at).beat);
    world.at = seoul("2026-11-23 09:05");
    let later = named(&world);
    assert!(later.iter().any(|lapse| matches!(lapse, Lapse::NotJudged { since: Some(_), .. })), "{later:?}");
}

#[test]
fn a_clock_that_is_set_back_does_not_silence_the_beat() {
    let mut world = World::new(beating(), "2026-11-23 04:50");
    GREEN(&mut world);
    world.until("2026-11-23 05:00");
    world.at = seoul("2026-11-23 04:10");
    world.until("2026-11-23 04:12");
    assert_eq!(world.beats.last(), Some(&seoul("2026-11-23 04:10")));
}

#[test]
fn a_refused_reload_is_no_lapse() {
    let mut world = World::new(beating(), "2026-11-23 02:00");
    GREEN(&mut world);
    world.until("2026-11-23 02:01");
    let refused = RefusedReload { at: world.at, findings: 3, first: "dawnwatch.toml:3:1: unknown key".to_owned() };
    world.take(Input::Reloaded(Some(refused)));
    world.until("2026-11-23 02:20");
    assert_eq!(world.beats.len(), 5);
}
