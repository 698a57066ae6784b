//! Building: a checked configuration → all that an agent works with, every secret resolved and every client made.
//!
//! Asks nobody, and builds all or nothing: whoever has a [`Built`] can go over to it without any further doubt.

use super::heartbeat::Pulse;
use super::poll::Polled;
use crate::config::wiring::{ChatWiring, SourceWiring, Wiring};
use crate::core::plan::{Id, Plan};
use crate::sinks::Sink;
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A configuration, ready to work with.
pub struct Built {
    pub plan: Arc<Plan>,
    /// One for each of the plan's sources.
    pub sources: BTreeMap<Id, Polled>,
    /// One for each of the plan's chats.
    pub sinks: BTreeMap<Id, Arc<Sink>>,
    /// Where the outward proof of life goes, if anywhere.
    pub heartbeat: Option<Arc<Pulse>>,
}

impl Built {
    /// The errors are sentences for a person, all of them at once, without any secret.
    pub fn new(plan: Plan, wiring: &Wiring) -> Result<Self, Vec<String>> {
        let pulse = wiring.heartbeat.as_ref().map(Pulse::build).transpose().map_err(|why| vec![why]);
        match (build_sources(&plan, wiring), build_sinks(plan.chats.keys(), wiring), pulse) {
            (Ok(sources), Ok(sinks), Ok(pulse)) => {
                Ok(Self { plan: Arc::new(plan), sources, sinks, heartbeat: pulse.map(Arc::new) })
            }
            (sources, sinks, pulse) => Err([sources.err(), sinks.err(), pulse.err()].into_iter().flatten().flatten().collect()),
        }
    }
}

/// `3 sources, 12 checks and 1 group for 2 dashboards`.
pub fn sizes(plan: &Plan) -> String {
    let counted = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    format!(
        "{}, {} and {} for {}",
        counted(plan.sources.len(), "source"),
        counted(plan.checks.len(), "check"),
        counted(plan.groups.len(), "group"),
        counted(plan.dashboards.len(), "dashboard")
    )
}

/// All sources of the plan, ready to be asked. The errors are sentences for a person, all of them at once, without any secret.
pub fn build_sources(plan: &Plan, wiring: &Wiring) -> Result<BTreeMap<Id, Polled>, Vec<String>> {
    build_all("source", plan.sources.keys(), &wiring.sources, |id, wiring: &SourceWiring| {
        let every = plan.sources.get(id).map_or(TimeDelta::zero(), |source| source.every);
        Polled::build(id, wiring, every)
    })
}

/// These chats, ready to be sent to; errors as with [`build_sources`].
pub fn build_sinks<'a>(chats: impl Iterator<Item = &'a Id>, wiring: &Wiring) -> Result<BTreeMap<Id, Arc<Sink>>, Vec<String>> {
    build_all("chat", chats, &wiring.chats, |id, wiring: &ChatWiring| Sink::build(id, wiring).map(Arc::new))
}

fn build_all<'a, W, T>(
    what: &str,
    ids: impl Iterator<Item = &'a Id>,
    wirings: &BTreeMap<Id, W>,
    build: impl Fn(&Id, &W) -> Result<T, String>,
) -> Result<BTreeMap<Id, T>, Vec<String>> {
    let (mut built, mut errors) = (BTreeMap::new(), Vec::new());
    for id in ids {
        let made = match wirings.get(id) {
            Some(wiring) => build(id, wiring),
            None => Err(format!("{what} {id}: nothing is configured for it")),
        };
        match made {
            Ok(made) => drop(built.insert(id.clone(), made)),
            Err(why) => errors.push(why),
        }
    }
    if errors.is_empty() { Ok(built) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_cannot_be_built_is_said_at_once() {
        let ids: Vec<Id> = ["a", "b", "c"].map(Id::from).into();
        let wirings = BTreeMap::from([(ids[0].clone(), 1), (ids[1].clone(), 2)]);
        let odd = |id: &Id, n: &i32| if n % 2 == 1 { Ok(*n) } else { Err(format!("chat {id}: TOKEN is not set")) };
        assert_eq!(
            build_all("chat", ids.iter(), &wirings, odd),
            Err(vec!["chat b: TOKEN is not set".to_owned(), "chat c: nothing is configured for it".to_owned()])
        );
        assert_eq!(build_all("chat", ids.iter().take(1), &wirings, odd), Ok(BTreeMap::from([(ids[0].clone(), 1)])));
    }
}
