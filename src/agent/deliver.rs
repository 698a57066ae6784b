//! Delivery: renders claimed posts and sends them, each once, never two at a time to the same chat.
//!
//! It never chooses what to send, and never sends twice: its result goes to the inbox, and the core decides whether to try again.

use super::clock::Clock;
use super::inbox::Event;
use crate::core::message::Message;
use crate::core::plan::{Chat, Id, Plan};
use crate::core::state::{Post, PostId, State, Topic};
use crate::core::step::Outcome;
use crate::net::encoded;
use crate::sinks::Sink;
use futures_util::FutureExt;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// A send that takes longer is given up as ambiguous. The sink's own time-outs are far shorter; this one is for its bugs.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) struct Deliveries {
    sinks: BTreeMap<Id, Arc<Sink>>,
    /// What is being sent, by chat; until its outcome is durable.
    under_way: BTreeMap<Id, PostId>,
    inbox: mpsc::Sender<Event>,
}

impl Deliveries {
    pub(super) fn new(sinks: BTreeMap<Id, Arc<Sink>>, inbox: mpsc::Sender<Event>) -> Self {
        Self { sinks, under_way: BTreeMap::new(), inbox }
    }

    /// Sends to these from now on; what is under way ends where it began.
    pub(super) fn take_over(&mut self, sinks: BTreeMap<Id, Arc<Sink>>) {
        self.sinks = sinks;
    }

    /// Something is on its way to a chat that `chats` does not have.
    pub(super) fn is_under_way_beyond(&self, chats: &BTreeMap<Id, Chat>) -> bool {
        self.under_way.keys().any(|id| !chats.contains_key(id))
    }

    /// Of the posts that are due those that may go now: the first for each chat to which nothing is under way.
    pub(super) fn admitted(&self, due: &[PostId], state: &State) -> Vec<PostId> {
        first_of_each(due.iter().filter_map(|id| state.posts.get(id)).map(|post| (post.id, &post.chat)), &self.under_way)
    }

    /// Sends a post whose beginning is durable.
    pub(super) fn start(&mut self, post: &Post, plan: &Plan, clock: &Clock) {
        self.under_way.insert(post.chat.clone(), post.id);
        let sink = self.sinks.get(&post.chat).cloned().zip(plan.chats.get(&post.chat).cloned());
        let (post, clock, inbox) = (post.clone(), clock.clone(), self.inbox.clone());
        tokio::spawn(async move {
            let outcome = match sink {
                Some((sink, chat)) => deliver(&sink, &chat, &post.message, &idempotency_key(&post), &clock).await,
                None => Outcome::Refused { why: format!("the chat {} is no longer configured", post.chat) },
            };
            let _ = inbox.send(Event::Sent { post: post.id, chat: post.chat, outcome }).await;
        });
    }

    /// The outcome is durable: the chat is free again.
    pub(super) fn finished(&mut self, post: PostId) {
        self.under_way.retain(|_, id| *id != post);
    }

    pub(super) fn is_under_way(&self, post: PostId) -> bool {
        self.under_way.values().any(|id| *id == post)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }
}

/// Order within a chat matters to its readers: a resolution must not overtake its alert.
fn first_of_each<'a>(due: impl Iterator<Item = (PostId, &'a Id)>, busy: &BTreeMap<Id, PostId>) -> Vec<PostId> {
    let mut first = BTreeMap::new();
    for (post, chat) in due.filter(|(_, chat)| !busy.contains_key(*chat)) {
        first.entry(chat).or_insert(post);
    }
    first.into_values().collect()
}

/// One attempt. It always ends, and with an outcome, whatever the sink does. `key`: of the post, see [`Sink::render`].
pub(crate) async fn deliver(sink: &Sink, chat: &Chat, message: &Message, key: &str, clock: &Clock) -> Outcome {
    let Ok(payload) = std::panic::catch_unwind(AssertUnwindSafe(|| sink.render(message, chat, key))) else {
        tracing::error!(key, "the message {key} could not be put into words: this is a bug");
        return Outcome::Refused { why: "the message could not be put into words: a fault inside dawnwatch".to_owned() };
    };
    let sending = AssertUnwindSafe(sink.send(&payload, clock.now())).catch_unwind();
    let lost = |why: String| Outcome::Ambiguous { why };
    match tokio::time::timeout(PATIENCE, sending).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_panic)) => {
            tracing::error!(key, "sending the message {key} failed inside dawnwatch: this is a bug");
            lost("sending failed inside dawnwatch".to_owned())
        }
        Err(_) => lost(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// `incident-12/team/1/1763856000`: the same for every attempt at the same post, and another one for every other post. It ends in
/// the second at which the post was wanted, because a new store counts its incidents from 1 again, and a platform that
/// remembers the key would then drop a new alert as a repeated one.
fn idempotency_key(post: &Post) -> String {
    let topic = match &post.topic {
        Topic::Incident(id) => format!("incident-{id}"),
        Topic::Digest { digest, date } => format!("digest-{}-{date}", encoded(digest.as_str())),
        Topic::Watch(what) => format!("watch-{}", encoded(what)),
    };
    format!("{topic}/{}/{}/{}", encoded(post.chat.as_str()), post.revision, post.wanted_at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::message::{Body, WatchFacts};
    use crate::core::state::{Attempt, Attention};
    use crate::core::time::Instant;

    fn post(topic: Topic, chat: &str) -> Post {
        let at: Instant = "2026-11-23T00:00:00Z".parse().unwrap();
        let body = Body::Watch(WatchFacts { chat: chat.into(), why: String::new() });
        Post {
            id: 1,
            chat: chat.into(),
            topic,
            revision: 2,
            message: Message { at, zone: chrono_tz::Asia::Seoul, attention: Attention::Post, body },
            wanted_at: at,
            not_after: at,
            attempt: Attempt::Idle,
            failures: 0,
            ambiguities: 0,
            next_try_at: at,
            stands_in_for: None,
        }
    }

    #[test]
    fn a_key_names_its_post_and_fits_into_a_header() {
        let digest = Topic::Digest { digest: "morning".into(), date: "2026-11-23".parse().unwrap() };
        let cases = [
            (post(Topic::Incident(12), "team"), "incident-12/team/2/1795392000"),
            (post(digest, "ops room"), "digest-morning-2026-11-23/ops%20room/2/1795392000"),
            (post(Topic::Watch("sink:a/b".to_owned()), "팀"), "watch-sink%3Aa%2Fb/%ED%8C%80/2/1795392000"),
        ];
        for (post, expected) in cases {
            assert_eq!(idempotency_key(&post), expected);
        }
    }

    #[test]
    fn one_post_to_a_chat_at_a_time_in_their_order() {
        let (team, backup, quiet) = (Id::from("team"), Id::from("backup"), Id::from("quiet"));
        let due = [(4, &team), (2, &team), (3, &backup), (9, &quiet)];
        let busy = BTreeMap::from([(quiet.clone(), 7)]);
        assert_eq!(first_of_each(due.into_iter(), &busy), [3, 4]);
    }
}
