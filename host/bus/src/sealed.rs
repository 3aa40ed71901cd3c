//! Specifications as Redis has them: encrypted, and bound to environment, app and revision.
//!
//! AES-256-GCM-SIV (RFC 8452) with random nonces of 96 bits. A nonce that comes twice, which is not to
//! be expected before some 2^32 specifications, would show no more than whether two specifications
//! with the same bound facts are the same: of this cipher, unlike GCM, that is all that is lost.
//!
//! Form: revision (3 × 8 bytes), nonce (12), ciphertext with its tag.

use crate::keys::Keys;
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, Nonce, RandomizedNonceKey};
use lodge_model::{AppId, EnvironmentName, LinkError, Revision, Specification};

const REVISION: usize = 24;

/// The specification's form in Redis.
///
/// # Errors
/// The system gives no randomness.
pub(crate) fn seal(keys: &Keys, specification: &Specification) -> Result<Vec<u8>, LinkError> {
    let failed = |_| LinkError("a specification cannot be encrypted".to_owned());
    let revision = encode(specification.revision);
    let bound = bind(&specification.environment, &specification.app, &revision);
    let mut text = serde_json::to_vec(specification)
        .map_err(|_| LinkError("a specification has no JSON form".to_owned()))?;
    let key = RandomizedNonceKey::new(&AES_256_GCM_SIV, &keys.specification).map_err(failed)?;
    let nonce = key
        .seal_in_place_append_tag(Aad::from(bound), &mut text)
        .map_err(failed)?;
    Ok([revision.as_slice(), nonce.as_ref(), &text].concat())
}

/// The specification of an app in an environment; `None`: it is not genuine, or another's.
pub(crate) fn open(
    keys: &Keys,
    environment: &EnvironmentName,
    app: &AppId,
    bytes: &[u8],
) -> Option<Specification> {
    let (revision, rest) = bytes.split_first_chunk::<REVISION>()?;
    let (nonce, sealed) = rest.split_first_chunk::<12>()?;
    let key = RandomizedNonceKey::new(&AES_256_GCM_SIV, &keys.specification).ok()?;
    let bound = bind(environment, app, revision);
    let mut text = sealed.to_vec();
    let text = key
        .open_in_place(Nonce::from(nonce), Aad::from(bound), &mut text)
        .ok()?;
    let found: Specification = serde_json::from_slice(text).ok()?;
    let fits = found.app == *app
        && found.environment == *environment
        && encode(found.revision) == *revision;
    fits.then_some(found)
}

fn encode(revision: Revision) -> [u8; REVISION] {
    let mut bytes = [0; REVISION];
    let parts = [
        revision.generation.to_be_bytes(),
        revision.term.to_be_bytes(),
        revision.step.to_be_bytes(),
    ];
    for (place, part) in bytes.chunks_exact_mut(8).zip(parts) {
        place.copy_from_slice(&part);
    }
    bytes
}

/// What the ciphertext is bound to. Names have at most 63 bytes: one says how long each is.
fn bind(environment: &EnvironmentName, app: &AppId, revision: &[u8; REVISION]) -> Vec<u8> {
    let mut bound = Vec::with_capacity(160);
    for name in [environment.as_str(), app.as_str()] {
        bound.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        bound.extend_from_slice(name.as_bytes());
    }
    bound.extend_from_slice(revision);
    bound
}
