//! JSON Web Tokens, signed and verified with keys that the guest never sees. The same as
//! `wit/jwt.wit`, where the options are explained.

use super::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How tokens are signed (RFC 7518, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub enum JwtAlgorithm {
    /// HMAC with SHA-256: one secret signs and verifies.
    #[default]
    HS256,
    /// Ed25519; the public key is at the app's JWKS endpoint.
    EdDSA,
    /// RSA PKCS#1 v1.5 with SHA-256; the public key is at the app's JWKS endpoint.
    RS256,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwtKey {
    /// Its `kid`.
    pub id: String,
    /// What it is for.
    pub algorithm: JwtAlgorithm,
    /// HS256: the secret, base64url. Else: the private key, PKCS#8 in PEM.
    pub secret: Secret,
    /// It verifies no longer from then on, in seconds since 1970; none: it is in force.
    pub retired_at: Option<i64>,
}

/// What the host fills in when it signs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignOptions {
    pub expires_in: Option<u32>,
    pub not_before_in: Option<u32>,
    pub issuer: Option<String>,
    pub audience: Option<String>,
    pub subject: Option<String>,
}

/// What a token must also say to be accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expectations {
    pub issuer: Option<String>,
    pub audience: Option<String>,
    pub leeway: u32,
}

/// Why a token was not made or not accepted. Texts are for the guest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("{0}")]
    Malformed(String),
    #[error("the token's signature is not this app's")]
    BadSignature,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("{0}")]
    Unexpected(String),
    #[error("{0}")]
    Unavailable(String),
}

/// One app's tokens.
pub trait Tokens: Send + Sync + 'static {
    /// Signs a JSON object of claims.
    ///
    /// # Errors
    /// [`TokenError::Malformed`], [`TokenError::Unavailable`].
    fn sign(&self, claims: &str, options: &SignOptions) -> Result<String, TokenError>;

    /// The claims, as JSON, of a token that is genuine and in force.
    ///
    /// # Errors
    /// Why it is not accepted.
    fn verify(&self, token: &str, expected: &Expectations) -> Result<String, TokenError>;
}
