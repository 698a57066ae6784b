//! Four numbers at once, one for each reach: nearly all that a forecast costs is spent on them. Their arithmetic is written out, as the
//! release is built for size, where no loop over four is unrolled.

use std::ops::{Add, Mul};

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Four<F = f32>(pub(super) [F; 4]);

impl Four {
    pub(super) fn wide(self) -> Four<f64> {
        let Self([a, b, c, d]) = self;
        Four([f64::from(a), f64::from(b), f64::from(c), f64::from(d)])
    }
}

impl<F: Add<Output = F>> Four<F> {
    pub(super) fn sum(self) -> F {
        let Self([a, b, c, d]) = self;
        (a + b) + (c + d)
    }
}

impl<F: Add<Output = F>> Add for Four<F> {
    type Output = Self;

    #[inline]
    fn add(self, Self([e, f, g, h]): Self) -> Self {
        let Self([a, b, c, d]) = self;
        Self([a + e, b + f, c + g, d + h])
    }
}

impl<F: Copy + Mul<Output = F>> Mul<F> for Four<F> {
    type Output = Self;

    #[inline]
    fn mul(self, by: F) -> Self {
        let Self([a, b, c, d]) = self;
        Self([a * by, b * by, c * by, d * by])
    }
}
