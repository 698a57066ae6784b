//! What every played night must hold, whatever its numbers.

use super::*;

/// Who cannot finish without `id`, directly or through others.
fn dependants(script: &Script, id: &str) -> usize {
    let mut below = std::collections::BTreeSet::from([id.to_owned()]);
    // The cast is ordered: who waits stands behind whom it waits for.
    for pipeline in &script.pipelines {
        if pipeline.needs.iter().any(|need| below.contains(need)) {
            below.insert(pipeline.id.clone());
        }
    }
    below.len() - 1
}

fn run<'a>(script: &'a Script, id: &str) -> &'a Run {
    script.tonight().find(|r| script.of(r).id == id).unwrap()
}

#[test]
fn about_three_hundred_pipelines_hang_together() {
    let script = Script::new(Night::Weekday);
    assert_eq!(script.pipelines.len(), 303);
    assert_eq!(script.by_id.len(), 303, "ids are unique");
    assert_eq!(dependants(&script, cast::CAUSE), 120);
    let known = |id: &String| script.pipeline(id).is_some();
    assert!(script.pipelines.iter().all(|p| p.needs.iter().all(known) && (2..60).contains(&p.usual_min)));
    let minutes = |p: &Pipeline| p.hour * 60 + p.minute;
    assert!(script.pipelines.iter().all(|p| (90..=420).contains(&minutes(p))));
}

#[test]
fn every_run_is_in_order_and_ends_well() {
    for night in [Night::Weekday, Night::Weekend] {
        let script = Script::new(night);
        assert_eq!(script.runs.len(), 303 * 15);
        for run in &script.runs {
            let name = &script.of(run).id;
            let last = run.attempts.last().unwrap();
            assert!(last.succeeded && last.ended_at < night.ends_at(), "{name}");
            assert!(run.attempts.iter().all(|a| a.queued_at < a.started_at && a.started_at < a.ended_at), "{name}");
            assert!(run.attempts.windows(2).all(|w| w[0].ended_at <= w[1].queued_at), "{name}");
            assert!(run.tries.iter().all(|t| t.start < t.end), "{name}");
            assert!(run.tries.windows(2).all(|w| w[0].end <= w[1].start), "{name}");
            assert!(run.tasks_at(last.ended_at).all(|t| t.state == run::TaskWord::Success), "{name}");
        }
    }
}

#[test]
fn a_usual_night_keeps_the_declared_run_times() {
    let script = Script::new(Night::Weekend);
    for run in script.runs.iter().filter(|r| r.date != script.night.date()) {
        let pipeline = script.of(run);
        let took = (run.ends_at() - run.run_after).num_minutes();
        assert!(took <= i64::from(pipeline.declared_min()), "{} took {took} min", pipeline.id);
    }
}

#[test]
fn the_weekend_is_all_green_by_eight() {
    let script = Script::new(Night::Weekend);
    let census = script.census(Night::Weekend.at(8, 0));
    assert_eq!((census.arrived, census.total()), (303, 303));
    let failed = (0..360).any(|minute| script.census(Night::Weekend.at(2 + minute / 60, minute % 60)).failed > 0);
    assert!(!failed, "its one failing try heals inside its run");
    assert!(script.tonight().any(|r| r.tries.iter().any(|t| matches!(t.ending, run::Ending::Retry(_)))));
}

#[test]
fn the_weekday_tells_its_story() {
    let night = Night::Weekday;
    let script = Script::new(night);
    let state = |id, hour, minute| run(&script, id).at(night.at(hour, minute)).state;
    let cases = [
        (cast::CAUSE, 2, 54, RunWord::Running),
        (cast::CAUSE, 2, 56, RunWord::Failed),
        (cast::CAUSE, 6, 56, RunWord::Failed),
        (cast::CAUSE, 6, 58, RunWord::Running),
        (cast::CAUSE, 7, 25, RunWord::Success),
        (cast::HEALED, 3, 40, RunWord::Failed),
        (cast::HEALED, 3, 53, RunWord::Running),
        (cast::HEALED, 4, 25, RunWord::Success),
        (cast::LONG, 7, 23, RunWord::Running),
        (cast::LONG, 7, 25, RunWord::Running),
        (cast::LONG, 8, 15, RunWord::Success),
        (cast::SETTLEMENT, 7, 0, RunWord::Success),
    ];
    for (id, hour, minute, expected) in cases {
        assert_eq!(state(id, hour, minute), expected, "{id} at {hour}:{minute}");
    }
    assert_eq!(script.census(night.at(6, 30)).waiting, 121, "120 below the cause, and the board");
    let last = script.tonight().map(Run::ends_at).max().unwrap();
    assert!((night.at(8, 22)..night.at(8, 35)).contains(&last), "{last}");
}

#[test]
fn a_cleared_run_counts_its_tries_on() {
    let night = Night::Weekday;
    let script = Script::new(night);
    let cause = run(&script, cast::CAUSE);
    let export = |hour, minute| {
        let seen = cause.tasks_at(night.at(hour, minute)).find(|t| t.task.id == "export").unwrap();
        (seen.state, seen.try_number)
    };
    use run::TaskWord::*;
    assert_eq!(export(2, 35), (Running, 1));
    assert_eq!(export(2, 38), (UpForRetry, 1));
    assert_eq!(export(3, 0), (Failed, 3));
    assert_eq!(export(7, 0), (Running, 4));
    let load = |hour, minute| cause.tasks_at(night.at(hour, minute)).find(|t| t.task.id == "load").unwrap().state;
    assert_eq!((load(3, 0), load(7, 0)), (UpstreamFailed, None));
    assert!(matches!(cause.try_at("export", 3, night.at(3, 0)).unwrap().ending, run::Ending::Failed(_)));
}
