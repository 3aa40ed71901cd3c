//! JSON Web Tokens, signed and verified with the app's key, which the app never sees.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use lodge_sdk::jwt::{self, Options};
//!
//! #[derive(Clone, Serialize, Deserialize)]
//! struct Session {
//!     sub: String,
//!     admin: bool,
//! }
//!
//! fn sign_in(user: &str) -> Result<String, jwt::Error> {
//!     let session = Session { sub: user.to_owned(), admin: false };
//!     jwt::sign(&session, &Options { expires_in: Some(86_400), ..Options::default() })
//! }
//!
//! fn who(token: &str) -> Result<Session, jwt::Error> {
//!     jwt::verify(token, &jwt::Expected::default())
//! }
//! ```
//!
//! [`require`] is a `tower` layer for routes that only people with a token reach.

mod layer;

pub use layer::{Require, RequireService, require};

use crate::sys;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// What the host fills in when it signs; a claim of the same name wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `exp`: this many seconds from now. None: an hour.
    pub expires_in: Option<u32>,
    /// `nbf`: this many seconds from now.
    pub not_before_in: Option<u32>,
    /// `iss`. None: the app's ID.
    pub issuer: Option<String>,
    /// `aud`.
    pub audience: Option<String>,
    /// `sub`.
    pub subject: Option<String>,
}

/// What a token must also say; its signature and times are always checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// None: any app that signs with the same key.
    pub issuer: Option<String>,
    /// None: tokens without an audience only.
    pub audience: Option<String>,
    /// Seconds by which clocks may differ; 300 at most.
    pub leeway: u32,
}

/// Why there is no token, or why one is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Not a token, or claims that are not a JSON object.
    Malformed(String),
    /// Signed by another key, or by an algorithm that the app does not use.
    BadSignature,
    Expired,
    NotYetValid,
    /// The issuer or the audience is another.
    Unexpected(String),
    /// The host cannot sign now.
    Unavailable(String),
}

/// Signs claims: anything that is a JSON object.
///
/// # Errors
/// [`Error::Malformed`] or [`Error::Unavailable`].
pub fn sign(claims: &impl Serialize, options: &Options) -> Result<String, Error> {
    let claims = serde_json::to_string(claims).map_err(|e| Error::Malformed(e.to_string()))?;
    sys::sign(&claims, options)
}

/// The claims of a token that is genuine and in force.
///
/// # Errors
/// Why it is not accepted.
pub fn verify<T: DeserializeOwned>(token: &str, expected: &Expected) -> Result<T, Error> {
    let claims = sys::verify(token, expected)?;
    serde_json::from_str(&claims).map_err(|e| Error::Malformed(format!("the claims: {e}")))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) | Self::Unexpected(why) | Self::Unavailable(why) => {
                f.write_str(why)
            }
            Self::BadSignature => f.write_str("the token was not signed by this app"),
            Self::Expired => f.write_str("the token has expired"),
            Self::NotYetValid => f.write_str("the token is not valid yet"),
        }
    }
}

impl std::error::Error for Error {}
