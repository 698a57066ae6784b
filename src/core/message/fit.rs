//! Making a text shorter, by meaning: the least urgent goes first, a character is never cut in two.
//!
//! Knows no platform; what fits is the sink's to say.

use super::{Line, Span, Text};
use crate::core::plan::Language;

impl Span {
    fn text_mut(&mut self) -> &mut String {
        match self {
            Self::Word(text) | Self::Strong(text) | Self::Data(text) => text,
        }
    }

    /// Data of unusual length is seldom the point.
    fn shorten_data(&mut self) {
        const CORE: usize = 120;
        if let Self::Data(text) = self {
            *text = shorten_end(text, CORE);
        }
    }
}

/// Shortens `text` until `fits` says yes, the least urgent first: long data to its core, then section lines from the end, facts from
/// the end, links, the rest of the section and of the facts, at last the sentences themselves, from the foot to the preview.
/// Says in the foot how many lines were left out.
///
/// `fits` is given by the sink, which alone knows how its platform counts.
pub fn fit(text: Text, fits: impl Fn(&Text) -> bool) -> Text {
    // No message has more to take away: a few lists of a thousand lines, and each sentence halved thirty times.
    const STEPS: usize = 5_000;
    let mut text = text;
    let mut dropped = 0_usize;
    if fits(&text) {
        return text;
    }
    each_line(&mut text, |line| line.iter_mut().for_each(Span::shorten_data));
    for _ in 0..STEPS {
        let shown = with_dropped(&text, dropped);
        if fits(&shown) {
            return shown;
        }
        match take_least(&mut text) {
            Some(lines) => dropped += lines,
            None => return shown,
        }
    }
    text
}

/// Takes the least urgent thing away: how many lines of facts were lost with it, or `None` where nothing is left to take.
fn take_least(text: &mut Text) -> Option<usize> {
    // What a reader needs at least, as long as there is anything else to give up.
    const LINES_KEPT: usize = 3;
    const FACTS_KEPT: usize = 2;
    let lines = text.section.as_ref().map_or(0, |(_, lines)| lines.len());
    if lines > LINES_KEPT || (lines > 0 && text.facts.len() <= FACTS_KEPT && text.links.is_empty()) {
        if let Some((_, lines)) = &mut text.section {
            lines.pop();
        }
        text.section.take_if(|(_, lines)| lines.is_empty());
        return Some(1);
    }
    if text.facts.len() > FACTS_KEPT {
        text.facts.pop();
        return Some(1);
    }
    if text.links.pop().is_some() {
        return Some(0);
    }
    if text.section.take().is_some() {
        return Some(0);
    }
    if text.facts.pop().is_some() {
        return Some(1);
    }
    let title = text.title.iter_mut();
    let shortened = [&mut text.foot, &mut text.lead].into_iter().chain(title).chain([&mut text.preview]).any(halve);
    shortened.then_some(0)
}

fn with_dropped(text: &Text, dropped: usize) -> Text {
    let mut shown = text.clone();
    if dropped > 0 {
        let more = match text.language {
            Language::En => format!(" · {dropped} more not shown"),
            Language::Ko => format!(" · {dropped}건 더 있음"),
        };
        shown.foot.push(Span::Word(more));
    }
    shown
}

fn each_line(text: &mut Text, mut change: impl FnMut(&mut Line)) {
    change(&mut text.preview);
    text.title.iter_mut().for_each(&mut change);
    change(&mut text.lead);
    text.facts.iter_mut().for_each(|(_, line)| change(line));
    text.section.iter_mut().flat_map(|(_, lines)| lines).for_each(&mut change);
    change(&mut text.foot);
}

/// Halves the longest span of data in a line; where there is none that is long, the longest of words. False when nothing is left.
fn halve(line: &mut Line) -> bool {
    const SHORT: usize = 16;
    let length = |span: &Span| span.text().chars().count();
    let longest = |data: bool| {
        let of_kind = line.iter().enumerate().filter(|(_, s)| matches!(s, Span::Data(_)) == data && length(s) > SHORT);
        of_kind.max_by_key(|(_, s)| length(s)).map(|(i, _)| i)
    };
    match longest(true).or_else(|| longest(false)) {
        Some(at) => {
            let text = line[at].text_mut();
            *text = shorten_end(text, text.chars().count() / 2);
            true
        }
        // Many short spans: the last one goes, the first stays.
        None if line.len() > 1 => line.pop().is_some(),
        None => false,
    }
}

/// Text from the outside as one line: without control characters and without those that turn the direction of what follows
/// (UAX #9) or cannot be seen, white space folded.
pub fn clean(text: &str) -> String {
    let unseen = |c: char| matches!(c, '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let visible: String =
        text.chars().filter(|&c| !unseen(c)).map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most `max` characters, with `…` for the end that was taken off.
pub fn shorten_end(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().take(max.saturating_sub(1)).collect();
    // A letter goes with its marks: what would lose one of them goes as a whole.
    while kept.last().is_some_and(|&c| c == '\u{200d}') || text.chars().nth(kept.len()).is_some_and(joins_before) {
        if kept.pop().is_none() {
            break;
        }
    }
    kept.into_iter().collect::<String>().trim_end().chars().chain(['…']).take(max).collect()
}

/// At most `max` characters, with `…` for the middle: of an id both ends tell something.
pub fn shorten_middle(text: &str, max: usize) -> String {
    let count = text.chars().count();
    if count <= max {
        return text.to_owned();
    }
    let tail = max.saturating_sub(1) / 2;
    let head = shorten_end(text, max - tail);
    let tail = text.chars().skip(count - tail).skip_while(|&c| joins_before(c));
    head.chars().chain(tail).collect()
}

/// Combining marks, variation selectors and joiners, which belong to the character before them.
fn joins_before(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036f}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
}
