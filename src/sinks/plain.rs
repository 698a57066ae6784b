//! A message as plain text: for terminals and mail, and beside the structure in a generic webhook.

use crate::core::message::{Line, Span, Text};
use std::fmt::Write as _;

/// A line; data in a script that runs from right to left keeps its direction to itself.
pub(super) fn line(line: &Line) -> String {
    line.iter().map(|span| if let Span::Data(text) = span { isolated(text) } else { span.text().to_owned() }).collect()
}

/// Preview, blank line, body.
pub(super) fn text(text: &Text) -> String {
    let mut out = line(&text.preview);
    out.push_str("\n\n");
    if let Some(title) = &text.title {
        out.push_str(&line(title));
        out.push('\n');
    }
    out.push_str(&line(&text.lead));
    out.push('\n');
    if !text.facts.is_empty() {
        out.push('\n');
    }
    for (label, value) in &text.facts {
        // Writing into a String cannot fail.
        let _ = writeln!(out, "{label}: {}", line(value));
    }
    if let Some((heading, lines)) = &text.section {
        let _ = writeln!(out, "\n{heading}");
        for item in lines {
            let _ = writeln!(out, "- {}", line(item));
        }
    }
    let _ = writeln!(out, "\n{}", line(&text.foot));
    for (label, url) in &text.links {
        let _ = writeln!(out, "{label}: {url}");
    }
    out
}

/// Text with letters of a right-to-left script between FSI and PDI (UAX #9), so that the words around it keep their order.
pub(super) fn isolated(text: &str) -> String {
    let rtl = |c: char| matches!(c, '\u{0590}'..='\u{08ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}');
    if text.contains(rtl) { format!("\u{2068}{text}\u{2069}") } else { text.to_owned() }
}
