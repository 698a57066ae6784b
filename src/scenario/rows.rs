//! Rows of history in a golden night: CSV with the columns of `replay --history`, one row a run or an arrival, as events in time.

use super::happens::Event;
use super::names::{Names, Subject};
use super::times::Times;
use crate::config::hint;
use crate::core::observation::{ERROR_CHARS, Fact, Failure, Run, RunKind, RunState, Unreachable, Why};
use crate::core::plan::Evidence;
use crate::core::state::News;
use crate::core::time::{Instant, local_date};
use std::collections::BTreeMap;

const COLUMNS: [&str; 8] = ["check", "started_at", "arrived_at", "state", "error", "timestamp", "run_after", "run_type"];

/// One run or arrival.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) check: String,
    pub(super) started_at: Option<Instant>,
    /// `None`: it never ended.
    pub(super) arrived_at: Option<Instant>,
    pub(super) state: State,
    pub(super) error: Option<String>,
    /// A dataset's data time where it differs.
    pub(super) timestamp: Option<Instant>,
    pub(super) run_after: Option<Instant>,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    #[default]
    Success,
    Failed,
    Retrying,
    Unreachable,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    #[default]
    Scheduled,
    Manual,
    Backfill,
    AssetTriggered,
    DatasetTriggered,
}

pub(super) type Events = Vec<(Instant, Event)>;

/// The events of all rows; the errors by line of the text, counted from 0.
pub(super) fn events(text: &str, names: &Names, times: &Times) -> Result<Events, Vec<(usize, String)>> {
    let (mut events, mut errors) = (Vec::new(), Vec::new());
    let mut columns: Option<Vec<&'static str>> = None;
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')) {
        let read = fields(line).and_then(|fields| match &columns {
            None => header(&fields).map(|header| columns = Some(header)),
            Some(columns) => {
                let of_row = row(columns, &fields, times).and_then(|row| of_row(&row, names, times));
                of_row.map(|seen| events.extend(seen))
            }
        });
        errors.extend(read.err().map(|why| (at, why)));
        // Without its header no row can be read.
        if columns.is_none() {
            break;
        }
    }
    if errors.is_empty() { Ok(events) } else { Err(errors) }
}

fn header(fields: &[String]) -> Result<Vec<&'static str>, String> {
    let known = |name: &String| {
        let column = COLUMNS.iter().copied().find(|column| column == name);
        column.ok_or_else(|| format!("there is no column {name:?}{}", hint(name, COLUMNS)))
    };
    let columns = fields.iter().map(known).collect::<Result<Vec<_>, _>>()?;
    if columns.contains(&"check") { Ok(columns) } else { Err("the column check is missing in the first line".to_owned()) }
}

/// One line of RFC 4180, without line breaks in quotes.
fn fields(line: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut rest = line.trim_end_matches('\r');
    loop {
        let (field, after) = match rest.trim_start().strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].trim().to_owned(), &rest[end..])
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.trim().is_empty() => return Ok(fields),
            None => return Err("something stands behind a closing quote; expected a comma".to_owned()),
        }
    }
}

fn unquoted(text: &str) -> Result<(String, &str), String> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"').ok_or("a quote is not closed on its line")?;
        field.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Ok((field, rest)),
        }
    }
}

fn row(columns: &[&str], fields: &[String], times: &Times) -> Result<Row, String> {
    if fields.len() > columns.len() {
        return Err(format!("{} fields stand under {} columns", fields.len(), columns.len()));
    }
    let values: BTreeMap<&str, &str> =
        columns.iter().copied().zip(fields.iter().map(String::as_str)).filter(|(_, value)| !value.is_empty()).collect();
    let time = |name: &str| {
        let read = |text: &&str| times.instant(text).map_err(|expected| format!("{name}: {text:?} is not {expected}"));
        values.get(name).map(read).transpose()
    };
    let word = |name: &str| values.get(name).copied();
    let arrived_at = time("arrived_at")?;
    let row = Row {
        check: word("check").ok_or("the check is missing")?.to_owned(),
        started_at: time("started_at")?.or(arrived_at),
        arrived_at,
        state: word("state").map_or(Ok(State::Success), |text| super::words::value_of("state", text))?,
        error: word("error").map(|text| text.chars().take(ERROR_CHARS).collect()),
        timestamp: time("timestamp")?,
        run_after: time("run_after")?,
        kind: word("run_type").map_or(Ok(Kind::Scheduled), |text| super::words::value_of("run_type", text))?,
    };
    match (row.started_at, row.arrived_at) {
        (None, _) => Err("neither started_at nor arrived_at is given".to_owned()),
        (Some(started), Some(arrived)) if arrived < started => Err("arrived_at lies before started_at".to_owned()),
        _ => Ok(row),
    }
}

/// What is seen of a row as time goes by.
pub(super) fn of_row(row: &Row, names: &Names, times: &Times) -> Result<Events, String> {
    let Some(started_at) = row.started_at else { return Ok(Vec::new()) };
    if let Some(source) = row.check.strip_prefix("source:") {
        if row.state != State::Unreachable {
            return Err("a row of a source has the state unreachable".to_owned());
        }
        let source = names.source(source)?;
        let why = Unreachable { why: Why::Timeout, detail: row.error.clone().unwrap_or_else(|| "no answer".to_owned()) };
        let dark = |dark| Event::News(News::Source { source: source.clone(), dark });
        let back = row.arrived_at.map(|at| (at, dark(None)));
        return Ok([(started_at, dark(Some(why)))].into_iter().chain(back).collect());
    }
    if row.state == State::Unreachable {
        return Err("only a source is unreachable; expected the name source:ID".to_owned());
    }
    let subject = names.subject(&row.check)?;
    match names.evidence(&row.check) {
        (Evidence::Pipeline, false) => Ok(of_run(row, &subject, started_at)),
        (_, dated) => Ok(of_arrival(row, &subject, dated, times).into_iter().collect()),
    }
}

/// Rows of one pipeline with the same `run_after` are one run, seen at different times.
fn of_run(row: &Row, subject: &Subject, started_at: Instant) -> Events {
    let scheduled_at = row.run_after.unwrap_or(started_at);
    let id = format!("run {}", scheduled_at.to_rfc3339());
    let kind = match row.kind {
        Kind::Scheduled => RunKind::Scheduled,
        Kind::Manual => RunKind::Manual,
        Kind::Backfill => RunKind::Backfill,
        Kind::AssetTriggered | Kind::DatasetTriggered => RunKind::Triggered,
    };
    let seen = |state: RunState, ended_at: Option<Instant>| {
        let run = Run { id: id.clone(), kind, scheduled_at, started_at: Some(started_at), ended_at, state };
        Event::fact(subject, Some(Fact::Runs(vec![run])))
    };
    let mut events = Vec::new();
    if row.arrived_at != Some(started_at) {
        events.push((started_at, seen(RunState::Running, None)));
    }
    let Some(ended_at) = row.arrived_at else { return events };
    let (state, end) = match row.state {
        State::Success | State::Unreachable => (RunState::Success, Some(ended_at)),
        State::Failed => (RunState::Failed, Some(ended_at)),
        // It is not over: what failed is tried again.
        State::Retrying => (RunState::Retrying { task: subject.id.to_string() }, None),
    };
    if row.state == State::Failed {
        let failure = Failure { task: None, try_number: None, error: row.error.clone() };
        events.push((ended_at, Event::failure(subject, id.clone(), failure)));
    }
    events.push((ended_at, seen(state, end)));
    events
}

fn of_arrival(row: &Row, subject: &Subject, dated: bool, times: &Times) -> Option<(Instant, Event)> {
    let arrived_at = row.arrived_at.filter(|_| row.state == State::Success)?;
    let told = row.timestamp.unwrap_or(arrived_at);
    let fact = if dated {
        // The date that stands in its path.
        Fact::Dated(BTreeMap::from([(local_date(told, times.zone), Some(arrived_at))]))
    } else {
        Fact::Timestamp(Some(told))
    };
    Some((arrived_at, Event::fact(subject, Some(fact))))
}

impl Event {
    fn fact(subject: &Subject, fact: Option<Fact>) -> Self {
        Self::News(News::Subject { source: subject.source.clone(), subject: subject.id.clone(), fact })
    }

    fn failure(subject: &Subject, run: String, failure: Failure) -> Self {
        Self::News(News::Failure { source: subject.source.clone(), subject: subject.id.clone(), run, failure })
    }
}

/// So ran a check on each of the nights before.
pub(super) fn usually(check: &str, clock: (&str, &str), nights: u32, times: &Times) -> Result<Vec<Row>, String> {
    let date = times.date.unwrap_or_default();
    let of = |back: u32| {
        let times = Times { date: Some(date - chrono::Days::new(back.into())), ..*times };
        let time = |text: &str| times.instant(text).map_err(|expected| format!("{text:?} is not {expected}"));
        let row = Row { check: check.to_owned(), ..Row::default() };
        Ok(Row { started_at: Some(time(clock.0)?), arrived_at: Some(time(clock.1)?), ..row })
    };
    (1..=nights).rev().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_plain_or_quoted() {
        let of = |line: &str| fields(line).unwrap();
        assert_eq!(of("a, b ,,c\r"), ["a", "b", "", "c"]);
        assert_eq!(of(r#"a,"b, ""c""",d"#), ["a", r#"b, "c""#, "d"]);
        for line in [r#"a,"b"#, r#"a,"b"c"#] {
            assert!(fields(line).is_err(), "{line}");
        }
    }
}
