//! `drill`: a marked test message through every chat, at its largest size. Asks nobody, and leaves no trace in the state or store.
//!
//! It is an incident's own message with far more in it than fits, so that the chat gets the largest that its kind takes, cut by the
//! same rules as at night; only every name in it says that it is a drill.

use super::{Common, Format, output};
use crate::agent::build_sinks;
use crate::agent::clock::Clock;
use crate::agent::deliver::deliver;
use crate::config::Loaded;
use crate::core::message::{Basis, Body, DashboardFacts, Eta, IncidentFacts, Message, Next, OwnerFacts, Situation, Usual};
use crate::core::observation::Failure;
use crate::core::plan::{Id, Language, Plan};
use crate::core::state::{Attention, Cause, Verdict};
use crate::core::step::Outcome;
use crate::core::time::Instant;
use crate::error::{Error, Exit};
use crate::net::encoded;
use chrono::TimeDelta;
use chrono_tz::Tz;
use futures_util::future::join_all;
use serde_json::json;

/// More than any chat shows.
const DASHBOARDS: usize = 40;
/// Waiting checks, so that numbers are as wide as they get.
const CHECKS: usize = 9_999;

pub(super) async fn run(common: &Common, args: &super::Drill, environment: &[(String, String)]) -> Result<Exit, Error> {
    let Loaded { plan, wiring, .. } = super::load(common, environment)?;
    let chats = wanted(&plan, &args.chats)?;
    let sinks = build_sinks(chats.iter(), &wiring).map_err(Error::Unusable)?;
    let clock = Clock::real();
    let at = clock.now();
    let sends = sinks.iter().filter_map(|(id, sink)| plan.chats.get(id).map(|chat| (id, sink, chat)));
    let outcomes = join_all(sends.map(async |(id, sink, chat)| {
        let message = message(at, plan.timezone, chat.language);
        let key = format!("drill-{}/{}/1", at.timestamp_millis(), encoded(id.as_str()));
        let why = match deliver(sink, chat, &message, &key, &clock).await {
            Outcome::Confirmed { .. } => None,
            Outcome::Failed { why, .. } | Outcome::Refused { why } => Some(why),
            Outcome::Ambiguous { why } => Some(format!("perhaps delivered, its answer is lost: {why}")),
        };
        (id, why)
    }))
    .await;
    let line = |(id, why): &(&Id, Option<String>)| match why {
        None => format!("chat {id}: delivered"),
        Some(why) => format!("chat {id}: {why}"),
    };
    output::write(&match common.format {
        Format::Text => outcomes.iter().map(line).collect::<Vec<_>>().join("\n"),
        _ => {
            let all = outcomes.iter().map(|(id, why)| json!({"chat": id, "delivered": why.is_none(), "why": why}));
            json!({"chats": all.collect::<Vec<_>>()}).to_string()
        }
    })?;
    Ok(if outcomes.iter().all(|(_, why)| why.is_none()) { Exit::Fine } else { Exit::CouldNotLook })
}

/// The chats that were named, or all.
fn wanted(plan: &Plan, named: &[String]) -> Result<Vec<Id>, Error> {
    let all: Vec<&str> = plan.chats.keys().map(Id::as_str).collect();
    if all.is_empty() {
        return Err(Error::Usage("there is no chat to send to: the configuration has no [chats.…]".to_owned()));
    }
    if let Some(unknown) = named.iter().find(|name| !all.contains(&name.as_str())) {
        return Err(Error::Usage(format!("there is no chat {unknown:?}; there are {}", all.join(", "))));
    }
    Ok(plan.chats.keys().filter(|id| named.is_empty() || named.iter().any(|name| name == id.as_str())).cloned().collect())
}

/// What marks it, in the language of its readers.
struct Marks {
    short: &'static str,
    sentence: &'static str,
}

fn marks(language: Language) -> Marks {
    match language {
        Language::En => {
            Marks { short: "DRILL", sentence: "DRILL: a test of this chat. Nothing has failed, nobody has to do anything. " }
        }
        Language::Ko => Marks {
            short: "훈련",
            sentence: "훈련: 이 채팅방의 시험 메시지입니다. 실제 장애가 아니며, 아무 조치도 필요하지 않습니다. ",
        },
    }
}

fn message(at: Instant, zone: Tz, language: Language) -> Message {
    let Marks { short, sentence } = marks(language);
    let hour = TimeDelta::hours(1);
    let eta = Eta { at: at + hour * 3, low: at + hour * 2, high: at + hour * 4, basis: Basis::Observed { nights: 60 } };
    let dashboard = |n: usize| DashboardFacts {
        muted: false,
        id: Id::from(format!("drill-{n}")),
        name: format!("{short} {n}"),
        deadline: at + hour * 2,
        audience: true,
        verdict: Verdict::Failed,
        waiting: CHECKS,
        checks: CHECKS,
        arrived: 0,
        unknown: 0,
        in_maintenance: false,
        act_by: Some(at + hour),
        chance: Some(80),
        eta: Some(eta),
        ready_at: None,
        latest: None,
        url: Some(format!("https://example.com/drill/{n}")),
    };
    let failure = Failure { task: Some(short.into()), try_number: Some(1), error: Some(sentence.repeat(40).trim_end().to_owned()) };
    let about = IncidentFacts {
        taken: None,
        incident: 0,
        cause: Cause::Check(Id::from(short)),
        verdict: Verdict::Failed,
        situation: Situation::Failed { at: Some(at), doomed: false, failure },
        since: at,
        alike: CHECKS,
        waiting: CHECKS,
        checks: CHECKS,
        untouched: 0,
        dashboards: (1..=DASHBOARDS).map(dashboard).collect(),
        owner: Some(OwnerFacts { name: short.to_owned(), contact: Some(short.to_owned()) }),
        runbook: Some("https://example.com/drill".to_owned()),
        usual: Some(Usual { arrives: at - hour, latest: at, nights: 60 }),
        last_good: Some(at - TimeDelta::days(1)),
        next: Next::WhenResolved,
    };
    // Not `notify`: nobody is asked, whatever mention the chat has.
    Message { at, zone, attention: Attention::Post, body: Body::Incident { update: false, about: Box::new(about) } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::message::plain;
    use crate::core::wording::word;

    #[test]
    fn it_is_marked_where_a_lock_screen_cuts_and_asks_nobody() {
        for (language, mark) in [(Language::En, "DRILL"), (Language::Ko, "훈련")] {
            let text = word(&message(Instant::UNIX_EPOCH, chrono_tz::Asia::Seoul, language), language);
            let seen: String = plain(&text.preview).chars().take(40).collect();
            assert!(seen.contains(mark), "{seen}");
            assert!(text.title.as_ref().is_none_or(|title| plain(title).contains(mark)), "{text:?}");
            assert!(!text.asks && text.links.len() == 2 && text.facts.len() == 5, "{text:?}");
            assert!(text.facts.iter().any(|(_, fact)| plain(fact).contains(mark)));
        }
    }
}
