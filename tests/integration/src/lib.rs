//! Tests of the whole: the real program, real guests, real sockets. They are in `tests/all`; this
//! is what they share beyond the harness.

/// A few random numbers that a test can repeat: xorshift64* (Vigna 2016).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// From a seed other than 0; print it, so that a failure can be repeated.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % end.max(1)
    }
}

/// A component that does the same and has another digest: with a custom section of its own.
#[must_use]
pub fn variant(component: &[u8], mark: u64) -> Vec<u8> {
    let mark = format!("{mark:016x}");
    let mut bytes = component.to_vec();
    // Section 0: its size, then its name with its length, then anything.
    bytes.extend_from_slice(&[0, 4 + 16 + 1, 4]);
    bytes.extend_from_slice(b"mark");
    bytes.extend_from_slice(mark.as_bytes());
    bytes
}
