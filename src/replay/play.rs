//! A span of days, played: history in, day by day what would have been said out, and what it comes to. Holds one day's lines at a
//! time, however long the span is.

use super::history::{BEGINNING, History, HistoryError};
use super::line::Line;
use super::past::Past;
use super::player::{Came, Player};
use crate::core::forecast::NIGHTS_KEPT;
use crate::core::judge::GRACE;
use crate::core::plan::Plan;
use crate::core::state::{Observed, State};
use crate::core::tally::{Counts, Span, Tally};
use crate::core::time::{Instant, midnight, shift};
use chrono::{NaiveDate, TimeDelta};
use std::sync::Arc;
use std::vec::IntoIter;

/// How long things usually take is learned from so much before the first day: no more nights than these are kept.
pub const KNOWN: TimeDelta = TimeDelta::days(NIGHTS_KEPT as i64);

/// From the first day's midnight in the plan's zone to the end of the last day.
pub fn days(plan: &Plan, first: NaiveDate, last: NaiveDate) -> (Instant, Instant) {
    (midnight(first, plan.timezone), midnight(shift(last, 1), plan.timezone))
}

/// What was known at an instant, played from what had been seen until then. `None`: nothing had been.
pub async fn state_at(plan: Arc<Plan>, mut history: History, at: Instant) -> Result<Option<State>, HistoryError> {
    let Some((first, _)) = history.span().filter(|(first, _)| *first <= at) else { return Ok(None) };
    let mut player = Player::new(plan, Past::default(), first.max(at - KNOWN));
    while let Some(page) = history.next_page().await? {
        let last = page.last().map(|observed| observed.at);
        for observed in page.into_iter().take_while(|observed| observed.at <= at) {
            player.play_to(observed.at);
            player.learn(observed);
            player.came();
        }
        if last.is_some_and(|last| last > at) {
            break;
        }
    }
    player.play_to(at);
    player.wake(at);
    Ok(Some(player.state().clone()))
}

/// A replay under way.
pub struct Play {
    player: Player,
    history: History,
    page: IntoIter<Observed>,
    next: Option<Observed>,
    /// When anything was seen first, whatever is so from the beginning.
    first_seen: Option<Instant>,
    tally: Tally,
    span: Span,
    /// The day that is played next.
    date: NaiveDate,
}

/// One day that was played.
#[derive(Debug)]
pub struct Day {
    pub date: NaiveDate,
    /// In order of time, also decisions to say nothing and proofs of life.
    pub lines: Vec<Line>,
}

impl Play {
    /// Plays from the first day's midnight in the plan's zone to the end of the last, or of what is known. What lies before is known
    /// past: how long things take is learned from it, and nobody was told of it.
    pub async fn open(plan: Arc<Plan>, history: History, first: NaiveDate, last: NaiveDate) -> Result<Self, HistoryError> {
        let (from, to) = days(&plan, first, last);
        let first_seen = history.span().map(|(first, _)| first);
        let span = match history.ends_at() {
            // Before the first look, and after the last, nothing is known, not even that nothing happened.
            Some(ends) => {
                let from = first_seen.map_or(from, |first| first.clamp(from, to));
                Span { from, to: ends.clamp(from, to) }
            }
            None => Span { from, to },
        };
        let known_from = first_seen.map_or(span.from, |first| first.max(span.from - KNOWN).min(span.from));
        let player = Player::new(plan, Past::default(), known_from);
        let page = Vec::new().into_iter();
        let mut play = Self { player, history, page, next: None, first_seen: None, tally: Tally::new(span), span, date: first };
        play.turn_page().await?;
        play.advance(span.from, &mut None).await?;
        if known_from < span.from {
            play.player.begin(span.from);
        }
        Ok(play)
    }

    /// Plays the next day; `None`: the span is over.
    pub async fn day(&mut self) -> Result<Option<Day>, HistoryError> {
        let date = self.date;
        if self.begins(date) >= self.span.to {
            self.settle().await?;
            return Ok(None);
        }
        self.date = shift(date, 1);
        let mut lines = Some(Vec::new());
        self.advance(self.begins(self.date).min(self.span.to), &mut lines).await?;
        Ok(Some(Day { date, lines: lines.unwrap_or_default() }))
    }

    /// Plays everything before `at`, as far as the span goes; what is said until then is nobody's, and is not counted. For whoever looks
    /// at what is known at instants of its own.
    pub async fn play_to(&mut self, at: Instant) -> Result<(), HistoryError> {
        self.advance(at.min(self.span.to), &mut None).await
    }

    /// Plays what shows a moment after the end. To be called last.
    pub async fn play_out(&mut self) -> Result<(), HistoryError> {
        self.play_to(self.span.to).await?;
        self.settle().await
    }

    /// What is known where the play stands.
    pub fn state(&self) -> &State {
        self.player.state()
    }

    pub fn plan(&self) -> &Plan {
        self.player.plan()
    }

    /// What is played: from the first look at the earliest, and no further than anything is known.
    pub fn span(&self) -> Span {
        self.span
    }

    /// When anything was seen first, also before the span; `None`: nothing was so far.
    pub fn first_seen(&self) -> Option<Instant> {
        self.first_seen
    }

    fn begins(&self, date: NaiveDate) -> Instant {
        midnight(date, self.player.plan().timezone)
    }

    /// What came of a deadline just before the end shows a moment after it, where so much is known: it is counted, and what is said then
    /// is of another day.
    async fn settle(&mut self) -> Result<(), HistoryError> {
        let shown = self.span.to + GRACE + TimeDelta::seconds(1);
        let to = self.history.ends_at().map_or(shown, |ends| ends.min(shown));
        self.advance(to, &mut Some(Vec::new())).await
    }

    /// What all days until now come to.
    pub fn counts(&mut self) -> Counts {
        let now = self.begins(self.date).min(self.span.to);
        self.tally.look(self.player.state(), self.player.plan(), now);
        self.tally.counts(now)
    }

    /// Plays everything before `to`. `lines`: where what comes out goes; `None`: it is nobody's.
    async fn advance(&mut self, to: Instant, lines: &mut Option<Vec<Line>>) -> Result<(), HistoryError> {
        while let Some(observed) = self.next.take_if(|next| next.at < to) {
            self.player.play_to(observed.at);
            self.gather(lines);
            self.player.learn(observed);
            self.turn_page().await?;
        }
        self.player.play_to(to);
        self.gather(lines);
        Ok(())
    }

    /// Takes the next thing that was seen off the history.
    async fn turn_page(&mut self) -> Result<(), HistoryError> {
        self.next = self.page.next();
        while self.next.is_none() {
            let Some(page) = self.history.next_page().await? else { break };
            self.page = page.into_iter();
            self.next = self.page.next();
        }
        if self.first_seen.is_none() {
            self.first_seen = self.next.as_ref().map(|next| next.at).filter(|at| *at > BEGINNING);
        }
        Ok(())
    }

    fn gather(&mut self, lines: &mut Option<Vec<Line>>) {
        for came in self.player.came() {
            let Some(lines) = lines else { continue };
            let plan = self.player.plan();
            match came {
                Came::Said(said) => lines.push(Line::said(&said, plan)),
                Came::Beat(at) => lines.push(Line::beat(at, plan)),
                Came::Decided(entry, checks) => {
                    self.tally.take(&entry);
                    lines.extend(checks.map(|checks| Line::silent(&entry, checks, plan)));
                }
            }
        }
    }
}
