//! The text form of keys. Part of the stored format: a change of it is a change of `core::state::FORMAT`.

use crate::core::command::Muted;
use crate::core::state::Key;

/// Kind and key. Numbers are padded and cycles begin with their date, so that the order of the text is the order of time.
pub(super) fn text(key: &Key) -> (&'static str, String) {
    match key {
        Key::Source(id) => ("source", id.to_string()),
        Key::Members(id) => ("members", id.to_string()),
        Key::Check(id) => ("check", id.to_string()),
        Key::Cycle(cycle) => ("cycle", format!("{} {:03} {}", cycle.date, cycle.nth, cycle.dashboard)),
        Key::Incident(id) => ("incident", format!("{id:020}")),
        Key::Post(id) => ("post", format!("{id:020}")),
        Key::Chat(id) => ("chat", id.to_string()),
        Key::Digest(id) => ("digest", id.to_string()),
        Key::Counters => ("counters", String::new()),
        Key::Watch => ("watch", String::new()),
        Key::Mute(Muted::Check(id)) => ("mute", format!("check {id}")),
        Key::Mute(Muted::Dashboard(id)) => ("mute", format!("dashboard {id}")),
        Key::Mute(Muted::Source(id)) => ("mute", format!("source {id}")),
        Key::Day(date) => ("day", date.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::state::CycleKey;
    use chrono::NaiveDate;

    #[test]
    fn keys_keep_their_form() {
        let cycle = CycleKey { dashboard: "exec summary".into(), date: NaiveDate::from_ymd_opt(2026, 11, 23).unwrap(), nth: 1 };
        let cases = [
            (Key::Source("airflow".into()), ("source", "airflow")),
            (Key::Cycle(cycle), ("cycle", "2026-11-23 001 exec summary")),
            (Key::Incident(42), ("incident", "00000000000000000042")),
            (Key::Post(u64::MAX), ("post", "18446744073709551615")),
            (Key::Counters, ("counters", "")),
            (Key::Day(NaiveDate::from_ymd_opt(2026, 11, 3).unwrap()), ("day", "2026-11-03")),
        ];
        for (key, (kind, expected)) in cases {
            assert_eq!(text(&key), (kind, expected.to_owned()));
        }
    }
}
