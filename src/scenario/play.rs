//! A golden night, played: what happens becomes what sources, chats and people do, and what comes out is gathered. Compares nothing.

use super::Scenario;
use super::happens::Event;
use super::names::Subject;
use crate::core::command;
use crate::core::observation::{Fact, Failure, Member, Run, RunKind, RunState};
use crate::core::state::{Entry, News, Observed};
use crate::core::step::Input;
use crate::core::time::Instant;
use crate::replay::csv::There;
use crate::replay::line::Line;
use crate::replay::{Came, Past, Player};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// What came out, in order of time.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Played {
    pub(super) lines: Vec<Line>,
    /// When the proof of life went out.
    pub(super) beats: Vec<Instant>,
    pub(super) ledger: Vec<Entry>,
    /// Orders that made no sense, in sentences.
    pub(super) refused: Vec<String>,
}

/// `read_always`: the state is read back from its rows before every step.
pub(super) fn play(night: &Scenario, read_always: bool) -> Played {
    let mut player = Player::new(night.plan.clone(), Past::default(), night.known_from);
    // Of the past no more is asked than that it was as it was.
    player.keep_rows(read_always && night.known_from == night.from);
    let mut stage = Stage { player, world: World::default(), played: Played::default() };
    stage.at_first(night);
    let mut begun = night.known_from == night.from;
    for (at, event) in night.events.iter().filter(|(at, _)| *at <= night.to) {
        if !begun && *at >= night.from {
            begun = true;
            stage.begin(night.from, read_always);
        }
        stage.player.play_to(*at);
        stage.happens(*at, event);
    }
    if !begun {
        stage.begin(night.from, read_always);
    }
    // What is due at the end itself is part of the night.
    stage.player.play_to(night.to + TimeDelta::milliseconds(1));
    stage.gather();
    stage.played
}

struct Stage {
    player: Player,
    world: World,
    played: Played,
}

/// What is so, whether or not a source shows it.
#[derive(Default)]
struct World {
    facts: BTreeMap<Subject, Fact>,
    hidden: BTreeSet<Subject>,
    members: BTreeMap<Subject, Member>,
}

impl Stage {
    /// Everything that the configuration names, and whatever has a row, is there and has not run.
    fn at_first(&mut self, night: &Scenario) {
        for There { source, subject, fact, member } in &night.there {
            let subject = Subject { source: source.clone(), id: subject.clone() };
            self.list(night.known_from, &subject, member.clone());
            self.see(night.known_from, &subject, fact.clone());
        }
    }

    /// What was played until now was the known past.
    fn begin(&mut self, from: Instant, read_always: bool) {
        self.player.play_to(from);
        self.player.keep_rows(read_always);
        self.player.begin(from);
        self.played = Played::default();
    }

    fn gather(&mut self) {
        for came in self.player.came() {
            match came {
                Came::Said(said) => self.played.lines.push(Line::said(&said, self.player.plan())),
                Came::Decided(entry, _) => self.played.ledger.push(entry),
                Came::Beat(at) => self.played.beats.push(at),
            }
        }
    }

    fn learn(&mut self, at: Instant, news: News) {
        self.player.learn(Observed { at, news });
    }

    fn happens(&mut self, at: Instant, event: &Event) {
        match event {
            Event::News(News::Subject { source, subject, fact: Some(fact) }) => {
                let subject = Subject { source: source.clone(), id: subject.clone() };
                self.see(at, &subject, fact.clone());
            }
            Event::News(news) => self.learn(at, news.clone()),
            Event::Run { subject, state, error } => self.run(at, subject, state, error.clone()),
            Event::Hidden(subject, shown) => {
                self.world.hidden.insert(subject.clone());
                self.show(at, subject, shown.clone());
                if shown.is_none() {
                    self.unlist(at, subject);
                }
            }
            Event::Shown(subject) => {
                self.world.hidden.remove(subject);
                self.show(at, subject, self.world.facts.get(subject).cloned());
                let member = self.world.members.get(subject).cloned();
                self.list(at, subject, member);
            }
            Event::Member(source, member) => {
                let subject = Subject { source: source.clone(), id: member.subject.clone() };
                if !self.world.facts.contains_key(&subject) {
                    self.see(at, &subject, Fact::Runs(Vec::new()));
                }
                self.list(at, &subject, Some(member.clone()));
            }
            Event::Answers(chat, answers) => self.player.answer_in(chat.clone(), *answers),
            Event::Order(command, place) => match command::answer(self.player.state(), self.player.plan(), at, command) {
                Ok(_) => self.player.act(at, Input::Command(command.clone())),
                Err(why) => self.played.refused.push(format!("{place}: the order is refused: {why}")),
            },
            Event::Restart => {
                self.player.forget();
                self.player.wake(at);
            }
            Event::Asleep { until } => self.player.sleep_until(*until),
            Event::Reload(plan) => {
                // Its words are those of the plan that was in force when they were said.
                self.gather();
                self.player.reload(at, plan.clone());
            }
            Event::ReloadRefused(refused) => self.player.act(at, Input::Reloaded(Some(refused.clone()))),
        }
        self.gather();
    }

    /// Something new is so; its source shows it unless something else hides it. What makes no sense hides what is so.
    fn see(&mut self, at: Instant, subject: &Subject, fact: Fact) {
        let fact = match (self.world.facts.remove(subject), fact) {
            (Some(Fact::Runs(had)), Fact::Runs(new)) => {
                let kept = had.into_iter().filter(|run| new.iter().all(|new| new.id != run.id)).collect::<Vec<_>>();
                Fact::Runs([new.clone(), kept].concat())
            }
            (Some(Fact::Dated(mut had)), Fact::Dated(new)) => {
                had.extend(new);
                Fact::Dated(had)
            }
            (Some(had), Fact::Suspicious(why)) => {
                self.world.facts.insert(subject.clone(), had);
                return self.show_unless_hidden(at, subject, Fact::Suspicious(why));
            }
            (_, fact) => fact,
        };
        self.world.facts.insert(subject.clone(), fact.clone());
        self.show_unless_hidden(at, subject, fact);
    }

    fn show_unless_hidden(&mut self, at: Instant, subject: &Subject, fact: Fact) {
        if !self.world.hidden.contains(subject) {
            self.show(at, subject, Some(fact));
        }
    }

    fn show(&mut self, at: Instant, subject: &Subject, fact: Option<Fact>) {
        let Subject { source, id } = subject.clone();
        self.learn(at, News::Subject { source, subject: id, fact });
    }

    fn list(&mut self, at: Instant, subject: &Subject, member: Option<Member>) {
        let Some(member) = member else { return };
        self.world.members.insert(subject.clone(), member.clone());
        if !self.world.hidden.contains(subject) {
            self.learn(at, News::Listing { source: subject.source.clone(), changed: vec![member], gone: vec![] });
        }
    }

    fn unlist(&mut self, at: Instant, subject: &Subject) {
        if self.world.members.contains_key(subject) {
            let gone = vec![subject.id.clone()];
            self.learn(at, News::Listing { source: subject.source.clone(), changed: vec![], gone });
        }
    }

    fn run(&mut self, at: Instant, subject: &Subject, state: &RunState, error: Option<String>) {
        let newest = match self.world.facts.get(subject) {
            Some(Fact::Runs(runs)) => runs.iter().max_by_key(|run| (run.scheduled_at, run.started_at)).cloned(),
            _ => None,
        };
        let new = || Run {
            id: format!("run {}", at.to_rfc3339()),
            kind: RunKind::Scheduled,
            scheduled_at: at,
            started_at: None,
            ended_at: None,
            state: RunState::Queued,
        };
        let mut run = newest.unwrap_or_else(new);
        let over = matches!(state, RunState::Success | RunState::Failed);
        run.started_at = run.started_at.or((*state != RunState::Queued).then_some(at));
        run.ended_at = over.then_some(at);
        run.state = state.clone();
        if run.state.is_failed() {
            let task = match state {
                RunState::Doomed { task } => Some(task.clone()),
                _ => None,
            };
            let failure = Failure { task, try_number: None, error };
            let Subject { source, id } = subject.clone();
            self.learn(at, News::Failure { source, subject: id, run: run.id.clone(), failure });
        }
        self.see(at, subject, Fact::Runs(vec![run]));
    }
}
