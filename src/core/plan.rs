//! The plan: the checked configuration that judging needs. It holds no endpoint and no secret; those are in `config::Wiring`.
//!
//! The names are those of the configuration. Every reference in a `Plan` that `config` built resolves; `needs` has no loop among
//! the named checks.

use super::calendar::{Calendar, DayRule, shift_workdays};
use super::time::{ClockTime, Hours, shift};
use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// A name: the key of a table in the configuration, or an id in a source. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Id(Arc<str>);

impl Id {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Id {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Borrow<str> for Id {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    En,
    Ko,
}

/// Everything that the core may know of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// A short hash of the configuration, written beside every decision.
    pub fingerprint: Arc<str>,
    /// The zone of all clock times that have no zone of their own, and of times in messages.
    pub timezone: Tz,
    pub retention: TimeDelta,
    /// Chats for trouble of the watch itself and for checks outside any dashboard.
    pub tell: Vec<Id>,
    pub calendars: BTreeMap<Id, Calendar>,
    pub owners: BTreeMap<Id, Owner>,
    pub sources: BTreeMap<Id, Source>,
    pub groups: BTreeMap<Id, Group>,
    pub checks: BTreeMap<Id, Arc<Check>>,
    pub dashboards: BTreeMap<Id, Dashboard>,
    pub chats: BTreeMap<Id, Chat>,
    pub digests: BTreeMap<Id, Digest>,
    pub maintenance: BTreeMap<Id, Maintenance>,
    /// How often the outward proof of life goes out; `None`: nobody wants one.
    pub heartbeat_every: Option<TimeDelta>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub name: String,
    /// Shown, never used.
    pub contact: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The word for its kind that people read: "Airflow", "HTTP".
    pub kind: SourceKind,
    /// How often to ask.
    pub every: TimeDelta,
    /// Which host answers for it, as a number that means nothing else: sources of one host share it. `None`: no host (files).
    pub host: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    Airflow,
    Luigi,
    Http,
    Sql,
    File,
}

impl SourceKind {
    /// Whether the source can list what it has, with tags and owners, apart from its sweeps.
    pub fn lists(self) -> bool {
        matches!(self, Self::Airflow | Self::Luigi)
    }

    /// Whether it forgets what is done: that it does not know a pipeline says neither that it ran nor that it did not.
    pub fn forgets(self) -> bool {
        matches!(self, Self::Luigi)
    }
}

/// Every matching pipeline of a source is a check named by its own id.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub source: Id,
    pub matches: Matcher,
    pub exclude: Matcher,
    /// What each member gets; its `source` is the group's, its `subject` is empty.
    pub each: Check,
}

/// Each given (non-empty) list: any of; all given lists must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matcher {
    pub tags: Vec<String>,
    /// Globs: `*` any run of characters, `?` one.
    pub ids: Vec<String>,
    pub owners: Vec<String>,
}

/// One thing that must arrive.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    pub source: Id,
    /// What the source is asked for: a DAG id; a Luigi task family or glob of task ids; an item's or row's id; a query; a path, with
    /// `#` and the unique id behind it for a node of dbt's artifacts.
    pub subject: Id,
    pub evidence: Evidence,
    pub needs: Vec<Need>,
    /// The key of [`Plan::owners`], or a name that the configuration does not know. `None`: nobody named one.
    pub owner: Option<String>,
    pub runbook: Option<String>,
    /// Declared run time.
    pub duration: Option<TimeDelta>,
    pub on: Option<DayRule>,
    pub counts_from: Option<ClockTime>,
    /// Of several runs a day, the one scheduled at or after this must be done.
    pub run: Option<ClockTime>,
    /// Stale past this at any hour.
    pub max_age: Option<TimeDelta>,
    /// The subject holds `{date:…}`: the cycle's business date, moved by this.
    pub dated: Option<DateShift>,
}

/// A move from the business date to the date of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DateShift {
    Days(i32),
    Workdays { calendar: Id, count: i32 },
}

impl DateShift {
    /// The date of the data for a business date; `None` past the end of its calendar.
    pub fn from(&self, date: NaiveDate, calendars: &BTreeMap<Id, Calendar>) -> Option<NaiveDate> {
        match self {
            Self::Days(days) => Some(shift(date, *days)),
            Self::Workdays { calendar, count } => shift_workdays(date, *count, calendars.get(calendar)?),
        }
    }
}

/// Hours in which these are expected to be dark: no word about them, unless a deadline is in danger.
#[derive(Debug, Clone, PartialEq)]
pub struct Maintenance {
    pub sources: BTreeSet<Id>,
    pub checks: BTreeSet<Id>,
    pub on: DayRule,
    /// Over midnight they end on the day after; `None`: the whole day.
    pub hours: Option<Hours>,
}

/// What counts as arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// Runs with states.
    Pipeline,
    /// A dataset whose timestamp is its arrival time.
    ArrivalTime,
    /// A dataset whose timestamp is data time and must reach this clock time of the cycle's date.
    DataTime { through: ClockTime },
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    Check(Id),
    Group(Id),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Dashboard {
    /// What people call it.
    pub name: String,
    pub needs: Vec<Need>,
    /// At least one, ascending.
    pub ready_by: Vec<ClockTime>,
    /// Days on which it is due, a cycle each.
    pub on: DayRule,
    /// Days on which a miss matters to somebody.
    pub audience: DayRule,
    pub audience_also: BTreeSet<NaiveDate>,
    /// Where the first window of a day opens.
    pub counts_from: ClockTime,
    /// From being told to acting.
    pub reaction: TimeDelta,
    /// The fixed backstop: not ready so long before the deadline, and not surely about to be, is at risk.
    pub at_latest: TimeDelta,
    /// The chance to miss from which on it is at risk, of 1. From the last useful moment on, more likely than not is enough.
    pub warn_at: f32,
    /// May quiet hours be broken for it, at act-by?
    pub wake: bool,
    pub tell: Vec<Id>,
    pub escalate: Vec<Id>,
    pub escalate_after: TimeDelta,
    /// Where people look at it; shown as a link.
    pub url: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Chat {
    pub language: Language,
    /// Nobody is asked for in these hours.
    pub quiet: Option<Hours>,
    /// The whole of such a day is quiet.
    pub quiet_days: Option<DayRule>,
    /// Who is asked, in the platform's own notation.
    pub mention: Option<String>,
    pub fallback: Option<Id>,
    /// Whether the platform drops a repeated message by its idempotency key.
    pub idempotent: bool,
}

/// A scheduled summary.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    pub about: DigestAbout,
    pub when: When,
    pub on: DayRule,
    /// The calendar that says what a workday is for `when_all_green`; without one Monday to Friday are.
    pub calendar: Option<Id>,
    pub to: Vec<Id>,
    pub green_workdays: Manner,
    pub green_otherwise: Manner,
}

/// What a digest tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestAbout {
    /// How all stands when it is given.
    Now,
    /// What the last seven whole local days before its date came to.
    Week,
}

/// When a digest is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    At(ClockTime),
    /// As soon as all that is due is ready; without that, at the latest then.
    Ready {
        latest: ClockTime,
    },
}

impl When {
    /// The last moment of the occurrence.
    pub fn latest(self) -> ClockTime {
        match self {
            Self::At(clock) | Self::Ready { latest: clock } => clock,
        }
    }
}

/// What an all-green digest does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Manner {
    Post,
    /// One message that is edited and never pushed. Where the platform cannot edit: silent.
    Quiet,
    Silent,
}

impl Matcher {
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty() && self.ids.is_empty() && self.owners.is_empty()
    }

    /// Does every list that was given hold for this pipeline? Nothing given holds for none.
    pub fn holds(&self, id: &str, tags: &[String], owners: &[String]) -> bool {
        let any = |wanted: &[String], had: &[String]| wanted.is_empty() || wanted.iter().any(|w| had.contains(w));
        !self.is_empty()
            && any(&self.tags, tags)
            && any(&self.owners, owners)
            && (self.ids.is_empty() || self.ids.iter().any(|pattern| glob(pattern, id)))
    }
}

/// `*` stands for any run of characters, `?` for one.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the last `*` stood, and how much of the text it has taken so far: on a mismatch it takes one more.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        let hits =
            [("mart_*", "mart_daily"), ("*", ""), ("a?c", "abc"), ("*_x_*", "a_x_x_b"), ("회원*", "회원_일"), ("a*b*c", "aXbYbc")];
        let misses = [("mart_*", "xmart_a"), ("a?c", "ac"), ("", "a"), ("a*b", "abc")];
        assert!(hits.iter().all(|(p, t)| glob(p, t)), "{hits:?}");
        assert!(!misses.iter().any(|(p, t)| glob(p, t)), "{misses:?}");
    }

    #[test]
    fn a_matcher_wants_every_list_that_was_given() {
        let strings = |list: &[&str]| list.iter().map(|s| s.to_string()).collect::<Vec<_>>();
        let matcher = Matcher { tags: strings(&["mart", "dm"]), ids: strings(&["m_*"]), owners: vec![] };
        assert!(matcher.holds("m_a", &strings(&["mart"]), &[]));
        assert!(!matcher.holds("x_a", &strings(&["mart"]), &[]));
        assert!(!matcher.holds("m_a", &strings(&["raw"]), &[]));
        assert!(!Matcher::default().holds("m_a", &[], &[]));
    }
}
