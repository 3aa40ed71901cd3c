//! The secret that makes processes one cluster, and the names of processes.

use crate::Invalid;
use serde::{Deserialize, Serialize};
use std::fmt;

/// `LODGE_CLUSTER_KEY`: the same on the supervisor and on its workers, never sent. Everything that
/// is encrypted or signed between them is, with keys derived from it.
#[derive(Clone)]
pub struct ClusterKey(Box<[u8]>);

/// The shortest, in characters.
const MIN_CHARACTERS: usize = 32;

impl ClusterKey {
    /// Takes the key as its raw bytes.
    ///
    /// # Errors
    /// It is too short. The key is not shown.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let length = text.chars().count();
        if length < MIN_CHARACTERS {
            return Err(Invalid::new(
                "LODGE_CLUSTER_KEY",
                format!("has {length} characters; give {MIN_CHARACTERS} or more, random ones"),
            ));
        }
        Ok(Self(text.as_bytes().into()))
    }

    /// What keys are derived from; each purpose has its own derivation.
    pub fn secret(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ClusterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterKey(…)")
    }
}

/// One run of one process: random, new with each start, so that nothing said to an earlier run is taken
/// for said to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BootId(pub [u8; 16]);

impl BootId {
    /// A fresh one.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl From<BootId> for String {
    fn from(id: BootId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for BootId {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}
