//! Clocks: how far the clock of a source differs from ours, and whether it may be ours that is wrong. Corrects nothing: a time that a
//! source gives is shown and judged as it gives it.

use super::incident::Active;
use super::plan::{Id, Plan};
use super::state::{Cause, Clock, SourceState, State, Verdict};
use super::time::Instant;
use super::tx::Tx;
use std::collections::{BTreeMap, BTreeSet};

/// Messages show minutes: a smaller difference changes nothing that people read. Machines that keep time differ by far less.
const OFF_S: i64 = 60;
/// What was off is right again below this, so that one at the limit does not come and go (an answer is exact to two seconds).
const RIGHT_S: i64 = 45;
/// A difference is kept in steps, and stays as it is while a new one lies within one.
const STEP_S: i64 = 10;
/// Differences that are kept in steps are the same within two of them.
const SAME_S: i64 = 2 * STEP_S;
/// Longer than any clock is off; keeps the arithmetic safe from what an answer may say.
const MOST_S: i64 = 100 * 365 * 86_400;

/// What is known of a source's clock after an answer that says it is so many seconds ahead of ours.
pub(super) fn heard(before: Clock, ahead_s: Option<i64>, at: Instant) -> Clock {
    let Some(ahead_s) = ahead_s.map(|ahead_s| ahead_s.clamp(-MOST_S, MOST_S)) else { return Clock::NotSaid };
    let rounded = (ahead_s + STEP_S / 2).div_euclid(STEP_S) * STEP_S;
    match before {
        Clock::Off { ahead_s: had, since } if ahead_s.abs() > RIGHT_S => {
            Clock::Off { ahead_s: if (ahead_s - had).abs() <= STEP_S { had } else { rounded }, since }
        }
        Clock::NotSaid | Clock::Right if ahead_s.abs() > OFF_S => Clock::Off { ahead_s: rounded, since: at },
        _ => Clock::Right,
    }
}

/// By how many seconds all hosts that tell the time are ahead of us, and how many sources those are; `None`: they do not agree, or are
/// not at least two.
pub(super) fn own(state: &State, plan: &Plan) -> Option<(i64, usize)> {
    let hosts = plan.sources.iter().filter_map(|(id, setup)| Some((setup.host?, state.sources.get(id)?.clock)));
    let (mut seen, mut ahead) = (BTreeSet::new(), Vec::new());
    for (host, clock) in hosts.filter(|(_, clock)| *clock != Clock::NotSaid) {
        let Clock::Off { ahead_s, .. } = clock else { return None };
        seen.insert(host);
        ahead.push(ahead_s);
    }
    let (least, most) = (*ahead.iter().min()?, *ahead.iter().max()?);
    (seen.len() >= 2 && most - least <= SAME_S).then_some((ahead[0], ahead.len()))
}

/// Clocks that are off, as causes: told to those who care for the watch.
pub(super) fn doubt(tx: &Tx<'_>, active: &mut BTreeMap<Cause, Active>) {
    let is_asked = |id: &Id| tx.plan.sources.get(id).is_some_and(|setup| tx.state.roster.is_asked(id, setup.kind));
    for (id, source) in tx.state.sources.iter().filter(|(id, _)| is_asked(id)) {
        if let Clock::Off { since, .. } = source.clock {
            let now = active.entry(Cause::Clock(id.clone())).or_insert_with(|| Active::new(since));
            (now.verdict, now.outside) = (Verdict::Unknown, true);
        }
    }
}

/// The clocks of sources that only show that ours is off. `ongoing`: it was when they were heard last; when one of them tells our time
/// again, the others are asked before they are blamed.
pub(super) fn explained_by_ours(tx: &Tx<'_>, ongoing: bool) -> Vec<Cause> {
    let ours = own(tx.state, tx.plan).is_some();
    let hosts = || tx.plan.sources.iter().filter(|(_, setup)| setup.host.is_some()).map(|(id, _)| id);
    let heard = |id: &Id| tx.state.sources.get(id).and_then(|source| Some((source.swept_at?, source.clock)));
    let right = hosts().filter_map(heard).filter(|(_, clock)| *clock == Clock::Right).map(|(at, _)| at).max();
    let from_before = |id: &Id| ongoing && heard(id).is_some_and(|(at, _)| right.is_some_and(|right| at < right));
    hosts().filter(|id| ours || from_before(id)).map(|id| Cause::Clock(id.clone())).collect()
}

/// Sources whose clocks are off, by how many seconds they are ahead.
pub(super) fn off(state: &State) -> Vec<(Id, i64)> {
    let off = |(id, source): (&Id, &SourceState)| match source.clock {
        Clock::Off { ahead_s, .. } => Some((id.clone(), ahead_s)),
        Clock::NotSaid | Clock::Right => None,
    };
    state.sources.iter().filter_map(off).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_kept_in_steps_and_does_not_flap() {
        let at = Instant::UNIX_EPOCH;
        let off = |ahead_s| Clock::Off { ahead_s, since: at };
        let later = at + chrono::TimeDelta::hours(1);
        let cases = [
            (Clock::NotSaid, None, Clock::NotSaid),
            (Clock::NotSaid, Some(3), Clock::Right),
            (Clock::Right, Some(60), Clock::Right),
            (Clock::Right, Some(61), Clock::Off { ahead_s: 60, since: later }),
            (Clock::Right, Some(-184), Clock::Off { ahead_s: -180, since: later }),
            // Within a step of what is kept nothing changes, nor at the limit.
            (off(180), Some(189), off(180)),
            (off(180), Some(171), off(180)),
            (off(180), Some(191), off(190)),
            (off(60), Some(58), off(60)),
            (off(60), Some(46), off(50)),
            (off(60), Some(45), Clock::Right),
            (off(180), None, Clock::NotSaid),
            (Clock::Right, Some(i64::MIN), Clock::Off { ahead_s: -MOST_S, since: later }),
        ];
        for (before, ahead_s, expected) in cases {
            assert_eq!(heard(before, ahead_s, later), expected, "{before:?} {ahead_s:?}");
        }
    }
}
