//! What every pipeline does in one night.

use super::conf::{What, on};
use super::rng::Rng;
use super::script::{Mark, Script};
use super::things::{Course, Span, Thing};
use chrono::{NaiveDate, TimeDelta};
use dawnwatch::core::observation::{RunKind, RunState};
use dawnwatch::core::plan::Id;
use dawnwatch::core::time::Instant;
use std::collections::BTreeMap;

/// The same error with other numbers in it is the same; the last one cannot be read. `@` and `<` must not come alive in a chat.
const ERRORS: [&str; 5] = [
    "connection refused (member-db-ro:5432)",
    "no space left on <!channel> /tmp/17",
    "disk 4 @here is read-only",
    "key 12 twice",
    "",
];
/// The truth of a fault is believed to colour the state for so long.
pub const LASTS: TimeDelta = TimeDelta::hours(4);

fn task() -> String {
    "load".to_owned()
}

/// One thing in one night.
struct Night<'a> {
    thing: &'a mut Thing,
    marks: &'a mut Vec<(Span, Mark)>,
    rng: &'a mut Rng,
    trouble: i64,
}

/// What every pipeline does in one night: each begins when its needs are there, or does not.
pub fn pipelines(script: &mut Script, rng: &mut Rng, date: NaiveDate) {
    let trouble = rng.pick(&[0, 3, 8, 8, 20, 40]);
    // Some of one source fail within minutes, for one reason or for several.
    let sources: Vec<Id> = script.conf.sources.keys().cloned().collect();
    let together = rng.chance(30).then(|| (rng.pick(&sources), rng.within(60, 500), rng.pick(&[1, 1, 2, 3, 5])));
    let twice = script.conf.dashboards.values().any(|dashboard| dashboard.ready_by.len() > 1);
    let mut done: BTreeMap<Id, Option<Instant>> = BTreeMap::new();
    let conf = script.conf.clone();
    let members = script.things.keys().filter(|id| !conf.checks.contains_key(*id)).cloned();
    // Names are in the order of need: a check needs only checks before it.
    let ids: Vec<Id> = conf.checks.keys().cloned().chain(members).collect();
    for id in ids {
        let needs = conf.checks.get(&id).map(|check| check.needs.clone()).unwrap_or_default();
        let needs: Vec<Id> = needs.into_iter().filter(|need| conf.is_due(need, date)).collect();
        // On a day that is none of its own it may run all the same.
        if !conf.is_due(&id, date) && rng.chance(70) {
            continue;
        }
        let needed: Option<Vec<Instant>> = needs.iter().map(|need| done.get(need).copied().flatten()).collect();
        let Some(thing) = script.things.get_mut(&id) else { continue };
        let mut night = Night { thing, marks: &mut script.marks, rng, trouble };
        let Some(needed) = needed else {
            done.insert(id, None);
            continue;
        };
        let earliest = on(date, night.rng.within(30, 180));
        let start = needed.into_iter().max().map_or(earliest, |at| at + TimeDelta::minutes(night.rng.within(0, 5)));
        let in_it = together.as_ref().filter(|(source, ..)| *source == night.thing.source && needs.is_empty());
        let ready = match in_it.filter(|_| night.rng.chance(80)) {
            Some((_, minute, reasons)) if night.thing.what == What::Pipeline => {
                night.fails_with_others(on(date, *minute), *reasons)
            }
            _ => night.runs(start, date),
        };
        if twice && night.rng.chance(75) && night.thing.what == What::Pipeline {
            let (minute, minutes) = (night.rng.within(7 * 60, 12 * 60), night.rng.within(5, 30));
            night.course(on(date, minute), minutes, RunState::Success);
        }
        done.insert(id, ready);
    }
}

impl Night<'_> {
    fn mark(&mut self, mark: Mark, from: Instant) {
        self.marks.push((Span { from, to: from + LASTS }, mark));
    }

    fn runs(&mut self, start: Instant, date: NaiveDate) -> Option<Instant> {
        if self.rng.chance(self.trouble / 6) {
            let from = start + TimeDelta::minutes(self.rng.within(-120, 400));
            let to = from + TimeDelta::minutes(self.rng.pick(&[20, 200, 100_000]));
            if self.rng.chance(50) {
                self.mark(Mark::Vanished, from);
                self.thing.gone.push(Span { from, to });
            } else {
                self.mark(Mark::StrangeAnswer, from);
                self.thing.strange.push(Span { from, to });
            }
        }
        match self.thing.what {
            What::Pipeline => self.pipeline(start),
            what => self.dataset(start, date, what),
        }
    }

    /// A run that ends so, after so many minutes.
    fn course(&mut self, start: Instant, minutes: i64, end: RunState) -> Option<Instant> {
        let at = start + TimeDelta::minutes(minutes.max(1));
        self.steps(start, vec![(start, RunState::Running), (at, end.clone())]);
        (end == RunState::Success).then_some(at)
    }

    fn steps(&mut self, scheduled_at: Instant, steps: Vec<(Instant, RunState)>) {
        let error = self.rng.pick(&ERRORS);
        if error.is_empty() && steps.iter().any(|(_, state)| state.is_failed()) {
            self.mark(Mark::FailureUntold, steps[0].0);
        }
        let id = format!("run-{}", self.thing.runs.len() + 1);
        let kind = RunKind::Scheduled;
        self.thing.runs.push(Course { id, kind, scheduled_at, steps, error: error.to_owned() });
    }

    fn again_by_hand(&mut self, start: Instant, minutes: i64, end: RunState) -> Option<Instant> {
        self.mark(Mark::Reruns, start);
        let done = self.course(start, minutes, end);
        self.thing.runs.last_mut().expect("just made").kind = RunKind::Manual;
        done
    }

    fn fails_with_others(&mut self, at: Instant, reasons: usize) -> Option<Instant> {
        let at = at + TimeDelta::minutes(self.rng.within(0, 8));
        self.mark(if reasons > 1 { Mark::FailsApart } else { Mark::FailsTogether }, at);
        let minutes = self.rng.within(1, 5);
        self.course(at, minutes, RunState::Failed);
        self.thing.runs.last_mut().expect("just made").error = self.rng.pick(&ERRORS[..reasons]).to_owned();
        let again = at + TimeDelta::minutes(self.rng.within(30, 200));
        if self.rng.chance(50) { self.again_by_hand(again, 20, RunState::Success) } else { None }
    }

    fn pipeline(&mut self, start: Instant) -> Option<Instant> {
        let minutes = self.rng.within(10, 50);
        if !self.rng.chance(self.trouble) {
            let end = self.course(start, minutes, RunState::Success);
            if self.rng.chance(self.trouble / 3) {
                let again = start + TimeDelta::minutes(minutes + self.rng.within(1, 300));
                let state = self.rng.pick(&[RunState::Success, RunState::Success, RunState::Success, RunState::Failed]);
                let minutes = self.rng.within(5, 90);
                self.again_by_hand(again, minutes, state);
            }
            return end;
        }
        let later = |by: i64| start + TimeDelta::minutes(by);
        match self.rng.within(0, 11) {
            0 => {
                self.mark(Mark::StartsLate, start);
                let late = self.rng.within(30, 400);
                self.course(later(late), minutes, RunState::Success)
            }
            1 => {
                self.mark(Mark::RunsLong, start);
                let times = self.rng.within(3, 9);
                self.course(start, minutes * times, RunState::Success)
            }
            2 => {
                self.mark(Mark::Fails, later(minutes));
                self.course(start, minutes, RunState::Failed)
            }
            3 => {
                self.mark(Mark::Fails, later(minutes));
                self.course(start, minutes, RunState::Failed);
                let again = later(minutes + self.rng.within(1, 240));
                if self.rng.chance(50) {
                    return self.again_by_hand(again, minutes, RunState::Success);
                }
                self.course(again, minutes, RunState::Success)
            }
            4 => {
                self.mark(Mark::NeverStarts, start);
                None
            }
            5 => {
                self.mark(Mark::Hangs, start);
                self.steps(start, vec![(start, RunState::Running)]);
                None
            }
            6 => self.halts(start, RunState::Queued, Mark::QueuedLong),
            7 => self.halts(start, RunState::Waiting { task: task() }, Mark::WaitsInSensor),
            8 | 9 => self.stumbles(start, minutes),
            kind => {
                let span = Span { from: later(-120), to: later(self.rng.pick(&[200, 720])) };
                let (mark, spans) = if kind == 10 {
                    (Mark::Paused, &mut self.thing.paused)
                } else {
                    (Mark::ImportError, &mut self.thing.import_error)
                };
                spans.push(span);
                self.mark(mark, start);
                None
            }
        }
    }

    /// It waits for long before it works, or for ever.
    fn halts(&mut self, start: Instant, state: RunState, mark: Mark) -> Option<Instant> {
        self.mark(mark, start);
        let mut steps = vec![(start, state)];
        let end = start + TimeDelta::minutes(self.rng.within(60, 400));
        let goes_on = self.rng.chance(70);
        if goes_on {
            steps.extend([(end, RunState::Running), (end + TimeDelta::minutes(15), RunState::Success)]);
        }
        self.steps(start, steps);
        goes_on.then_some(end + TimeDelta::minutes(15))
    }

    /// A task of it fails and is tried again, or not; and perhaps it is cleared afterwards.
    fn stumbles(&mut self, start: Instant, minutes: i64) -> Option<Instant> {
        let at = |by: i64| start + TimeDelta::minutes(minutes + by);
        let wait = self.rng.within(5, 90);
        let mut steps = vec![(start, RunState::Running)];
        let end = match self.rng.within(0, 3) {
            0 => {
                steps.extend([(at(0), RunState::Retrying { task: task() }), (at(wait), RunState::Success)]);
                Some(at(wait))
            }
            1 => {
                steps.extend([(at(0), RunState::Retrying { task: task() }), (at(wait), RunState::Failed)]);
                None
            }
            2 => {
                steps.extend([(at(0), RunState::Doomed { task: task() }), (at(wait), RunState::Failed)]);
                None
            }
            _ => {
                // Cleared: the same run goes on.
                steps.extend([(at(0), RunState::Doomed { task: task() }), (at(wait), RunState::Running)]);
                steps.push((at(wait + 20), RunState::Success));
                Some(at(wait + 20))
            }
        };
        let retries = matches!(steps[1].1, RunState::Retrying { .. });
        self.mark(if retries { Mark::Retries } else { Mark::Doomed }, at(0));
        self.steps(start, steps);
        end
    }

    fn dataset(&mut self, start: Instant, date: NaiveDate, what: What) -> Option<Instant> {
        let late = if self.rng.chance(self.trouble) { self.rng.within(60, 500) } else { 0 };
        let mut at = start + TimeDelta::minutes(self.rng.within(0, 60) + late);
        if late > 0 {
            self.mark(Mark::StartsLate, start);
        }
        if self.rng.chance(self.trouble / 2) {
            self.mark(Mark::NeverStarts, start);
            return None;
        }
        if self.rng.chance(self.trouble / 3) {
            self.mark(Mark::FutureData, at);
            self.thing.data.push((at, at + TimeDelta::hours(self.rng.within(30, 60))));
        }
        let What::Data { through } = what else {
            self.thing.data.push((at, at));
            return Some(at);
        };
        let through = on(date, through);
        if self.rng.chance(self.trouble) {
            // It moves on, but not far enough, and perhaps later.
            self.mark(Mark::DataFallsShort, at);
            self.thing.data.push((at, through - TimeDelta::hours(3)));
            if self.rng.chance(50) {
                return None;
            }
        }
        at += TimeDelta::minutes(30);
        self.thing.data.push((at, through + TimeDelta::minutes(self.rng.within(0, 20))));
        Some(at)
    }
}
