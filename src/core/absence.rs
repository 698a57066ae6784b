//! Was the watch itself away: off, or its machine asleep? What it asked and when is on record, so that a gap shows. Says since when, and
//! decides nothing.

use super::plan::Plan;
use super::standing::stale_after;
use super::state::State;
use super::time::Instant;
use chrono::TimeDelta;

/// The last question before a gap that ends at `at`; `None`: nothing was left unasked for long.
pub(super) fn away_since(state: &State, plan: &Plan, at: Instant) -> Option<Instant> {
    let mut last: Option<Instant> = None;
    let mut patience: Option<TimeDelta> = None;
    for (id, setup) in &plan.sources {
        let asked = state.sources.get(id).and_then(|source| source.asked_at.max(source.list_asked_at));
        if asked.is_some() {
            last = last.max(asked);
            let every = setup.every + stale_after(setup.every);
            patience = Some(patience.map_or(every, |patience| patience.min(every)));
        }
    }
    // A question may take long, while the watch does all else.
    let last = last?.max(state.stepped_at.unwrap_or(Instant::MIN_UTC));
    let noted = state.watch.back_at.filter(|back| *back <= at).unwrap_or(Instant::MIN_UTC);
    // Asked "in the future": the clock was set back, and nobody was away.
    (last <= at && at - last.max(noted) > patience?).then_some(last.max(noted))
}
