//! What came of a played script: what was said, decided, asked and lost, for the oracle and for whoever looks for a fault.

use super::conf::local;
use super::things::Span;
use dawnwatch::core::command::Order;
use dawnwatch::core::message::plain;
use dawnwatch::core::plan::{Id, Language};
use dawnwatch::core::state::*;
use dawnwatch::core::time::Instant;
use dawnwatch::core::wording::word;
use std::collections::BTreeMap;

/// One message in front of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// When it really was, and what the watch's own clock showed.
    pub real: Instant,
    pub at: Instant,
    pub post: Post,
}

/// What a person asked for and was granted.
#[derive(Debug, Clone)]
pub struct Granted {
    pub span: Span,
    pub order: Order,
}

/// What came of a played script.
#[derive(Debug, Clone, Default)]
pub struct Record {
    pub ledger: Vec<Entry>,
    pub said: Vec<Said>,
    /// When each source answered a sweep: when it was asked, and when the whole answer was there.
    pub swept: BTreeMap<Id, Vec<Instant>>,
    /// When each source was asked, answered or not, and when the proof of life went out.
    pub asked: BTreeMap<Id, Vec<Instant>>,
    pub beats: Vec<Instant>,
    /// When nobody was at home.
    pub away: Vec<Span>,
    /// Every post that was ever written, as it was last, and when it was first.
    pub posts: BTreeMap<PostId, Post>,
    pub wanted: BTreeMap<PostId, Instant>,
    /// Every incident, as it was last.
    pub incidents: BTreeMap<IncidentId, Incident>,
    /// Attempts whose answer was lost, by post.
    pub lost: BTreeMap<PostId, u32>,
    pub granted: Vec<Granted>,
}

impl Record {
    /// What was decided and said, for whoever looks for a fault.
    pub fn story(&self) -> String {
        let entries = self.ledger.iter().filter(|entry| !matches!(entry.about, About::Check(_)));
        let mut lines: Vec<String> = entries
            .map(|entry| {
                let chat = entry.chat.as_ref().map_or("", |chat| chat.as_str());
                format!("  {} {:?} {chat} {:?} {:?}", local(entry.at), entry.about, entry.decision, entry.reason)
            })
            .collect();
        lines.push("said:".to_owned());
        for said in &self.said {
            let message = &said.post.message;
            let text = word(message, Language::En);
            let (preview, lead) = (plain(&text.preview), plain(&text.lead));
            lines.push(format!(
                "  {} {} {:?} post {} {:?}: {preview} | {lead}",
                local(said.at),
                said.post.chat,
                message.attention,
                said.post.id,
                said.post.topic
            ));
        }
        lines.join("\n")
    }
}
