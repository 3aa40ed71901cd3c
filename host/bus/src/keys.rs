//! What is derived from the cluster's key: one key a purpose, and the names in Redis.
//!
//! HKDF-SHA256 (RFC 5869). Each derived key is one block of it, so that expanding is one HMAC; that
//! cannot fail, unlike the library's general form.

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use lodge_model::{BootId, ClusterKey, EnvironmentName};

/// Of this form of the messages: another form has other keys, and neither takes the other's for its own.
const SALT: &[u8] = b"lodge cluster 1";

/// What a worker proves that it was addressed by: 16 bytes.
pub(crate) type Mark = [u8; 16];

/// The derived keys.
pub(crate) struct Keys {
    extracted: hmac::Key,
    /// Begins every name in Redis, so that clusters that share one do not meet.
    pub(crate) prefix: String,
    /// Encrypts specifications.
    pub(crate) specification: [u8; 32],
    challenge: hmac::Key,
}

impl Keys {
    /// Derives them.
    pub(crate) fn new(key: &ClusterKey) -> Self {
        let salt = hmac::Key::new(HMAC_SHA256, SALT);
        let extracted = hmac::sign(&salt, key.secret());
        let extracted = hmac::Key::new(HMAC_SHA256, extracted.as_ref());
        let name = derive(&extracted, b"prefix");
        let challenge = hmac::Key::new(HMAC_SHA256, &derive(&extracted, b"challenge"));
        let digits = hex::encode(name.first_chunk::<4>().copied().unwrap_or_default());
        Self {
            prefix: format!("lodge:{digits}:"),
            specification: derive(&extracted, b"specification"),
            challenge,
            extracted,
        }
    }

    /// The key that authenticates one kind of message.
    pub(crate) fn message(&self, kind: u8) -> hmac::Key {
        let key = derive(&self.extracted, &[b"message ".as_slice(), &[kind]].concat());
        hmac::Key::new(HMAC_SHA256, &key)
    }

    /// What a worker must answer before a supervisor believes it. Nobody without the key can tell it
    /// beforehand; it is another one for each process on either side and for each `epoch`.
    pub(crate) fn challenge(
        &self,
        supervisor: BootId,
        environment: &EnvironmentName,
        worker: BootId,
        epoch: u64,
    ) -> Mark {
        let mut context = hmac::Context::with_key(&self.challenge);
        context.update(&supervisor.0);
        context.update(&worker.0);
        context.update(&epoch.to_be_bytes());
        context.update(environment.as_str().as_bytes());
        let tag = context.sign();
        tag.as_ref().first_chunk().copied().unwrap_or_default()
    }
}

/// One block of HKDF's expansion.
fn derive(extracted: &hmac::Key, purpose: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(extracted, &[purpose, &[1]].concat());
    tag.as_ref().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::hkdf;

    struct Length(usize);

    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }

    #[test]
    fn it_is_hkdf() {
        let secret = "a secret of more than thirty-two characters";
        let keys = Keys::new(&ClusterKey::new(secret).unwrap());
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT);
        let mut expected = [0; 32];
        salt.extract(secret.as_bytes())
            .expand(&[b"specification"], Length(32))
            .unwrap()
            .fill(&mut expected)
            .unwrap();
        assert_eq!(keys.specification, expected);
    }
}
