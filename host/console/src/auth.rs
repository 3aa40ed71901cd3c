//! Who asks: a bearer token or the session cookie, both opaque, both looked up by their SHA-256.
//!
//! [`require`] stands before every endpoint that is not named as open in [`crate::router`]. A
//! request with an `Authorization` header is judged by that alone; only without one does the
//! cookie count, and then a write must come from the console's own page
//! ([`client::check_origin`]). Console sessions and API tokens share nothing with the keys that
//! apps sign with.

pub(crate) mod client;
pub(crate) mod guard;
pub(crate) mod password;
pub(crate) mod root;

use crate::problem::Problem;
use crate::secret;
use crate::state::Console;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use lodge_db::users::User;
use lodge_db::{sessions, tokens};
use lodge_supervisor::Actor;
use std::net::IpAddr;
use std::time::Duration;

/// The cookie that carries a session.
pub(crate) const COOKIE: &str = "lodge_session";
/// How long a session lasts.
pub(crate) const SESSION_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
/// Cookies of our name that are tried: an app on the same host name can set more of them by
/// script, which must neither lock the console out nor make it look up many.
const COOKIES_TRIED: usize = 3;
/// How often the last use of a session or token is written down.
const LAST_USED_EVERY_MS: i64 = 60_000;

/// Whoever sent a request, proven.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    /// The user.
    pub(crate) user: User,
    /// What proves it.
    pub(crate) credential: Credential,
    /// From which address it asks; trusted proxies are believed.
    pub(crate) address: IpAddr,
}

/// What proves who a principal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// A session, by the SHA-256 of its token, until `expires_at` (milliseconds since 1970).
    Session { hash: String, expires_at: i64 },
    /// An API token, by its ID.
    Token { id: String, expires_at: Option<i64> },
}

impl Principal {
    /// The name under which the supervisor writes down what this principal does.
    pub(crate) fn actor(&self) -> Actor {
        let name = match &self.credential {
            Credential::Session { .. } => self.user.email.clone(),
            Credential::Token { id, .. } => format!("{} ({id})", self.user.email),
        };
        Actor::new(name).at(self.address)
    }
}

impl FromRequestParts<Console> for Principal {
    type Rejection = Problem;

    /// The principal that [`require`] found. A handler that asks for one on an open route gets a
    /// refusal, never an anonymous pass.
    async fn from_request_parts(parts: &mut Parts, _: &Console) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(unauthorized)
    }
}

/// The layer that refuses whoever is not known.
///
/// # Errors
/// 401 without a valid credential, 403 for a cookie's write from elsewhere.
pub(crate) async fn require(
    State(console): State<Console>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (principal, by_cookie) =
        identify(&console, request.extensions(), request.headers()).await?;
    if by_cookie && !request.method().is_safe() {
        client::check_origin(request.headers(), true)?;
    }
    request.extensions_mut().insert(principal);
    Ok(next.run(request).await)
}

/// Finds the principal, and whether a cookie named it.
///
/// # Errors
/// 401 if there is none.
pub(crate) async fn identify(
    console: &Console,
    extensions: &http::Extensions,
    headers: &HeaderMap,
) -> Result<(Principal, bool), Problem> {
    let trusted = &console.settings().trusted_proxies.get();
    let address = client::address(extensions, headers, trusted);
    let proven = |(user, credential)| Principal {
        user,
        credential,
        address,
    };
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let found = match bearer(value) {
            Some(token) => find(console, token).await?,
            None => None,
        };
        return found
            .map(|found| (proven(found), false))
            .ok_or_else(unauthorized);
    }
    for token in cookies(headers).take(COOKIES_TRIED) {
        // An API token is not taken from a cookie: nothing of ours puts it there.
        if token.starts_with(secret::SESSION_PREFIX)
            && let Some(found) = find(console, token).await?
        {
            return Ok((proven(found), true));
        }
    }
    Err(unauthorized())
}

async fn find(console: &Console, token: &str) -> Result<Option<(User, Credential)>, Problem> {
    let now = crate::state::now_ms();
    let db = console.db();
    let hash = secret::hash(token);
    if token.starts_with(secret::SESSION_PREFIX) {
        let Some((user, session)) = sessions::with_user(db, &hash, now).await? else {
            return Ok(None);
        };
        if now - session.last_seen >= LAST_USED_EVERY_MS {
            sessions::touch(db, &hash, now).await?;
        }
        let credential = Credential::Session {
            hash,
            expires_at: session.expires_at,
        };
        return Ok(Some((user, credential)));
    }
    if token.starts_with(secret::TOKEN_PREFIX) {
        let Some((user, token)) = tokens::with_user(db, &hash, now).await? else {
            return Ok(None);
        };
        if token
            .last_used
            .is_none_or(|last| now - last >= LAST_USED_EVERY_MS)
        {
            tokens::touch(db, &token.id, now).await?;
        }
        let credential = Credential::Token {
            id: token.id,
            expires_at: token.expires_at,
        };
        return Ok(Some((user, credential)));
    }
    Ok(None)
}

fn unauthorized() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "log in (`lodge login`, or POST /api/auth/login) and send the token as `Authorization: Bearer …`",
    )
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// The `Set-Cookie` that hands a session to a browser, or with an empty token takes it back.
/// `Secure` only where TLS is known of: the console is also served without, on a loopback address.
pub(crate) fn set_cookie(token: &str, tls: bool) -> String {
    let age = if token.is_empty() {
        0
    } else {
        SESSION_LIFETIME.as_secs()
    };
    let secure = if tls { "; Secure" } else { "" };
    format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={age}{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_tokens_and_cookies_are_read() {
        assert_eq!(bearer(&HeaderValue::from_static("bearer abc")), Some("abc"));
        assert_eq!(bearer(&HeaderValue::from_static("Basic abc")), None);
        assert_eq!(bearer(&HeaderValue::from_static("abc")), None);
        let mut headers = HeaderMap::new();
        headers.append(
            "cookie",
            HeaderValue::from_static("a=b; lodge_session=one; lodge_session2=x"),
        );
        headers.append("cookie", HeaderValue::from_static("lodge_session=two"));
        assert_eq!(cookies(&headers).collect::<Vec<_>>(), ["one", "two"]);
    }

    #[test]
    fn the_cookie_is_kept_from_scripts_and_other_sites() {
        let cookie = set_cookie("x", false);
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=604800"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        assert!(!cookie.contains("Secure") && set_cookie("x", true).contains("; Secure"));
        assert!(set_cookie("", false).ends_with("Max-Age=0"));
    }
}
