//! What each sample makes of the nights: how likely nothing comes, and how likely what came was.

use super::four::Four;
use super::night::Night;
use super::reach::REACHES;
use super::sample::{Age, Alike, Classes, SAMPLES};

/// So much of what comes may come at any time: one strange night must not break a sharp expert.
pub(super) const ANY_TIME: f32 = 0.02;
/// So many nights at the check's own base rate of absence stand beside those of an expert.
pub(super) const BASE_NIGHTS: f32 = 0.3;
/// A sample whose arrivals weigh less knows nothing of the time.
const KNOWS_TIME: f32 = 1e-9;

/// The nights, as they are looked through one by one.
pub(super) struct Counts {
    came: Classes<f32>,
    absent: Classes<f32>,
    nights: f32,
    absences: f32,
}

impl Counts {
    pub(super) fn new() -> Self {
        Self { came: Classes::new(), absent: Classes::new(), nights: 0.0, absences: 0.0 }
    }

    #[inline]
    pub(super) fn add(&mut self, night: Night, age: &Age, alike: Alike) {
        let absent = night.is_absent();
        let classes = if absent { &mut self.absent } else { &mut self.came };
        classes.add(age, alike, 1.0);
        self.nights += 1.0;
        self.absences += f32::from(u8::from(absent));
    }

    pub(super) fn told(&self) -> [Told; SAMPLES] {
        let base = BASE_NIGHTS * (self.absences + 0.5) / (self.nights + 5.0);
        let (came, absent) = (self.came.by_sample(), self.absent.by_sample());
        let (came, absent) = (came.as_flattened(), absent.as_flattened());
        std::array::from_fn(|sample| {
            let (came, absent) = (came[sample], absent[sample]);
            let arrivals = (came > KNOWS_TIME).then_some(came);
            Told { absent: (absent + base) / (came + absent + BASE_NIGHTS), arrivals }
        })
    }
}

/// What a sample makes of the nights.
#[derive(Clone, Copy)]
pub(super) struct Told {
    /// How likely nothing comes.
    pub(super) absent: f32,
    /// What its arrivals weigh together; `None`: too little to know anything of the time.
    pub(super) arrivals: Option<f32>,
}

impl Told {
    /// How likely it thought what came; `near`: so much of its arrivals was near to that.
    pub(super) fn foretold(self, near: Four, anywhere: f32) -> [f32; REACHES.len()] {
        let comes = 1.0 - self.absent;
        match self.arrivals {
            Some(arrivals) => (near * (comes * (1.0 - ANY_TIME) / arrivals)).0.map(|near| near + comes * ANY_TIME * anywhere),
            None => [comes * anywhere; REACHES.len()],
        }
    }
}
