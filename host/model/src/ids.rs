//! Typed identifiers. Each is checked when made, so that holding one means it is well formed.

use crate::Invalid;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Names that would shadow Lodge's own paths and hosts.
const RESERVED_APP_IDS: &[&str] = &[
    "admin",
    "api",
    "apps",
    "assets",
    "console",
    "healthz",
    "localhost",
    "lodge",
    "main",
    "metrics",
    "readyz",
    "static",
    "supervisor",
    "worker",
    "www",
];

/// Letters of a generated app ID: no vowels, so that none spells a word.
const GENERATED_ALPHABET: &[u8; 32] = b"0123456789bcdfghjklmnpqrstvwxyz_";

/// An app's name in paths and host names: `^[a-z][a-z0-9_-]{0,62}$`, not ending in `-` or `_`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AppId(Box<str>);

impl AppId {
    /// A fresh ID: `a_` and 11 random characters (about 55 bits; uniqueness is still checked on
    /// insertion). `random` supplies the bytes.
    pub fn generate(random: [u8; 11]) -> Self {
        let mut id = String::from("a_");
        for (position, byte) in random.iter().enumerate() {
            // The last character may not be `_`, the 32nd letter.
            let letters = if position == 10 { 31 } else { 32 };
            let letter = GENERATED_ALPHABET.get(usize::from(*byte) % letters);
            id.push(char::from(*letter.unwrap_or(&b'0')));
        }
        Self(id.into())
    }

    /// The ID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ID as a host name label: `_` shows as `-`, since host names allow no underscore
    /// (RFC 952, RFC 1123). Two apps may not share a label.
    pub fn host_label(&self) -> String {
        self.0.replace('_', "-")
    }
}

impl FromStr for AppId {
    type Err = Invalid;

    fn from_str(id: &str) -> Result<Self, Invalid> {
        let shape = id.starts_with(|c: char| c.is_ascii_lowercase())
            && id.len() <= 63
            && id
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
            && !id.ends_with(['-', '_']);
        if !shape {
            return Err(Invalid::new(
                "id",
                "must start with a lower-case letter, hold only a-z, 0-9, `-` and `_`, end in a \
                 letter or digit, and have at most 63 characters",
            ));
        }
        if RESERVED_APP_IDS.contains(&id) {
            return Err(Invalid::new(
                "id",
                format!("`{id}` is reserved for Lodge itself: choose another"),
            ));
        }
        Ok(Self(id.into()))
    }
}

impl TryFrom<String> for AppId {
    type Error = Invalid;
    fn try_from(id: String) -> Result<Self, Invalid> {
        id.parse()
    }
}

impl From<AppId> for String {
    fn from(id: AppId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for AppId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The SHA-256 of a component's bytes: its identity.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// Wraps a computed SHA-256.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.to_hex())
    }
}

impl FromStr for Digest {
    type Err = Invalid;

    /// Takes 64 hexadecimal digits, with or without a `sha256:` before them.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes)
            .map_err(|_| Invalid::new("digest", "must be a SHA-256 in 64 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_hex()
    }
}

/// The name of a place where apps run: `local`, or a worker's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EnvironmentName(Box<str>);

impl EnvironmentName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EnvironmentName {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if name.is_empty() || name.len() > 63 || !name.bytes().all(allowed) {
            return Err(Invalid::new(
                "environments",
                format!(
                    "`{name}` is not an environment's name: 1 to 63 letters, digits, `-`, `_` or `.`"
                ),
            ));
        }
        Ok(Self(name.into()))
    }
}

impl TryFrom<String> for EnvironmentName {
    type Error = Invalid;
    fn try_from(name: String) -> Result<Self, Invalid> {
        name.parse()
    }
}

impl From<EnvironmentName> for String {
    fn from(name: EnvironmentName) -> Self {
        name.0.into()
    }
}

impl fmt::Display for EnvironmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One lifecycle request's ID: `op_` and 26 lower-case letters and digits that sort by time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(String);

impl OperationId {
    /// An ID from the time in milliseconds since 1970 and ten random bytes.
    pub fn generate(unix_ms: u64, random: [u8; 8]) -> Self {
        Self(format!("op_{unix_ms:011x}{}", hex::encode(random)))
    }

    /// Wraps an ID read from the control database or a request's path.
    pub fn from_text(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The ID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_ids_are_host_name_labels_in_disguise() {
        for good in ["a", "shop", "a_1", "crm-eu", &"x".repeat(63)] {
            assert!(good.parse::<AppId>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "1a",
            "A",
            "a-",
            "a_",
            "a.b",
            "api",
            "ä",
            &"x".repeat(64),
        ] {
            assert!(bad.parse::<AppId>().is_err(), "{bad}");
        }
        assert_eq!("a_b".parse::<AppId>().unwrap().host_label(), "a-b");
    }

    #[test]
    fn generated_ids_are_valid_whatever_the_randomness() {
        for byte in 0..=255 {
            let id = AppId::generate([byte; 11]);
            assert_eq!(id.as_str().parse::<AppId>().unwrap(), id);
        }
    }

    #[test]
    fn digests_read_back() {
        let digest = Digest::from_bytes([7; 32]);
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        assert_eq!(
            format!("sha256:{digest}").parse::<Digest>().unwrap(),
            digest
        );
        assert!("12".parse::<Digest>().is_err());
    }
}
