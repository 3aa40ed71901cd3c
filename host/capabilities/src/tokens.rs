//! JSON Web Tokens: signed and verified with keys that the guest never sees.
//!
//! The key decides the algorithm, never the token: a token is verified by the key that its `kid`
//! names, with that key's own algorithm, so that neither `none` nor a swapped algorithm gets through.
//! What bounds it: claims of 16 KiB, tokens of 32 KiB, a leeway of 300 s.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use lodge_model::{AppId, Expectations, JwtAlgorithm, JwtKey, SignOptions, TokenError, Tokens};
use serde_json::{Map, Value};
use std::time::{SystemTime, UNIX_EPOCH};

const CLAIMS_BYTES: usize = 16 << 10;
const TOKEN_BYTES: usize = 32 << 10;
const LEEWAY_SECONDS: u32 = 300;
/// A token is in force this long if its maker does not say.
const LIFETIME_SECONDS: u32 = 3_600;

/// One app's tokens.
pub(crate) struct AppTokens {
    app: AppId,
    signing: Option<(Header, EncodingKey)>,
    verifying: Vec<Verifier>,
}

struct Verifier {
    id: String,
    algorithm: Algorithm,
    key: DecodingKey,
    retired_at: Option<i64>,
}

impl AppTokens {
    /// From the app's keys: the first signs, all that are in force verify.
    ///
    /// # Errors
    /// A key is not one; the text names it.
    pub(crate) fn new(app: AppId, keys: &[JwtKey]) -> Result<Self, String> {
        let mut signing = None;
        let mut verifying = Vec::new();
        for key in keys {
            let broken = |e: jsonwebtoken::errors::Error| format!("the key {}: {e}", key.id);
            let (algorithm, encoding, decoding) = prepare(key).map_err(broken)?;
            if signing.is_none() && key.retired_at.is_none() {
                let mut header = Header::new(algorithm);
                header.kid = Some(key.id.clone());
                signing = Some((header, encoding));
            }
            verifying.push(Verifier {
                id: key.id.clone(),
                algorithm,
                key: decoding,
                retired_at: key.retired_at,
            });
        }
        Ok(Self {
            app,
            signing,
            verifying,
        })
    }
}

/// A key's algorithm, its signing and its verifying half.
fn prepare(
    key: &JwtKey,
) -> Result<(Algorithm, EncodingKey, DecodingKey), jsonwebtoken::errors::Error> {
    let secret = key.secret.0.as_str();
    match key.algorithm {
        JwtAlgorithm::HS256 => {
            let bytes = URL_SAFE_NO_PAD
                .decode(secret)
                .map_err(|_| ErrorKind::InvalidKeyFormat)?;
            Ok((
                Algorithm::HS256,
                EncodingKey::from_secret(&bytes),
                DecodingKey::from_secret(&bytes),
            ))
        }
    }
}

fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl Tokens for AppTokens {
    fn sign(&self, claims: &str, options: &SignOptions) -> Result<String, TokenError> {
        if claims.len() > CLAIMS_BYTES {
            return Err(malformed(format!(
                "claims have at most {CLAIMS_BYTES} bytes"
            )));
        }
        let mut claims: Map<String, Value> = serde_json::from_str(claims)
            .map_err(|e| malformed(format!("claims are a JSON object: {e}")))?;
        let (header, key) = self
            .signing
            .as_ref()
            .ok_or_else(|| TokenError::Unavailable("the app has no key that is in force".into()))?;
        let now = now();
        let lifetime = options.expires_in.unwrap_or(LIFETIME_SECONDS);
        let mut fill = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                claims.entry(name).or_insert(value);
            }
        };
        fill("iat", Some(now.into()));
        fill("exp", Some((now + i64::from(lifetime)).into()));
        fill(
            "nbf",
            options.not_before_in.map(|s| (now + i64::from(s)).into()),
        );
        let issuer = options.issuer.clone();
        fill(
            "iss",
            Some(issuer.unwrap_or_else(|| self.app.to_string()).into()),
        );
        fill("aud", options.audience.clone().map(Value::from));
        fill("sub", options.subject.clone().map(Value::from));
        jsonwebtoken::encode(header, &claims, key).map_err(|e| malformed(e.to_string()))
    }

    fn verify(&self, token: &str, expected: &Expectations) -> Result<String, TokenError> {
        if token.len() > TOKEN_BYTES {
            return Err(malformed(format!(
                "a token has at most {TOKEN_BYTES} bytes"
            )));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|e| malformed(e.to_string()))?;
        let in_force = |key: &&Verifier| key.retired_at.is_none_or(|at| at > now());
        let named = |key: &&Verifier| header.kid.as_ref().is_none_or(|id| *id == key.id);
        let key = self
            .verifying
            .iter()
            .filter(in_force)
            .find(named)
            .ok_or(TokenError::BadSignature)?;
        if header.alg != key.algorithm {
            return Err(TokenError::BadSignature);
        }
        let decoded =
            jsonwebtoken::decode::<Map<String, Value>>(token, &key.key, &validation(key, expected))
                .map_err(|e| refused(&e, expected))?;
        // Without an expected audience, a token for one is somebody else's.
        if expected.audience.is_none() && decoded.claims.contains_key("aud") {
            return Err(TokenError::Unexpected(
                "the token is for an audience, and none was expected".into(),
            ));
        }
        Ok(Value::Object(decoded.claims).to_string())
    }
}

fn validation(key: &Verifier, expected: &Expectations) -> Validation {
    let mut validation = Validation::new(key.algorithm);
    validation.leeway = u64::from(expected.leeway.min(LEEWAY_SECONDS));
    validation.validate_nbf = true;
    validation.set_required_spec_claims(&["exp"]);
    match &expected.audience {
        Some(audience) => {
            validation.set_audience(&[audience]);
            validation.required_spec_claims.insert("aud".into());
        }
        None => validation.validate_aud = false,
    }
    if let Some(issuer) = &expected.issuer {
        validation.set_issuer(&[issuer]);
        validation.required_spec_claims.insert("iss".into());
    }
    validation
}

fn malformed(text: String) -> TokenError {
    TokenError::Malformed(text)
}

fn refused(error: &jsonwebtoken::errors::Error, expected: &Expectations) -> TokenError {
    let other = |what: &str, value: &Option<String>| {
        let value = value.as_deref().unwrap_or_default();
        TokenError::Unexpected(format!("the token's {what} is not `{value}`"))
    };
    match error.kind() {
        ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => TokenError::BadSignature,
        ErrorKind::ExpiredSignature => TokenError::Expired,
        ErrorKind::ImmatureSignature => TokenError::NotYetValid,
        ErrorKind::InvalidIssuer => other("issuer", &expected.issuer),
        ErrorKind::InvalidAudience => other("audience", &expected.audience),
        ErrorKind::MissingRequiredClaim(claim) if claim != "exp" => {
            TokenError::Unexpected(format!("the token has no `{claim}`"))
        }
        _ => malformed(error.to_string()),
    }
}

/// An HS256 key from 32 bytes of the host's.
pub(crate) fn hs256(id: &str, secret: &[u8; 32]) -> JwtKey {
    JwtKey {
        id: id.to_owned(),
        algorithm: JwtAlgorithm::HS256,
        secret: lodge_model::Secret(URL_SAFE_NO_PAD.encode(secret)),
        retired_at: None,
    }
}

#[cfg(test)]
#[path = "tokens/tests.rs"]
mod tests;
