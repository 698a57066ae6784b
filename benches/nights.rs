//! What it costs to play nights through the two doors: 300 pipelines, polled every five minutes, for a fortnight. A replayed year is
//! 26 of these.
//!
//! `cargo bench --bench nights`. The source answers as a replay does: of what has news since the last poll, and else "no news".

#[path = "../tests/support/world.rs"]
mod world;

use chrono::{Duration, NaiveDate, TimeDelta};
use dawnwatch::core::due::due;
use dawnwatch::core::observation::{Answer, Ask, Fact, Failure, Heard, Item, Run, RunKind, RunState, Sweep};
use dawnwatch::core::plan::{Check, Id, Need, Plan};
use dawnwatch::core::state::{Attempt, State};
use dawnwatch::core::step::{Input, Outcome, step};
use dawnwatch::core::time::Instant;
use std::collections::BTreeMap;

const CHECKS: usize = 300;
const NIGHTS: i64 = 14;

fn main() {
    divan::main();
}

/// Thirty raw tables, and nine marts behind each of them; one dashboard waits for all.
fn plan() -> Plan {
    let name = |at: usize| format!("p{at:03}");
    let check = |at: usize| match at {
        0..30 => world::check(&name(at)),
        _ => Check { needs: vec![Need::Check(world::id(&name(at % 30)))], ..world::check(&name(at)) },
    };
    let mut plan = world::plan();
    plan.checks = (0..CHECKS).map(|at| (world::id(&name(at)), check(at).into())).collect();
    let all: Vec<String> = (0..CHECKS).map(name).collect();
    plan.dashboards = [(world::id("exec"), world::dashboard(&all.iter().map(String::as_str).collect::<Vec<_>>()))].into();
    for source in plan.sources.values_mut() {
        source.every = TimeDelta::minutes(5);
    }
    plan
}

/// The run of one pipeline on one date: from when, for how long, and whether it failed the first time and was run again.
fn tale(at: usize, date: NaiveDate) -> (Instant, TimeDelta, bool) {
    // Spread without any pattern that a branch predictor could learn; the constants are those of a linear congruence.
    let chance =
        |salt: u64| (at as u64 * 7919 + date.to_epoch_days() as u64 * 104_729 + salt).wrapping_mul(6_364_136_223_846_793_005) >> 33;
    let midnight = date.and_hms_opt(0, 0, 0).unwrap().and_utc() - Duration::hours(9);
    let start_min = if at < 30 { 60 + at as i64 * 4 } else { 200 + (at as i64 % 30) * 4 };
    let took_min = 20 + (chance(1) % 25) as i64;
    (midnight + TimeDelta::minutes(start_min), TimeDelta::minutes(took_min), chance(2) % 400 == 0)
}

/// What the source shows of one pipeline at `now`: its runs of this date and the one before.
fn shown(at: usize, now: Instant) -> Vec<Run> {
    let today = (now + Duration::hours(9)).date_naive();
    let mut runs = Vec::new();
    for date in [today, today.pred_opt().unwrap()] {
        let (start, took, fails) = tale(at, date);
        let mut show = |id: &str, start: Instant, failed: bool| {
            if start > now {
                return;
            }
            let ended_at = Some(start + took).filter(|end| *end <= now);
            let state = match (ended_at, failed) {
                (None, _) => RunState::Running,
                (_, true) => RunState::Failed,
                (_, false) => RunState::Success,
            };
            let id = format!("{id}-{date}");
            runs.push(Run { id, kind: RunKind::Scheduled, scheduled_at: start, started_at: Some(start), ended_at, state });
        };
        show("first", start, fails);
        if fails {
            show("again", start + took + TimeDelta::minutes(90), false);
        }
    }
    runs
}

/// The instants at which the source has news, and of whom.
fn news(from: NaiveDate, nights: i64) -> BTreeMap<Instant, Vec<usize>> {
    let mut news: BTreeMap<Instant, Vec<usize>> = BTreeMap::new();
    for date in from.pred_opt().unwrap().iter_days().take(usize::try_from(nights + 1).unwrap()) {
        for at in 0..CHECKS {
            let (start, took, fails) = tale(at, date);
            let again = start + took + TimeDelta::minutes(90);
            let instants = [Some(start), Some(start + took), fails.then_some(again), fails.then_some(again + took)];
            instants.into_iter().flatten().for_each(|instant| news.entry(instant).or_default().push(at));
        }
    }
    news
}

struct Player {
    plan: Plan,
    state: State,
    news: BTreeMap<Instant, Vec<usize>>,
    heard_until: Instant,
    rows: usize,
    posts: usize,
}

impl Player {
    fn take(&mut self, at: Instant, input: Input) {
        let commit = step(&mut self.state, &self.plan, at, input);
        self.rows += commit.put.len();
    }

    fn answer(&mut self, at: Instant, ask: Ask) -> Vec<Heard> {
        match &ask {
            Ask::Failure { .. } => vec![Heard { ask, asked_at: at, answer: Answer::Failure(Failure::default()) }],
            Ask::Sweep { subjects, source, dates, since } => {
                let all: Vec<usize> = if self.heard_until == Instant::MIN_UTC {
                    (0..CHECKS).collect()
                } else {
                    let mut new: Vec<usize> = self.news.range(self.heard_until..=at).flat_map(|(_, who)| who).copied().collect();
                    new.sort_unstable();
                    new.dedup();
                    new
                };
                self.heard_until = at + TimeDelta::nanoseconds(1);
                let subjects: Vec<Id> = all.iter().map(|at| subjects[*at].clone()).collect();
                let fact = |who: &usize| Fact::Runs(shown(*who, at));
                let items =
                    all.iter().zip(&subjects).map(|(who, subject)| Item { subject: subject.clone(), fact: fact(who) }).collect();
                let ask = Ask::Sweep { source: source.clone(), subjects, dates: dates.clone(), since: *since };
                vec![Heard { ask, asked_at: at, answer: Answer::Sweep(Sweep { items, ..Sweep::default() }) }]
            }
            Ask::List { .. } => Vec::new(),
        }
    }

    fn settle(&mut self, at: Instant) -> Instant {
        loop {
            let now = due(&self.state, &self.plan, at);
            if now.asks.is_empty() && now.posts.is_empty() {
                return now.wake_at.unwrap();
            }
            for heard in now.asks.into_iter().flat_map(|ask| self.answer(at, ask)).collect::<Vec<_>>() {
                self.take(at, Input::Heard(heard));
            }
            if !now.posts.is_empty() {
                self.take(at, Input::Claim(now.posts.clone()));
                for post in now.posts {
                    if matches!(self.state.posts.get(&post).map(|post| &post.attempt), Some(Attempt::Started { .. })) {
                        self.posts += 1;
                        self.take(at, Input::Sent { post, outcome: Outcome::Confirmed { handle: None } });
                    }
                }
            }
        }
    }
}

fn play(nights: i64) -> (usize, usize) {
    let plan = plan();
    let from: NaiveDate = "2026-11-02".parse().unwrap();
    let mut at = from.and_hms_opt(0, 0, 0).unwrap().and_utc() - Duration::hours(9);
    let to = at + TimeDelta::days(nights);
    let state = State::restore([], &plan);
    let mut player = Player { state, news: news(from, nights), heard_until: Instant::MIN_UTC, rows: 0, posts: 0, plan };
    while at < to {
        player.take(at, Input::Tick);
        at = player.settle(at);
    }
    (player.rows, player.posts)
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn a_fortnight_of_300_pipelines() -> (usize, usize) {
    play(NIGHTS)
}
