//! A small world for the two doors: a scripted source, a chat that answers as told, a store of rows, a clock that is moved by hand.
//! Everything goes through `step` and `due`; nothing here judges.

#![allow(dead_code, reason = "each test binary uses its own part of the world")]

use chrono::{NaiveDate, TimeDelta};
use dawnwatch::core::calendar::{Calendar, DayRule};
use dawnwatch::core::command::{self, Command, Order};
use dawnwatch::core::due::due;
use dawnwatch::core::message::{Body, DigestVerdict};
use dawnwatch::core::observation::*;
use dawnwatch::core::plan::*;
use dawnwatch::core::state::*;
use dawnwatch::core::step::{Input, Outcome, step};
use dawnwatch::core::time::{ClockTime, Hours, Instant};
use dawnwatch::replay::{Came, Past, Player};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// A run as the world knows it to the end; a poll sees of it only what had happened by then.
#[derive(Debug, Clone)]
pub struct Script {
    pub id: String,
    pub kind: RunKind,
    pub scheduled_at: Instant,
    pub started_at: Instant,
    /// `None`: it never ends.
    pub ended_at: Option<Instant>,
    pub success: bool,
    pub error: String,
}

#[derive(Debug, Clone, Default)]
pub struct Subject {
    pub runs: Vec<Script>,
    /// For datasets: arrivals.
    pub data: Vec<Instant>,
    pub paused: bool,
    pub import_error: bool,
    pub next_run_at: Option<Instant>,
    /// For paths with a date: when the data of each date arrived.
    pub dated: BTreeMap<NaiveDate, Instant>,
}

/// One message as it was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub at: Instant,
    pub chat: String,
    pub post: Post,
}

pub struct World {
    pub plan: Plan,
    pub state: State,
    pub rows: BTreeMap<Key, Row>,
    pub ledger: Vec<Entry>,
    /// What the store would keep of what was seen.
    pub observed: Vec<Observed>,
    pub at: Instant,
    pub subjects: BTreeMap<Id, Subject>,
    pub dataset: bool,
    /// The source shows data times that lie ahead of the clock.
    pub clairvoyant: bool,
    pub scheduler: Scheduler,
    /// Spans in which sources do not answer.
    pub dark: Vec<(Id, Instant, Instant)>,
    /// What they do instead.
    pub why: Why,
    /// Before then nobody answers why a run failed.
    pub reasons_from: Instant,
    /// Spans in which a source's clock is so many seconds ahead.
    pub clocks: Vec<(Id, Instant, Instant, i64)>,
    pub said: Vec<Said>,
    /// What the chats answer, first come first served; confirmed when empty.
    pub outcomes: Vec<Outcome>,
    /// Read the state anew from the rows before every step.
    pub amnesia: bool,
    pub tick: TimeDelta,
    pub asks: usize,
    /// What happens at an instant, in order of time.
    pub events: VecDeque<(Instant, Event)>,
    /// When the proof of life went out.
    pub beats: Vec<Instant>,
    /// Nobody has interfered: no events, no chat that fails. What the store keeps tells all.
    pub is_untouched: bool,
}

pub type Event = Box<dyn FnOnce(&mut World)>;

pub fn seoul(text: &str) -> Instant {
    format!("{text}:00+09:00").replace(' ', "T").parse().unwrap()
}

pub fn id(text: &str) -> Id {
    Id::from(text)
}

pub fn check(name: &str) -> Check {
    Check {
        source: id("airflow"),
        subject: id(name),
        evidence: Evidence::Pipeline,
        needs: vec![],
        owner: None,
        runbook: None,
        duration: Some(TimeDelta::minutes(40)),
        on: None,
        counts_from: None,
        run: None,
        max_age: None,
        dated: None,
    }
}

pub fn dashboard(needs: &[&str]) -> Dashboard {
    Dashboard {
        name: "Executive summary".to_owned(),
        needs: needs.iter().map(|n| Need::Check(id(n))).collect(),
        ready_by: vec![ClockTime::at(9, 0)],
        on: DayRule::Daily,
        audience: DayRule::Workdays(id("kr")),
        audience_also: Default::default(),
        counts_from: ClockTime::at(0, 0),
        reaction: TimeDelta::minutes(20),
        at_latest: TimeDelta::minutes(15),
        warn_at: 0.8,
        wake: false,
        tell: vec![id("team")],
        escalate: vec![],
        escalate_after: TimeDelta::minutes(30),
        url: None,
    }
}

pub fn chat() -> Chat {
    let time = |h| chrono::NaiveTime::from_hms_opt(h, 0, 0).unwrap();
    Chat {
        language: Language::En,
        quiet: Some(Hours { from: time(22), to: time(7) }),
        quiet_days: Some(DayRule::Offdays(id("kr"))),
        mention: Some("<!subteam^S1>".to_owned()),
        fallback: None,
        idempotent: false,
    }
}

/// A check of the plan, to be changed.
pub fn change<'a>(plan: &'a mut Plan, name: &str) -> &'a mut Check {
    Arc::make_mut(plan.checks.get_mut(&id(name)).unwrap())
}

pub fn plan() -> Plan {
    let date = |text: &str| text.parse::<NaiveDate>().unwrap();
    let kr = Calendar {
        weekend: vec![chrono::Weekday::Sat, chrono::Weekday::Sun],
        off: BTreeMap::new(),
        work: Default::default(),
        covered: Some((date("2026-01-01"), date("2027-12-31"))),
    };
    let source = Source { kind: SourceKind::Http, every: TimeDelta::seconds(60), host: Some(0) };
    Plan {
        fingerprint: "test".into(),
        timezone: chrono_tz::Asia::Seoul,
        retention: TimeDelta::days(400),
        tell: vec![id("team")],
        calendars: [(id("kr"), kr)].into(),
        owners: BTreeMap::new(),
        sources: [(id("airflow"), source)].into(),
        groups: BTreeMap::new(),
        checks: [
            (id("orders"), check("orders").into()),
            (id("sales"), Check { needs: vec![Need::Check(id("orders"))], ..check("sales") }.into()),
        ]
        .into(),
        dashboards: [(id("exec"), dashboard(&["sales"]))].into(),
        chats: [(id("team"), chat())].into(),
        digests: [(
            id("morning"),
            Digest {
                about: DigestAbout::Now,
                when: When::At(ClockTime::at(6, 30)),
                on: DayRule::Daily,
                calendar: Some(id("kr")),
                to: vec![id("team")],
                green_workdays: Manner::Post,
                green_otherwise: Manner::Silent,
            },
        )]
        .into(),
        maintenance: BTreeMap::new(),
        heartbeat_every: None,
    }
}

impl World {
    pub fn new(plan: Plan, from: &str) -> Self {
        let state = State::restore([], &plan);
        Self {
            state,
            plan,
            rows: BTreeMap::new(),
            ledger: Vec::new(),
            observed: Vec::new(),
            at: seoul(from),
            subjects: BTreeMap::new(),
            dataset: false,
            clairvoyant: false,
            scheduler: Scheduler::NotSaid,
            dark: Vec::new(),
            why: Why::Timeout,
            reasons_from: Instant::MIN_UTC,
            clocks: Vec::new(),
            said: Vec::new(),
            outcomes: Vec::new(),
            amnesia: false,
            tick: TimeDelta::seconds(60),
            asks: 0,
            events: VecDeque::new(),
            beats: Vec::new(),
            is_untouched: false,
        }
    }

    /// A scheduled run: `03:00` to `03:40`, successful.
    pub fn run(&mut self, subject: &str, start: &str, end: &str) -> &mut Self {
        self.script(subject, start, Some(end), true, RunKind::Scheduled)
    }

    pub fn fail(&mut self, subject: &str, start: &str, end: &str) -> &mut Self {
        self.script(subject, start, Some(end), false, RunKind::Scheduled)
    }

    pub fn script(&mut self, subject: &str, start: &str, end: Option<&str>, success: bool, kind: RunKind) -> &mut Self {
        let started_at = seoul(start);
        self.subjects.entry(id(subject)).or_default().runs.push(Script {
            id: format!("run {start}"),
            kind,
            scheduled_at: started_at,
            started_at,
            ended_at: end.map(seoul),
            success,
            error: "connection refused (member-db-ro:5432)".to_owned(),
        });
        self
    }

    /// In order of time.
    pub fn when(&mut self, at: &str, event: impl FnOnce(&mut World) + 'static) -> &mut Self {
        self.events.push_back((seoul(at), Box::new(event)));
        self
    }

    /// A person's command: refused ones are a mistake of the test.
    pub fn command(&mut self, order: Order) {
        let nonce = format!("{} {order:?}", self.at);
        let command = Command { nonce, by: "kim".to_owned(), reason: "because".to_owned(), order };
        command::answer(&self.state, &self.plan, self.at, &command).unwrap();
        self.take(Input::Command(command));
    }

    pub fn dark(&mut self, source: &str, from: &str, to: &str) -> &mut Self {
        self.dark.push((id(source), seoul(from), seoul(to)));
        self
    }

    pub fn take(&mut self, input: Input) {
        if self.amnesia {
            self.forget();
        }
        let commit = step(&mut self.state, &self.plan, self.at, input);
        for row in commit.put {
            self.rows.insert(row.key(), row);
        }
        for key in commit.delete {
            self.rows.remove(&key);
        }
        self.ledger.extend(commit.ledger);
        self.observed.extend(commit.observed);
    }

    /// What a restart, a reload and a failed commit do.
    pub fn forget(&mut self) {
        self.state = State::restore(self.rows.values().cloned(), &self.plan);
    }

    /// Does all that is due now, until nothing is.
    pub fn settle(&mut self) {
        for _ in 0..200 {
            let mut now = due(&self.state, &self.plan, self.at);
            now.asks.retain(|ask| !matches!(ask, Ask::Failure { .. }) || self.reasons_from <= self.at);
            if now.asks.is_empty() && now.posts.is_empty() && !now.beat {
                return;
            }
            if now.beat {
                self.beats.push(self.at);
                self.take(Input::Beat);
            }
            for ask in now.asks {
                self.asks += 1;
                let answer = self.answer(&ask);
                self.take(Input::Heard(Heard { ask, asked_at: self.at, answer }));
            }
            let posts = due(&self.state, &self.plan, self.at).posts;
            if !posts.is_empty() {
                self.take(Input::Claim(posts.clone()));
                for post in posts {
                    self.send(post);
                }
            }
        }
        panic!("something stays due for ever at {}: {:?}", self.at, due(&self.state, &self.plan, self.at));
    }

    pub fn send(&mut self, id: PostId) {
        let outcome = if self.outcomes.is_empty() { Outcome::Confirmed { handle: None } } else { self.outcomes.remove(0) };
        // A lost answer may well have been a delivered message: a person sees it.
        if matches!(outcome, Outcome::Confirmed { .. } | Outcome::Ambiguous { .. }) {
            let post = self.state.posts[&id].clone();
            self.said.push(Said { at: self.at, chat: post.chat.to_string(), post });
        }
        self.take(Input::Sent { post: id, outcome });
    }

    pub fn until(&mut self, to: &str) -> &mut Self {
        let to = seoul(to);
        self.take(Input::Tick);
        self.settle();
        while self.at < to {
            let wake = due(&self.state, &self.plan, self.at).wake_at.unwrap_or(to);
            let event = self.events.front().map_or(to, |(at, _)| *at);
            self.at = wake.min(self.at + self.tick).min(to).min(event.max(self.at));
            while let Some((_, event)) = self.events.pop_front_if(|(at, _)| *at <= self.at) {
                event(self);
            }
            self.take(Input::Tick);
            self.settle();
        }
        self
    }

    pub fn answer(&self, ask: &Ask) -> Answer {
        if self.dark.iter().any(|(source, from, to)| source == ask.source() && *from <= self.at && self.at < *to) {
            return Answer::Unreachable(Unreachable { why: self.why, detail: "no answer within 10s".to_owned() });
        }
        match ask {
            Ask::Sweep { subjects, dates, since, .. } => {
                let known = subjects.iter().filter(|subject| self.subjects.contains_key(*subject));
                let fact = |subject: &Id| {
                    dates.get(subject).map_or_else(|| self.fact(subject, *since), |dates| self.dated(subject, dates))
                };
                let items = known.map(|subject| Item { subject: subject.clone(), fact: fact(subject) }).collect();
                Answer::Sweep(Sweep { items, scheduler: self.scheduler.clone(), clock_ahead_s: self.ahead_s(ask.source()) })
            }
            Ask::List { .. } => Answer::Listing(
                self.subjects
                    .iter()
                    .map(|(subject, script)| Member {
                        subject: subject.clone(),
                        tags: vec!["mart".to_owned()],
                        owners: vec![],
                        paused: script.paused,
                        import_error: script.import_error,
                        next_run_at: script.next_run_at,
                    })
                    .collect(),
            ),
            Ask::Failure { subject, run, .. } => {
                let script = self.subjects[subject].runs.iter().find(|script| script.id == *run);
                Answer::Failure(Failure {
                    task: Some("load".to_owned()),
                    try_number: Some(1),
                    error: script.map(|s| s.error.clone()),
                })
            }
        }
    }

    fn ahead_s(&self, source: &Id) -> Option<i64> {
        let of_source = self.clocks.iter().filter(|(id, ..)| id == source);
        let now = |(_, from, to, _): &&(Id, Instant, Instant, i64)| *from <= self.at && self.at < *to;
        of_source.clone().next()?;
        Some(of_source.clone().find(now).map_or(0, |(.., ahead_s)| *ahead_s))
    }

    fn dated(&self, subject: &Id, dates: &BTreeSet<NaiveDate>) -> Fact {
        let script = &self.subjects[subject];
        let arrived = |date: &NaiveDate| script.dated.get(date).copied().filter(|at| *at <= self.at);
        Fact::Dated(dates.iter().map(|date| (*date, arrived(date))).collect())
    }

    fn fact(&self, subject: &Id, since: Instant) -> Fact {
        let script = &self.subjects[subject];
        let is_dataset = |check: &Arc<Check>| check.subject == *subject && check.evidence != Evidence::Pipeline;
        if self.dataset || self.plan.checks.values().any(is_dataset) {
            return Fact::Timestamp(script.data.iter().copied().filter(|at| self.clairvoyant || *at <= self.at).max());
        }
        let begun = script.runs.iter().filter(|run| run.started_at <= self.at && run.scheduled_at >= since);
        Fact::Runs(
            begun
                .map(|run| {
                    let ended = run.ended_at.filter(|end| *end <= self.at);
                    let state = match ended {
                        None => RunState::Running,
                        Some(_) if run.success => RunState::Success,
                        Some(_) => RunState::Failed,
                    };
                    Run {
                        id: run.id.clone(),
                        kind: run.kind,
                        scheduled_at: run.scheduled_at,
                        started_at: Some(run.started_at),
                        ended_at: ended,
                        state,
                    }
                })
                .collect(),
        )
    }

    /// One line a message: `Mon 06:30 team post digest on_track`.
    pub fn lines(&self) -> Vec<String> {
        self.said.iter().map(line).collect()
    }

    /// Decisions to stay silent, hold or say, one line each: `Mon 03:00 hold quiet_hours`.
    pub fn decisions(&self) -> Vec<String> {
        let decisions = self.ledger.iter().filter(|entry| entry.decision != Decision::Note);
        decisions.map(|entry| format!("{} {:?} {:?}", local(entry.at), entry.decision, entry.reason)).collect()
    }
}

pub fn local(at: Instant) -> String {
    at.with_timezone(&chrono_tz::Asia::Seoul).format("%a %H:%M").to_string()
}

pub fn line(said: &Said) -> String {
    let message = &said.post.message;
    let what = match &message.body {
        Body::Incident { update, about } => {
            let kind = if *update { "update" } else { "alert" };
            let dashboards: Vec<String> = about.dashboards.iter().map(|d| d.id.to_string()).collect();
            format!("{kind} {} {} +{} [{}]", about.cause, about.verdict.word(), about.waiting + about.alike, dashboards.join(" "))
        }
        Body::Resolved(about) => format!("resolved {} {}/{} missed", about.cause, about.missed, about.deadlines),
        Body::Digest(about) => match about.verdict {
            DigestVerdict::Trouble(verdict) => format!("digest {}", verdict.word()),
            other => format!("digest {other:?}"),
        },
        Body::Week(about) => format!("week {:?} {}/{}", about.verdict, about.sums.deadlines.met, about.sums.deadlines.due()),
        Body::Watch(about) => format!("watch {} broken", about.chat),
    };
    let attention = format!("{:?}", message.attention).to_lowercase();
    format!("{} {} {attention} {what}", local(said.at), said.chat)
}

/// The same night must give the same messages when the state is read back from the store before every step.
pub fn night(from: &str, to: &str, set: impl Fn(&mut World), expected: &[&str]) -> World {
    night_of(plan(), from, to, set, expected)
}

pub fn night_of(plan: Plan, from: &str, to: &str, set: impl Fn(&mut World), expected: &[&str]) -> World {
    let play = |amnesia: bool| {
        let mut world = World::new(plan.clone(), from);
        world.tick = TimeDelta::minutes(5);
        world.amnesia = amnesia;
        world.subjects.insert(id("orders"), Subject::default());
        world.subjects.insert(id("sales"), Subject::default());
        set(&mut world);
        world.is_untouched = world.events.is_empty() && world.outcomes.is_empty();
        world.until(to);
        world
    };
    let world = play(false);
    assert_eq!(world.lines(), expected, "decisions:\n{}", world.decisions().join("\n"));
    let forgetful = play(true);
    assert_eq!(forgetful.lines(), expected, "with amnesia");
    // To the last word: what is expected when, too.
    assert_eq!(forgetful.said, world.said, "with amnesia");
    if world.is_untouched {
        assert_eq!(replayed(&world, from, to), expected, "replayed from what the store keeps");
    }
    world
}

/// What was seen in a world, played again.
fn replayed(world: &World, from: &str, to: &str) -> Vec<String> {
    let mut player = Player::new(Arc::new(world.plan.clone()), Past::default(), seoul(from));
    for observed in &world.observed {
        player.play_to(observed.at);
        player.learn(observed.clone());
    }
    player.play_to(seoul(to) + TimeDelta::seconds(1));
    let said = player.came().into_iter().filter_map(|came| match came {
        Came::Said(said) => Some(Said { at: said.at, chat: said.post.chat.to_string(), post: said.post }),
        _ => None,
    });
    said.map(|said| line(&said)).collect()
}
