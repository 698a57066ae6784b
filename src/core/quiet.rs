//! Quiet hours and quiet days of a chat: when asking a person there may begin again.

use super::plan::{Chat, Plan};
use super::time::{Instant, local_date, resolve};
use chrono::NaiveTime;

/// When the chat's quiet time ends; `None`: it is not quiet now.
pub(super) fn quiet_until(plan: &Plan, chat: &Chat, at: Instant) -> Option<Instant> {
    /// Quiet days in a row beyond this are no week-end, but a chat that is never asked in.
    const DAYS: usize = 40;
    let zone = plan.timezone;
    let quiet = |at: Instant| {
        let local = at.with_timezone(&zone).naive_local();
        let day = chat.quiet_days.as_ref().is_some_and(|days| days.holds(local.date(), &plan.calendars) == Some(true));
        day || chat.quiet.is_some_and(|hours| hours.contains(local.time()))
    };
    if !quiet(at) {
        return None;
    }
    // It can only end where the hours end or a day begins.
    let ends: Vec<NaiveTime> = chat.quiet.map(|hours| hours.to).into_iter().chain([NaiveTime::MIN]).collect();
    let today = local_date(at, zone);
    let candidates = today.iter_days().take(DAYS).flat_map(|day| ends.iter().map(move |time| resolve(day, *time, zone)));
    let mut candidates: Vec<Instant> = candidates.filter(|end| *end > at).collect();
    candidates.sort_unstable();
    let last = candidates.last().copied();
    candidates.into_iter().find(|end| !quiet(*end)).or(last)
}
