//! `once --post`: sends the digest, once to each chat. There is no second try: whoever runs the command sees what came of it.

use crate::agent::clock::Clock;
use crate::agent::deliver::deliver;
use crate::core::message::Message;
use crate::core::plan::{DigestAbout, Id, Plan};
use crate::core::step::Outcome;
use crate::net::encoded;
use crate::sinks::Sink;
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The chats of the digests; without any digest those that are told of trouble of the watch itself.
pub(super) fn chats(plan: &Plan) -> BTreeSet<&Id> {
    let of_digests: BTreeSet<&Id> =
        plan.digests.values().filter(|digest| digest.about == DigestAbout::Now).flat_map(|digest| &digest.to).collect();
    if of_digests.is_empty() { plan.tell.iter().collect() } else { of_digests }
}

/// Was it delivered everywhere?
pub(super) async fn send(sinks: &BTreeMap<Id, Arc<Sink>>, plan: &Plan, digest: &Message, clock: &Clock) -> bool {
    let sends =
        sinks.iter().filter_map(|(id, sink)| plan.chats.get(id).map(|chat| (id, sink, chat))).map(async |(id, sink, chat)| {
            let key = format!("once-{}/{}/1", digest.at.timestamp_millis(), encoded(id.as_str()));
            let why = match deliver(sink, chat, digest, &key, clock).await {
                Outcome::Confirmed { .. } => return true,
                Outcome::Failed { why, .. } | Outcome::Refused { why } => why,
                Outcome::Ambiguous { why } => format!("perhaps delivered, its answer is lost: {why}"),
            };
            tracing::error!(chat = %id, why, "the digest was not delivered to {id}: {why}");
            false
        });
    join_all(sends).await.into_iter().all(|delivered| delivered)
}
