//! `once`: asks every source now, judges, and prints the digest. What an agent on the same store knows is taken into account, read
//! only; nothing is written, and nothing is sent without `--post`.

pub(super) mod apart;
pub(super) mod collect;
mod post;
pub(super) mod report;

use super::{Common, Format, output};
use crate::agent::clock::Clock;
use crate::agent::poll::Pool;
use crate::agent::{build_sinks, build_sources};
use crate::config::Loaded;
use crate::core::digest;
use crate::core::message::{self, Body, DigestVerdict, Message};
use crate::core::plan::{Digest, DigestAbout, Id, Language, Plan};
use crate::core::state::{Attention, State};
use crate::core::time::Instant;
use crate::core::wording;
use crate::error::{Error, Exit};
use crate::store::Store;
use apart::ApartLine;
use collect::{Collected, collect};

pub(super) async fn run(common: &Common, args: &super::Once, environment: &[(String, String)]) -> Result<Exit, Error> {
    let Loaded { plan, wiring, .. } = super::load(common, environment)?;
    let sources = build_sources(&plan, &wiring).map_err(Error::Unusable)?;
    let sinks = if args.post { Some(build_sinks(post::chats(&plan).into_iter(), &wiring).map_err(Error::Unusable)?) } else { None };
    let rows = Store::peek(&wiring.store).await.map_err(Error::Store)?;
    let known = State::restore(rows.unwrap_or_default(), &plan);
    let clock = Clock::real();
    let collected = collect(&plan, &Pool::new(sources), &clock, known).await;
    let digest = digest(&collected.state, &plan, collected.at);
    let apart = apart::lines(&collected.state, &plan, collected.at);
    let findings = apart.iter().any(|line| line.is_finding);
    output::write(&match common.format {
        Format::Text => {
            let digest = message::lines(&wording::word(&digest, language(&plan)));
            [vec![digest], apart::text(&apart)].concat().join("\n")
        }
        _ => json(&collected, &plan, apart)?,
    })?;
    for (id, gone) in &collected.unseen {
        tracing::warn!(source = %id, why = ?gone.why, "the source {id} could not be asked: {}", gone.detail);
    }
    let told = match &sinks {
        Some(sinks) => post::send(sinks, &plan, &digest, &clock).await,
        None => true,
    };
    Ok(match exit(&digest) {
        _ if !collected.unseen.is_empty() || !told => Exit::CouldNotLook,
        Exit::Fine if findings => Exit::Findings,
        exit => exit,
    })
}

/// The digest as a chat would get it now. It is nobody's scheduled one, so it counts what no digest has counted.
fn digest(state: &State, plan: &Plan, at: Instant) -> Message {
    let of_now = |(_, digest): &(_, &Digest)| digest.about == DigestAbout::Now;
    let id = plan.digests.iter().find(of_now).map(|(id, _)| id.clone()).unwrap_or_else(|| Id::from("once"));
    let facts = digest::facts(state, plan, &id, at);
    Message { at, zone: plan.timezone, attention: Attention::Post, body: Body::Digest(Box::new(facts)) }
}

fn json(collected: &Collected, plan: &Plan, apart: Vec<ApartLine>) -> Result<String, Error> {
    let mut report = report::report(&collected.state, plan, collected.at, apart);
    report.unseen = collected
        .unseen
        .iter()
        .map(|(id, gone)| report::UnseenLine { source: id.clone(), why: format!("{:?}", gone.why), detail: gone.detail.clone() })
        .collect();
    serde_json::to_string(&report).map_err(|error| Error::Output(error.into()))
}

/// The language of the first chat that is told of trouble.
fn language(plan: &Plan) -> Language {
    plan.tell.first().and_then(|id| plan.chats.get(id)).map(|chat| chat.language).unwrap_or_default()
}

fn exit(digest: &Message) -> Exit {
    match &digest.body {
        Body::Digest(facts) => match facts.verdict {
            DigestVerdict::Ready | DigestVerdict::OnTrack | DigestVerdict::NothingDue | DigestVerdict::NotWatched => Exit::Fine,
            DigestVerdict::Trouble(_) | DigestVerdict::Maintenance | DigestVerdict::WatchTrouble => Exit::Findings,
        },
        Body::Incident { .. } | Body::Resolved(_) | Body::Week(_) | Body::Watch(_) => Exit::Findings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::message::DigestFacts;
    use crate::core::state::Verdict;

    #[test]
    fn the_digests_verdict_is_the_exit_code() {
        let cases = [
            (DigestVerdict::Ready, 0),
            (DigestVerdict::OnTrack, 0),
            (DigestVerdict::NothingDue, 0),
            (DigestVerdict::NotWatched, 0),
            (DigestVerdict::Trouble(Verdict::Unknown), 1),
            (DigestVerdict::Maintenance, 1),
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
                muted: vec![],
                next_at: None,
                notes: Default::default(),
            };
            let body = Body::Digest(Box::new(facts));
            let digest = Message { at: Instant::UNIX_EPOCH, zone: chrono_tz::UTC, attention: Attention::Post, body };
            assert_eq!(exit(&digest).code(), code, "{verdict:?}");
        }
    }
}
