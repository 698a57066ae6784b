//! All that a check's nights tell: one mixture for each of its windows of a day.

use super::Mixture;
use serde::{Deserialize, Serialize};

/// By the number of the deadline in its day. Most checks have one: a map would take ten times its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Habits(Vec<(u32, Mixture)>);

impl Habits {
    pub fn get(&self, nth: u32) -> Option<&Mixture> {
        self.0.iter().find(|(known, _)| *known == nth).map(|(_, mixture)| mixture)
    }

    /// Of a window that has none yet: one that knows nothing.
    pub fn get_mut(&mut self, nth: u32) -> &mut Mixture {
        let place = self.0.partition_point(|(known, _)| *known < nth);
        if self.0.get(place).is_none_or(|(known, _)| *known != nth) {
            self.0.reserve_exact(1);
            self.0.insert(place, (nth, Mixture::default()));
        }
        &mut self.0[place].1
    }

    /// That of the last window of the day.
    pub fn last(&self) -> Option<&Mixture> {
        self.0.last().map(|(_, mixture)| mixture)
    }
}

/// Of the only window of the day.
impl From<Mixture> for Habits {
    fn from(mixture: Mixture) -> Self {
        Self(vec![(0, mixture)])
    }
}
