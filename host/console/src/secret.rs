//! Opaque secrets: session and API tokens, generated passwords, and references for the log.
//!
//! A token is 32 random bytes behind a prefix that secret scanners can know. Only its SHA-256 is
//! stored: it has so much randomness that a slow hash would add nothing, and who reads the
//! database cannot use what is there.

use sha2::{Digest as _, Sha256};

/// What a session token starts with.
pub(crate) const SESSION_PREFIX: &str = "lodge_session_";
/// What an API token starts with.
pub(crate) const TOKEN_PREFIX: &str = "lodge_token_";

/// Letters of a generated password: none that look alike.
const PASSWORD_LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The operating system gave no randomness; nothing secret can be made.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no randomness: {0}")]
pub struct NoRandomness(#[from] getrandom::Error);

/// A fresh token: the prefix and 64 hexadecimal digits.
pub(crate) fn token(prefix: &str) -> Result<String, NoRandomness> {
    Ok(format!("{prefix}{}", hex::encode(random::<32>()?)))
}

/// What is stored of a token.
pub(crate) fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// A fresh ID with about 80 random bits.
pub(crate) fn id(prefix: &str) -> Result<String, NoRandomness> {
    Ok(format!("{prefix}{}", hex::encode(random::<10>()?)))
}

/// A password of 20 letters and digits in groups of five: 100 random bits.
pub(crate) fn password() -> Result<String, NoRandomness> {
    let mut password = String::with_capacity(23);
    for (index, byte) in random::<20>()?.into_iter().enumerate() {
        if index > 0 && index % 5 == 0 {
            password.push('-');
        }
        let letter = PASSWORD_LETTERS
            .get(usize::from(byte % 32))
            .copied()
            .unwrap_or(b'a');
        password.push(char::from(letter));
    }
    Ok(password)
}

/// A reference that ties an answer to a log line. Not a secret, so that missing randomness, in
/// the middle of reporting something else, is no reason to fail.
pub(crate) fn reference() -> String {
    hex::encode(random::<6>().unwrap_or_default())
}

fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_differ() {
        let (one, two) = (
            token(SESSION_PREFIX).unwrap(),
            token(SESSION_PREFIX).unwrap(),
        );
        assert_ne!(one, two);
        assert_eq!(one.len(), SESSION_PREFIX.len() + 64);
        assert_eq!(hash(&one).len(), 64);
        let password = password().unwrap();
        assert_eq!(password.len(), 23);
        assert_eq!(password.split('-').count(), 4);
    }
}
