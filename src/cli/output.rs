//! Writing to standard output. Whoever closes the pipe early has read enough: that is no error. Nothing here may steer a terminal.

use crate::core::message::{Line, Text, clean, plain};
use crate::error::Error;
use std::io::{self, ErrorKind, Write};

/// Writes a result and a line end.
pub(super) fn write(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Output(error)),
        _ => Ok(()),
    }
}

/// A message as plain lines.
pub(super) fn lines(text: &Text) -> String {
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
    use crate::core::message::{Span, Tone};
    use crate::core::plan::Language;

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
