//! A message in words: what every sink renders and measures. Holds text, makes none.

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
