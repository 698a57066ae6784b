//! The truth of some nights, made from a seed before anything is played: what runs when, which source is dark, which chat fails,
//! where the program dies. A poll sees of it only what had happened by then. Nothing here knows the core's judging.

use super::around;
use super::conf::{Conf, Days, date_of, local, on, thing_of};
use super::night;
use super::past::{self, Past};
use super::rng::Rng;
use super::setup;
use super::things::{Span, Thing};
use chrono::{NaiveDate, TimeDelta};
use dawnwatch::core::observation::*;
use dawnwatch::core::plan::Id;
use dawnwatch::core::step::Outcome;
use dawnwatch::core::time::Instant;
use std::collections::BTreeMap;

/// How a chat fails for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Busy,
    /// The answer is lost, the message is there.
    LostAnswer,
    /// The answer is lost, and so is the message.
    LostAll,
    Refuses,
}

/// Where the program dies, or its store fails: at the first such place from an instant on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Between two steps.
    BeforeClaim,
    AfterClaim,
    AfterSend,
    /// The message is out and its outcome is written; nothing after it was done.
    AfterOutcome,
    /// Nothing was written.
    CommitFails,
    /// The commit was written, but reported as failed.
    CommitLies,
}

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    Ack(usize),
    Snooze(usize),
    MuteCheck(Id),
    MuteDashboard(Id),
    MuteSource(Id),
    Retire(usize),
}

/// Another configuration.
#[derive(Debug, Clone)]
pub struct Change {
    pub at: Instant,
    pub conf: Conf,
    /// The process ends and is started again; else it goes over to it while it runs.
    pub restart: bool,
}

macro_rules! marks {
    ($($mark:ident)*) => {
        /// What can go wrong, for the count of what was reached.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mark {
            $($mark),*
        }

        /// All of it, in the order of the table's rows.
        pub const MARKS: &[Mark] = &[$(Mark::$mark),*];
    };
}

marks! {
    StartsLate RunsLong Hangs Fails FailsTogether FailsApart FailureUntold Reruns Retries Doomed WaitsInSensor QueuedLong
    NeverStarts Paused ImportError Vanished NewMember StrangeAnswer FutureData DataFallsShort DarkSource DarkAll
    SchedulerDead HasHabits SourceClockOff OwnClockJumps Suspend SweepInParts ChatBusy ChatLosesAnswer ChatDrops ChatRefuses
    CrashBeforeClaim CrashAfterClaim CrashAfterSend CrashAfterOutcome CommitFails CommitLies Restart Reload ReloadRefused
    CheckAdded CheckTaken CheckRenamed DeadlineMoved ChatTaken Ack Snooze Mute Retire Maintenance
}

#[derive(Debug, Clone)]
pub struct Script {
    pub seed: u64,
    pub conf: Conf,
    pub from: Instant,
    pub to: Instant,
    pub things: BTreeMap<Id, Thing>,
    pub past: BTreeMap<Id, Past>,
    pub dark: Vec<(Id, Span, Why)>,
    pub dead: Vec<(Id, Span)>,
    /// A source's clock is so many seconds ahead.
    pub clocks: Vec<(Id, Span, i64)>,
    /// The watch's own clock is so much ahead.
    pub jumps: Vec<(Span, TimeDelta)>,
    /// How many parts a source tells its sweeps in, and how many seconds lie between two.
    pub parts: BTreeMap<Id, (usize, i64)>,
    /// How many seconds a source takes to say why a run failed.
    pub fetch_s: BTreeMap<Id, i64>,
    pub faults: Vec<(Id, Span, Fault)>,
    pub crashes: Vec<(Instant, Crash, TimeDelta)>,
    /// The machine sleeps.
    pub naps: Vec<Span>,
    pub orders: Vec<(Instant, Wish, TimeDelta)>,
    pub changes: Vec<Change>,
    /// A configuration that is no good was to be read.
    pub refused: Vec<Instant>,
    pub marks: Vec<(Span, Mark)>,
}

pub fn script(seed: u64) -> Script {
    let mut rng = Rng::new(seed);
    let mut conf = setup::conf(&mut rng);
    setup::own_days(&mut conf, seed);
    // Thursday to Sunday: the nights hold workdays and days off. 2026-11-19 is a Thursday.
    let first = NaiveDate::from_ymd_opt(2026, 11, 19).expect("a date") + TimeDelta::days(rng.within(0, 3));
    let nights = if conf.checks.len() > 100 { 1 } else { rng.within(1, 3) };
    let mut script = Script {
        seed,
        from: on(first, -4 * 60),
        to: on(first, nights * 24 * 60 - 8 * 60),
        things: setup::things(&conf, &mut rng),
        conf,
        past: BTreeMap::new(),
        dark: Vec::new(),
        dead: Vec::new(),
        clocks: Vec::new(),
        jumps: Vec::new(),
        parts: BTreeMap::new(),
        fetch_s: BTreeMap::new(),
        faults: Vec::new(),
        crashes: Vec::new(),
        naps: Vec::new(),
        orders: Vec::new(),
        changes: Vec::new(),
        refused: Vec::new(),
        marks: Vec::new(),
    };
    for night in 0..nights {
        night::pipelines(&mut script, &mut rng, first + TimeDelta::days(night));
        around::surroundings(&mut script, &mut rng, first + TimeDelta::days(night));
    }
    around::once(&mut script, &mut rng, first);
    has_habits(&mut script);
    script.crashes.sort_by_key(|(at, ..)| *at);
    script.naps.sort();
    script.orders.sort_by_key(|(at, ..)| *at);
    script.changes.sort_by_key(|change| change.at);
    script
}

/// In most worlds it is known how things went before. Drawn by itself, so that the others stay as they are.
fn has_habits(script: &mut Script) {
    let mut rng = Rng::new(script.seed.rotate_left(32) + 1);
    if rng.chance(60) {
        script.past = past::past(script, &mut rng);
        // Nobody starts a program on a full second.
        script.from += TimeDelta::milliseconds(rng.within(1, 999));
        script.mark(Mark::HasHabits, script.from, script.to);
    }
}

impl Script {
    pub fn nights(&self) -> u64 {
        u64::try_from((self.to - self.from).num_hours() / 24 + 1).unwrap_or(1)
    }

    pub fn mark(&mut self, mark: Mark, from: Instant, to: Instant) {
        self.marks.push((Span { from, to }, mark));
    }

    /// The configuration in force.
    pub fn conf_at(&self, at: Instant) -> &Conf {
        self.changes.iter().rev().find(|change| change.at <= at).map_or(&self.conf, |change| &change.conf)
    }

    pub fn is_dark(&self, source: &Id, at: Instant) -> bool {
        self.dark.iter().any(|(dark, span, _)| dark == source && span.holds(at))
    }

    /// By how much the watch's own clock is ahead.
    pub fn ahead(&self, real: Instant) -> TimeDelta {
        self.jumps.iter().find(|(span, _)| span.holds(real)).map_or(TimeDelta::zero(), |(_, by)| *by)
    }

    /// What the chat answers now, and whether people see the message.
    pub fn send(&self, chat: &Id, at: Instant) -> (Outcome, bool) {
        let lost = || Outcome::Ambiguous { why: "connection reset".to_owned() };
        match self.faults.iter().find(|(of, span, _)| of == chat && span.holds(at)).map(|(.., fault)| fault) {
            None => (Outcome::Confirmed { handle: None }, true),
            Some(Fault::Busy) => (Outcome::Failed { why: "503".to_owned(), retry_at: None }, false),
            Some(Fault::LostAnswer) => (lost(), true),
            Some(Fault::LostAll) => (lost(), false),
            Some(Fault::Refuses) => (Outcome::Refused { why: "404 no_service".to_owned() }, false),
        }
    }

    pub fn answer(&self, ask: &Ask, at: Instant) -> Answer {
        let source = ask.source();
        if let Some((.., why)) = self.dark.iter().find(|(dark, span, _)| dark == source && span.holds(at)) {
            return Answer::Unreachable(Unreachable { why: *why, detail: "no answer within 10s".to_owned() });
        }
        match ask {
            Ask::Sweep { subjects, since, .. } => Answer::Sweep(self.sweep(source, subjects, *since, at)),
            Ask::List { source } => {
                let known =
                    |(id, thing): (&Id, &Thing)| (thing.source == *source && thing.is_there(at)).then(|| thing.member(id, at));
                Answer::Listing(self.things.iter().filter_map(known).collect())
            }
            Ask::Failure { subject, run, .. } => {
                let course = self.things.get(subject).and_then(|thing| thing.runs.iter().find(|course| course.id == *run));
                let error = course.map(|course| course.error.clone());
                // Some have no log to read.
                if error.as_ref().is_some_and(String::is_empty) {
                    return Answer::Unreachable(Unreachable { why: Why::Status, detail: "404 for the log".to_owned() });
                }
                Answer::Failure(Failure { task: Some("load".to_owned()), try_number: Some(1), error })
            }
        }
    }

    fn sweep(&self, source: &Id, subjects: &[Id], since: Instant, at: Instant) -> Sweep {
        let there = |id: &Id| self.things.get(&thing_of(id))?.item(id, since, at);
        let dead = self.dead.iter().find(|(dead, span)| dead == source && span.holds(at));
        // Only some sources tell their time.
        let tells = self.clocks.iter().any(|(id, ..)| id == source) || !self.jumps.is_empty();
        let off = self.clocks.iter().find(|(id, span, _)| id == source && span.holds(at)).map_or(0, |(.., ahead)| *ahead);
        Sweep {
            items: subjects.iter().filter_map(there).collect(),
            scheduler: dead.map_or(Scheduler::NotSaid, |(_, span)| Scheduler::Dead { heartbeat: Some(span.from) }),
            clock_ahead_s: tells.then(|| off - self.ahead(at).num_seconds()),
        }
    }

    /// Is the day a day off?
    pub fn is_off(at: Instant) -> bool {
        Days::Off.holds(date_of(at))
    }

    /// The nights for people.
    pub fn story(&self) -> String {
        let mut lines = vec![format!("seed {}: {} to {}", self.seed, local(self.from), local(self.to)), self.conf.text()];
        for (id, thing) in &self.things {
            lines.push(format!("{id} of {} {:?} group {:?}", thing.source, thing.what, thing.group));
            lines.extend(self.past.get(id).map(|past| format!("    {past:?}")));
            for run in &thing.runs {
                let steps: Vec<String> = run.steps.iter().map(|(at, state)| format!("{} {state:?}", local(*at))).collect();
                lines.push(format!(
                    "    {} for {} {:?}: {} ({})",
                    run.id,
                    local(run.scheduled_at),
                    run.kind,
                    steps.join(", "),
                    run.error
                ));
            }
            lines.extend(thing.data.iter().map(|(at, stamp)| format!("    {} shows {}", local(*at), local(*stamp))));
            for (what, spans) in
                [("paused", &thing.paused), ("broken", &thing.import_error), ("gone", &thing.gone), ("strange", &thing.strange)]
            {
                lines.extend(spans.iter().map(|span| format!("    {what} {}", told(span))));
            }
        }
        lines.extend(self.dark.iter().map(|(source, dark, why)| format!("{source} dark {} {why:?}", told(dark))));
        lines.extend(self.dead.iter().map(|(source, dead)| format!("scheduler of {source} dead {}", told(dead))));
        lines.extend(self.clocks.iter().map(|(source, span, by)| format!("clock of {source} {by} s ahead {}", told(span))));
        lines.extend(self.jumps.iter().map(|(span, by)| format!("own clock {} min ahead {}", by.num_minutes(), told(span))));
        lines.extend(self.parts.iter().map(|(source, parts)| format!("{source} in parts {parts:?}")));
        lines.extend(self.fetch_s.iter().map(|(source, s)| format!("{source} tells failures in {s} s")));
        lines.extend(self.faults.iter().map(|(chat, at, fault)| format!("{chat} {fault:?} {}", told(at))));
        lines.extend(self.naps.iter().map(|nap| format!("asleep {}", told(nap))));
        lines.extend(self.crashes.iter().map(|(at, crash, down)| format!("{crash:?} from {} for {down}", local(*at))));
        lines.extend(self.orders.iter().map(|(at, wish, span)| format!("{} {wish:?} for {span}", local(*at))));
        for change in &self.changes {
            lines.push(format!("{} restart {}:\n{}", local(change.at), change.restart, change.conf.text()));
        }
        lines.join("\n")
    }
}

fn told(span: &Span) -> String {
    format!("{} to {}", local(span.from), local(span.to))
}
