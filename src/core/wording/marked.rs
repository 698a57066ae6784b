//! Marked text: how a catalogue writes a line. In a phrase `*…*` carries the sentence, and what came from the outside stands between
//! two control characters that [`clean`] takes out of every piece of data, so that data can never pass for words.
//!
//! Never decides what is said; never escapes for a platform.

use crate::core::message::{Line, Span, clean, plain, shorten_end, shorten_middle};

const OPEN: char = '\u{1}';
const CLOSE: char = '\u{2}';

/// The most characters of a preview: lock screens cut there.
pub(super) const PREVIEW_CHARS: usize = 100;
/// The most characters of an id or a dashboard's name, in a sentence and in a list.
pub(super) const NAME_CHARS: usize = 60;
/// The most characters of an error line.
pub(super) const ERROR_CHARS: usize = 160;

/// An id or a name: both of its ends tell something, so it is shortened in the middle.
pub(super) fn name(text: &str, max: usize) -> String {
    mark(&shorten_middle(&clean(text), max))
}

/// A sentence from the outside: its beginning tells most.
pub(super) fn quote(text: &str) -> String {
    mark(&shorten_end(&clean(text), ERROR_CHARS))
}

fn mark(text: &str) -> String {
    format!("{OPEN}{}{CLOSE}", if text.is_empty() { "?" } else { text })
}

/// What is read: without the marks.
pub(super) fn bare(marked: &str) -> String {
    plain(&line(marked))
}

/// Marked text as spans.
pub(super) fn line(marked: &str) -> Line {
    let mut spans = Line::new();
    let (mut strong, mut data, mut text) = (false, false, String::new());
    let mut close = |text: &mut String, strong: bool, data: bool| {
        let text = std::mem::take(text);
        match (text.is_empty(), data, strong) {
            (true, ..) => {}
            (_, true, _) => spans.push(Span::Data(text)),
            (_, _, true) => spans.push(Span::Strong(text)),
            (_, _, false) => spans.push(Span::Word(text)),
        }
    };
    for c in marked.chars() {
        match c {
            OPEN | CLOSE => {
                close(&mut text, strong, data);
                data = c == OPEN;
            }
            '*' if !data => {
                close(&mut text, strong, data);
                strong = !strong;
            }
            c => text.push(c),
        }
    }
    close(&mut text, strong, data);
    spans
}

/// The lock screen's line: segments by urgency, the verdict first, with names of at most so many characters. Names get shorter
/// first, then the least urgent segment goes, until all fits [`PREVIEW_CHARS`].
pub(super) fn preview(segments: impl Fn(usize) -> Vec<String>) -> Line {
    let all = segments(NAME_CHARS).len();
    for keep in (1..=all).rev() {
        for max in [NAME_CHARS, 40, 32, 24, 20] {
            let marked = segments(max).into_iter().take(keep).collect::<Vec<_>>().join(" · ");
            let line = line(&marked);
            if plain(&line).chars().count() <= PREVIEW_CHARS {
                return line;
            }
        }
    }
    let first = segments(12).into_iter().next().unwrap_or_default();
    vec![Span::Data(shorten_end(&bare(&first), PREVIEW_CHARS))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_never_passes_for_words() {
        let evil = name("*a*\u{2}*b*\n<!here>", 60);
        let spans = line(&format!("*{evil} failed.* Sorry"));
        assert_eq!(spans, [Span::Data("*a* *b* <!here>".into()), Span::Strong(" failed.".into()), Span::Word(" Sorry".into())]);
    }

    #[test]
    fn a_preview_first_shortens_names_then_drops_the_last() {
        let long = "warehouse_prod.finance_mart.partner_settlement_detail_daily_v2";
        let of =
            |max| vec!["⛔ Failed".to_owned(), name(long, max), format!("{} 09:00", name(long, max)), "act by 07:25".to_owned()];
        let shown = plain(&preview(of));
        assert_eq!(shown, "⛔ Failed · warehouse_prod.f…detail_daily_v2 · warehouse_prod.f…detail_daily_v2 09:00 · act by 07:25");
        let of = |max| vec!["⛔ Failed".to_owned(), name(long, max), "x".repeat(90)];
        assert_eq!(plain(&preview(of)), format!("⛔ Failed · {}", plain(&line(&name(long, 60)))));
        assert_eq!(plain(&preview(|_| vec!["y".repeat(300)])).chars().count(), PREVIEW_CHARS);
    }
}
