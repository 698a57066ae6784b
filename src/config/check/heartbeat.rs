//! `[heartbeat]`: where the outward proof of life goes, and how often.

use super::Checker;
use crate::config::raw::Raw;
use crate::config::wiring::Address;
use chrono::TimeDelta;

const EVERY: TimeDelta = TimeDelta::minutes(5);
/// More often helps nobody: a dead man's switch waits minutes before it speaks up.
const EVERY_AT_LEAST: TimeDelta = TimeDelta::seconds(30);
/// Whoever waits longer than a day for it has missed a deadline before.
const EVERY_AT_MOST: TimeDelta = TimeDelta::days(1);

impl Checker<'_> {
    pub(super) fn heartbeat(&mut self, raw: &Raw) -> Option<(TimeDelta, Address)> {
        let heartbeat = raw.heartbeat.as_ref()?;
        let every = self.duration(&["heartbeat", "every"], heartbeat.every.as_ref(), EVERY);
        if !(EVERY_AT_LEAST..=EVERY_AT_MOST).contains(&every) {
            let text = "every is not between 30 seconds and a day; expected how often the proof of life goes out, such as \"5m\"";
            self.error(&["heartbeat", "every"], text);
        }
        let Some(url) = &heartbeat.url else {
            self.missing(&["heartbeat"], "url", "url = { env = \"HEARTBEAT_URL\" }");
            return None;
        };
        self.address(&["heartbeat", "url"], url).map(|(url, _)| (every, url))
    }
}
