//! What happens by a row, at one instant: the row's beginning or its end, in the few bytes in which it waits to be sorted.

use super::row::{Ended, Row};
use crate::core::observation::RunKind;
use crate::core::time::Instant;
use crate::replay::sort::Key;
use chrono::DateTime;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Ends,
    Begins,
    /// Both at one instant.
    Is,
}

/// Of one instant what ends goes before what begins: a try that fails at 03:10, before the one that begins at 03:10.
fn rank(mark: Mark) -> u8 {
    match mark {
        Mark::Ends => 0,
        Mark::Begins | Mark::Is => 1,
    }
}

#[derive(Debug, PartialEq)]
pub(super) struct Event<'a> {
    pub(super) at: Instant,
    pub(super) mark: Mark,
    /// The place of what it is about.
    pub(super) target: u32,
    pub(super) row: RowKey,
    /// The row says itself for when it was scheduled.
    pub(super) says_when: bool,
    pub(super) ended: Ended,
    pub(super) timestamp: Option<Instant>,
    pub(super) error: &'a str,
}

/// What a row is told by, also where two files hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowKey {
    pub(super) kind: RunKind,
    pub(super) scheduled_at: Instant,
    pub(super) started_at: Instant,
}

/// What no row holds: a `timestamp` of none.
const NO_TIME: i64 = i64::MIN;
const KINDS: [RunKind; 5] = [RunKind::Scheduled, RunKind::Manual, RunKind::Triggered, RunKind::Part, RunKind::Backfill];
const MARKS: [Mark; 3] = [Mark::Ends, Mark::Begins, Mark::Is];
const ENDS: [Ended; 4] = [Ended::Success, Ended::Failed, Ended::Retrying, Ended::Unreachable];

impl<'a> Event<'a> {
    /// What happens by a row: a beginning and an end, or one of them.
    pub(super) fn of(row: &Row<'a>, target: u32) -> impl Iterator<Item = Self> {
        let Row { started_at, arrived_at, .. } = *row;
        let key = RowKey { kind: row.kind, scheduled_at: row.run_after.unwrap_or(started_at), started_at };
        let (says_when, ended, timestamp, error) = (row.run_after.is_some(), row.ended, row.timestamp, row.error);
        let both = arrived_at == Some(started_at);
        let event = move |(at, mark)| Self { at, mark, target, row: key, says_when, ended, timestamp, error };
        let begins = Some((started_at, if both { Mark::Is } else { Mark::Begins }));
        let ends = arrived_at.filter(|_| !both).map(|at| (at, Mark::Ends));
        [begins, ends].into_iter().flatten().map(event)
    }

    pub(super) fn key(&self) -> Key {
        (self.at.timestamp_micros(), rank(self.mark))
    }

    pub(super) fn write(&self, to: &mut Vec<u8>) {
        // Each of them is in its list.
        let number = |at: Option<usize>| at.unwrap_or_default() as u8;
        let kind = number(KINDS.iter().position(|kind| *kind == self.row.kind));
        let mark = number(MARKS.iter().position(|mark| *mark == self.mark));
        let ended = number(ENDS.iter().position(|ended| *ended == self.ended));
        to.clear();
        to.extend_from_slice(&self.target.to_le_bytes());
        to.extend_from_slice(&[kind, mark, ended, u8::from(self.says_when)]);
        for time in [Some(self.row.scheduled_at), Some(self.row.started_at), self.timestamp] {
            to.extend_from_slice(&time.map_or(NO_TIME, |time| time.timestamp_micros()).to_le_bytes());
        }
        // Only what ends has an error to tell.
        to.extend_from_slice(if self.mark == Mark::Begins { b"" } else { self.error.as_bytes() });
    }

    /// `None`: these are not the bytes of an event.
    pub(super) fn read((at, _): Key, bytes: &'a [u8]) -> Option<Self> {
        let (target, rest) = bytes.split_first_chunk()?;
        let ([kind, mark, ended, says_when], mut rest) = rest.split_first_chunk()?;
        let mut time = || {
            let (time, after) = rest.split_first_chunk()?;
            rest = after;
            Some(i64::from_le_bytes(*time))
        };
        let [scheduled_at, started_at, timestamp] = [time()?, time()?, time()?].map(DateTime::from_timestamp_micros);
        Some(Self {
            at: DateTime::from_timestamp_micros(at)?,
            mark: *MARKS.get(usize::from(*mark))?,
            target: u32::from_le_bytes(*target),
            row: RowKey { kind: *KINDS.get(usize::from(*kind))?, scheduled_at: scheduled_at?, started_at: started_at? },
            says_when: *says_when == 1,
            ended: *ENDS.get(usize::from(*ended))?,
            timestamp,
            error: std::str::from_utf8(rest).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_comes_back_as_it_went() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let row = Row {
            check: "sales",
            run_after: None,
            started_at: at("1999-11-23T03:00:00.000001Z"),
            arrived_at: Some(at("9999-11-23T03:10:00Z")),
            kind: RunKind::Backfill,
            ended: Ended::Unreachable,
            error: "연결이 끊어짐",
            timestamp: None,
        };
        let others = [
            Row { arrived_at: None, run_after: Some(at("0001-01-01T00:00:00Z")), ..row },
            Row { arrived_at: Some(row.started_at), timestamp: Some(row.started_at), error: "", kind: RunKind::Manual, ..row },
        ];
        let mut marks = Vec::new();
        for row in [&row, &others[0], &others[1]] {
            for event in Event::of(row, 70_000) {
                let mut bytes = Vec::new();
                event.write(&mut bytes);
                let told = if event.mark == Mark::Begins { "" } else { event.error };
                marks.push(event.mark);
                assert_eq!(Event::read(event.key(), &bytes), Some(Event { error: told, ..event }));
            }
        }
        assert_eq!(marks, [Mark::Begins, Mark::Ends, Mark::Begins, Mark::Is]);
        assert_eq!(Event::read((0, 0), b"short"), None);
    }
}
