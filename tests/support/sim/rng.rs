//! Seeded chance: splitmix64 (Steele, Lea, Flood 2014), a few lines and the same numbers everywhere.

#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_F491_4F6C_DD1D))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From `low` to `high`, both inside.
    pub fn within(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low + 1).expect("low is not above high");
        low + i64::try_from(self.next() % span).expect("spans are small")
    }

    pub fn chance(&mut self, percent: i64) -> bool {
        self.within(1, 100) <= percent
    }

    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        let ix = self.within(0, i64::try_from(of.len()).expect("lists are short") - 1);
        of[usize::try_from(ix).expect("not negative")].clone()
    }
}
