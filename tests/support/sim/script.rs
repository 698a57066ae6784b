//! The truth of some nights, made from a seed before anything is played: what runs when, which source is dark, which chat fails,
//! where the program dies. A poll sees of it only what had happened by then. Nothing here knows the core's judging.

use super::rng::Rng;
use super::setup;
use chrono::{NaiveDate, TimeDelta};
use dawnwatch::core::observation::*;
use dawnwatch::core::plan::*;
use dawnwatch::core::step::Outcome;
use dawnwatch::core::time::{ClockTime, Instant};
use std::collections::BTreeMap;

/// One run of a pipeline, to its end.
#[derive(Debug, Clone)]
pub struct Course {
    pub id: String,
    pub kind: RunKind,
    pub scheduled_at: Instant,
    pub started_at: Instant,
    /// `None`: it hangs.
    pub ended_at: Option<Instant>,
    pub success: bool,
    pub error: &'static str,
}

/// One pipeline or dataset; its subject is the check's name.
#[derive(Debug, Clone)]
pub struct Thing {
    pub source: Id,
    pub dataset: bool,
    pub runs: Vec<Course>,
    /// For datasets: when it could be seen, and the timestamp that is seen from then on.
    pub data: Vec<(Instant, Instant)>,
    pub paused: Vec<Span>,
    /// The source does not know it any more.
    pub gone_from: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub from: Instant,
    pub to: Instant,
}

impl Span {
    pub fn holds(&self, at: Instant) -> bool {
        self.from <= at && at < self.to
    }

    pub fn touches(&self, from: Instant, to: Instant) -> bool {
        self.from <= to && from < self.to
    }
}

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
    /// Nothing was written.
    CommitFails,
    /// The commit was written, but reported as failed.
    CommitLies,
}

#[derive(Debug, Clone)]
pub struct Script {
    pub seed: u64,
    pub plan: Plan,
    pub from: Instant,
    pub to: Instant,
    pub things: BTreeMap<Id, Thing>,
    pub dark: Vec<(Id, Span)>,
    pub faults: Vec<(Id, Span, Fault)>,
    pub crashes: Vec<(Instant, Crash, TimeDelta)>,
    /// The machine sleeps.
    pub naps: Vec<Span>,
}

const ZONE: chrono_tz::Tz = chrono_tz::Asia::Seoul;

pub fn on(date: NaiveDate, minutes: i64) -> Instant {
    ClockTime::at(0, 0).on(date, ZONE) + TimeDelta::minutes(minutes)
}

pub fn script(seed: u64) -> Script {
    let mut rng = Rng::new(seed);
    let plan = setup::plan(&mut rng);
    // Thursday to Sunday: the nights hold workdays and days off. 2026-11-19 is a Thursday.
    let first = NaiveDate::from_ymd_opt(2026, 11, 19).expect("a date") + TimeDelta::days(rng.within(0, 3));
    let nights = rng.within(1, 3);
    let mut script = Script {
        seed,
        from: on(first, -4 * 60),
        to: on(first, nights * 24 * 60 - 8 * 60),
        things: setup::things(&plan),
        plan,
        dark: Vec::new(),
        faults: Vec::new(),
        crashes: Vec::new(),
        naps: Vec::new(),
    };
    for night in 0..nights {
        let date = first + TimeDelta::days(night);
        pipelines(&mut script, &mut rng, date);
        surroundings(&mut script, &mut rng, date);
    }
    script.crashes.sort_by_key(|(at, ..)| *at);
    script.naps.sort_by_key(|nap| nap.from);
    script
}

/// What every pipeline does in one night: each begins when its needs are there, or does not.
fn pipelines(script: &mut Script, rng: &mut Rng, date: NaiveDate) {
    let trouble = rng.pick(&[0, 3, 8, 20]);
    let together = rng.chance(15).then(|| rng.within(120, 500));
    let mut done: BTreeMap<Id, Option<Instant>> = BTreeMap::new();
    // Names are in the order of need: a check needs only checks before it.
    for (id, check) in script.plan.checks.clone() {
        let needs: Option<Vec<Instant>> = check
            .needs
            .iter()
            .filter_map(|need| match need {
                Need::Check(need) => Some(done.get(need).copied().flatten()),
                Need::Group(_) => None,
            })
            .collect();
        let thing = script.things.get_mut(&id).expect("every check is a thing");
        let Some(needs) = needs else {
            done.insert(id, None);
            continue;
        };
        let earliest = on(date, rng.within(30, 180));
        let start = needs.into_iter().max().map_or(earliest, |at| at + TimeDelta::minutes(rng.within(0, 5)));
        let all_fail = together.filter(|_| check.needs.is_empty() && rng.chance(80));
        let ready = if thing.dataset {
            dataset(thing, rng, start, date, trouble, check.evidence)
        } else if let Some(minute) = all_fail {
            fails_with_others(thing, rng, on(date, minute))
        } else {
            pipeline(thing, rng, start, trouble)
        };
        if rng.chance(trouble / 4) {
            thing.gone_from = thing.gone_from.or(Some(on(date, rng.within(0, 600))));
        }
        done.insert(id, ready);
    }
}

fn course(thing: &mut Thing, start: Instant, minutes: Option<i64>, success: bool) -> Option<Instant> {
    let ended_at = minutes.map(|minutes| start + TimeDelta::minutes(minutes));
    thing.runs.push(Course {
        id: format!("run {}", start.format("%d %H:%M")),
        kind: RunKind::Scheduled,
        scheduled_at: start,
        started_at: start,
        ended_at,
        success,
        error: "connection refused (member-db-ro:5432)",
    });
    ended_at.filter(|_| success)
}

fn by_hand(thing: &mut Thing) {
    thing.runs.last_mut().expect("just made").kind = RunKind::Manual;
}

fn fails_with_others(thing: &mut Thing, rng: &mut Rng, at: Instant) -> Option<Instant> {
    let at = at + TimeDelta::minutes(rng.within(0, 8));
    course(thing, at, Some(rng.within(1, 5)), false);
    if rng.chance(50) {
        let again = course(thing, at + TimeDelta::minutes(rng.within(30, 200)), Some(20), true);
        by_hand(thing);
        return again;
    }
    None
}

fn pipeline(thing: &mut Thing, rng: &mut Rng, start: Instant, trouble: i64) -> Option<Instant> {
    let minutes = rng.within(10, 50);
    if !rng.chance(trouble) {
        let end = course(thing, start, Some(minutes), true);
        if rng.chance(trouble / 3) {
            let again = start + TimeDelta::minutes(minutes + rng.within(1, 300));
            course(thing, again, Some(rng.within(5, 90)), rng.chance(80));
            by_hand(thing);
        }
        return end;
    }
    match rng.within(0, 6) {
        0 => course(thing, start + TimeDelta::minutes(rng.within(30, 400)), Some(minutes), true),
        1 => course(thing, start, Some(minutes * rng.within(3, 9)), true),
        2 => course(thing, start, Some(minutes), false),
        3 => {
            course(thing, start, Some(minutes), false);
            let end = course(thing, start + TimeDelta::minutes(minutes + rng.within(1, 240)), Some(minutes), true);
            thing.runs.last_mut().expect("just made").error = "";
            if rng.chance(50) {
                by_hand(thing);
            }
            end
        }
        4 => None,
        5 => {
            thing.paused.push(Span { from: start - TimeDelta::hours(2), to: start + TimeDelta::hours(12) });
            None
        }
        _ => course(thing, start, None, true),
    }
}

fn dataset(thing: &mut Thing, rng: &mut Rng, start: Instant, date: NaiveDate, trouble: i64, evidence: Evidence) -> Option<Instant> {
    let late = if rng.chance(trouble) { rng.within(60, 500) } else { 0 };
    let at = start + TimeDelta::minutes(rng.within(0, 60) + late);
    if rng.chance(trouble / 2) {
        return None;
    }
    let Evidence::DataTime { through } = evidence else {
        thing.data.push((at, at));
        return Some(at);
    };
    let through = through.on(date, ZONE);
    if rng.chance(trouble) {
        // It moves on, but not far enough, and perhaps later.
        thing.data.push((at, through - TimeDelta::hours(3)));
        if rng.chance(50) {
            return None;
        }
    }
    let at = at + TimeDelta::minutes(30);
    thing.data.push((at, through + TimeDelta::minutes(rng.within(0, 20))));
    Some(at)
}

/// What happens around the pipelines in one night: dark sources, failing chats, crashes, a machine that sleeps.
fn surroundings(script: &mut Script, rng: &mut Rng, date: NaiveDate) {
    let span = |rng: &mut Rng, longest| {
        let from = on(date, rng.within(-3 * 60, 11 * 60)) + TimeDelta::seconds(rng.within(0, 59));
        Span { from, to: from + TimeDelta::minutes(rng.within(1, longest)) }
    };
    for source in script.plan.sources.keys() {
        if rng.chance(25) {
            let longest = rng.pick(&[4, 30, 400]);
            script.dark.push((source.clone(), span(rng, longest)));
        }
    }
    // The way out of the machine itself.
    if rng.chance(12) {
        let longest = rng.pick(&[4, 30, 400]);
        let cut = span(rng, longest);
        script.dark.extend(script.plan.sources.keys().map(|source| (source.clone(), cut)));
    }
    for chat in script.plan.chats.keys() {
        if rng.chance(25) {
            let fault = rng.pick(&[Fault::Busy, Fault::Busy, Fault::LostAnswer, Fault::LostAll, Fault::Refuses]);
            let longest = rng.pick(&[1, 20, 200]);
            script.faults.push((chat.clone(), span(rng, longest), fault));
        }
    }
    for _ in 0..rng.pick(&[0, 0, 1, 4, 12]) {
        let places = [Crash::BeforeClaim, Crash::AfterClaim, Crash::AfterSend, Crash::CommitFails, Crash::CommitLies];
        let at = on(date, rng.within(-3 * 60, 12 * 60));
        let down = TimeDelta::seconds(rng.pick(&[0, 0, 3, 40, 900]));
        script.crashes.push((at, rng.pick(&places), down));
    }
    if rng.chance(12) {
        let from = on(date, rng.within(-2 * 60, 10 * 60));
        script.naps.push(Span { from, to: from + TimeDelta::hours(1) });
    }
}

impl Script {
    pub fn is_dark(&self, source: &Id, at: Instant) -> bool {
        self.dark.iter().any(|(dark, span)| dark == source && span.holds(at))
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
        if self.is_dark(ask.source(), at) {
            return Answer::Unreachable(Unreachable { why: Why::Timeout, detail: "no answer within 10s".to_owned() });
        }
        let there = |id: &Id| self.things.get(id).filter(|thing| thing.gone_from.is_none_or(|gone| at < gone));
        match ask {
            Ask::Sweep { subjects, since, .. } => {
                let item = |id: &Id| Some(Item { subject: id.clone(), fact: there(id)?.fact(*since, at) });
                Answer::Sweep(Sweep { items: subjects.iter().filter_map(item).collect(), ..Sweep::default() })
            }
            Ask::List { source } => {
                let of_source = self.things.iter().filter(|(id, thing)| thing.source == *source && there(id).is_some());
                Answer::Listing(of_source.map(|(id, thing)| thing.member(id, at)).collect())
            }
            Ask::Failure { subject, run, .. } => {
                let course = self.things.get(subject).and_then(|thing| thing.runs.iter().find(|course| course.id == *run));
                let error = course.map(|course| course.error.to_owned());
                Answer::Failure(Failure { task: Some("load".to_owned()), try_number: Some(1), error })
            }
        }
    }
}

impl Script {
    /// The nights for people.
    pub fn story(&self) -> String {
        use super::oracle::local;
        let mut lines = vec![format!("seed {}: {} to {}", self.seed, local(self.from), local(self.to))];
        for (id, dashboard) in &self.plan.dashboards {
            let Dashboard { needs, ready_by, counts_from, on, audience, wake, tell, escalate, .. } = dashboard;
            lines.push(format!(
                "{id} by {} from {counts_from} on {on:?} audience {audience:?} wake {wake} tell {tell:?} escalate {escalate:?} needs {needs:?}",
                ready_by[0]
            ));
        }
        for (id, chat) in &self.plan.chats {
            let Chat { quiet, quiet_days, fallback, idempotent, .. } = chat;
            lines.push(format!("{id} quiet {quiet:?} {quiet_days:?} fallback {fallback:?} idempotent {idempotent}"));
        }
        for (id, check) in &self.plan.checks {
            let thing = &self.things[id];
            let (every, needs) = (self.plan.sources[&check.source].every, &check.needs);
            lines.push(format!("{id} of {} every {every} {:?} {:?} needs {needs:?}", check.source, check.evidence, check.duration));
            for run in &thing.runs {
                let end = run.ended_at.map(local);
                lines.push(format!("    {} to {end:?} {:?} success {}", local(run.started_at), run.kind, run.success));
            }
            lines.extend(thing.data.iter().map(|(at, stamp)| format!("    {} shows {}", local(*at), local(*stamp))));
            lines.extend(thing.paused.iter().map(|span| format!("    paused {} to {}", local(span.from), local(span.to))));
            lines.extend(thing.gone_from.map(|at| format!("    gone from {}", local(at))));
        }
        let span = |span: &Span| format!("{} to {}", local(span.from), local(span.to));
        lines.extend(self.dark.iter().map(|(source, dark)| format!("{source} dark {}", span(dark))));
        lines.extend(self.faults.iter().map(|(chat, at, fault)| format!("{chat} {fault:?} {}", span(at))));
        lines.extend(self.naps.iter().map(|nap| format!("asleep {}", span(nap))));
        lines.extend(self.crashes.iter().map(|(at, crash, down)| format!("{crash:?} from {} for {down}", local(*at))));
        lines.join("\n")
    }
}

impl Thing {
    fn fact(&self, since: Instant, at: Instant) -> Fact {
        if self.dataset {
            let seen = self.data.iter().filter(|(visible, _)| *visible <= at).map(|(_, stamp)| *stamp);
            return Fact::Timestamp(seen.max());
        }
        let begun = self.runs.iter().filter(|course| course.started_at <= at && course.scheduled_at >= since);
        Fact::Runs(begun.map(|course| course.seen(at)).collect())
    }

    fn member(&self, id: &Id, at: Instant) -> Member {
        Member {
            subject: id.clone(),
            tags: vec!["mart".to_owned()],
            owners: vec![],
            paused: self.paused.iter().any(|span| span.holds(at)),
            import_error: false,
            next_run_at: None,
        }
    }
}

impl Course {
    fn seen(&self, at: Instant) -> Run {
        let ended_at = self.ended_at.filter(|end| *end <= at);
        let state = match ended_at {
            None => RunState::Running,
            Some(_) if self.success => RunState::Success,
            Some(_) => RunState::Failed,
        };
        Run {
            id: self.id.clone(),
            kind: self.kind,
            scheduled_at: self.scheduled_at,
            started_at: Some(self.started_at),
            ended_at,
            state,
        }
    }
}
