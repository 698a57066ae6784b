//! English.

use super::context::{Context, Unit, number, parts};
use super::marked::quote;
use super::words::{Heading, Label, Note, Prospect, Words};
use crate::core::command::Muted;
use crate::core::message::{AskedBecause, DigestVerdict, LastSeen, Next, NotSeen, NotStarted, Situation};
use crate::core::observation::{Failure, Why};
use crate::core::plan::Language;
use crate::core::state::{Attention, Cause, Own, Verdict};
use crate::core::tally::{Deadlines, Digests, Words as Said};
use chrono::{Datelike, NaiveDate, TimeDelta};

pub(super) struct English;

/// `1 pipeline`, `2 pipelines`, `no pipelines`.
fn count(n: usize, what: &str) -> String {
    match n {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        n => format!("{} {what}s", number(n)),
    }
}

fn verb<'a>(n: usize, one: &'a str, many: &'a str) -> &'a str {
    if n == 1 { one } else { many }
}

impl Words for English {
    fn language(&self) -> Language {
        Language::En
    }

    fn day(&self, day: NaiveDate) -> String {
        day.format("%a %-d %b").to_string()
    }

    fn date(&self, day: NaiveDate) -> String {
        day.format("%a %-d %b %Y").to_string()
    }

    fn span(&self, span: TimeDelta) -> String {
        let word = |(n, unit): (i64, Unit)| match unit {
            Unit::Day => format!("{n} d"),
            Unit::Hour => format!("{n} h"),
            Unit::Minute => format!("{n} min"),
        };
        match parts(span) {
            None => "less than 1 min".to_owned(),
            Some([first, (0, _)]) => word(first),
            Some([first, second]) => format!("{} {}", word(first), word(second)),
        }
    }

    fn label(&self, label: Label) -> &'static str {
        match label {
            Label::ActBy => "Act by",
            Label::Answer => "Answer",
            Label::Arrived => "Arrived",
            Label::Blind => "Blind",
            Label::Cause => "Cause",
            Label::Chat => "Chat",
            Label::Clock => "Clock",
            Label::Deadline => "Deadline",
            Label::Error => "Error",
            Label::Eta => "ETA",
            Label::FalseAlarm => "False alarm",
            Label::Grouped => "Grouped",
            Label::Healed => "Self-healed",
            Label::Heartbeat => "Last sign",
            Label::Last => "Data until",
            Label::LastGood => "Last good",
            Label::LastSeen => "Last seen",
            Label::Lasted => "Lasted",
            Label::Latest => "Latest",
            Label::Margin => "Margin",
            Label::Missed => "Missed",
            Label::More => "More",
            Label::Newest => "Newest data",
            Label::OnTime => "On time",
            Label::Others => "Others",
            Label::Owner => "Owner",
            Label::Queued => "Queued",
            Label::Quiet => "Quiet",
            Label::Readers => "For readers",
            Label::Recovered => "Recovered",
            Label::Runbook => "Runbook",
            Label::Running => "Running",
            Label::Silent => "Silent",
            Label::Sources => "Sources",
            Label::Start => "Would start",
            Label::Taken => "Taken by",
            Label::Task => "Task",
            Label::Unknown => "Unknown",
            Label::Usual => "Usual",
            Label::Woken => "Wake-ups",
        }
    }

    fn heading(&self, heading: Heading) -> &'static str {
        match heading {
            Heading::ByDeadline => "By deadline",
            Heading::Causes => "Causes",
            Heading::Worth => "Worth a look",
            Heading::Runbook => "Runbook",
            Heading::Dashboard => "Open dashboard",
        }
    }

    fn note(&self, note: Note) -> &'static str {
        match note {
            Note::NeitherGoodNorBad => "Unknown means neither good nor bad.",
            Note::NoOtherSource => "No other source answers either: the fault may be the watch's own network.",
            Note::OutsideDashboards => "No dashboard waits for it.",
            Note::NoAudience => "nobody looks that day",
            Note::NothingToDo => "nothing to do",
            Note::NothingToDoAtAll => "Nothing to do.",
            Note::AllDashboardsReady => "All dashboards that are due are ready.",
            Note::NoDashboardDue => "no dashboard is due",
            Note::NoDashboardDueAtAll => "No dashboard is due.",
            Note::AllMuted => "Every dashboard that is due is muted.",
            Note::PipelinesFine => "No pipeline is in trouble; the watch itself needs a look.",
            Note::NotAllSeen => "Not every source has answered: what it serves is not known.",
            Note::NotYetWatched => "The deadline was over when the watch first looked. It is judged from its next window on.",
            Note::NoFurtherWord => "no further word on this",
            Note::NoErrorLine => "the source gives no error line",
            Note::OwnerUnknown => "nobody is named",
            Note::NotReady => "not ready",
            Note::NeverSeen => "none was ever seen",
            Note::OnlyMaintenance => "Nothing is wrong but what is in maintenance.",
            Note::ReloadRefused => "new configuration refused, the old one is in force",
            Note::TimesAsGiven => "Which of the two is right is not known; times from it are shown as it gives them.",
            Note::OnlyTheTelling => "Whoever reads only that chat is not told. The watching itself goes on.",
        }
    }

    fn verdict(&self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::NotDue => "Not due",
            Verdict::NotWatched => "Not watched",
            Verdict::Ready => "Ready",
            Verdict::OnTrack => "On track",
            Verdict::AtRisk => "Late risk",
            Verdict::Late => "Late",
            Verdict::Unknown => "Unknown",
            Verdict::Failed => "Failed",
        }
    }

    fn later(&self, verdict: &str) -> String {
        format!("{verdict} (update)")
    }

    fn why(&self, why: Why) -> &'static str {
        match why {
            Why::Connect => "no connection",
            Why::Timeout => "no answer in time",
            Why::Tls => "no trusted connection",
            Why::Auth => "login refused",
            Why::Status => "answers with an error",
            Why::TooLarge => "answer too large",
            Why::Malformed => "answer unreadable",
            Why::Redirect => "redirects elsewhere",
        }
    }

    fn subject(&self, cause: &Cause, name: &str) -> String {
        match cause {
            Cause::Check(_) => name.to_owned(),
            Cause::Source(_) => format!("source {name}"),
            Cause::Scheduler(_) => format!("scheduler of {name}"),
            Cause::Calendar(_) => format!("calendar {name}"),
            Cause::Group(_) => format!("group {name}"),
            Cause::Clock(_) => format!("clock of {name}"),
            Cause::Watch(_) => format!("the watch's own {name}"),
        }
    }

    fn briefly(&self, cx: &Context<'_>, subject: &str, situation: &Situation) -> String {
        match situation {
            Situation::Failed { doomed: false, .. } => subject.to_owned(),
            Situation::Failed { doomed: true, .. } => format!("{subject} is bound to fail"),
            Situation::RunningLong { started_at, .. } => format!("{subject} running for {}", cx.since(*started_at)),
            Situation::Queued { since } => format!("{subject} queued for {}", cx.since(*since)),
            Situation::CatchingUp { .. } => format!("{subject} is back, too late"),
            Situation::Retrying { .. } => format!("{subject} is retrying"),
            Situation::Waiting { .. } => format!("{subject} waits for its input"),
            Situation::AsEver { .. } => format!("{subject} too late as a rule"),
            Situation::NotStarted(NotStarted::Paused) => format!("{subject} is paused"),
            Situation::NotStarted(NotStarted::ImportError) => format!("{subject} does not load"),
            Situation::NotStarted(NotStarted::Forgotten) => format!("{subject} not known to its source"),
            Situation::NotStarted(NotStarted::Scheduled(_) | NotStarted::NoReason) => format!("{subject} not started"),
            Situation::NoData { .. } => format!("{subject} missing"),
            Situation::Stale { newest, .. } => format!("{subject} is {} old", cx.since(*newest)),
            Situation::SourceDark { .. } => format!("{subject} does not answer"),
            Situation::SchedulerDead { .. } => format!("{subject} stands still"),
            Situation::SelfSuspected { silent, sources, .. } => {
                format!("{} of {} silent at once, perhaps our own network", number(*silent), count(*sources, "source"))
            }
            Situation::ClockOff { ahead_s } => self.clock_off(subject, &cx.seconds(*ahead_s), *ahead_s > 0),
            Situation::OwnClockOff { behind_s, .. } => self.clock_off(subject, &cx.seconds(*behind_s), *behind_s < 0),
            Situation::NotSeen { why: NotSeen::Vanished } => format!("{subject} vanished"),
            Situation::NotSeen { why: NotSeen::NeverSeen } => format!("{subject} never seen"),
            Situation::NotSeen { why: NotSeen::Suspicious(_) } => format!("{subject}: answer makes no sense"),
            Situation::NotSeen { why: NotSeen::FutureData(_) } => format!("{subject}: data from the future"),
            Situation::NoMembers => format!("{subject} matches nothing"),
            Situation::CalendarEnded { .. } => format!("{subject} has ended"),
        }
    }

    fn happened(&self, cx: &Context<'_>, subject: &str, situation: &Situation) -> String {
        match situation {
            Situation::Failed { at: Some(at), doomed: false, .. } => format!("{subject} failed at {}.", cx.clock(*at)),
            Situation::Failed { at: None, doomed: false, .. } => format!("{subject} failed."),
            Situation::Failed { doomed: true, .. } => {
                format!("{subject} is still running, but a task of it has failed for good, so the run will fail.")
            }
            Situation::RunningLong { started_at, usual_s: Some(usual_s) } => {
                let usual = cx.span(TimeDelta::seconds(*usual_s));
                format!("{subject} has been running for {}; {usual} is usual.", cx.since(*started_at))
            }
            Situation::RunningLong { started_at, usual_s: None } => {
                format!("{subject} has been running for {}.", cx.since(*started_at))
            }
            Situation::Queued { since } => format!("{subject} has been waiting in its queue for {}.", cx.since(*since)),
            Situation::CatchingUp { recovered_at } => {
                format!("{subject} is back since {}, but what waited for it takes too long.", cx.clock(*recovered_at))
            }
            Situation::Retrying { .. } => format!("A task of {subject} has failed and waits for its next try."),
            Situation::Waiting { .. } => format!("{subject} only waits for its own input."),
            Situation::AsEver { comes_at } => {
                format!("{subject} is as ever, and that is too late: it comes about {} as a rule.", cx.clock(*comes_at))
            }
            Situation::NotStarted(NotStarted::Paused) => format!("{subject} has not started: it is paused."),
            Situation::NotStarted(NotStarted::ImportError) => {
                format!("{subject} has not started: its code does not load (import error).")
            }
            Situation::NotStarted(NotStarted::Scheduled(at)) => {
                format!("{subject} has not started; its source would start it at {}.", cx.clock(*at))
            }
            Situation::NotStarted(NotStarted::Forgotten) => {
                format!("{subject} is not known to its source now: not started, or done and forgotten there.")
            }
            Situation::NotStarted(NotStarted::NoReason) => format!("{subject} has not started; its source gives no reason."),
            Situation::NoData { newest: Some(newest) } => {
                format!("{subject} has no new data; the newest is of {}.", cx.clock(*newest))
            }
            Situation::NoData { newest: None } => format!("{subject} has no data at all."),
            Situation::Stale { newest, max_age_s } => {
                let limit = cx.span(TimeDelta::seconds(*max_age_s));
                format!("{subject} is stale: its newest data is {} old, at most {limit} is allowed.", cx.since(*newest))
            }
            Situation::SourceDark { .. } => format!("The {subject} does not answer."),
            Situation::SchedulerDead { .. } => format!("The {subject} gives no sign of life, so nothing new will start there."),
            Situation::SelfSuspected { silent, sources, hosts, .. } => {
                let silent = format!("{} of {}", number(*silent), count(*sources, "source"));
                format!("{silent}, on {} hosts, went silent together: the fault is probably in {subject}.", number(*hosts))
            }
            Situation::ClockOff { ahead_s } => {
                format!("Against the watch's own, the {}.", self.clock_off(subject, &cx.seconds(*ahead_s), *ahead_s > 0))
            }
            Situation::OwnClockOff { behind_s, sources } => {
                let off = self.clock_off(subject, &cx.seconds(*behind_s), *behind_s < 0);
                format!("All {} that tell the time agree: {off}. Deadlines are judged by it.", count(*sources, "source"))
            }
            Situation::NotSeen { why: NotSeen::Vanished } => format!("{subject} has vanished: its source no longer knows it."),
            Situation::NotSeen { why: NotSeen::NeverSeen } => format!("{subject} was never seen: its source does not know it."),
            Situation::NotSeen { why: NotSeen::Suspicious(_) } => format!("What the source says about {subject} makes no sense."),
            Situation::NotSeen { why: NotSeen::FutureData(_) } => format!("{subject} carries a time that lies in the future."),
            Situation::NoMembers => {
                format!("The {subject} matches nothing of what its source lists: nobody knows what to wait for.")
            }
            Situation::CalendarEnded { last, .. } => {
                format!("The {subject} has no data after {}: whether this is a workday is unknown.", self.date(*last))
            }
        }
    }

    fn consequence(&self, dashboard: &str, deadline: &str, prospect: &Prospect) -> String {
        match prospect {
            Prospect::Missed { eta: None } => format!("{dashboard} has missed its deadline ({deadline})."),
            Prospect::Missed { eta: Some(eta) } => {
                format!("{dashboard} has missed its deadline ({deadline}) and is expected at {eta}.")
            }
            Prospect::Late { eta, by } => {
                format!("As it stands, {dashboard} will be ready at {eta}, {by} after its deadline ({deadline}).")
            }
            Prospect::MayMiss { eta, high } => {
                format!("{dashboard} is expected at {eta}, but perhaps only at {high}, after its deadline ({deadline}).")
            }
            Prospect::InTime { eta } => format!("{dashboard} is expected at {eta}, before its deadline ({deadline})."),
            Prospect::CannotSay => format!("Whether {dashboard} makes its deadline ({deadline}) cannot be said."),
            Prospect::Waits => format!("{dashboard}, due {deadline}, cannot be complete without it."),
        }
    }

    fn waits(&self, waiting: usize) -> String {
        format!("{} {} for it.", count(waiting, "pipeline"), verb(waiting, "waits", "wait"))
    }

    fn waits_and_rest(&self, waiting: usize, untouched: usize, checks: usize) -> String {
        let pipelines = format!("{} {} for it", count(waiting, "pipeline"), verb(waiting, "waits", "wait"));
        format!("{pipelines}; {} of {} {} not touched.", number(untouched), number(checks), verb(untouched, "is", "are"))
    }

    fn alike(&self, alike: usize, failed: bool) -> String {
        if failed {
            format!("{} more failed alike: same source, same error, same time.", number(alike))
        } else {
            format!("{} more of the same source {} in the same state.", number(alike), verb(alike, "is", "are"))
        }
    }

    fn unknown_among(&self, unknown: usize, checks: usize) -> String {
        format!("The state of {} of {} is not known.", number(unknown), count(checks, "pipeline"))
    }

    fn unknown_of(&self, unknown: usize, checks: usize, arrived: usize) -> String {
        let state = format!("The state of {} of its {} is not known.", number(unknown), count(checks, "pipeline"));
        match arrived {
            0 => state,
            n => format!("{state} {} had arrived before and {} ready.", number(n), verb(n, "stays", "stay")),
        }
    }

    fn waiting_short(&self, waiting: usize) -> String {
        format!("{} waiting", number(waiting))
    }

    fn waiting_of(&self, waiting: usize, checks: usize) -> String {
        format!("{} of {} waiting", number(waiting), number(checks))
    }

    fn unknown_short(&self, unknown: usize, checks: usize) -> String {
        format!("{} of {} unknown", number(unknown), number(checks))
    }

    fn act_by_short(&self, at: &str, over: bool) -> String {
        if over { format!("act-by {at} passed") } else { format!("act by {at}") }
    }

    fn act_by_over(&self, at: &str) -> String {
        format!("{at} has passed: a repair now most likely comes too late")
    }

    fn eta_short(&self, at: &str, late_by: Option<&str>) -> String {
        late_by.map_or_else(|| format!("ETA {at}"), |by| format!("ETA {at} (+{by})"))
    }

    fn and_more(&self, text: &str, more: usize) -> String {
        if more == 0 { text.to_owned() } else { format!("{text} (+{} more)", number(more)) }
    }

    fn more_dashboards(&self, more: usize) -> String {
        format!("{} more", count(more, "dashboard"))
    }

    fn more_incidents(&self, more: usize) -> String {
        format!("{} more", count(more, "cause"))
    }

    fn deadline_in(&self, at: &str, span: &str) -> String {
        format!("{at}, in {span}")
    }

    fn deadline_over(&self, at: &str, span: Option<&str>) -> String {
        span.map_or_else(|| format!("{at}, now"), |span| format!("{at}, {span} ago"))
    }

    fn missed_short(&self) -> &'static str {
        "missed"
    }

    fn readers(&self, at: &str, high: &str) -> String {
        if at == high { format!("expect it at {at}") } else { format!("expect it at {at}, promise {high}") }
    }

    fn readers_if_repaired(&self, at: &str) -> String {
        format!("about {at}, if somebody begins to repair it now")
    }

    fn chance(&self, percent: u8) -> String {
        match percent {
            ..10 => "under 10% to miss".to_owned(),
            95.. => "over 90% to miss".to_owned(),
            percent => format!("{percent}% to miss"),
        }
    }

    fn eta(&self, at: &str, range: Option<(&str, &str)>, nights: Option<u32>) -> String {
        let basis = match nights {
            Some(nights) => format!("from {}", count(nights as usize, "night")),
            None => "from the declared run time".to_owned(),
        };
        match range {
            Some((low, high)) => format!("{at} (range {low}–{high}, {basis})"),
            None => format!("{at} ({basis})"),
        }
    }

    fn running(&self, since: &str, span: &str, usual: Option<&str>) -> String {
        let usual = usual.map_or_else(String::new, |u| format!(" (usual {u})"));
        format!("since {since}, {span} so far{usual}")
    }

    fn silent(&self, since: &str, span: &str, tries: u32) -> String {
        match tries {
            0 => format!("since {since}, {span}"),
            1 => format!("since {since}, {span} (1 try)"),
            n => format!("since {since}, {span} ({n} tries in a row)"),
        }
    }

    fn ago(&self, at: &str, span: &str) -> String {
        format!("{at}, {span} ago")
    }

    fn usual(&self, arrives: &str, latest: &str, nights: u32) -> String {
        format!("{arrives}, 9 of 10 by {latest} ({})", count(nights as usize, "night"))
    }

    fn last_seen(&self, at: &str, seen: &LastSeen) -> String {
        let rest = seen.checks.saturating_sub(seen.arrived + seen.running);
        format!("{at}: of {}, {} arrived, {} running, {} neither", seen.checks, seen.arrived, seen.running, rest)
    }

    fn others(&self, answer: usize, others: usize) -> String {
        format!("{answer} of {} {}", count(others, "other source"), verb(answer, "answers", "answer"))
    }

    fn failure(&self, failure: &Failure) -> String {
        let task = failure.task.as_ref().map(|t| format!("task {}", quote(t)));
        let tried = failure.try_number.map(|n| format!("try {n}"));
        let place = [task, tried].into_iter().flatten().collect::<Vec<_>>().join(", ");
        match (&failure.error, place.is_empty()) {
            (Some(error), true) => quote(error),
            (Some(error), false) => format!("{place}: {}", quote(error)),
            (None, _) => place,
        }
    }

    fn resolved_word(&self, recovered: bool) -> &'static str {
        if recovered { "Resolved" } else { "Over" }
    }

    fn resolved_brief(&self, subject: &str, recovered: bool) -> String {
        if recovered { format!("{subject} is back") } else { format!("{subject} did not recover") }
    }

    fn right_again(&self, subject: &str, at: Option<&str>) -> String {
        let right = format!("{subject} is right again");
        at.map_or_else(|| right.clone(), |at| format!("{} since {at}.", capital(&right)))
    }

    fn resolved_lead(&self, subject: &str, recovered: Option<&str>, waited: usize) -> String {
        let waited = match waited {
            0 | 1 => String::new(),
            n => format!("; up to {} were held up", count(n, "pipeline")),
        };
        match recovered {
            Some(at) => format!("{} recovered at {at}{waited}.", capital(subject)),
            None => format!("{} did not recover before its deadlines were over{waited}.", capital(subject)),
        }
    }

    fn ready_early(&self, at: &str, span: &str) -> String {
        format!("ready {at}, {span} early")
    }

    fn ready_late(&self, at: &str, span: &str) -> String {
        format!("ready {at}, {span} late")
    }

    fn ready_at(&self, at: &str) -> String {
        format!("ready {at}")
    }

    fn dashboard_made_it(&self, dashboard: &str, deadline: &str, ready: &str, early: &str) -> String {
        format!("{dashboard} was ready at {ready}, {early} before its deadline ({deadline}).")
    }

    fn dashboard_missed_it(&self, dashboard: &str, deadline: &str, ready: Option<(&str, &str)>) -> String {
        match ready {
            Some((at, late)) => format!("{dashboard} was ready at {at}, {late} after its deadline ({deadline})."),
            None => format!("{dashboard}, due {deadline}, was not ready."),
        }
    }

    fn missed_of(&self, missed: usize, deadlines: usize) -> String {
        format!("{} of {} missed", number(missed), count(deadlines, "deadline"))
    }

    fn kept(&self, deadlines: usize) -> String {
        verb(deadlines, "deadline kept", "all deadlines kept").to_owned()
    }

    fn of_deadlines(&self, missed: usize, deadlines: usize) -> String {
        format!("{} of {}", number(missed), count(deadlines, "deadline"))
    }

    fn lasted(&self, from: &str, to: &str, span: &str) -> String {
        format!("{from} → {to}, {span}")
    }

    fn digest_word(&self, verdict: DigestVerdict) -> &'static str {
        match verdict {
            DigestVerdict::Ready => "OK",
            DigestVerdict::OnTrack => "On track",
            DigestVerdict::NothingDue => "Quiet day",
            DigestVerdict::NotWatched => "Not watched yet",
            DigestVerdict::Trouble(verdict @ (Verdict::AtRisk | Verdict::Unknown)) => self.verdict(verdict),
            DigestVerdict::Trouble(_) => "Trouble",
            DigestVerdict::Maintenance => "Maintenance",
            DigestVerdict::WatchTrouble => "Watch trouble",
        }
    }

    fn check_of(&self, word: &str, day: &str, hour: &str) -> String {
        format!("{word} — check of {day}, {hour}")
    }

    fn is_ready(&self, dashboard: &str, deadline: &str) -> String {
        format!("{dashboard} {deadline} is ready")
    }

    fn all_arrived(&self, dashboard: &str, deadline: &str) -> String {
        format!("All data for {dashboard} ({deadline}) has arrived.")
    }

    fn under_way(&self, dashboard: &str, deadline: &str) -> String {
        format!("No dashboard is in danger; {dashboard} ({deadline}) is still under way.")
    }

    fn doubtful(&self, dashboard: &str, deadline: &str, chance: &str) -> String {
        format!("Nothing is wrong yet, but {dashboard} ({deadline}) may well be late: {chance}.")
    }

    fn all_ready_short(&self, dashboards: usize) -> String {
        format!("all {} ready", count(dashboards, "dashboard"))
    }

    fn ready_of(&self, ready: usize, dashboards: usize) -> String {
        format!("{} of {} ready", number(ready), count(dashboards, "dashboard"))
    }

    fn arrived_of(&self, arrived: usize, checks: usize) -> String {
        format!("{}/{} arrived", number(arrived), number(checks))
    }

    fn state(&self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::NotDue => "not due",
            Verdict::NotWatched => "not watched",
            Verdict::Ready => "ready",
            Verdict::OnTrack => "on track",
            Verdict::AtRisk => "at risk",
            Verdict::Late => "late",
            Verdict::Unknown => "unknown",
            Verdict::Failed => "misses its deadline unless repaired",
        }
    }

    fn trouble_lead(&self, incidents: usize, endangered: usize, dashboards: usize) -> String {
        let causes = count(incidents, "cause");
        match (endangered, dashboards) {
            (_, 0) => format!("{} outside any dashboard.", capital(&causes)),
            (0, n) => format!("{} open, yet none of {} is in danger.", capital(&causes), count(n, "dashboard")),
            (e, n) => {
                format!("{} of {} {} in trouble, from {causes}.", number(e), count(n, "dashboard"), verb(e, "is", "are"))
            }
        }
    }

    fn incident_state(&self, subject: &str, verdict: Verdict, recovering: bool) -> String {
        match (recovering, verdict) {
            (true, _) => format!("{subject} is back, catching up"),
            (false, Verdict::Failed) => format!("{subject} failed"),
            (false, Verdict::Late) => format!("{subject} is late"),
            (false, Verdict::AtRisk) => format!("{subject} may be late"),
            (false, Verdict::Unknown) => format!("{subject} is unknown"),
            (false, other) => format!("{subject} is {}", self.state(other)),
        }
    }

    fn retired_brief(&self, subject: &str) -> String {
        format!("{subject} was retired")
    }

    fn retired_lead(&self, subject: &str, by: &str) -> String {
        format!("{} was retired by {by}: nothing waits for it any more.", capital(subject))
    }

    fn taken(&self, by: &str, until: &str) -> String {
        format!("{by}, until {until}")
    }

    fn muted(&self, what: &Muted, name: &str, by: &str, until: &str) -> String {
        let what = match what {
            Muted::Check(_) => "check",
            Muted::Dashboard(_) => "dashboard",
            Muted::Source(_) => "source",
        };
        format!("{what} {name} is muted until {until} (by {by})")
    }

    fn owner_short(&self, name: &str) -> String {
        format!("owner {name}")
    }

    fn healed(&self, healed: usize) -> String {
        format!("{}, before anybody was told", number(healed))
    }

    fn sources(&self, answering: usize, sources: usize) -> String {
        format!("{}/{} {} answered", number(answering), number(sources), verb(sources, "source", "sources"))
    }

    fn answered(&self, answering: usize, sources: usize) -> String {
        format!("{} / {} answered", number(answering), number(sources))
    }

    fn chat_broken(&self, chat: &str) -> String {
        format!("chat {chat} takes no messages")
    }

    fn chat_broken_lead(&self, chat: &str) -> String {
        format!("Chat {chat} takes no messages.")
    }

    fn calendar_ends(&self, calendar: &str, last: &str, over: bool) -> String {
        if over {
            format!("calendar {calendar} ended on {last}")
        } else {
            format!("calendar {calendar} has data only until {last}")
        }
    }

    fn moved(&self, name: &str, from: &str, to: &str, later: bool) -> String {
        let review = if later { "; review the deadline?" } else { "" };
        format!("{name} seems to have moved from {from} to {to}{review}")
    }

    fn in_maintenance(&self, subject: &str, until: &str) -> String {
        format!("{subject} in maintenance until {until}")
    }

    fn clock_off(&self, subject: &str, span: &str, ahead: bool) -> String {
        format!("{subject} is {}", self.off_by(span, ahead))
    }

    fn off_by(&self, span: &str, ahead: bool) -> String {
        format!("{span} {}", if ahead { "ahead" } else { "behind" })
    }

    fn own(&self, own: Own) -> &'static str {
        match own {
            Own::Network => "network",
            Own::Clock => "clock",
        }
    }

    fn reload_refused(&self, at: &str, findings: usize, first: &str) -> String {
        let findings = count(findings, "finding");
        format!("the new configuration of {at} was refused ({findings}, first: {first}); the old one is in force")
    }

    fn suspected(&self, subject: &str) -> String {
        format!("{subject} is suspected")
    }

    fn next_check(&self, at: &str, at_the_latest: bool) -> String {
        format!("next summary {at}{}", if at_the_latest { " at the latest" } else { "" })
    }

    fn week_word(&self) -> &'static str {
        "Weekly"
    }

    fn days(&self, from: NaiveDate, to: NaiveDate) -> String {
        if from.month() == to.month() {
            format!("{}–{}", from.day(), to.format("%-d %B"))
        } else {
            format!("{} – {}", from.format("%-d %B"), to.format("%-d %B"))
        }
    }

    fn week_title(&self, days: &str, quiet: bool) -> String {
        if quiet { format!("A quiet week — {days}") } else { format!("The week — {days}") }
    }

    fn nothing_counted(&self, days: &str) -> String {
        format!("Nothing of {days} is known: the counting began after it")
    }

    fn woken_short(&self, woken: usize, before: Option<usize>) -> String {
        let before = before.map(|before| format!(" (week before: {})", number(before))).unwrap_or_default();
        match woken {
            0 => format!("nobody woken{before}"),
            n => format!("woken {} in quiet hours{before}", count(n, "time")),
        }
    }

    fn woken(&self, woken: usize, before: Option<usize>) -> String {
        let beside = before.map(|before| format!(" ({} the week before)", number(before))).unwrap_or_default();
        let only = if before.is_some_and(|before| woken < before) { "only " } else { "" };
        match woken {
            0 => format!("Nobody was woken{beside}."),
            n => format!("Somebody was woken {only}{}{beside}.", count(n, "time")),
        }
    }

    fn deadlines_short(&self, deadlines: &Deadlines, unwatched: usize) -> String {
        match (deadlines.missed, deadlines.due()) {
            (0, 0) if unwatched == 0 => "no deadline was due".to_owned(),
            (0, due) => format!("deadlines met {}/{}", number(deadlines.met), number(due + unwatched)),
            (missed, due) => format!("{} of {} missed", number(missed), count(due + unwatched, "deadline")),
        }
    }

    fn deadlines(&self, deadlines: &Deadlines, unwatched: usize, dashboards: usize) -> String {
        let due = deadlines.due() + unwatched;
        let all = format!("{} ({})", count(due, "deadline"), count(dashboards, "dashboard"));
        match (deadlines.missed, deadlines.met) {
            _ if due == 0 => "No deadline that anybody waits for was due.".to_owned(),
            (0, 1) if due == 1 => format!("The {} was met.", all.trim_start_matches("1 ")),
            (0, met) if met == due => format!("All {all} were met."),
            (0, met) => format!("{} of {all} {} met.", number(met), verb(met, "was", "were")),
            (missed, _) => format!("{} of {all} {} missed.", number(missed), verb(missed, "was", "were")),
        }
    }

    fn digests(&self, digests: &Digests) -> String {
        let missed = if digests.missed > 0 { format!(", {} missed", number(digests.missed)) } else { String::new() };
        format!("{} posted, {} silent and on record{missed}.", capital(&count(digests.posted, "digest")), number(digests.silent))
    }

    fn before(&self, text: &str) -> String {
        format!("week before: {text}")
    }

    fn missed_told(&self, deadlines: &Deadlines) -> String {
        let [missed, before, late, never] =
            [deadlines.missed, deadlines.told_before, deadlines.told_late, deadlines.untold].map(number);
        format!("{missed}: told before the deadline {before}, only at it or after {late}, never {never}")
    }

    fn unseen(&self, deadlines: &Deadlines, unwatched: usize) -> String {
        let &Deadlines { unknown, pending, .. } = deadlines;
        let unknown = (unknown > 0).then(|| format!("{} could not be seen", count(unknown, "deadline")));
        let pending = (pending > 0).then(|| format!("{} has just passed, and is not over yet", count(pending, "deadline")));
        let unwatched = (unwatched > 0).then(|| format!("{} nobody watched: off, or not known yet", count(unwatched, "deadline")));
        unknown.into_iter().chain(pending).chain(unwatched).collect::<Vec<_>>().join("; ")
    }

    fn asked_of(&self, asked: usize) -> String {
        match asked {
            0 => "in quiet hours; nobody was asked at all".to_owned(),
            n => format!("in quiet hours; a person was asked {} in all", count(n, "time")),
        }
    }

    fn healed_of(&self, healed: usize, incidents: usize) -> String {
        format!("{} of {}, before anybody was told", number(healed), count(incidents, "incident"))
    }

    fn grouped(&self, alerts: usize, messages: usize) -> String {
        format!("{} in trouble → {}", count(alerts, "check"), count(messages, "message"))
    }

    fn false_alarms(&self, alarms: usize) -> String {
        match alarms {
            0 => "none".to_owned(),
            n => format!("{}, asked about and met with no failed run", count(n, "deadline")),
        }
    }

    fn quiet_hours(&self, quiet: i64, hours: i64, unwatched: i64) -> String {
        let off = if unwatched > 0 { format!("; {unwatched} more nobody watched") } else { String::new() };
        format!("{quiet} of {hours} hours without a message{off}")
    }

    fn cause_of_week(&self, subject: &str, said: &Said) -> String {
        let asked = match (said.asked, said.wakeups) {
            (0, _) => "nobody asked".to_owned(),
            (asked, 0) => format!("a person asked {}", count(asked, "time")),
            (asked, woken) => format!("a person asked {}, {} in quiet hours", count(asked, "time"), number(woken)),
        };
        format!("{subject}: {} · {} · {asked}", count(said.incidents, "incident"), count(said.messages, "message"))
    }

    fn counted_since(&self, at: &str) -> String {
        format!("counted since {at} only")
    }

    fn all_of_it(&self, command: &str) -> String {
        format!("all of it: {command}")
    }

    fn next_week(&self, at: &str) -> String {
        format!("next weekly report {at}")
    }

    fn checked(&self, at: &str) -> String {
        format!("Checked {at}")
    }

    fn attention(&self, attention: Attention) -> &'static str {
        match attention {
            Attention::Silent => "recorded only",
            Attention::Post => "no push, nobody is asked yet",
            Attention::Notify => "you are asked to act",
            Attention::Escalate => "you are asked to act: not repaired since the first call",
        }
    }

    fn next(&self, cx: &Context<'_>, next: &Next) -> String {
        match next {
            Next::AskedAt { at, because } => {
                let because = match because {
                    AskedBecause::QuietEnds => "quiet hours end",
                    AskedBecause::Deadline => "the deadline",
                    AskedBecause::ActBy => "the last moment to act",
                    AskedBecause::AckEnds => "whoever has it had their time",
                };
                format!("a person is asked at {} ({because})", cx.clock(*at))
            }
            Next::EscalatesAt(at) => format!("the next person is asked at {} unless repaired", cx.clock(*at)),
            Next::WhenResolved => "next word when it is resolved".to_owned(),
        }
    }
}

/// A subject may begin with a word of the catalogue; a name from outside keeps its letters.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
