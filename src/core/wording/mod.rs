//! Catalogues: a message → words in a language.
//!
//! What is said, and in which order, is decided once for all languages (`incident`, `resolved`, `digest`, `week`); how it is said is the
//! catalogue's part (`en`, `ko`), one file per language behind one trait (`words`). Nothing here looks anything up, and nothing is
//! said that the facts do not hold.

mod context;
mod digest;
mod en;
mod incident;
mod ko;
mod marked;
mod resolved;
mod week;
mod words;

use self::context::Context;
use self::marked::line;
use self::words::{Label, Words};
use super::message::{Body, Line, Message, Text, Tone};
use super::plan::Language;
use super::state::{Attention, Verdict};

/// The most facts, links and section lines of a message: a phone shows no more without a thumb.
const FACTS: usize = 6;
const LINKS: usize = 4;
const LINES: usize = 8;

/// The message in the words of `language`.
pub fn word(message: &Message, language: Language) -> Text {
    let words: &dyn Words = match language {
        Language::En => &en::English,
        Language::Ko => &ko::Korean,
    };
    let cx = Context::new(words, message);
    let draft = match &message.body {
        Body::Incident { update, about } => incident::draft(&cx, message.attention, *update, about),
        Body::Resolved(about) => resolved::draft(&cx, about),
        Body::Digest(about) => digest::draft(&cx, message.attention, about),
        Body::Week(about) => week::draft(&cx, about),
        Body::Watch(about) => digest::draft_watch(&cx, message.attention, about),
    };
    draft.text(words, message.attention)
}

/// A message in marked text, before it becomes spans.
struct Draft {
    tone: Tone,
    preview: Line,
    title: String,
    lead: Vec<String>,
    facts: Vec<(Label, String)>,
    /// Facts whose label is a time.
    timed: Vec<(String, String)>,
    section: Option<(&'static str, Vec<String>)>,
    foot: Vec<String>,
    links: Vec<(String, String)>,
}

impl Draft {
    fn text(self, words: &dyn Words, attention: Attention) -> Text {
        let labelled = self.facts.into_iter().map(|(label, value)| (words.label(label).to_owned(), line(&value)));
        let timed = self.timed.into_iter().map(|(label, value)| (label, line(&value)));
        Text {
            language: words.language(),
            tone: self.tone,
            preview: self.preview,
            title: Some(line(&self.title)),
            lead: line(&self.lead.join(" ")),
            facts: timed.chain(labelled).take(FACTS).collect(),
            section: self
                .section
                .filter(|(_, lines)| !lines.is_empty())
                .map(|(heading, lines)| (heading.to_owned(), lines.iter().map(|l| line(l)).collect())),
            foot: line(&self.foot.join(" · ")),
            links: self.links.into_iter().filter(|(_, url)| is_link(url)).take(LINKS).collect(),
            asks: attention >= Attention::Notify,
        }
    }
}

/// Only what a browser opens becomes a link: a runbook may be called "RB-12".
fn is_link(url: &str) -> bool {
    const LONGEST: usize = 2_000;
    let web = url.starts_with("https://") || url.starts_with("http://");
    web && url.len() <= LONGEST && !url.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | '|' | '"'))
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::NotDue | Verdict::NotWatched | Verdict::Ready | Verdict::OnTrack => Tone::Good,
        Verdict::AtRisk => Tone::Warning,
        Verdict::Late | Verdict::Failed => Tone::Bad,
        Verdict::Unknown => Tone::Unknown,
    }
}

/// Told apart by shape, not by colour.
fn symbol(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "✅",
        Tone::Warning => "⚠️",
        Tone::Bad => "⛔",
        Tone::Unknown => "❓",
    }
}
