//! Proves that a request comes from a process of the cluster, and was meant for this run of that one.
//!
//! Each request is signed by itself: HMAC-SHA-256 under a key that is derived from the cluster key (by
//! HKDF, RFC 5869) for this purpose, this sender's run and this receiver's run. The cluster key is never
//! sent, and what was signed for one run of one process counts at no other. A signature covers the
//! method, path and query, the host, the app, the forwarding fields, the request's ID, a body's hash
//! where one is given, and a counter: a counter counts once, so that nothing can be replayed, and no clock
//! is asked.
//!
//! What bounds it: a receiver remembers the newest 49,152 counters of a sender ([`window`]) and a bounded
//! number of senders ([`senders`]). A request that is slower than so many others of its sender is refused.
//!
//! How it fails: closed. What is not covered (other fields, and bodies without a hash) can be changed by
//! whoever sits between the two processes: use `https` where somebody may.

mod fields;
mod senders;
mod window;

pub use fields::{Claim, OWN_FIELDS, SIGNATURE_FIELD, Signed};

use super::{BootId, ClusterKey};
use fields::Token;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Method, Uri};
use parking_lot::Mutex;
use senders::Senders;
use sha2::Sha256;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Separates this use of the cluster key from every other.
const SALT: &[u8] = b"lodge request signatures v1";

/// From so many receivers on, those that nobody signs for any more are forgotten.
const MANY_RECEIVERS: usize = 256;

type HmacSha256 = Hmac<Sha256>;

/// Why a request counts as nobody's. Says nothing of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The fields of the signature are missing, doubled or not what they should look like.
    #[error("its signature is malformed")]
    Malformed,
    /// Another key, another run of this process, or another request than was signed.
    #[error("its signature is not for this request to this run of this process")]
    Wrong,
    /// It came before, or so late that nobody can tell.
    #[error("it was sent before, or came too late")]
    Replayed,
    /// Its sender is one too many to be remembered.
    #[error("too many processes have signed requests to this one: restart it")]
    TooManySenders,
}

/// Signs requests of one run of a process.
pub struct Signer {
    keys: Keys,
    sender: BootId,
    receivers: Mutex<Receivers>,
}

#[derive(Default)]
struct Receivers {
    known: HashMap<BootId, Arc<Signing>>,
    /// Where a forgotten receiver's counter may have been at most: those that come later begin here.
    floor: u64,
}

/// Signs requests to one run of another process.
pub struct Signing {
    sender: BootId,
    mac: HmacSha256,
    next: AtomicU64,
}

impl Signer {
    /// Signs as `sender`.
    pub fn new(key: &ClusterKey, sender: BootId) -> Self {
        Self {
            keys: Keys::new(key),
            sender,
            receivers: Mutex::default(),
        }
    }

    /// For requests to this run of a process. Keep it: it costs a look-up and, at first, a derivation.
    pub fn to(&self, receiver: BootId) -> Arc<Signing> {
        let mut receivers = self.receivers.lock();
        if let Some(signing) = receivers.known.get(&receiver) {
            return signing.clone();
        }
        if receivers.known.len() >= MANY_RECEIVERS {
            receivers.forget_unused();
        }
        let signing = Arc::new(Signing {
            sender: self.sender,
            mac: self.keys.mac(self.sender, receiver),
            next: AtomicU64::new(receivers.floor),
        });
        receivers.known.insert(receiver, signing.clone());
        signing
    }
}

impl Receivers {
    fn forget_unused(&mut self) {
        let floor = &mut self.floor;
        self.known.retain(|_, signing| {
            let used = Arc::strong_count(signing) > 1;
            if !used {
                *floor = (*floor).max(signing.next.load(Relaxed));
            }
            used
        });
    }
}

impl Signing {
    /// Signs a request as it will be sent: later changes of what is covered make it a forgery. `uri` is
    /// its path and query. Fields of an earlier signature are replaced.
    pub fn sign(&self, method: &Method, uri: &Uri, headers: &mut HeaderMap, claim: &Claim<'_>) {
        claim.write(headers);
        let counter = self.next.fetch_add(1, Relaxed);
        let mut mac = self.mac.clone();
        fields::cover(&mut mac, counter, method, uri, headers);
        let token = Token {
            sender: self.sender,
            counter,
            tag: mac.finalize().into_bytes().into(),
        };
        headers.insert(SIGNATURE_FIELD, token.to_value());
    }
}

/// Checks requests that come to one run of a process.
pub struct Verifier {
    keys: Keys,
    own: BootId,
    senders: Senders,
}

impl Verifier {
    /// Checks what is signed for `own`.
    pub fn new(key: &ClusterKey, own: BootId) -> Self {
        Self {
            keys: Keys::new(key),
            own,
            senders: Senders::default(),
        }
    }

    /// What a signed request claims. Each counts once: ask once for each request.
    ///
    /// # Errors
    /// Why it counts as nobody's.
    pub fn verify(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Signed, SignatureError> {
        let token = Token::read(headers)?;
        // What is covered is the path and query, so there may be nothing else.
        if uri.authority().is_some() {
            return Err(SignatureError::Malformed);
        }
        let known = self.senders.get(token.sender);
        let mut mac = match &known {
            Some(sender) => sender.mac.clone(),
            None => self.keys.mac(token.sender, self.own),
        };
        let fresh = known.is_none().then(|| mac.clone());
        fields::cover(&mut mac, token.counter, method, uri, headers);
        mac.verify_slice(&token.tag)
            .map_err(|_| SignatureError::Wrong)?;
        let signed = Signed::read(token.sender, headers)?;
        let sender = match (known, fresh) {
            (Some(sender), _) => sender,
            (None, Some(mac)) => self.senders.admit(token.sender, mac)?,
            (None, None) => return Err(SignatureError::Wrong),
        };
        if !sender.window.admit(token.counter) {
            return Err(SignatureError::Replayed);
        }
        Ok(signed)
    }
}

/// Derives keys for pairs of processes.
struct Keys(Hkdf<Sha256>);

impl Keys {
    fn new(key: &ClusterKey) -> Self {
        Self(Hkdf::new(Some(SALT), key.secret()))
    }

    fn mac(&self, sender: BootId, receiver: BootId) -> HmacSha256 {
        let mut key = hmac::digest::Key::<HmacSha256>::default();
        let info = [&b"from"[..], &sender.0, b"to", &receiver.0];
        let derived = self.0.expand_multi_info(&info, &mut key);
        debug_assert!(derived.is_ok(), "only more than 8,160 bytes are too many");
        HmacSha256::new(&key)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.sender)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({})", self.own)
    }
}

#[cfg(test)]
mod tests;
