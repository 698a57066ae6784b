//! Over how long an arrival is spread: four triangles, from what a clock starts to what people do.

use super::four::Four;
use super::night::STEP_S;

/// Half the base of the triangle, in seconds: standard deviations of 1, 5, 15 and 45 minutes.
pub(super) const REACHES: [f32; 4] = [147.0, 735.0, 2205.0, 6615.0];
/// An arrival was foretold if it was within so many seconds.
pub(super) const WITHIN_S: f32 = 480.0;

/// From so many steps apart on, not even the widest triangle holds the other arrival.
const FAR: usize = (REACHES[REACHES.len() - 1] + WITHIN_S) as usize / STEP_S as usize + 1;

/// How likely an arrival so many steps apart was, for each reach.
static NEAR: [[f32; REACHES.len()]; FAR] = {
    let mut near = [[0.0; REACHES.len()]; FAR];
    let mut steps = 0;
    while steps < FAR {
        let apart = steps as f32 * STEP_S as f32;
        let mut reach = 0;
        while reach < REACHES.len() {
            let half = REACHES[reach];
            near[steps][reach] = rise((apart + WITHIN_S) / half) - rise((apart - WITHIN_S) / half);
            reach += 1;
        }
        steps += 1;
    }
    near
};

/// How likely what came `steps` apart was; `None`: not at all.
pub(super) fn near(steps: u16) -> Option<Four> {
    NEAR.get(usize::from(steps)).map(|near| Four(*near))
}

/// How much of a triangle of half base 1 lies before `u`.
pub(super) const fn rise(u: f32) -> f32 {
    match u {
        _ if u <= -1.0 => 0.0,
        _ if u < 0.0 => (1.0 + u) * (1.0 + u) / 2.0,
        _ if u < 1.0 => 1.0 - (1.0 - u) * (1.0 - u) / 2.0,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_was_likely_and_what_is_far_was_not() {
        let at_once = near(0).unwrap().0;
        assert!(at_once[0] == 1.0 && at_once.is_sorted_by(|a, b| a > b), "{at_once:?}");
        // Half of it is within, and the narrowest triangle is far shorter than that.
        let at_edge = near((WITHIN_S as i32 / STEP_S) as u16).unwrap().0;
        assert!((at_edge[0] - 0.5).abs() < 1e-6, "{at_edge:?}");
        assert!(near(FAR as u16 - 1).unwrap().sum() < 1e-4);
        assert!(near(FAR as u16).is_none());
    }
}
