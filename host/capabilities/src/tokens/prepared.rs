//! A key made ready once: for signing, for verifying, and its public half.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::jwk::EllipticCurve;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation};
use lodge_model::{JwtAlgorithm, JwtKey, TokenError};
use std::sync::Once;

/// The shortest HS256 secret, in bytes: as long as the hash (RFC 7518, 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// The public half of a key pair.
pub(super) enum Public {
    /// Ed25519.
    Ed { x: Vec<u8> },
    /// RSA: modulus and exponent.
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

pub(super) struct PreparedKey {
    pub(super) id: String,
    pub(super) algorithm: Algorithm,
    pub(super) signing: EncodingKey,
    pub(super) verifying: DecodingKey,
    /// What every token signed with it must say.
    pub(super) rules: Validation,
    retired_at: Option<i64>,
}

impl PreparedKey {
    pub(super) fn new(key: &JwtKey) -> Result<Self, TokenError> {
        install_provider();
        let (algorithm, signing) = read(key)?;
        let verifying = match public_of(key, &signing)? {
            None => DecodingKey::from_secret(signing.as_bytes()),
            Some(Public::Ed { x }) => DecodingKey::from_ed_der(&x),
            Some(Public::Rsa { n, e }) => DecodingKey::from_rsa_raw_components(&n, &e),
        };
        let mut rules = Validation::new(algorithm);
        rules.validate_nbf = true;
        Ok(Self {
            id: key.id.clone(),
            algorithm,
            signing,
            verifying,
            rules,
            retired_at: key.retired_at,
        })
    }

    pub(super) fn in_force(&self, now: i64) -> bool {
        self.retired_at.is_none_or(|retired| now < retired)
    }

    /// As a token's header spells it.
    pub(super) fn algorithm_name(&self) -> &'static str {
        match self.algorithm {
            Algorithm::EdDSA => "EdDSA",
            Algorithm::RS256 => "RS256",
            _ => "HS256",
        }
    }
}

/// The public half of a key; none: it has none, since it is a secret.
pub(super) fn public(key: &JwtKey) -> Result<Option<Public>, TokenError> {
    install_provider();
    let (_, signing) = read(key)?;
    public_of(key, &signing)
}

pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn read(key: &JwtKey) -> Result<(Algorithm, EncodingKey), TokenError> {
    let secret = key.secret.0.as_str();
    match key.algorithm {
        JwtAlgorithm::HS256 => {
            let secret = decode_base64(secret.trim_end_matches('='))
                .filter(|secret| secret.len() >= MIN_SECRET_BYTES)
                .ok_or_else(|| {
                    unusable(key, "an HS256 secret is base64url of at least 32 bytes")
                })?;
            Ok((Algorithm::HS256, EncodingKey::from_secret(&secret)))
        }
        JwtAlgorithm::EdDSA => EncodingKey::from_ed_pem(secret.as_bytes())
            .map(|signing| (Algorithm::EdDSA, signing))
            .map_err(|_| unusable(key, "an EdDSA key is Ed25519, PKCS#8 in PEM")),
        JwtAlgorithm::RS256 => EncodingKey::from_rsa_pem(secret.as_bytes())
            .map(|signing| (Algorithm::RS256, signing))
            .map_err(|_| unusable(key, "an RS256 key is RSA, PKCS#8 in PEM")),
    }
}

fn public_of(key: &JwtKey, signing: &EncodingKey) -> Result<Option<Public>, TokenError> {
    let utils = &DEFAULT_PROVIDER.key_utils;
    let public = match key.algorithm {
        JwtAlgorithm::HS256 => return Ok(None),
        JwtAlgorithm::EdDSA => {
            (utils.ed_pub_components_from_private_key)(signing.as_bytes(), &EllipticCurve::Ed25519)
                .map(|x| Public::Ed { x })
        }
        JwtAlgorithm::RS256 => (utils.rsa_pub_components_from_private_key)(signing.as_bytes())
            .map(|(n, e)| Public::Rsa { n, e }),
    };
    public
        .map(Some)
        .map_err(|_| unusable(key, "its private key cannot be read"))
}

/// Why a key cannot be used, without a byte of it.
fn unusable(key: &JwtKey, why: &str) -> TokenError {
    TokenError::Unavailable(format!("the key `{}` cannot be used: {why}", key.id))
}

/// Names the cryptography for the process, so that nothing is left to what features other crates
/// switch on.
fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // It is already there only if somebody chose one before, and then it serves as well.
        let _ = DEFAULT_PROVIDER.install_default();
    });
}
