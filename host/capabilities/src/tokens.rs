//! JSON Web Tokens, signed and verified with an app's keys, which its guests never see.
//!
//! A key has one algorithm, and a token is checked with that: what the token's own header says only
//! picks among the app's keys, so a public key never becomes an HMAC secret and `none` is nothing
//! (RFC 8725, 3.1). A key of another app is not tried at all. Shared keys are the same [`JwtKey`] in
//! several apps.
//!
//! Rotation: the first key signs, all of them verify until their `retired_at`.
//!
//! What bounds it: claims have [`CLAIMS_BYTES`], tokens [`TOKEN_BYTES`], an app [`MAX_KEYS`] keys.
//! Keys are prepared once; signing RS256 costs about a millisecond, everything else microseconds.
//!
//! How it fails: every refusal says which rule; none of them shows a key.

mod make;
mod prepared;

pub use make::{generate, jwks};

use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Header, Validation};
use lodge_model::{AppId, Expectations, JwtKey, SignOptions, TokenError, Tokens};
use prepared::PreparedKey;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, map::Entry};
use std::time::{SystemTime, UNIX_EPOCH};

/// Claims, in bytes of JSON.
pub const CLAIMS_BYTES: usize = 16 * 1024;

/// A token that is verified, in bytes: claims, what the host adds, and the largest signature.
pub const TOKEN_BYTES: usize = 32 * 1024;

/// The longest leeway, in seconds.
pub const MAX_LEEWAY: u32 = 300;

/// Keys of one app, those in their overlap included.
pub const MAX_KEYS: usize = 16;

/// How long a token is good for if nobody says, in seconds.
const DEFAULT_EXPIRES_IN: u32 = 3_600;

/// One app's tokens.
pub struct AppTokens {
    app: AppId,
    keys: Vec<PreparedKey>,
}

/// What is read of a token's header before anything is checked.
#[derive(Deserialize)]
struct Hint {
    alg: String,
    kid: Option<String>,
    /// Extensions that a verifier must understand (RFC 7515, 4.1.11). Lodge understands none.
    crit: Option<IgnoredAny>,
}

impl AppTokens {
    /// Prepares an app's keys.
    ///
    /// # Errors
    /// [`TokenError::Unavailable`]: which key cannot be used, and why. For administrators.
    pub fn new(app: &AppId, keys: &[JwtKey]) -> Result<Self, TokenError> {
        if keys.len() > MAX_KEYS {
            return Err(TokenError::Unavailable(format!(
                "the app has {} keys, and {MAX_KEYS} is the most: remove retired ones",
                keys.len()
            )));
        }
        let keys = keys
            .iter()
            .map(PreparedKey::new)
            .collect::<Result<_, _>>()?;
        let app = app.clone();
        Ok(Self { app, keys })
    }

    /// The claims with what the host fills in. A claim that is there stays.
    fn complete(
        &self,
        claims: &str,
        options: &SignOptions,
    ) -> Result<Map<String, Value>, TokenError> {
        if claims.len() > CLAIMS_BYTES {
            return Err(malformed(format!(
                "the claims have {} bytes, and {CLAIMS_BYTES} is the most",
                claims.len()
            )));
        }
        let mut claims: Map<String, Value> = serde_json::from_str(claims)
            .map_err(|error| malformed(format!("the claims are not a JSON object: {error}")))?;
        let now = now();
        let in_seconds = |seconds: u32| Value::from(now.saturating_add(i64::from(seconds)));
        let mut fill = |name: &str, value: Option<Value>| {
            if let (Entry::Vacant(place), Some(value)) = (claims.entry(name), value) {
                place.insert(value);
            }
        };
        let text = |text: &Option<String>| text.clone().map(Value::String);
        let issuer = options.issuer.as_deref().unwrap_or(self.app.as_str());
        fill("iss", Some(Value::from(issuer)));
        fill("aud", text(&options.audience));
        fill("sub", text(&options.subject));
        fill("iat", Some(Value::from(now)));
        fill("nbf", options.not_before_in.map(in_seconds));
        fill(
            "exp",
            Some(in_seconds(options.expires_in.unwrap_or(DEFAULT_EXPIRES_IN))),
        );
        check_registered(&claims)?;
        Ok(claims)
    }

    fn candidates(&self, hint: &Hint, now: i64) -> impl Iterator<Item = &PreparedKey> {
        self.keys.iter().filter(move |key| {
            key.in_force(now)
                && key.algorithm_name() == hint.alg
                && hint.kid.as_ref().is_none_or(|kid| *kid == key.id)
        })
    }
}

impl Tokens for AppTokens {
    fn sign(&self, claims: &str, options: &SignOptions) -> Result<String, TokenError> {
        let claims = self.complete(claims, options)?;
        let key = self.keys.first().filter(|key| key.in_force(now()));
        let key = key.ok_or_else(|| {
            TokenError::Unavailable(
                "the app has no key to sign with: an administrator must make one".into(),
            )
        })?;
        let mut header = Header::new(key.algorithm);
        header.kid = Some(key.id.clone());
        let token = jsonwebtoken::encode(&header, &claims, &key.signing)
            .map_err(|_| TokenError::Unavailable("the host could not sign".into()))?;
        if token.len() > TOKEN_BYTES {
            return Err(malformed(format!(
                "the token would have more than {TOKEN_BYTES} bytes"
            )));
        }
        Ok(token)
    }

    fn verify(&self, token: &str, expected: &Expectations) -> Result<String, TokenError> {
        if expected.leeway > MAX_LEEWAY {
            return Err(malformed(format!(
                "a leeway of {MAX_LEEWAY} seconds is the most"
            )));
        }
        if token.len() > TOKEN_BYTES {
            return Err(malformed(format!(
                "a token has at most {TOKEN_BYTES} bytes"
            )));
        }
        let hint = read_header(token)?;
        for key in self.candidates(&hint, now()) {
            match jsonwebtoken::decode::<IgnoredAny>(token, &key.verifying, &rules(key, expected)) {
                // Another key of the same algorithm may have signed it.
                Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => {}
                Err(error) => return Err(refusal(&error)),
                Ok(_) => return payload(token),
            }
        }
        Err(TokenError::BadSignature)
    }
}

/// What a token signed with `key` must say.
fn rules(key: &PreparedKey, expected: &Expectations) -> Validation {
    let mut rules = key.rules.clone();
    rules.leeway = u64::from(expected.leeway);
    if let Some(issuer) = &expected.issuer {
        rules.set_issuer(&[issuer]);
        rules.required_spec_claims.insert("iss".into());
    }
    // Without an expected audience, a token that has one is refused.
    if let Some(audience) = &expected.audience {
        rules.set_audience(&[audience]);
        rules.required_spec_claims.insert("aud".into());
    }
    rules
}

fn read_header(token: &str) -> Result<Hint, TokenError> {
    let encoded = token.split('.').next().unwrap_or_default();
    let hint = prepared::decode_base64(encoded)
        .and_then(|bytes| serde_json::from_slice::<Hint>(&bytes).ok())
        .ok_or_else(|| malformed("not a token: its header cannot be read"))?;
    if hint.crit.is_some() {
        return Err(malformed(
            "the token's header has `crit`, which is not supported",
        ));
    }
    Ok(hint)
}

/// The claims of a token that was verified, as they were signed.
fn payload(token: &str) -> Result<String, TokenError> {
    let encoded = token.split('.').nth(1).unwrap_or_default();
    prepared::decode_base64(encoded)
        .filter(|claims| claims.trim_ascii_start().starts_with(b"{"))
        .and_then(|claims| String::from_utf8(claims).ok())
        .ok_or_else(|| malformed("the token's claims are not a JSON object"))
}

/// The claims that verifying looks at must be of their kind (RFC 7519, 4.1), or no token would ever
/// be accepted.
fn check_registered(claims: &Map<String, Value>) -> Result<(), TokenError> {
    let is_time = |value: &Value| value.as_f64().is_some_and(|seconds| seconds >= 0.0);
    let is_audience = |value: &Value| match value {
        Value::Array(items) => items.iter().all(Value::is_string),
        value => value.is_string(),
    };
    for (name, value) in claims {
        let (good, kind) = match name.as_str() {
            "exp" | "nbf" | "iat" => (is_time(value), "a number of seconds since 1970"),
            "iss" | "sub" => (value.is_string(), "a string"),
            "aud" => (is_audience(value), "a string, or a list of strings"),
            _ => continue,
        };
        if !good {
            return Err(malformed(format!("the claim `{name}` must be {kind}")));
        }
    }
    Ok(())
}

fn refusal(error: &Error) -> TokenError {
    match error.kind() {
        ErrorKind::ExpiredSignature => TokenError::Expired,
        ErrorKind::ImmatureSignature => TokenError::NotYetValid,
        ErrorKind::InvalidIssuer => TokenError::Unexpected("the token's issuer is another".into()),
        ErrorKind::InvalidAudience => {
            TokenError::Unexpected("the token is for another audience".into())
        }
        ErrorKind::MissingRequiredClaim(claim) if claim == "exp" => {
            malformed("the token has no time at which it expires (`exp`)")
        }
        ErrorKind::MissingRequiredClaim(claim) => {
            TokenError::Unexpected(format!("the token has no `{claim}`"))
        }
        ErrorKind::InvalidAlgorithm => TokenError::BadSignature,
        _ => malformed("not a token, or its claims are not a JSON object"),
    }
}

fn malformed(text: impl Into<String>) -> TokenError {
    TokenError::Malformed(text.into())
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}
