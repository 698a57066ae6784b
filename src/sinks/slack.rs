//! Slack's incoming webhook: Block Kit in the order that a phone shows best, the preview as the notification's text.
//!
//! Buttons only open addresses; nothing comes back from an incoming webhook. It can neither edit nor thread, and its answer
//! carries no handle.

use super::limits::{self, problems};
use super::plain::isolated;
use crate::core::message::{Line, Message, Span, Text, fit, plain, shorten_end};
use crate::core::plan::Chat;
use crate::core::wording::word;
use serde_json::{Value, json};

/// The longest mention that is taken from the configuration as it is.
const MENTION_CHARS: usize = 1_000;

pub(super) fn render(message: &Message, chat: &Chat) -> Vec<u8> {
    let text = word(message, chat.language);
    let mention = chat.mention.as_deref().filter(|m| text.asks && m.chars().count() <= MENTION_CHARS);
    // The mention is the configuration's own markup: its room is measured, its form is not judged.
    let room = mention.map(|m| "m".repeat(m.chars().count()));
    let text = fit(text, |text| problems(&payload(text, room.as_deref())).is_empty());
    payload(&text, mention).to_string().into_bytes()
}

fn payload(text: &Text, mention: Option<&str>) -> Value {
    let lead = mrkdwn(&text.lead);
    let with_mention = |line: String| mention.map_or_else(|| line.clone(), |m| format!("{m} {line}"));
    let mut blocks = Vec::new();
    if let Some(title) = &text.title {
        let title = shorten_end(&plain_text(title), limits::HEADER_TEXT);
        blocks.push(json!({"type": "header", "text": {"type": "plain_text", "text": title, "emoji": true}}));
    }
    // A mention in `text` alone rings nobody where blocks are shown, so it stands in both.
    blocks.push(section(&with_mention(lead)));
    if !text.facts.is_empty() {
        let fields = text.facts.iter().map(|(label, value)| markdown(&format!("*{}*\n{}", escape(label), mrkdwn(value))));
        blocks.push(json!({"type": "section", "fields": fields.collect::<Vec<_>>()}));
    }
    if let Some((heading, lines)) = &text.section {
        let lines: Vec<String> = lines.iter().map(|line| format!("• {}", mrkdwn(line))).collect();
        blocks.push(section(&format!("*{}*\n{}", escape(heading), lines.join("\n"))));
    }
    if !text.links.is_empty() {
        let buttons = text.links.iter().enumerate().map(|(i, (label, url))| {
            let label = shorten_end(label, limits::BUTTON_TEXT);
            json!({"type": "button", "text": {"type": "plain_text", "text": label, "emoji": true}, "action_id": format!("open_{i}"), "url": url})
        });
        blocks.push(json!({"type": "actions", "elements": buttons.collect::<Vec<_>>()}));
    }
    blocks.push(json!({"type": "context", "elements": [markdown(&mrkdwn(&text.foot))]}));
    json!({
        "text": with_mention(escape_data(&plain(&text.preview))),
        "blocks": blocks,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": markdown(text)})
}

/// `verbatim` keeps Slack from making links and mentions of plain words.
fn markdown(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}

/// A header takes no markup, and shows escapes in some clients: what would be one elsewhere becomes its look-alike.
fn plain_text(line: &Line) -> String {
    let harmless = |text: &str| isolated(&text.replace('<', "‹").replace('>', "›"));
    line.iter().map(|span| if let Span::Data(text) = span { harmless(text) } else { span.text().to_owned() }).collect()
}

/// A line with its bold part; data between two strong spans is bold with them, for Slack knows no bold that ends within a word.
fn mrkdwn(line: &Line) -> String {
    let strong = |span: &Span| matches!(span, Span::Strong(_));
    let (first, last) = (line.iter().position(strong), line.iter().rposition(strong));
    // Data that opens the strong part belongs to it: "*raw_events failed.*"
    let first = first.map(|i| if i > 0 && matches!(line[i - 1], Span::Data(_)) { i - 1 } else { i });
    let mut out = String::new();
    for (i, span) in line.iter().enumerate() {
        if Some(i) == first {
            out.push('*');
        }
        match span {
            Span::Word(text) | Span::Strong(text) => out.push_str(&escape(text)),
            Span::Data(text) => out.push_str(&escape_data(text)),
        }
        if Some(i) == last {
            out.push('*');
        }
    }
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Data never becomes markup: `*`, `~`, a backtick, and a `_` at the edge of a word, where Slack would read it, become look-alikes.
/// Inside of a word `_` stays, so that `raw_member_events` can be copied.
fn escape_data(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let inside = |i: usize| {
        let word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() || *c == '_');
        i > 0 && word(chars.get(i - 1)) && word(chars.get(i + 1))
    };
    let harmless = chars.iter().enumerate().map(|(i, &c)| match c {
        '*' => '\u{2217}',
        '~' => '\u{223c}',
        '`' => '\u{2cb}',
        '_' if !inside(i) => '\u{2cd}',
        c => c,
    });
    escape(&isolated(&harmless.collect::<String>()))
}
