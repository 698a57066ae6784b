//! `[maintenance.*]`: hours in which sources or checks are expected to be dark.

use super::{Checker, text};
use crate::config::raw::{Raw, RawMaintenance};
use crate::core::calendar::DayRule;
use crate::core::plan::{Id, Maintenance};
use std::collections::BTreeMap;

impl Checker<'_> {
    pub(super) fn maintenance(&mut self, raw: &Raw) -> BTreeMap<Id, Maintenance> {
        raw.maintenance.iter().map(|(name, window)| (Id::from(name.as_str()), self.window(name, window))).collect()
    }

    fn window(&mut self, name: &str, raw: &RawMaintenance) -> Maintenance {
        let path = |key| ["maintenance", name, key];
        if raw.sources.is_empty() && raw.checks.is_empty() {
            let reported = self.removed.iter().any(|slip| slip.len() > 2 && slip[..2] == ["maintenance", name]);
            if !reported {
                let expected = "expected sources = [\"SOURCE\"] or checks = [\"CHECK\"]";
                self.error(&["maintenance", name], format!("[maintenance.{name}] names nothing that is dark; {expected}"));
            }
        }
        let sources = self.each(&path("sources"), &raw.sources, |checker, path, id| checker.known(path, "sources", "source", id));
        let checks = self.each(&path("checks"), &raw.checks, |checker, path, id| checker.known(path, "checks", "check", id));
        Maintenance {
            sources: sources.into_iter().collect(),
            checks: checks.into_iter().collect(),
            on: self.days(&path("on"), raw.on.as_ref()).unwrap_or(DayRule::Daily),
            hours: self.optional(&path("hours"), raw.hours.as_ref(), text::hours),
        }
    }
}
