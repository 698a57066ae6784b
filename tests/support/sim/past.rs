//! The nights before the first: how each check went as a rule, so that it is expected by its own history, and not by what is declared.

use super::conf::{Days, date_of, on};
use super::rng::Rng;
use super::script::Script;
use super::things::{Course, Thing};
use chrono::{NaiveDate, TimeDelta};
use dawnwatch::core::forecast::Tonight;
use dawnwatch::core::plan::{Id, Plan};
use dawnwatch::core::state::{Commit, Row, State};
use dawnwatch::core::time::Instant;
use std::collections::BTreeMap;

/// How a check went on every night before. Times are minutes after midnight of the night's date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    pub started: i64,
    pub arrived: i64,
    /// It arrived by up to so many minutes sooner or later.
    pub spread: i64,
    pub nights: i64,
    /// On other days nothing was due.
    pub on: Days,
}

/// The date of the first night that is played.
fn first(script: &Script) -> NaiveDate {
    date_of(script.from + TimeDelta::hours(12))
}

/// Of most checks: some do tonight as ever, of others nobody would have thought it.
pub fn past(script: &Script, rng: &mut Rng) -> BTreeMap<Id, Past> {
    let checks = script.conf.checks.keys().filter(|_| rng.chance(85)).cloned().collect::<Vec<_>>();
    let one = |id: Id| {
        let tonight = script.things.get(&id).and_then(|thing| times(thing, on(first(script), 0)));
        let random = (rng.within(0, 420), rng.within(5, 120));
        let (started, takes) = tonight.filter(|_| rng.chance(60)).unwrap_or(random);
        let (spread, nights) = (rng.pick(&[0, 5, 5, 20, 60]), rng.pick(&[3, 6, 20, 20, 60]));
        let on = rng.pick(&[Days::Daily, Days::Daily, Days::Work]);
        (id, Past { started, arrived: started + takes, spread, nights, on })
    };
    checks.into_iter().map(one).collect()
}

/// When its first run begins, and how long it takes.
fn times(thing: &Thing, midnight: Instant) -> Option<(i64, i64)> {
    let ran = thing.runs.iter().find_map(|run: &Course| Some((run.began(), run.succeeded_at()?)));
    let (began, arrived) = ran.or_else(|| thing.data.first().map(|(visible, _)| (*visible, *visible)))?;
    Some(((began - midnight).num_minutes(), (arrived - began).num_minutes()))
}

/// A store that has seen those nights.
pub fn seen(script: &Script, plan: &Plan) -> Commit {
    let mut state = State::restore([], plan);
    let mut put = Vec::new();
    for (id, past) in &script.past {
        let Some(ix) = state.roster.place(id) else { continue };
        past.nights_before(first(script)).for_each(|(night, arrived_s, took_s)| {
            state.checks[ix].habits.of_mut(&(0..86_400)).learn(night, Some(arrived_s), Some(took_s));
        });
        let mut check = state.checks[ix].clone();
        // What it was called in its source until yesterday: what was seen of that is not known, what was usual is.
        check.fingerprint = ("source before".into(), id.clone());
        put.push(Row::Check(id.clone(), Box::new(check)));
    }
    Commit { put, ..Commit::default() }
}

impl Past {
    fn nights_before(&self, date: NaiveDate) -> impl Iterator<Item = (Tonight, i32, i64)> {
        let dates = (1..=self.nights).rev().map(move |back| date - TimeDelta::days(back)).filter(|date| self.on.holds(*date));
        dates.zip(0..).map(|(date, nth)| {
            // As a scenario's "usually" spreads them.
            let off_s = self.spread * 60 * (nth * 7 % 11 - 5) / 5;
            let arrived_s = self.arrived * 60 + off_s;
            let tonight = Tonight::of(date, 0, 86_400, |_| None);
            (tonight, i32::try_from(arrived_s).expect("minutes of a night"), (arrived_s - self.started * 60).max(0))
        })
    }
}
