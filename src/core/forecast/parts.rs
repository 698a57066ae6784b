//! The arrivals that may come again, in their order, with how likely each is. They are kept in steps of seconds, and a window has but a
//! few thousand of those: so they need not be sorted, and what came at the same step is one.

use super::four::Four;
use super::mixture::NIGHTS_KEPT;
use super::night::Night;

/// Steps whose places are looked for at once.
const WORD: usize = u64::BITS as usize;

pub(super) struct Parts {
    opens: u16,
    ends: u16,
    /// By step of the window: its place in `masses`; 0: none yet.
    places: Vec<u16>,
    /// By 64 steps: which have a place.
    taken: Vec<u64>,
    masses: [Four; NIGHTS_KEPT + 1],
    last: u16,
}

impl Parts {
    /// For a window, on the wall.
    pub(super) fn new(opens_s: i32, ends_s: i32) -> Self {
        let (opens, ends) = (Night::step(opens_s), Night::step(ends_s));
        let steps = usize::from(ends - opens) + 1;
        let (places, taken) = (vec![0; steps], vec![0; steps.div_ceil(WORD)]);
        Self { opens, ends, places, taken, masses: [Four::default(); NIGHTS_KEPT + 1], last: 0 }
    }

    /// What came out of the window is taken to have come at its edge.
    #[inline]
    pub(super) fn add(&mut self, night: Night, mass: Four) {
        let step = usize::from(night.order().clamp(self.opens, self.ends) - self.opens);
        let place = &mut self.places[step];
        *place = if *place == 0 { self.last + 1 } else { *place };
        self.last = self.last.max(*place);
        let of_step = &mut self.masses[usize::from(*place)];
        *of_step = *of_step + mass;
        self.taken[step / WORD] |= 1 << (step % WORD);
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.last)
    }

    /// In their order: seconds after midnight, and how likely.
    pub(super) fn in_order(&self) -> impl Iterator<Item = (i32, Four)> {
        let mut left = 0;
        let mut words = self.taken.iter().enumerate();
        let mut first = 0;
        std::iter::from_fn(move || {
            while left == 0 {
                let (word, taken) = words.next()?;
                (first, left) = (word * WORD, *taken);
            }
            let step = first + left.trailing_zeros() as usize;
            left &= left - 1;
            Some((Night::at(self.opens + step as u16), self.masses[usize::from(self.places[step])]))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tonight::Tonight;
    use super::*;

    #[test]
    fn arrivals_are_told_in_their_order_and_those_at_one_time_together() {
        let window = (-3_600, 86_400);
        let tonight = Tonight::of(chrono::NaiveDate::from_ymd_opt(2026, 11, 23).unwrap(), window.0, window.1, |_| None);
        let mut parts = Parts::new(window.0, window.1);
        let all = [(30_000, 0.5), (-3_600, 1.0), (30_005, 0.25), (200_000, 2.0), (-9_000, 1.0), (86_400, 1.0), (7_000, 0.0)];
        for (arrives_s, mass) in all {
            parts.add(Night::new(tonight, Some(arrives_s), None, false), Four([mass; 4]));
        }
        let told: Vec<_> = parts.in_order().map(|(arrives_s, Four(mass))| (arrives_s, mass[0])).collect();
        assert_eq!(told, [(-3_600, 2.0), (7_000, 0.0), (30_000, 0.75), (86_400, 3.0)]);
        assert_eq!(parts.len(), told.len());
    }

    #[test]
    fn every_night_may_have_its_own_place() {
        let of = Tonight::of(chrono::NaiveDate::from_ymd_opt(2026, 11, 23).unwrap(), 0, 86_400, |_| None);
        let mut parts = Parts::new(0, 86_400);
        for number in 0..NIGHTS_KEPT as i32 {
            parts.add(Night::new(of, Some(86_000 - number * 320), None, false), Four([1.0; 4]));
        }
        assert_eq!(parts.len(), NIGHTS_KEPT);
        assert!(parts.in_order().map(|(arrives_s, _)| arrives_s).is_sorted());
        assert_eq!(parts.in_order().count(), NIGHTS_KEPT);
    }
}
