//! New keys, and the public ones as other services read them.

use super::prepared::{Public, public};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use lodge_model::{JwtAlgorithm, JwtKey, Secret, TokenError};
use serde_json::{Value, json};

/// A new key, in force: 32 random bytes, an Ed25519 or an RSA key of 2048 bits (which takes about a
/// tenth of a second).
///
/// # Errors
/// [`TokenError::Unavailable`]: the system gives no random bytes.
pub fn generate(algorithm: JwtAlgorithm) -> Result<JwtKey, TokenError> {
    let secret = match algorithm {
        JwtAlgorithm::HS256 => URL_SAFE_NO_PAD.encode(random::<32>()?),
        JwtAlgorithm::EdDSA => {
            let pair = Ed25519KeyPair::generate().map_err(no_random)?;
            pem(pair.to_pkcs8v1().map_err(no_random)?.as_ref())
        }
        JwtAlgorithm::RS256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(no_random)?;
            let der: Pkcs8V1Der<'_> = pair.as_der().map_err(no_random)?;
            pem(der.as_ref())
        }
    };
    Ok(JwtKey {
        id: URL_SAFE_NO_PAD.encode(random::<12>()?),
        algorithm,
        secret: Secret(secret),
        retired_at: None,
    })
}

/// The JSON Web Key Set (RFC 7517) of `keys`: the public ones in force. Secrets (HS256) are left out,
/// and so are keys that cannot be read.
#[must_use]
pub fn jwks(keys: &[JwtKey]) -> Value {
    let encode = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
    let now = super::now();
    let in_force = |key: &&JwtKey| key.retired_at.is_none_or(|retired| now < retired);
    let keys = keys.iter().filter(in_force).filter_map(|key| match public(key) {
        Ok(Some(Public::Ed { x })) => Some(json!({
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.id, "x": encode(x),
        })),
        Ok(Some(Public::Rsa { n, e })) => Some(json!({
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": key.id, "n": encode(n), "e": encode(e),
        })),
        Ok(None) | Err(_) => None,
    });
    json!({ "keys": keys.collect::<Vec<_>>() })
}

fn random<const N: usize>() -> Result<[u8; N], TokenError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(no_random)?;
    Ok(bytes)
}

fn no_random(_: aws_lc_rs::error::Unspecified) -> TokenError {
    TokenError::Unavailable("no key can be made: the system gives no random bytes".into())
}

/// A private key in PEM (RFC 7468).
fn pem(der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut text = String::from("-----BEGIN PRIVATE KEY-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        // Base64 is ASCII: any position is a character's border.
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END PRIVATE KEY-----\n");
    text
}
