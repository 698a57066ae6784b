//! Slack's payloads, read as a person's eyes would: blocks and their marked-up text, as plain text and as HTML.
//!
//! Reads only what incoming webhooks use. Everything in a payload is data: the HTML escapes it, the plain text loses its control
//! characters.

use serde_json::Value;
use std::fmt::Write;

/// One block of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Header(String),
    Section(String),
    Fields(Vec<String>),
    /// Label and address of buttons.
    Buttons(Vec<(String, Option<String>)>),
    Context(String),
    Divider,
}

/// A piece of text in Slack's `mrkdwn`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Bold(Vec<Piece>),
    Code(String),
    /// `@name`, and who reads it is notified.
    Mention(String),
    Link {
        url: String,
        label: String,
    },
}

/// The blocks of a payload; without any, its text is the one block.
pub fn read(payload: &Value) -> Vec<Block> {
    let blocks: Vec<Block> = payload["blocks"].as_array().into_iter().flatten().filter_map(block).collect();
    if blocks.is_empty() {
        payload["text"].as_str().map(|text| Block::Section(text.to_owned())).into_iter().collect()
    } else {
        blocks
    }
}

fn block(block: &Value) -> Option<Block> {
    let text = |value: &Value| value["text"].as_str().unwrap_or_default().to_owned();
    let list = |name: &str| block[name].as_array().into_iter().flatten();
    match block["type"].as_str()? {
        "header" => Some(Block::Header(text(&block["text"]))),
        "section" if block["fields"].is_array() => Some(Block::Fields(list("fields").map(text).collect())),
        "section" => Some(Block::Section(text(&block["text"]))),
        "context" => Some(Block::Context(list("elements").map(text).collect::<Vec<_>>().join(" "))),
        "actions" => {
            let button = |b: &Value| (text(&b["text"]), b["url"].as_str().filter(|url| is_web(url)).map(str::to_owned));
            Some(Block::Buttons(list("elements").map(button).collect()))
        }
        "divider" => Some(Block::Divider),
        _ => None,
    }
}

/// Does it mention anybody?
pub fn mentions(blocks: &[Block]) -> bool {
    fn any(pieces: &[Piece]) -> bool {
        pieces.iter().any(|piece| match piece {
            Piece::Mention(_) => true,
            Piece::Bold(inner) => any(inner),
            _ => false,
        })
    }
    blocks.iter().any(|block| match block {
        Block::Section(text) | Block::Context(text) => any(&pieces(text)),
        Block::Fields(fields) => fields.iter().any(|f| any(&pieces(f))),
        Block::Header(_) | Block::Buttons(_) | Block::Divider => false,
    })
}

/// For a terminal: one line or more for each block, without control characters.
pub fn plain(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        match block {
            Block::Header(text) => out.push_str(&unescape(text)),
            Block::Section(text) | Block::Context(text) => out.push_str(&plain_text(text)),
            Block::Fields(fields) => {
                let lines = fields.iter().map(|f| plain_text(f).replacen('\n', ": ", 1));
                out.push_str(&lines.collect::<Vec<_>>().join("\n"));
            }
            Block::Buttons(buttons) => {
                let labels = buttons.iter().map(|(label, _)| format!("[{}]", unescape(label)));
                out.push_str(&labels.collect::<Vec<_>>().join(" "));
            }
            Block::Divider => out.push('—'),
        }
        out.push('\n');
    }
    out.retain(|c| c == '\n' || !c.is_control());
    out
}

/// One line of `mrkdwn` as plain text.
pub fn plain_text(text: &str) -> String {
    fn put(out: &mut String, pieces: &[Piece]) {
        for piece in pieces {
            match piece {
                Piece::Text(text) | Piece::Code(text) | Piece::Mention(text) => out.push_str(text),
                Piece::Bold(inner) => put(out, inner),
                Piece::Link { label, .. } => out.push_str(label),
            }
        }
    }
    let mut out = String::new();
    put(&mut out, &pieces(text));
    out
}

/// For the page.
pub fn html(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        // Writing to a String cannot fail.
        let _ = match block {
            Block::Header(text) => write!(out, "<h2>{}</h2>", escape(&unescape(text))),
            Block::Section(text) => write!(out, "<p>{}</p>", html_text(text)),
            Block::Context(text) => write!(out, "<p class=context>{}</p>", html_text(text)),
            Block::Fields(fields) => {
                let cells = fields.iter().map(|f| format!("<div>{}</div>", html_text(f)));
                write!(out, "<div class=fields>{}</div>", cells.collect::<String>())
            }
            Block::Buttons(buttons) => write!(out, "<p>{}</p>", buttons.iter().map(button).collect::<String>()),
            Block::Divider => write!(out, "<hr>"),
        };
    }
    out
}

fn button((label, url): &(String, Option<String>)) -> String {
    let label = escape(&unescape(label));
    match url {
        Some(url) => format!("<a class=button rel=noreferrer href=\"{}\">{label}</a>", escape(url)),
        None => format!("<span class=button>{label}</span>"),
    }
}

fn html_text(text: &str) -> String {
    fn put(out: &mut String, pieces: &[Piece]) {
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(&escape(text).replace('\n', "<br>")),
                Piece::Bold(inner) => {
                    out.push_str("<b>");
                    put(out, inner);
                    out.push_str("</b>");
                }
                Piece::Code(text) => out.push_str(&format!("<code>{}</code>", escape(text))),
                Piece::Mention(text) => out.push_str(&format!("<mark>{}</mark>", escape(text))),
                Piece::Link { url, label } => {
                    out.push_str(&format!("<a rel=noreferrer href=\"{}\">{}</a>", escape(url), escape(label)));
                }
            }
        }
    }
    let mut out = String::new();
    put(&mut out, &pieces(text));
    out
}

pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Slack's three entities, and no others (docs.slack.dev, "Formatting message text").
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// Splits at `<…>`, `*…*` and `` `…` ``; each inner part is shorter than the whole, so this ends.
fn pieces(text: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut plain = String::new();
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let special = match c {
            '<' => after.split_once('>').and_then(|(inner, tail)| Some((angle(inner)?, tail))),
            '*' => spanned(after, '*').map(|(inner, tail)| (Piece::Bold(pieces(inner)), tail)),
            '`' => spanned(after, '`').map(|(inner, tail)| (Piece::Code(unescape(inner)), tail)),
            _ => None,
        };
        match special {
            Some((piece, tail)) => {
                if !plain.is_empty() {
                    found.push(Piece::Text(unescape(&std::mem::take(&mut plain))));
                }
                found.push(piece);
                rest = tail;
            }
            None => {
                plain.push(c);
                rest = after;
            }
        }
    }
    if !plain.is_empty() {
        found.push(Piece::Text(unescape(&plain)));
    }
    found
}

/// What stands up to the next `mark` on the same line.
fn spanned(text: &str, mark: char) -> Option<(&str, &str)> {
    let (inner, tail) = text.split_once(mark)?;
    (!inner.is_empty() && !inner.contains('\n') && !inner.starts_with(' ')).then_some((inner, tail))
}

/// What stands between `<` and `>`: a mention or a link. Anything else is no markup.
fn angle(inner: &str) -> Option<Piece> {
    let (target, label) = inner.split_once('|').map_or((inner, None), |(target, label)| (target, Some(label)));
    let named = |name: &str| Some(Piece::Mention(format!("@{}", unescape(label.unwrap_or(name)).trim_start_matches('@'))));
    if let Some(name) = target.strip_prefix('@') {
        named(name)
    } else if let Some(name) = target.strip_prefix('!') {
        named(name.strip_prefix("subteam^").unwrap_or(name))
    } else if is_web(target) {
        Some(Piece::Link { url: unescape(target), label: unescape(label.unwrap_or(target)) })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn mrkdwn_becomes_html() {
        let cases = [
            ("a *bold* b", "a <b>bold</b> b"),
            ("2 * 3 * 4", "2 * 3 * 4"),
            ("`x<y`", "<code>x&lt;y</code>"),
            ("<!subteam^S1|@oncall> now", "<mark>@oncall</mark> now"),
            ("<!subteam^S1>", "<mark>@S1</mark>"),
            ("<!here>", "<mark>@here</mark>"),
            ("<https://a.example/?x=1&amp;y=2|see>", "<a rel=noreferrer href=\"https://a.example/?x=1&amp;y=2\">see</a>"),
            ("a &lt;b&gt; &amp;amp;\nc", "a &lt;b&gt; &amp;amp;<br>c"),
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("<javascript:alert(1)|x>", "&lt;javascript:alert(1)|x&gt;"),
            ("*<!here>*", "<b><mark>@here</mark></b>"),
            ("", ""),
        ];
        for (mrkdwn, expected) in cases {
            assert_eq!(html_text(mrkdwn), expected, "{mrkdwn}");
        }
    }

    #[test]
    fn a_payload_is_read_block_by_block() {
        let payload = json!({ "text": "preview", "blocks": [
            { "type": "header", "text": { "type": "plain_text", "text": "⛔ 1 cause\u{1b}[2J" } },
            { "type": "section", "text": { "type": "mrkdwn", "text": "<!subteam^S1> *look* &lt;now&gt;" } },
            { "type": "section", "fields": [{ "type": "mrkdwn", "text": "*Owner*\nMember" }] },
            { "type": "actions", "elements": [
                { "type": "button", "text": { "type": "plain_text", "text": "Log" }, "url": "https://a.example/\"x" },
                { "type": "button", "text": { "type": "plain_text", "text": "Bad" }, "url": "javascript:alert(1)" } ] },
            { "type": "divider" },
            { "type": "context", "elements": [{ "type": "mrkdwn", "text": "06:00 KST" }] },
            { "type": "video" },
        ] });
        let blocks = read(&payload);
        assert_eq!(plain(&blocks), "⛔ 1 cause[2J\n@S1 look <now>\nOwner: Member\n[Log] [Bad]\n—\n06:00 KST\n");
        assert!(mentions(&blocks));
        let page = html(&blocks);
        assert!(page.contains("href=\"https://a.example/&quot;x\"") && !page.contains("javascript:"), "{page}");
        assert_eq!(read(&json!({ "text": "only" })), [Block::Section("only".to_owned())]);
        assert!(!mentions(&read(&json!({ "text": "mail a@b.example &lt;!here&gt;" }))));
    }
}
