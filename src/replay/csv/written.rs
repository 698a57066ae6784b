//! Rows that a golden night holds within itself: the same rows with the same meaning as in a history, in a person's hand, and all of them at
//! once. Lists nobody by itself: what is there from the beginning, and what comes later, is the night's to say.

use super::intake::Intake;
use super::lanes::Lanes;
use super::play_next;
use super::row::{Manner, Row, Wrong};
use crate::core::observation::{Fact, Member};
use crate::core::plan::{Id, Plan};
use crate::core::state::Observed;
use crate::replay::history::HistoryError;
use std::sync::Arc;

/// The rows of one night, as they are read.
pub(crate) struct Written<'a> {
    intake: Intake<'a>,
    plans: &'a [Arc<Plan>],
}

/// Something that is there from the beginning and has not run.
#[derive(Debug, Clone)]
pub(crate) struct There {
    pub(crate) source: Id,
    pub(crate) subject: Id,
    pub(crate) fact: Fact,
    /// How its source lists it; `None`: that lists nothing.
    pub(crate) member: Option<Member>,
}

impl<'a> Written<'a> {
    /// `plans`: the one at the beginning, whose zone and calendars hold, and those that the night goes over to.
    pub(crate) fn new(plans: &'a [Arc<Plan>], manner: Manner<'a>) -> Self {
        Self { intake: Intake::new(plans, manner), plans }
    }

    /// The night says itself when this is listed, and how.
    pub(crate) fn announce(&mut self, name: &str, source: &Id, subject: &Id) {
        self.intake.names.announce(name, source.clone(), subject.clone());
    }

    /// This pipeline is there, though it may have no row.
    pub(crate) fn is_there(&mut self, source: &Id, subject: &Id) {
        self.intake.names.is_there(source.clone(), subject.clone());
    }

    /// The error is a sentence about the row's name, for the first row with that name.
    pub(crate) fn take(&mut self, row: &Row<'_>) -> Result<(), String> {
        self.intake.take(row).unwrap_or_else(|error| Err(error.to_string()))
    }

    /// Reads rows below a line that names their columns. Blank lines and those that begin with `#` are left out. What is wrong is told at the
    /// end, by its line in `text`.
    pub(crate) fn read(&mut self, text: &str) {
        let blank = |line: &str| if line.starts_with('#') { "\n".to_owned() } else { format!("{line}\n") };
        let text: String = text.lines().map(blank).collect();
        if let Err(error) = self.intake.read("", text.as_bytes(), HistoryError::no_room) {
            self.intake.refuse(error.to_string());
        }
    }

    /// What is there, and what is seen of it in order of time; or all that is wrong.
    pub(crate) fn finish(mut self) -> Result<(Vec<There>, Vec<Observed>), Vec<Wrong>> {
        let wrong = self.intake.wrong();
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let Intake { names, sorter, .. } = self.intake;
        let there = names.there().into_iter().map(|(_, there)| there).collect();
        // In the zone and by the calendars of the beginning.
        let Some(plan) = self.plans.first().cloned() else { return Ok((there, Vec::new())) };
        let mut lanes = Lanes::new(plan, names.into_targets());
        let mut seen = Vec::new();
        let play = || {
            let mut events = sorter.finish().map_err(HistoryError::no_room)?;
            while play_next(&mut events, &mut lanes, &mut seen)? {}
            Ok(())
        };
        play().map_err(|error: HistoryError| vec![Wrong::of_all(error.to_string())])?;
        Ok((there, seen))
    }
}
