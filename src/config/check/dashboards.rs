//! `[dashboards.*]`: what people look at, and by when.

use super::{Checker, text};
use crate::config::raw::{Raw, RawDashboard};
use crate::core::calendar::DayRule;
use crate::core::plan::{Dashboard, Id};
use crate::core::time::ClockTime;
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// Four of five times a word is right that is said at this chance; later ones are right more often, and come later.
const WARN_AT: f64 = 0.8;

impl Checker<'_> {
    pub(super) fn dashboards(&mut self, raw: &Raw) -> BTreeMap<Id, Dashboard> {
        raw.dashboards.iter().map(|(name, dashboard)| (Id::from(name.as_str()), self.dashboard(name, dashboard))).collect()
    }

    fn dashboard(&mut self, name: &str, raw: &RawDashboard) -> Dashboard {
        let path = |key| ["dashboards", name, key];
        let on = self.days(&path("on"), raw.on.as_ref()).unwrap_or(DayRule::Daily);
        let audience = self.days(&path("audience"), raw.audience.as_ref()).unwrap_or_else(|| on.clone());
        let also = self.each(&path("audience_also"), &raw.audience_also, |checker, path, day| checker.read(path, day, text::date));
        if raw.needs.is_empty() {
            self.missing(&["dashboards", name], "needs", "needs = [\"CHECK\", \"group:NAME\"]");
        }
        let counts_from = self.optional(&path("counts_from"), raw.counts_from.as_ref(), text::clock);
        let counts_from = counts_from.unwrap_or(ClockTime::at(0, 0));
        if let Some(url) = &raw.url {
            self.url(&path("url"), url);
        }
        Dashboard {
            name: raw.name.clone().unwrap_or_else(|| name.to_owned()),
            needs: self.needs(&path("needs"), &raw.needs),
            ready_by: self.ready_by(name, raw, counts_from),
            on,
            audience,
            audience_also: also.into_iter().collect(),
            counts_from,
            reaction: self.duration(&path("reaction"), raw.reaction.as_ref(), TimeDelta::minutes(20)),
            at_latest: self.duration(&path("at_latest"), raw.at_latest.as_ref(), TimeDelta::minutes(15)),
            warn_at: self.chance(&path("warn_at"), raw.warn_at),
            wake: raw.wake,
            tell: self.chat_list(&path("tell"), &raw.tell),
            escalate: self.chat_list(&path("escalate"), &raw.escalate),
            escalate_after: self.duration(&path("escalate_after"), raw.escalate_after.as_ref(), TimeDelta::minutes(30)),
            url: raw.url.clone(),
        }
    }

    /// Below one half most of what is told would not come true; at 1 nothing would be told.
    fn chance(&mut self, path: &[&str], raw: Option<f64>) -> f32 {
        let chance = raw.unwrap_or(WARN_AT);
        if !(0.5..=0.99).contains(&chance) {
            self.error(path, format!("{}: {chance} is not a usable chance; expected 0.5 to 0.99", path[path.len() - 1]));
        }
        chance as f32
    }

    fn ready_by(&mut self, name: &str, raw: &RawDashboard, counts_from: ClockTime) -> Vec<ClockTime> {
        let path = ["dashboards", name, "ready_by"];
        let written = match &raw.ready_by {
            Some(written) if !written.items.is_empty() => written,
            _ => {
                self.missing(&path[..2], "ready_by", "the deadline, such as ready_by = \"09:00\"");
                return Vec::new();
            }
        };
        if !written.many {
            let deadline = written.items.first().and_then(|text| self.read(&path, text, text::clock));
            self.window_is_open(&path, counts_from, deadline);
            return deadline.into_iter().collect();
        }
        let mut last: Option<ClockTime> = None;
        self.each(&path, &written.items, |checker, element, text| {
            let Ok(deadline) = text::clock(text) else {
                let expected = "expected for example \"09:00\"";
                checker.error(element, format!("ready_by: {} is not a clock time; {expected}", text::quoted(text)));
                return None;
            };
            match last {
                None => checker.window_is_open(element, counts_from, Some(deadline)),
                Some(before) if deadline <= before => {
                    checker.error(
                        element,
                        format!("ready_by: {deadline} stands after {before}; expected deadlines in ascending order"),
                    );
                }
                Some(_) => {}
            }
            last = Some(deadline);
            Some(deadline)
        })
    }

    fn window_is_open(&mut self, path: &[&str], counts_from: ClockTime, deadline: Option<ClockTime>) {
        if let Some(deadline) = deadline.filter(|deadline| *deadline <= counts_from) {
            let text = format!("the deadline {deadline} is not after counts_from {counts_from}, where the window opens");
            self.error(path, format!("{text}; expected for example counts_from = \"-1d 20:00\""));
        }
    }
}
