//! A message in words: what every sink renders and measures. Holds text, makes none.

use super::clean;
use crate::core::plan::Language;

/// A message in the words of one language: what every sink renders. Built by `wording::word`, shortened by [`fit`](super::fit).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub language: Language,
    pub tone: Tone,
    /// What a lock screen shows: the verdict within 40 characters, the whole point within 100.
    pub preview: Line,
    pub title: Option<Line>,
    /// One sentence of consequence (or two short ones).
    pub lead: Line,
    /// At most 6, most urgent first.
    pub facts: Vec<(String, Line)>,
    /// A heading and its lines, most urgent first.
    pub section: Option<(String, Vec<Line>)>,
    /// When it was checked and when the next word comes.
    pub foot: Line,
    /// At most 4, most urgent first: label and address.
    pub links: Vec<(String, String)>,
    /// Is a person asked (attention `notify` and above)? Then the sink puts the chat's mention in front.
    pub asks: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Warning,
    Bad,
    Unknown,
}

pub type Line = Vec<Span>;

/// A piece of text. Sinks escape all three; only `Strong` gets markup, and data that stands between two `Strong` shares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// Words of the catalogue.
    Word(String),
    /// Words of the catalogue that carry the sentence.
    Strong(String),
    /// From the outside: names, error lines. Must never mention anybody or become markup.
    Data(String),
}

impl Span {
    pub fn text(&self) -> &str {
        match self {
            Self::Word(text) | Self::Strong(text) | Self::Data(text) => text,
        }
    }
}

/// The plain text of a line.
pub fn plain(line: &[Span]) -> String {
    line.iter().map(Span::text).collect()
}

/// A message as plain lines, for terminals and files.
pub fn lines(text: &Text) -> String {
    let mut lines = vec![shown(text.title.as_ref().unwrap_or(&text.preview)), shown(&text.lead)];
    lines.extend(text.facts.iter().map(|(label, fact)| format!("{label}: {}", shown(fact))));
    if let Some((heading, section)) = &text.section {
        lines.push(heading.clone());
        lines.extend(section.iter().map(|line| format!("  {}", shown(line))));
    }
    lines.extend(text.links.iter().map(|(label, url)| format!("{label}: {}", clean(url))));
    lines.push(shown(&text.foot));
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

/// Names and error lines come from the outside: an escape sequence in one must not reach the terminal.
fn shown(line: &Line) -> String {
    clean(&plain(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_lines_without_control_characters() {
        let word = |text: &str| vec![Span::Word(text.to_owned())];
        let text = Text {
            language: Language::En,
            tone: Tone::Bad,
            preview: word("✖ Failed: orders"),
            title: None,
            lead: vec![Span::Strong("orders".to_owned()), Span::Data(" \u{1b}[31mred\n".to_owned())],
            facts: vec![("Owner".to_owned(), word("Search"))],
            section: Some(("Waiting".to_owned(), vec![word("a"), word("b")])),
            foot: word("checked 06:30"),
            links: vec![("Runbook".to_owned(), "https://wiki.example.com/12".to_owned())],
            asks: true,
        };
        let expected = "✖ Failed: orders\norders [31mred\nOwner: Search\nWaiting\n  a\n  b\nRunbook: https://wiki.example.com/12\n\
                        checked 06:30";
        assert_eq!(lines(&text), expected);
    }
}
