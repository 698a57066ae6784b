//! One line of the ledger in words.

use crate::core::state::{About, Attention, Decision, Entry, Grounds, Reason, Trouble};
use crate::core::time::{Instant, wall_clock};
use crate::explain::Line;

/// `clock`: an instant as people say it.
pub(super) fn line(line: &Line<'_>, clock: &impl Fn(Instant) -> String) -> String {
    let Entry { about, chat, decision, reason, .. } = line.entry;
    let grounds = line.entry.evidence.as_deref();
    let why = why(reason);
    let to = chat.as_ref().map(|chat| format!(" in {chat}")).unwrap_or_default();
    let what = about_what(about);
    let text = match decision {
        Decision::Say(attention) => {
            let said = match attention {
                Attention::Silent | Attention::Post => "told",
                Attention::Notify => "asked a person",
                Attention::Escalate => "asked the next one",
            };
            let sent = match line.delivered_at {
                Some(at) if at == line.entry.at => String::new(),
                Some(at) => format!(", delivered at {}", clock(at)),
                None if matches!(about, About::Incident(_)) => ", not delivered yet".to_owned(),
                None => String::new(),
            };
            format!("{said}{to}: {why}{sent}")
        }
        Decision::Hold { until } => format!("held{to} until {}: {why}", clock(*until)),
        Decision::StaySilent => format!("nothing said{to}: {why}"),
        Decision::Note if matches!((about, reason), (About::Check(_), Reason::Opened)) => {
            "the watch knows it from now on".to_owned()
        }
        Decision::Note => format!("{}{}", why, if about_a_post(about) { to } else { String::new() }),
    };
    // What the decision was about is told where it changes: at its beginning, and with each word.
    let told = match (grounds, decision, reason) {
        (Some(Grounds::Trouble(trouble)), Decision::Say(_), _) if *reason != Reason::Resolved => trouble_in_words(trouble, clock),
        (Some(Grounds::Trouble(trouble)), Decision::Note, _) => trouble_in_words(trouble, clock),
        (Some(grounds), ..) => in_words(grounds, clock),
        (None, ..) => String::new(),
    };
    let named = [what, told].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    if named.is_empty() { text } else { format!("{text} ({named})") }
}

fn about_a_post(about: &About) -> bool {
    matches!(about, About::Post(_) | About::Chat)
}

fn about_what(about: &About) -> String {
    match about {
        About::Incident(id) => format!("#{id}"),
        About::Cycle(key) => key.to_string(),
        About::Digest { digest, date } => format!("digest {digest} of {date}"),
        About::Post(id) => format!("message {id}"),
        About::Source(id) => format!("source {id}"),
        About::Order { by, reason } => format!("{by}: {reason}"),
        About::Chat | About::Check(_) | About::Watch => String::new(),
    }
}

fn trouble_in_words(trouble: &Trouble, clock: &impl Fn(Instant) -> String) -> String {
    let mut parts = vec![format!("{} {}", trouble.cause, trouble.verdict.word())];
    if trouble.waiting > 1 {
        parts.push(format!("{} checks wait", trouble.waiting));
    }
    let by = trouble.cycles.iter().map(|told| format!("{} by {}", told.cycle.dashboard, clock(told.deadline)));
    parts.extend(by);
    if trouble.more > 0 {
        parts.push(format!("and {} more", trouble.more));
    }
    parts.extend(trouble.act_by.map(|at| format!("act by {}", clock(at))));
    parts.extend(trouble.failure.as_ref().and_then(|failure| failure.error.as_ref()).map(|error| format!("\"{error}\"")));
    parts.join(", ")
}

fn in_words(grounds: &Grounds, clock: &impl Fn(Instant) -> String) -> String {
    match grounds {
        Grounds::Trouble(_) | Grounds::Sending(_) => String::new(),
        Grounds::Cycle { result, arrived } => {
            let arrived = arrived.map(|(arrived, checks)| format!("{arrived} of {checks} checks had arrived, "));
            format!("{}ready by {}", arrived.unwrap_or_default(), clock(result.deadline))
        }
        Grounds::Arrival(arrival) => {
            let run = arrival.run.as_ref().map(|run| format!(", {run}")).unwrap_or_default();
            format!("{} at {}{run}", arrival.cycle, clock(arrival.at))
        }
        Grounds::Moved(moved) => {
            let [from, to] = [moved.from_s, moved.to_s].map(|wall_s| wall_clock(wall_s.into()));
            format!("from {from} to {to}, since {}", moved.since)
        }
        Grounds::Dark(dark) => format!("since {}: {}", clock(dark.since), dark.last.detail),
        Grounds::Away { since } => format!("away since {}", clock(*since)),
        Grounds::Digest { due_at, .. } => format!("due at {}", clock(*due_at)),
        Grounds::Refused { why } => why.clone(),
        Grounds::Order { pause, .. } => format!("{}, until {}: {}", pause.by, clock(pause.until), pause.reason),
    }
}

/// One clause for each reason.
fn why(reason: &Reason) -> &'static str {
    match reason {
        Reason::FirstWord => "the first word",
        Reason::QuietEnded => "people may be asked now",
        Reason::DeadlineReached => "the deadline came",
        Reason::ActByReached => "the last moment at which acting helps",
        Reason::Worse => "it got worse",
        Reason::NewCycle => "it endangers a deadline that was not told of",
        Reason::NotAnswered => "nobody had answered or repaired it",
        Reason::Resolved => "it is over",
        Reason::DigestDue => "the digest was due",
        Reason::DigestTrouble => "the digest was due, and not all was well",
        Reason::StandsIn => "in place of a chat that could not be reached",
        Reason::QuietHours => "nobody is asked in quiet hours",
        Reason::MayComeBack => "it may come back by itself in time",
        Reason::SightAwaited => "an answer was on its way",
        Reason::FailureAwaited => "the reason of the failure was being fetched",
        Reason::Acked => "somebody has it",
        Reason::Snoozed => "it is snoozed",
        Reason::Muted => "it is muted",
        Reason::Maintenance => "it is in maintenance, and no deadline was in danger",
        Reason::AlreadyTold => "all of it has been told",
        Reason::NoAudience => "nobody looks at what waits for it",
        Reason::HealedUntold => "it was over before anybody was told",
        Reason::EndedUntold => "it ended unrepaired, and nobody was told",
        Reason::Better => "it gets better by itself",
        Reason::AllGreen => "all was well",
        Reason::DigestMissed => "it was too late to be of use",
        Reason::NobodyToTell => "no chat is there to be told",
        Reason::Opened => "began",
        Reason::Recovering => "the cause is gone",
        Reason::Arrived => "arrived",
        Reason::CycleReady => "all that it needs has arrived",
        Reason::CycleMissed => "the deadline was missed",
        Reason::DeadlineMet => "the deadline proves to have been met, unseen",
        Reason::CycleClosed => "the cycle closed",
        Reason::ToldLate => "told only when the cycle had closed",
        Reason::Deepened => "the cause proves to lie deeper",
        Reason::Surfaced => "what was told of before is there still",
        Reason::Merged => "it proves to be part of another",
        Reason::Retired => "retired",
        Reason::ScheduleMoved => "its schedule seems to have moved",
        Reason::SourceDark => "no answer",
        Reason::SourceBack => "answers again",
        Reason::ChatBroken => "the chat refuses everything",
        Reason::ChatBack => "the chat works again",
        Reason::WatchBack => "the watch is back: it was off, or its machine asleep",
        Reason::Delivered => "delivered",
        Reason::Undelivered => "not delivered",
        Reason::TooLate => "not sent: too late to be of use",
        Reason::Superseded => "not sent: a newer word took its place, or it was no longer true",
    }
}
