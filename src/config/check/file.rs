//! Sources of kind file, and their checks: which path shows that data has arrived, and how dates stand in it.

use super::{Checker, text};
use crate::config::raw::{RawCheck, RawSource};
use crate::config::wiring::SourceWiringKind;
use crate::core::plan::{Check, DateShift, Evidence, Id};
use crate::core::time::ClockTime;
use crate::sources::file::pattern::{Artifact, DBT, Pattern};

impl Checker<'_> {
    pub(super) fn file(&mut self, name: &str, source: &RawSource) -> Option<SourceWiringKind> {
        self.refuse_all_but(name, "file", source, &["root"]);
        if source.root.is_none() {
            self.missing(&["sources", name], "root", "the folder beneath which the data lies, such as root = \"/data/landing\"");
            return None;
        }
        Some(SourceWiringKind::File { root: self.path(&["sources", name, "root"], source.root.as_ref(), "") })
    }

    /// Nodes of dbt's runs have states; all else has times.
    pub(super) fn file_evidence(&mut self, name: &str, check: &RawCheck, through: Option<ClockTime>) -> Evidence {
        let artifact = check.path.as_deref().filter(|_| check.dbt.is_some()).and_then(Artifact::of);
        let path = ["checks", name, "through"];
        match (artifact, check.through.is_some()) {
            (Some(Artifact::Runs), true) => {
                self.error(&path, "through is for datasets; a node of run_results.json has runs and no timestamp");
                Evidence::Pipeline
            }
            (Some(Artifact::Runs), false) => Evidence::Pipeline,
            (Some(Artifact::Sources), _) => through.map_or(Evidence::ArrivalTime, |through| Evidence::DataTime { through }),
            (None, given) => {
                if given && check.dbt.is_none() {
                    self.error(&path, "through is for data times; when a file was written says when its data arrived");
                }
                Evidence::ArrivalTime
            }
        }
    }

    pub(super) fn file_check(&mut self, name: &str, check: &RawCheck, built: &mut Check) {
        let at = |key| ["checks", name, key];
        if check.id.is_some() {
            self.error(&at("id"), "id means nothing to a check of files; its path is its name in the source");
        }
        let Some(path) = &check.path else {
            self.missing(&["checks", name], "path", "path = \"clicks/dt={date:%Y-%m-%d}/_SUCCESS\"");
            return;
        };
        let Some(pattern) = self.read(&at("path"), path, Pattern::parse) else { return };
        let shift = check.date.as_ref().and_then(|date| self.date_shift(&at("date"), date));
        if check.date.is_some() && !pattern.is_dated() {
            self.error(&at("date"), "date means nothing to a path without a date; expected for example {date:%Y-%m-%d} in path");
        }
        built.subject = Id::from(path.as_str());
        if let Some(node) = &check.dbt {
            self.dbt_node(name, path, node, &pattern);
            built.subject = Id::from(format!("{path}{DBT}{node}"));
        } else if pattern.is_dated() {
            built.dated = Some(shift.unwrap_or(DateShift::Days(0)));
        }
    }

    fn dbt_node(&mut self, name: &str, path: &str, node: &str, pattern: &Pattern) {
        let at = |key| ["checks", name, key];
        let artifact = Artifact::of(path);
        if artifact.is_none() || !pattern.is_plain() {
            let text = "path stands beside dbt; expected the path of one sources.json or run_results.json";
            self.error(&at("path"), format!("{text}, without globs and dates"));
        }
        if self.read(&at("dbt"), node, text::glob).is_some() && artifact == Some(Artifact::Sources) && node.contains(['*', '?']) {
            let text = "dbt has a glob; expected one unique id: a source whose query fails is missing in sources.json, and a glob \
                        would not miss it";
            self.error(&at("dbt"), text);
        }
    }

    fn date_shift(&mut self, path: &[&str], written: &str) -> Option<DateShift> {
        let shift = self.read(path, written, text::date_shift)?;
        if let DateShift::Workdays { calendar, .. } = &shift {
            self.known(path, "calendars", "calendar", calendar.as_str())?;
        }
        Some(shift)
    }
}
