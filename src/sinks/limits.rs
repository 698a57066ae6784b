//! Slack's limits as a check of a whole payload: what Slack would refuse, and what it would take but show badly.
//!
//! Counted in Unicode code points. Sources: docs.slack.dev (reference/block-kit, apis/web-api/rate-limits), slack_sdk 3.47.0
//! models/blocks, slackblocks 3.0.0 spec/limits.json. Stricter than Slack: only the blocks and fields that dawnwatch sends.

use serde_json::{Map, Value};

pub const HEADER_TEXT: usize = 150;
pub const BUTTON_TEXT: usize = 75;
const BLOCKS: usize = 50;
const SECTION_TEXT: usize = 3_000;
const FIELDS: usize = 10;
const FIELD_TEXT: usize = 2_000;
const CONTEXT_ELEMENTS: usize = 10;
const ACTIONS_ELEMENTS: usize = 25;
const ACTION_ID: usize = 255;
const URL: usize = 3_000;
/// Slack takes 40,000 and recommends 4,000.
const TEXT: usize = 4_000;
/// All text of all blocks. Undocumented: refused near 13,200 (slackapi/bolt-js#2509).
const ALL_BLOCKS_TEXT: usize = 13_000;

/// Everything that is wrong with a payload for an incoming webhook, each with its place. Empty: Slack takes it.
pub fn problems(payload: &Value) -> Vec<String> {
    let mut found = Problems(Vec::new());
    let Some(payload) = found.object("payload", payload, &["text", "blocks", "unfurl_links", "unfurl_media"]) else {
        return found.0;
    };
    match payload.get("text") {
        Some(text) => {
            found.string("text", Some(text), TEXT);
            found.markup("text", text.as_str().unwrap_or_default());
        }
        None => found.say("text", "is missing: a lock screen shows nothing useful"),
    }
    let blocks = found.list("blocks", payload.get("blocks"), BLOCKS);
    for (i, block) in blocks.iter().enumerate() {
        found.block(&format!("blocks[{i}]"), block);
    }
    let all: usize = blocks.iter().map(text_length).sum();
    if all > ALL_BLOCKS_TEXT {
        found.say("blocks", &format!("{all} characters in all, at most {ALL_BLOCKS_TEXT}"));
    }
    found.0
}

struct Problems(Vec<String>);

impl Problems {
    fn say(&mut self, place: &str, what: &str) {
        self.0.push(format!("{place}: {what}"));
    }

    fn object<'a>(&mut self, place: &str, value: &'a Value, allowed: &[&str]) -> Option<&'a Map<String, Value>> {
        let Some(object) = value.as_object() else {
            self.say(place, "must be an object");
            return None;
        };
        for key in object.keys().filter(|key| !allowed.contains(&key.as_str())) {
            self.say(place, &format!("unknown field {key}"));
        }
        Some(object)
    }

    fn string(&mut self, place: &str, value: Option<&Value>, most: usize) {
        match value.and_then(Value::as_str).map(|text| text.chars().count()) {
            None => self.say(place, "must be a string"),
            Some(0) => self.say(place, "is empty"),
            Some(n) if n > most => self.say(place, &format!("{n} characters, at most {most}")),
            Some(_) => {}
        }
    }

    fn list<'a>(&mut self, place: &str, value: Option<&'a Value>, most: usize) -> &'a [Value] {
        let list = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if list.is_empty() || list.len() > most {
            self.say(place, &format!("{} elements, 1 to {most}", list.len()));
        }
        list
    }

    fn block(&mut self, place: &str, block: &Value) {
        let kind = block.get("type").and_then(Value::as_str).unwrap_or_default();
        match kind {
            "header" => {
                if let Some(block) = self.object(place, block, &["type", "text"]) {
                    self.text_object(place, block.get("text"), HEADER_TEXT, true);
                }
            }
            "section" => self.section(place, block),
            "context" | "actions" => {
                let Some(block) = self.object(place, block, &["type", "elements"]) else { return };
                let most = if kind == "context" { CONTEXT_ELEMENTS } else { ACTIONS_ELEMENTS };
                for (i, element) in self.list(place, block.get("elements"), most).iter().enumerate() {
                    let place = format!("{place}.elements[{i}]");
                    if kind == "context" {
                        self.text_object(&place, Some(element), SECTION_TEXT, false);
                    } else {
                        self.button(&place, element);
                    }
                }
            }
            other => self.say(place, &format!("unknown block {other:?}")),
        }
    }

    fn section(&mut self, place: &str, block: &Value) {
        let Some(block) = self.object(place, block, &["type", "text", "fields"]) else { return };
        match (block.get("text"), block.get("fields")) {
            (None, None) => self.say(place, "needs text or fields"),
            (text, fields) => {
                if text.is_some() {
                    self.text_object(place, text, SECTION_TEXT, false);
                }
                if fields.is_some() {
                    for (i, field) in self.list(place, fields, FIELDS).iter().enumerate() {
                        self.text_object(&format!("{place}.fields[{i}]"), Some(field), FIELD_TEXT, false);
                    }
                }
            }
        }
    }

    fn button(&mut self, place: &str, button: &Value) {
        let Some(button) = self.object(place, button, &["type", "text", "action_id", "url"]) else { return };
        if button.get("type").and_then(Value::as_str) != Some("button") {
            self.say(place, "must be a button");
        }
        self.text_object(place, button.get("text"), BUTTON_TEXT, true);
        self.string(&format!("{place}.action_id"), button.get("action_id"), ACTION_ID);
        self.string(&format!("{place}.url"), button.get("url"), URL);
    }

    fn text_object(&mut self, place: &str, value: Option<&Value>, most: usize, only_plain: bool) {
        let place = format!("{place}.text");
        let Some(object) = value.and_then(|v| self.object(&place, v, &["type", "text", "emoji", "verbatim"])) else {
            return self.say(&place, "must be a text object");
        };
        let kind = object.get("type").and_then(Value::as_str);
        let fields_fit = match kind {
            Some("plain_text") => !object.contains_key("verbatim"),
            Some("mrkdwn") => !only_plain && !object.contains_key("emoji"),
            _ => false,
        };
        if !fields_fit {
            self.say(&place, "must be plain_text with emoji, or where allowed mrkdwn with verbatim");
        }
        self.string(&place, object.get("text"), most);
        if kind == Some("mrkdwn") {
            self.markup(&place, object.get("text").and_then(Value::as_str).unwrap_or_default());
        }
    }

    /// Escapes and foreign Markdown. `<…>` may only be a mention, a channel, a date or a link.
    fn markup(&mut self, place: &str, text: &str) {
        let rest = without_controls(text);
        if rest.contains(['<', '>']) {
            self.say(place, "unescaped < or >");
        }
        let escapes = ["amp;", "lt;", "gt;"];
        if rest.match_indices('&').any(|(i, _)| !escapes.iter().any(|e| rest[i + 1..].starts_with(e))) {
            self.say(place, "unescaped &");
        }
        if rest.lines().any(|line| line.split("**").nth(2).is_some()) {
            self.say(place, "Markdown's ** in mrkdwn");
        }
    }
}

/// The text without Slack's own `<…>` forms.
fn without_controls(text: &str) -> String {
    const FORMS: [&str; 9] = ["@", "#", "!here", "!channel", "!everyone", "!subteam^", "!date^", "https://", "http://"];
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let (before, from) = rest.split_at(open);
        out.push_str(before);
        match from[1..].split_once('>') {
            Some((inside, after)) if FORMS.iter().any(|form| inside.starts_with(form)) && !inside.contains(['<', '\n']) => {
                rest = after
            }
            _ => {
                out.push('<');
                rest = &from[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Characters of every `text` string inside.
fn text_length(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) if key == "text" => text.chars().count(),
                other => text_length(other),
            })
            .sum(),
        Value::Array(items) => items.iter().map(text_length).sum(),
        _ => 0,
    }
}
