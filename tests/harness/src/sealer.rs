//! A sealer for tests: it hides, binds and detects, and is no cipher.

use lodge_model::{SEALED, SealError, Sealer};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Seals with a number for a key.
#[derive(Debug, Clone, Copy)]
pub struct TestSealer(pub u64);

impl TestSealer {
    fn hash(self, parts: (&str, &str, &str, usize)) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.0, parts).hash(&mut hasher);
        hasher.finish()
    }

    fn mix(self, purpose: &str, bytes: &[u8], bound_to: &str) -> Vec<u8> {
        let key = |i| self.hash((purpose, bound_to, "stream", i)).to_le_bytes()[0];
        bytes.iter().enumerate().map(|(i, b)| b ^ key(i)).collect()
    }
}

impl Sealer for TestSealer {
    fn seal(&self, purpose: &str, plain: &str, bound_to: &str) -> Result<String, SealError> {
        let tag = self.hash((purpose, bound_to, plain, 0));
        let hidden = self.mix(purpose, plain.as_bytes(), bound_to);
        let hex: String = hidden.iter().map(|b| format!("{b:02x}")).collect();
        Ok(format!("{SEALED}{tag:016x}{hex}"))
    }

    fn open(&self, purpose: &str, sealed: &str, bound_to: &str) -> Result<String, SealError> {
        let failed = || SealError("it does not open with this key".into());
        let rest = sealed.strip_prefix(SEALED).ok_or_else(failed)?;
        let (tag, hex) = rest.split_at_checked(16).ok_or_else(failed)?;
        let digits = hex.as_bytes().chunks(2);
        let hidden: Option<Vec<u8>> = digits
            .map(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 16).ok())
            .collect();
        let plain = self.mix(purpose, &hidden.ok_or_else(failed)?, bound_to);
        let plain = String::from_utf8(plain).map_err(|_| failed())?;
        let right = format!("{:016x}", self.hash((purpose, bound_to, &plain, 0))) == tag;
        right.then_some(plain).ok_or_else(failed)
    }
}
