//! Did as many miss as was said? Counts only.

use super::case::Case;
use super::suggest::chance;
use serde::Serialize;

/// The chance to miss an hour before the deadline, held against what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Deadlines of which a chance was known then.
    pub deadlines: usize,
    /// The mean square of what was said less what came: 0 is perfect. `None`: there is none.
    pub brier: Option<f64>,
    pub bins: Vec<Bin>,
}

/// Deadlines of which about as much was said. In percent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bin {
    pub from: u8,
    /// Up to here, and of the last one with it.
    pub to: u8,
    pub deadlines: usize,
    pub mean_said: Option<f64>,
    pub missed: Option<f64>,
}

const EDGES: [u8; 7] = [0, 10, 30, 50, 70, 90, 100];

impl Calibration {
    pub(super) fn of(cases: &[&Case]) -> Self {
        let known: Vec<(f32, bool)> = cases.iter().filter_map(|case| Some((case.said?, case.is_missed()))).collect();
        let bins = EDGES.windows(2).map(|edges| {
            let (from, to) = (edges[0], edges[1]);
            let holds = |said: f32| said >= chance(from) && (said < chance(to) || to == 100);
            let within: Vec<&(f32, bool)> = known.iter().filter(|(said, _)| holds(*said)).collect();
            let percent = |sum: f64| (!within.is_empty()).then(|| (sum / within.len() as f64 * 1000.0).round() / 10.0);
            let missed = within.iter().filter(|(_, missed)| *missed).count();
            Bin {
                from,
                to,
                deadlines: within.len(),
                mean_said: percent(within.iter().map(|(said, _)| f64::from(*said)).sum()),
                missed: percent(missed as f64),
            }
        });
        let squares: f64 = known.iter().map(|(said, missed)| (f64::from(*said) - f64::from(u8::from(*missed))).powi(2)).sum();
        let brier = (!known.is_empty()).then(|| (squares / known.len() as f64 * 10_000.0).round() / 10_000.0);
        Self { deadlines: known.len(), brier, bins: bins.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::samples::*;
    use super::*;

    #[test]
    fn each_is_in_one_bin_and_the_share_that_missed_stands_beside_what_was_said() {
        let said = |mut case: Case, said| {
            case.said = Some(said);
            case
        };
        let cases = [
            said(met(&[]), 0.0),
            said(met(&[]), 0.06),
            said(missed(&[]), 0.75),
            said(met(&[]), 0.7),
            said(missed(&[]), 1.0),
            met(&[]),
        ];
        let calibration = Calibration::of(&cases.iter().collect::<Vec<_>>());
        let bins: Vec<_> = calibration.bins.iter().map(|bin| (bin.from, bin.deadlines, bin.mean_said, bin.missed)).collect();
        let expected = [
            (0, 2, Some(3.0), Some(0.0)),
            (10, 0, None, None),
            (30, 0, None, None),
            (50, 0, None, None),
            (70, 2, Some(72.5), Some(50.0)),
            (90, 1, Some(100.0), Some(100.0)),
        ];
        assert_eq!((bins.as_slice(), calibration.deadlines), (expected.as_slice(), 5));
        // The squares are 0, 0.0036, 0.0625, 0.49 and 0.
        assert_eq!(calibration.brier, Some(0.1112));
        assert_eq!(Calibration::of(&[]).brier, None);
    }
}
