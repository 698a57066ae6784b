//! `once`: asks every source now, judges, and prints the digest. What an agent on the same store knows is taken into account, read
//! only; nothing is written, and nothing is sent without `--post`.

mod collect;
mod post;

use super::{Common, Format, output};
use crate::agent::clock::Clock;
use crate::agent::poll::Pool;
use crate::agent::{build_sinks, build_sources};
use crate::config::Loaded;
use crate::core::message::{Body, DigestVerdict, Message};
use crate::core::plan::{Language, Plan};
use crate::core::state::State;
use crate::core::time::Instant;
use crate::core::wording;
use crate::error::{Error, Exit};
use crate::store::Store;
use collect::{Collected, collect};
use serde_json::{Value, json};

pub(super) async fn run(common: &Common, args: &super::Once, environment: &[(String, String)]) -> Result<Exit, Error> {
    let Loaded { plan, wiring, .. } = super::load(common, environment)?;
    let sources = build_sources(&plan, &wiring).map_err(Error::Unusable)?;
    let sinks = if args.post { Some(build_sinks(post::chats(&plan).into_iter(), &wiring).map_err(Error::Unusable)?) } else { None };
    let rows = Store::peek(&wiring.store).await.map_err(Error::Store)?;
    let known = State::restore(rows.unwrap_or_default(), &plan);
    let clock = Clock::real();
    let collected = collect(&plan, &Pool::new(sources), &clock, known).await;
    let Judged { report, digest } = judged(&collected.state, &plan, collected.at);
    output::write(&match common.format {
        Format::Text => output::lines(&wording::word(&digest, language(&plan))),
        Format::Json => with_unseen(report, &collected).to_string(),
    })?;
    for (id, gone) in &collected.unseen {
        tracing::warn!(source = %id, why = ?gone.why, "the source {id} could not be asked: {}", gone.detail);
    }
    let told = match &sinks {
        Some(sinks) => post::send(sinks, &plan, &digest, &clock).await,
        None => true,
    };
    Ok(if collected.unseen.is_empty() && told { exit(&digest) } else { Exit::CouldNotLook })
}

/// What the core says of it all.
struct Judged {
    /// `{"at", "verdicts", "dashboards", "incidents"}`
    report: Value,
    digest: Message,
}

fn judged(_state: &State, _plan: &Plan, _at: Instant) -> Judged {
    unimplemented!()
}

fn with_unseen(mut report: Value, collected: &Collected) -> Value {
    let unseen = collected.unseen.iter();
    report["unseen"] =
        unseen.map(|(id, gone)| json!({"source": id, "why": format!("{:?}", gone.why), "detail": gone.detail})).collect();
    report
}

/// The language of the first chat that is told of trouble.
fn language(plan: &Plan) -> Language {
    plan.tell.first().and_then(|id| plan.chats.get(id)).map(|chat| chat.language).unwrap_or_default()
}

fn exit(digest: &Message) -> Exit {
    match &digest.body {
        Body::Digest(facts) => match facts.verdict {
            DigestVerdict::Ready | DigestVerdict::OnTrack | DigestVerdict::NothingDue => Exit::Fine,
            DigestVerdict::Trouble(_) | DigestVerdict::WatchTrouble => Exit::Findings,
        },
        Body::Incident { .. } | Body::Resolved(_) | Body::Watch(_) => Exit::Findings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::message::DigestFacts;
    use crate::core::state::{Attention, Verdict};

    #[test]
    fn the_digests_verdict_is_the_exit_code() {
        let cases = [
            (DigestVerdict::Ready, 0),
            (DigestVerdict::OnTrack, 0),
            (DigestVerdict::NothingDue, 0),
            (DigestVerdict::Trouble(Verdict::Unknown), 1),
            (DigestVerdict::WatchTrouble, 1),
        ];
        for (verdict, code) in cases {
            let facts = DigestFacts {
                digest: "once".into(),
                verdict,
                dashboards: vec![],
                incidents: vec![],
                healed: 0,
                sources_answering: 0,
                sources: 0,
                broken_chats: vec![],
                calendars_ending: vec![],
                next_at: None,
            };
            let body = Body::Digest(Box::new(facts));
            let digest = Message { at: Instant::UNIX_EPOCH, zone: chrono_tz::UTC, attention: Attention::Post, body };
            assert_eq!(exit(&digest).code(), code, "{verdict:?}");
        }
    }
}
