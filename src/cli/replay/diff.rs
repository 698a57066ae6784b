//! `--diff`: what another configuration would have said otherwise on the same nights. Both are played side by side, a day at a time.

use super::text;
use crate::cli::Format;
use crate::cli::output::{self, Stream};
use crate::error::{Error, Exit};
use crate::replay::Play;
use crate::replay::line::Line;
use serde::Serialize;

/// A message that only one of the two would have sent. Fields of a line, behind the side that it is on.
#[derive(Debug, Serialize)]
struct Only<'a> {
    only: Side,
    #[serde(flatten)]
    line: &'a Line,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    /// Said by `--config` alone.
    Config,
    /// Said by `--diff` alone.
    Diff,
}

pub(super) async fn run(format: Format, mut config: Play, mut other: Play) -> Result<Exit, Error> {
    let (mut same, mut only) = (0_usize, [0_usize; 2]);
    let mut out = if format == Format::Json { Stream::document("only") } else { Stream::lines() };
    while let (Some(mine), Some(theirs)) = (config.day().await?, other.day().await?) {
        let differs = differences(&mine.lines, &theirs.lines);
        let told = mine.lines.iter().filter(|line| text::is_message(line)).count();
        let lost = differs.iter().filter(|(side, _)| *side == Side::Config).count();
        (same, only) = (same + told - lost, [only[0] + lost, only[1] + differs.len() - lost]);
        match format {
            Format::Text if differs.is_empty() => {}
            Format::Text => {
                let sign = |side| if side == Side::Config { '-' } else { '+' };
                let lines = differs.iter().map(|(side, line)| format!("{}{}", sign(*side), text::line(line)));
                output::write(&format!("{}\n{}", mine.date.format("%a %F"), lines.collect::<Vec<_>>().join("\n")))?;
            }
            _ => {
                for (side, line) in &differs {
                    out.item(&Only { only: *side, line })?;
                }
            }
        }
    }
    let (before, after) = (config.counts(), other.counts());
    if format == Format::Text {
        let [gone, new] = only;
        output::write(&format!(
            "{same} messages are the same, {gone} would no longer be sent (-), {new} would be new (+).\n\nNow:\n{}\n\nThen:\n{}",
            text::end(&before),
            text::end(&after)
        ))?;
    } else {
        let (config, diff) = (before.summary(), after.summary());
        out.end(&serde_json::json!({"kind": "summary", "same": same, "config": config, "diff": diff}))?;
    }
    Ok(Exit::Fine)
}

/// Messages of one day that have no like on the other side, in order of time. Alike is what a person would take for the same: its
/// incidents' numbers may differ, and so may the words.
fn differences<'a>(mine: &'a [Line], theirs: &'a [Line]) -> Vec<(Side, &'a Line)> {
    let alike = |a: &Line, b: &Line| {
        let of = |line: &Line| (line.at.at, line.kind, line.verdict, line.attention);
        of(a) == of(b) && (&a.chat, &a.cause, &a.dashboards, a.act_by) == (&b.chat, &b.cause, &b.dashboards, b.act_by)
    };
    let mut left: Vec<&Line> = theirs.iter().filter(|line| text::is_message(line)).collect();
    let mut only = Vec::new();
    for line in mine.iter().filter(|line| text::is_message(line)) {
        match left.iter().position(|other| alike(line, other)) {
            Some(at) => drop(left.remove(at)),
            None => only.push((Side::Config, line)),
        }
    }
    only.extend(left.into_iter().map(|line| (Side::Diff, line)));
    only.sort_by_key(|(_, line)| line.at.at);
    only
}
