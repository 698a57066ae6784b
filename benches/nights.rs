//! What it costs to play nights: pipelines that are polled every five minutes. First through the two doors alone, answered as a replay
//! does (of what has news since the last poll, and else "no news"; what they list is the same every time); then the way of `replay`
//! itself, from a file of CSV to what would have been said.
//!
//! `cargo bench --bench nights`. Time is all that it measures. What is held grows with the nights that each check keeps, and with
//! nothing else of the span: `/usr/bin/time -v dawnwatch replay …` over one year and over two shows that.

#[path = "../tests/support/world.rs"]
mod world;

use chrono::{Duration, NaiveDate, TimeDelta};
use dawnwatch::core::due::due;
use dawnwatch::core::observation::{Answer, Ask, Fact, Failure, Heard, Item, Listing, Member, Run, RunKind, RunState, Sweep};
use dawnwatch::core::plan::{Check, Id, Need, Plan, Source, SourceKind};
use dawnwatch::core::state::{Attempt, State};
use dawnwatch::core::step::{Input, Outcome, step};
use dawnwatch::core::time::Instant;
use dawnwatch::replay::{History, Play};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

/// So many pipelines stand behind one dashboard.
const BEHIND_ONE: usize = 300;

fn main() {
    divan::main();
}

fn name(at: usize) -> Id {
    world::id(&format!("p{at:04}"))
}

/// Of each three hundred: thirty raw tables, and nine marts behind each of them; one dashboard waits for all. `lists`: half of them are
/// of a second source, which also lists what it has.
fn plan(checks: usize, lists: bool) -> Plan {
    let check = |at: usize| {
        let behind = at % BEHIND_ONE;
        let needs = if behind < 30 { vec![] } else { vec![Need::Check(name(at - behind + behind % 30))] };
        let source = world::id(if is_listed(at, lists) { "listing" } else { "airflow" });
        Check { needs, source, ..world::check(name(at).as_str()) }
    };
    let mut plan = world::plan();
    plan.checks = (0..checks).map(|at| (name(at), check(at).into())).collect();
    let all: Vec<Id> = (0..checks).map(name).collect();
    let dashboards = all.chunks(BEHIND_ONE).enumerate().map(|(nth, names)| {
        let needs: Vec<&str> = names.iter().map(Id::as_str).collect();
        (world::id(&format!("exec{nth}")), world::dashboard(&needs))
    });
    plan.dashboards = dashboards.collect();
    let source = |kind| Source { kind, every: TimeDelta::minutes(5), host: Some(0) };
    plan.sources = [(world::id("airflow"), source(SourceKind::Http))].into();
    if lists {
        plan.sources.insert(world::id("listing"), source(SourceKind::Airflow));
    }
    plan
}

fn is_listed(at: usize, lists: bool) -> bool {
    lists && at % 2 == 1
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

/// The instants of one date at which there is news, and of whom.
fn news(date: NaiveDate, checks: usize) -> BTreeMap<Instant, Vec<usize>> {
    let mut news: BTreeMap<Instant, Vec<usize>> = BTreeMap::new();
    for at in 0..checks {
        let (start, took, fails) = tale(at, date);
        let again = start + took + TimeDelta::minutes(90);
        let instants = [Some(start), Some(start + took), fails.then_some(again), fails.then_some(again + took)];
        instants.into_iter().flatten().for_each(|instant| news.entry(instant).or_default().push(at));
    }
    news
}

struct Player {
    plan: Plan,
    state: State,
    checks: usize,
    lists: bool,
    listing: Listing,
    /// Of yesterday and today: a replay reads its file as it goes.
    news: BTreeMap<NaiveDate, BTreeMap<Instant, Vec<usize>>>,
    /// By source.
    heard_until: BTreeMap<Id, Instant>,
    rows: usize,
    posts: usize,
}

impl Player {
    fn new(checks: usize, lists: bool) -> Self {
        let plan = plan(checks, lists);
        let member = |subject| Member {
            subject,
            tags: vec!["mart".to_owned()],
            owners: vec![],
            paused: false,
            import_error: false,
            next_run_at: None,
        };
        let listing = (0..checks).filter(|at| is_listed(*at, lists)).map(name).map(member).collect();
        let (state, news, heard_until) = (State::restore([], &plan), BTreeMap::new(), BTreeMap::new());
        Self { plan, state, checks, lists, listing, news, heard_until, rows: 0, posts: 0 }
    }

    fn take(&mut self, at: Instant, input: Input) {
        let commit = step(&mut self.state, &self.plan, at, input);
        self.rows += commit.put.len();
    }

    /// Whose news there is since the source was asked last.
    fn who(&mut self, source: &Id, at: Instant) -> Vec<usize> {
        let ours = |who: &usize| is_listed(*who, self.lists) == (source.as_str() == "listing");
        let Some(since) = self.heard_until.insert(source.clone(), at + TimeDelta::nanoseconds(1)) else {
            return (0..self.checks).filter(ours).collect();
        };
        let today = (at + Duration::hours(9)).date_naive();
        for date in [today.pred_opt().unwrap(), today] {
            self.news.entry(date).or_insert_with(|| news(date, self.checks));
        }
        self.news.retain(|date, _| *date + Duration::days(1) >= today);
        let news = self.news.values().flat_map(|news| news.range(since..=at)).flat_map(|(_, who)| who);
        let mut who: Vec<usize> = news.copied().filter(ours).collect();
        who.sort_unstable();
        who.dedup();
        who
    }

    fn answer(&mut self, at: Instant, ask: Ask) -> Heard {
        match ask {
            Ask::Failure { .. } => Heard { ask, asked_at: at, answer: Answer::Failure(Failure::default()) },
            Ask::Sweep { source, dates, since, .. } => {
                let who = self.who(&source, at);
                let subjects = who.iter().copied().map(name).collect();
                let item = |who: &usize| Item { subject: name(*who), fact: Fact::Runs(shown(*who, at)) };
                let items = who.iter().map(item).collect();
                let ask = Ask::Sweep { source, subjects, dates, since };
                Heard { ask, asked_at: at, answer: Answer::Sweep(Sweep { items, ..Sweep::default() }) }
            }
            Ask::List { .. } => Heard { ask, asked_at: at, answer: Answer::Listing(self.listing.clone()) },
        }
    }

    fn settle(&mut self, at: Instant) -> Instant {
        loop {
            let now = due(&self.state, &self.plan, at);
            if now.asks.is_empty() && now.posts.is_empty() {
                return now.wake_at.unwrap();
            }
            for ask in now.asks {
                let heard = self.answer(at, ask);
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

fn play(checks: usize, lists: bool, nights: i64) -> (usize, usize) {
    let from: NaiveDate = "2026-11-02".parse().unwrap();
    let mut at = from.and_hms_opt(0, 0, 0).unwrap().and_utc() - Duration::hours(9);
    let to = at + TimeDelta::days(nights);
    let mut player = Player::new(checks, lists);
    while at < to {
        player.take(at, Input::Tick);
        at = player.settle(at);
    }
    (player.rows, player.posts)
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn a_fortnight_of_300_pipelines() -> (usize, usize) {
    play(300, false, 14)
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn a_fortnight_of_300_pipelines_half_of_them_listed() -> (usize, usize) {
    play(300, true, 14)
}

#[divan::bench(sample_count = 1, sample_size = 1)]
fn a_fortnight_of_3000_pipelines_half_of_them_listed() -> (usize, usize) {
    play(3000, true, 14)
}

#[divan::bench(sample_count = 1, sample_size = 1)]
fn a_year_of_300_pipelines_half_of_them_listed() -> (usize, usize) {
    play(300, true, 365)
}

/// A year of pipelines, one row for each run.
fn write_year(path: &Path, first: NaiveDate, last: NaiveDate, checks: usize) {
    let mut rows = "check,started_at,arrived_at,state\n".to_owned();
    for date in first.iter_days().take_while(|date| *date <= last) {
        for at in 0..checks {
            let (start, took, fails) = tale(at, date);
            let mut row = |start: Instant, state: &str| {
                let (from, to) = (start.to_rfc3339(), (start + took).to_rfc3339());
                writeln!(rows, "{},{from},{to},{state}", name(at)).unwrap();
            };
            row(start, if fails { "failed" } else { "success" });
            if fails {
                row(start + took + TimeDelta::minutes(90), "success");
            }
        }
    }
    std::fs::write(path, rows).unwrap();
}

/// What `replay` does, but for its printing: a year of CSV, and the lines that come out.
fn replay_a_year(bencher: divan::Bencher<'_, '_>, checks: usize) {
    let (first, last): (NaiveDate, NaiveDate) = ("2025-01-01".parse().unwrap(), "2025-12-31".parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("year.csv");
    write_year(&path, first, last, checks);
    let plan = Arc::new(plan(checks, false));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    bencher.bench_local(|| {
        runtime.block_on(async {
            let history = History::csv(&path, &plan).unwrap();
            let mut play = Play::open(plan.clone(), history, first, last).await.unwrap();
            let mut lines = 0;
            while let Some(day) = play.day().await.unwrap() {
                lines += day.lines.len();
            }
            lines
        })
    });
}

#[divan::bench(sample_count = 1, sample_size = 1)]
fn a_year_of_csv_of_300_pipelines(bencher: divan::Bencher<'_, '_>) {
    replay_a_year(bencher, 300);
}

#[divan::bench(sample_count = 1, sample_size = 1)]
fn a_year_of_csv_of_3000_pipelines(bencher: divan::Bencher<'_, '_>) {
    replay_a_year(bencher, 3000);
}
