//! One night of a check, in six bytes: a check keeps hundreds of them, and there are thousands of checks.

use super::tonight::Tonight;
use chrono::NaiveDate;

/// Arrivals are kept in steps of so many seconds …
pub(super) const STEP_S: i32 = 20;
/// … from a week before midnight of the date on; later than a week after it is as good as never.
const EARLIEST_S: i32 = -7 * 86_400;
/// Run times: seven bits of mantissa, four of exponent; within one percent, up to seven weeks.
const MANTISSA_BITS: u32 = 7;
const LONGEST: u16 = (1 << (MANTISSA_BITS + 4)) - 1;
/// 2000-01-01, in days of the common era.
const FIRST_DAY: i32 = 730_120;

/// How a night went. A cycle that is over, or whose data has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Night {
    /// Days since 2000-01-01.
    day: u16,
    arrived: u16,
    /// The run time in the upper bits, then the kind of day, and whether it was late for the check.
    rest: u16,
}

/// How a night went, for likeness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    InTime,
    /// Later than nine of ten before it.
    Late,
    Absent,
}

impl Night {
    /// The [`Self::order`] of what never came.
    pub(super) const ABSENT: u16 = u16::MAX;

    /// `arrived_s`: on the wall after local midnight of its date; `took_s`: its run time, of a pipeline.
    pub(super) fn new(of: Tonight, arrived_s: Option<i32>, took_s: Option<i64>, late: bool) -> Self {
        let arrived = arrived_s.map_or(Self::ABSENT, Self::step);
        let rest = took_s.map_or(0, |took_s| 1 + pack(took_s).min(LONGEST - 1)) << 5;
        Self { day: day(of.date()), arrived, rest: rest | u16::from(of.kind()) << 1 | u16::from(late) }
    }

    pub fn date(self) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(i32::from(self.day) + FIRST_DAY).unwrap_or_default()
    }

    /// 0 to 6.
    pub(super) fn weekday(self) -> u16 {
        self.day % 7
    }

    /// [`Tonight::kind`].
    pub(super) fn kind(self) -> u8 {
        (self.rest >> 1 & 0xf) as u8
    }

    /// Seconds on the wall after local midnight of its date; `None`: nothing came.
    pub fn arrived_s(self) -> Option<i32> {
        (!self.is_absent()).then(|| Self::at(self.arrived))
    }

    /// In the order of arrival, in steps of [`STEP_S`].
    pub(super) fn order(self) -> u16 {
        self.arrived
    }

    pub(super) fn is_absent(self) -> bool {
        self.arrived == Self::ABSENT
    }

    /// The order of what arrived so many seconds after midnight.
    pub(super) fn step(arrived_s: i32) -> u16 {
        let steps = arrived_s.saturating_add(STEP_S / 2 - EARLIEST_S) / STEP_S;
        u16::try_from(steps.max(0)).unwrap_or(Self::ABSENT).min(Self::ABSENT - 1)
    }

    /// The seconds after midnight of an order.
    pub(super) fn at(order: u16) -> i32 {
        i32::from(order) * STEP_S + EARLIEST_S
    }

    /// Seconds.
    pub fn took_s(self) -> Option<i64> {
        (self.rest >> 5).checked_sub(1).map(unpack)
    }

    pub(super) fn course(self) -> Course {
        match self.rest & 1 {
            _ if self.is_absent() => Course::Absent,
            0 => Course::InTime,
            _ => Course::Late,
        }
    }

    pub(super) fn words(self) -> [u16; 3] {
        [self.day, self.arrived, self.rest]
    }

    pub(super) fn of_words([day, arrived, rest]: [u16; 3]) -> Self {
        Self { day, arrived, rest }
    }
}

/// Days since 2000-01-01.
pub(super) fn day(date: NaiveDate) -> u16 {
    use chrono::Datelike;
    u16::try_from(date.num_days_from_ce() - FIRST_DAY).unwrap_or_default()
}

/// Exact below 256, then within one percent.
fn pack(seconds: i64) -> u16 {
    let mut rest = u64::try_from(seconds).unwrap_or_default();
    let mut exponent = 0;
    while rest >= 2 << MANTISSA_BITS && exponent < 14 {
        rest = rest.div_ceil(2);
        exponent += 1;
    }
    let low = rest.min((2 << MANTISSA_BITS) - 1) as u16;
    low + (exponent << MANTISSA_BITS)
}

fn unpack(packed: u16) -> i64 {
    let exponent = (packed >> MANTISSA_BITS).saturating_sub(1);
    i64::from(packed - (exponent << MANTISSA_BITS)) << exponent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_found_again() {
        for seconds in (0..3_000).chain([3_600, 7_200, 40_000, 86_400, 604_800, 1_000_000]) {
            let found = unpack(pack(seconds));
            assert!((found - seconds).abs() * 100 <= seconds, "{seconds} {found}");
        }
        assert!((1..2_000).all(|packed| pack(unpack(packed)) == packed));
        let date = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        let of = Tonight::of(date, 0, 86_400, |_| None);
        for (arrived_s, took_s) in [(Some(17_400), Some(2_400)), (Some(-3_600), None), (None, None)] {
            let night = Night::new(of, arrived_s, took_s, arrived_s == Some(-3_600));
            assert_eq!((night.date(), night.arrived_s(), night.kind()), (date, arrived_s, of.kind()));
            assert!(night.took_s() == took_s, "{took_s:?}");
            assert_eq!(Night::of_words(night.words()), night);
        }
    }

    #[test]
    fn what_is_out_of_reach_stays_at_its_edge() {
        let of = Tonight::of(NaiveDate::from_ymd_opt(2026, 11, 23).unwrap(), 0, 86_400, |_| None);
        let edge = |arrived_s, took_s| {
            let night = Night::new(of, Some(arrived_s), Some(took_s), false);
            (night.arrived_s().unwrap(), night.took_s().unwrap())
        };
        assert_eq!(edge(-8 * 86_400, -5), (-7 * 86_400, 0));
        assert!(edge(30 * 86_400, 1 << 40).0 > 8 * 86_400 - 3_600);
        assert!(edge(0, 1 << 40).1 > 40 * 86_400);
    }
}
