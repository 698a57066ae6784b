//! Times, spans and numbers as people read them: in the message's zone, in the catalogue's order.

use super::words::Words;
use crate::core::message::{Basis, Eta, Message};
use crate::core::time::Instant;
use chrono::{DateTime, Datelike, TimeDelta};
use chrono_tz::Tz;

/// A catalogue with the instant and zone for which it words.
pub(super) struct Context<'a> {
    pub(super) words: &'a dyn Words,
    pub(super) at: Instant,
    zone: Tz,
}

impl<'a> Context<'a> {
    pub(super) fn new(words: &'a dyn Words, message: &Message) -> Self {
        Self { words, at: message.at, zone: message.zone }
    }

    pub(super) fn local(&self, t: Instant) -> DateTime<Tz> {
        t.with_timezone(&self.zone)
    }

    /// `09:00` on the day of the message, `Sun 22 Nov 03:17` on another.
    pub(super) fn clock(&self, t: Instant) -> String {
        let local = self.local(t);
        let hour = local.format("%H:%M");
        if local.date_naive() == self.local(self.at).date_naive() {
            hour.to_string()
        } else {
            format!("{} {hour}", self.words.day(local.date_naive()))
        }
    }

    /// `09:00`, whatever the day.
    pub(super) fn hour(&self, t: Instant) -> String {
        self.local(t).format("%H:%M").to_string()
    }

    /// `Mon 23 Nov 09:00 KST`; with the year where it is another one.
    pub(super) fn full(&self, t: Instant) -> String {
        let local = self.local(t);
        let day = local.date_naive();
        let day = if day.year() == self.local(self.at).year() { self.words.day(day) } else { self.words.date(day) };
        format!("{day} {}", local.format("%H:%M %Z"))
    }

    /// `06:00 KST`.
    pub(super) fn hour_zone(&self, t: Instant) -> String {
        self.local(t).format("%H:%M %Z").to_string()
    }

    /// From `t` until the message.
    pub(super) fn since(&self, t: Instant) -> String {
        self.span(self.at - t)
    }

    pub(super) fn span(&self, span: TimeDelta) -> String {
        self.words.span(span)
    }

    /// The length of a difference, whichever way it goes.
    pub(super) fn seconds(&self, seconds: i64) -> String {
        self.span(TimeDelta::seconds(seconds.saturating_abs().min(i64::from(u32::MAX))))
    }

    pub(super) fn is_over(&self, t: Instant) -> bool {
        t <= self.at
    }

    /// `09:40 (range 09:20–10:05, …)`.
    pub(super) fn eta(&self, eta: &Eta) -> String {
        // A range of one step of rounding says nothing.
        let range = (eta.high - eta.low > TimeDelta::minutes(5)).then(|| (self.clock(eta.low), self.clock(eta.high)));
        let nights = match eta.basis {
            Basis::Observed { nights } => Some(nights),
            Basis::Declared => None,
        };
        self.words.eta(&self.clock(eta.at), range.as_ref().map(|(low, high)| (low.as_str(), high.as_str())), nights)
    }
}

/// Days, hours and minutes of a span, the two largest that are not zero; never negative. Under a minute it is `None`.
pub(super) fn parts(span: TimeDelta) -> Option<[(i64, Unit); 2]> {
    let minutes = span.num_minutes().max(0);
    let (days, hours, rest) = (minutes / 1440, minutes / 60, minutes % 60);
    // Up to two days people count in hours.
    match (days, hours) {
        (2.., _) => Some([(days, Unit::Day), (hours % 24, Unit::Hour)]),
        (_, 1..) => Some([(hours, Unit::Hour), (rest, Unit::Minute)]),
        _ if rest > 0 => Some([(rest, Unit::Minute), (0, Unit::Minute)]),
        _ => None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    Hour,
    Minute,
}

/// `1,204`.
pub(super) fn number(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}
