//! What a catalogue must be able to say. Each language is one file with one `impl`; a phrase that is missing does not compile.
//!
//! Arguments named `subject`, `dashboard`, `name` are marked text (see `marked`), times are worded already.

use super::context::Context;
use crate::core::command::Muted;
use crate::core::message::{DigestVerdict, LastSeen, Next, Situation};
use crate::core::observation::{Failure, Why};
use crate::core::plan::Language;
use crate::core::state::{Attention, Cause, Own, Verdict};
use crate::core::tally::{Deadlines, Digests, Words as Said};
use chrono::{NaiveDate, TimeDelta};

/// Labels of facts: at most 5 characters in Korean, 11 in English, or they wrap on a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    ActBy,
    Answer,
    Arrived,
    /// Sources did not answer.
    Blind,
    Cause,
    Chat,
    Clock,
    Deadline,
    Error,
    Eta,
    FalseAlarm,
    Grouped,
    Healed,
    Heartbeat,
    Last,
    LastGood,
    LastSeen,
    Lasted,
    Latest,
    Margin,
    Missed,
    More,
    Newest,
    OnTime,
    Others,
    Owner,
    Queued,
    Quiet,
    /// What its readers can be told.
    Readers,
    Recovered,
    Runbook,
    Running,
    Silent,
    Sources,
    Start,
    Taken,
    Task,
    Unknown,
    Usual,
    Woken,
}

/// Headings of sections, and words of links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heading {
    ByDeadline,
    Causes,
    Worth,
    Runbook,
    Dashboard,
}

/// Sentences and short words without any slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    NeitherGoodNorBad,
    NoOtherSource,
    OutsideDashboards,
    NoAudience,
    /// In the preview, and as a sentence.
    NothingToDo,
    NothingToDoAtAll,
    AllDashboardsReady,
    /// In the preview, and as a sentence.
    NoDashboardDue,
    NoDashboardDueAtAll,
    AllMuted,
    PipelinesFine,
    /// A source is silent, and too new to be trouble of its own.
    NotAllSeen,
    NotYetWatched,
    NoFurtherWord,
    NoErrorLine,
    OwnerUnknown,
    NotReady,
    NeverSeen,
    OnlyTheTelling,
    /// A digest over nothing but maintenance.
    OnlyMaintenance,
    /// In the preview.
    ReloadRefused,
    TimesAsGiven,
}

/// How a dashboard's deadline looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Prospect {
    /// The deadline is over.
    Missed {
        eta: Option<String>,
    },
    Late {
        eta: String,
        by: String,
    },
    /// In time by the middle of the range, not by its end.
    MayMiss {
        eta: String,
        high: String,
    },
    InTime {
        eta: String,
    },
    /// It cannot be seen.
    CannotSay,
    Waits,
}

pub(super) trait Words {
    fn language(&self) -> Language;

    // Time and numbers.
    fn day(&self, day: NaiveDate) -> String;
    fn date(&self, day: NaiveDate) -> String;
    fn span(&self, span: TimeDelta) -> String;

    // Fixed words.
    fn label(&self, label: Label) -> &'static str;
    fn heading(&self, heading: Heading) -> &'static str;
    fn note(&self, note: Note) -> &'static str;
    fn verdict(&self, verdict: Verdict) -> &'static str;
    /// The verdict's word in a later message about the same incident.
    fn later(&self, verdict: &str) -> String;
    fn why(&self, why: Why) -> &'static str;
    fn subject(&self, cause: &Cause, name: &str) -> String;

    // An open incident.
    /// The situation in a few words, the verdict being said already.
    fn briefly(&self, cx: &Context<'_>, subject: &str, situation: &Situation) -> String;
    /// The situation as a sentence.
    fn happened(&self, cx: &Context<'_>, subject: &str, situation: &Situation) -> String;
    fn consequence(&self, dashboard: &str, deadline: &str, prospect: &Prospect) -> String;
    fn waits(&self, waiting: usize) -> String;
    fn waits_and_rest(&self, waiting: usize, untouched: usize, checks: usize) -> String;
    /// `failed`: with the same error and at the same time; else merely in the same state.
    fn alike(&self, alike: usize, failed: bool) -> String;
    /// Over several sources.
    fn unknown_among(&self, unknown: usize, checks: usize) -> String;
    fn unknown_of(&self, unknown: usize, checks: usize, arrived: usize) -> String;
    fn waiting_short(&self, waiting: usize) -> String;
    fn waiting_of(&self, waiting: usize, checks: usize) -> String;
    fn unknown_short(&self, unknown: usize, checks: usize) -> String;
    fn act_by_short(&self, at: &str, over: bool) -> String;
    fn act_by_over(&self, at: &str) -> String;
    fn eta_short(&self, at: &str, late_by: Option<&str>) -> String;
    fn and_more(&self, text: &str, more: usize) -> String;
    fn more_dashboards(&self, more: usize) -> String;
    fn more_incidents(&self, more: usize) -> String;
    fn deadline_in(&self, at: &str, span: &str) -> String;
    /// `span` is `None` within the first minute.
    fn deadline_over(&self, at: &str, span: Option<&str>) -> String;
    fn missed_short(&self) -> &'static str;
    /// Tens of percent; 5 is less than ten, 95 more than ninety.
    /// When a dashboard can be promised, once nobody can save its deadline; and when nobody knows.
    fn readers(&self, at: &str, high: &str) -> String;
    fn readers_if_repaired(&self, at: &str) -> String;
    fn chance(&self, percent: u8) -> String;
    fn eta(&self, at: &str, range: Option<(&str, &str)>, nights: Option<u32>) -> String;
    fn running(&self, since: &str, span: &str, usual: Option<&str>) -> String;
    fn silent(&self, since: &str, span: &str, tries: u32) -> String;
    fn ago(&self, at: &str, span: &str) -> String;
    fn usual(&self, arrives: &str, latest: &str, nights: u32) -> String;
    fn last_seen(&self, at: &str, seen: &LastSeen) -> String;
    fn others(&self, answer: usize, others: usize) -> String;
    fn failure(&self, failure: &Failure) -> String;

    // The last word.
    fn resolved_word(&self, recovered: bool) -> &'static str;
    fn resolved_brief(&self, subject: &str, recovered: bool) -> String;
    /// A clock is right again.
    fn right_again(&self, subject: &str, at: Option<&str>) -> String;
    fn resolved_lead(&self, subject: &str, recovered: Option<&str>, waited: usize) -> String;
    fn ready_early(&self, at: &str, span: &str) -> String;
    fn ready_late(&self, at: &str, span: &str) -> String;
    fn ready_at(&self, at: &str) -> String;
    fn dashboard_made_it(&self, dashboard: &str, deadline: &str, ready: &str, early: &str) -> String;
    fn dashboard_missed_it(&self, dashboard: &str, deadline: &str, ready: Option<(&str, &str)>) -> String;
    fn missed_of(&self, missed: usize, deadlines: usize) -> String;
    fn kept(&self, deadlines: usize) -> String;
    fn of_deadlines(&self, missed: usize, deadlines: usize) -> String;
    fn lasted(&self, from: &str, to: &str, span: &str) -> String;

    // Digest and watch.
    fn digest_word(&self, verdict: DigestVerdict) -> &'static str;
    fn check_of(&self, word: &str, day: &str, hour: &str) -> String;
    fn is_ready(&self, dashboard: &str, deadline: &str) -> String;
    fn all_arrived(&self, dashboard: &str, deadline: &str) -> String;
    fn under_way(&self, dashboard: &str, deadline: &str) -> String;
    fn doubtful(&self, dashboard: &str, deadline: &str, chance: &str) -> String;
    fn all_ready_short(&self, dashboards: usize) -> String;
    fn ready_of(&self, ready: usize, dashboards: usize) -> String;
    fn arrived_of(&self, arrived: usize, checks: usize) -> String;
    fn state(&self, verdict: Verdict) -> &'static str;
    fn trouble_lead(&self, incidents: usize, endangered: usize, dashboards: usize) -> String;
    fn incident_state(&self, subject: &str, verdict: Verdict, recovering: bool) -> String;
    fn retired_brief(&self, subject: &str) -> String;
    fn retired_lead(&self, subject: &str, by: &str) -> String;
    /// Who has it, until when.
    fn taken(&self, by: &str, until: &str) -> String;
    fn muted(&self, what: &Muted, name: &str, by: &str, until: &str) -> String;
    fn owner_short(&self, name: &str) -> String;
    fn healed(&self, healed: usize) -> String;
    fn sources(&self, answering: usize, sources: usize) -> String;
    fn answered(&self, answering: usize, sources: usize) -> String;
    fn chat_broken(&self, chat: &str) -> String;
    fn chat_broken_lead(&self, chat: &str) -> String;
    fn calendar_ends(&self, calendar: &str, last: &str, over: bool) -> String;
    /// A schedule that has moved.
    fn moved(&self, name: &str, from: &str, to: &str, later: bool) -> String;
    fn in_maintenance(&self, subject: &str, until: &str) -> String;
    fn own(&self, own: Own) -> &'static str;
    fn clock_off(&self, subject: &str, span: &str, ahead: bool) -> String;
    fn off_by(&self, span: &str, ahead: bool) -> String;
    fn reload_refused(&self, at: &str, findings: usize, first: &str) -> String;
    fn suspected(&self, subject: &str) -> String;
    fn next_check(&self, at: &str, at_the_latest: bool) -> String;

    // The week.
    fn week_word(&self) -> &'static str;
    fn days(&self, from: NaiveDate, to: NaiveDate) -> String;
    fn week_title(&self, days: &str, quiet: bool) -> String;
    /// Without a full stop.
    fn nothing_counted(&self, days: &str) -> String;
    /// How often somebody was woken, and in the week before: in the preview, and as a sentence.
    fn woken_short(&self, woken: usize, before: Option<usize>) -> String;
    fn woken(&self, woken: usize, before: Option<usize>) -> String;
    fn deadlines_short(&self, deadlines: &Deadlines, unwatched: usize) -> String;
    fn deadlines(&self, deadlines: &Deadlines, unwatched: usize, dashboards: usize) -> String;
    fn digests(&self, digests: &Digests) -> String;
    fn before(&self, text: &str) -> String;
    fn missed_told(&self, deadlines: &Deadlines) -> String;
    fn unseen(&self, deadlines: &Deadlines, unwatched: usize) -> String;
    fn asked_of(&self, asked: usize) -> String;
    fn healed_of(&self, healed: usize, incidents: usize) -> String;
    fn grouped(&self, alerts: usize, messages: usize) -> String;
    fn false_alarms(&self, alarms: usize) -> String;
    fn quiet_hours(&self, quiet: i64, hours: i64, unwatched: i64) -> String;
    fn cause_of_week(&self, subject: &str, said: &Said) -> String;
    fn counted_since(&self, at: &str) -> String;
    fn all_of_it(&self, command: &str) -> String;
    fn next_week(&self, at: &str) -> String;

    // Feet.
    fn checked(&self, at: &str) -> String;
    fn attention(&self, attention: Attention) -> &'static str;
    fn next(&self, cx: &Context<'_>, next: &Next) -> String;
}
