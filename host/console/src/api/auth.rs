//! Logging in and out.

use crate::audit::{self, Refused, record};
use crate::auth::{self, Credential, Principal, SESSION_LIFETIME, client, password, root};
use crate::extract::{Json, NoBody};
use crate::problem::Problem;
use crate::secret;
use crate::state::{Console, now_ms};
use axum::Json as Answer;
use axum::extract::FromRequest as _;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use lodge_db::sessions::{self, Session};
use lodge_db::users;
use lodge_model::Invalid;
use lodge_supervisor::Actor;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

const TAG: &str = "auth";
/// Sessions one user has at once; a further login ends the oldest.
const MAX_SESSIONS: i64 = 50;
/// What the audit log says of attempts that were refused.
const WRONG_LOGIN: &str = "wrong email or password";
const TOO_MANY: &str = "too many wrong attempts";

/// Who wants to log in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    /// The user's email address.
    email: String,
    /// The password.
    #[schema(format = Password, write_only)]
    password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

/// A session that was begun.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoggedIn {
    /// Send it as `Authorization: Bearer …`. Shown once.
    token: String,
    /// When it ends, in milliseconds since 1970.
    expires_at: i64,
}

/// Begin a session.
///
/// Gives a token, and sets it as a cookie too. Wrong attempts are counted per address and per
/// account; too many get 429 with `Retry-After`.
#[utoipa::path(post, path = "/api/auth/login", tag = TAG, request_body = Login, security(()),
    responses((status = 200, description = "logged in", body = LoggedIn)))]
pub(crate) async fn login(
    State(console): State<Console>,
    request: Request,
) -> Result<Response, Problem> {
    // No cookie is needed here, but one is set: another site's page may not log anyone in.
    client::check_origin(request.headers(), false)?;
    let trusted = &console.settings().trusted_proxies.get();
    let address = client::address(request.extensions(), request.headers(), trusted);
    let tls = client::has_tls(request.extensions(), request.headers(), trusted);
    let Json(Login { email, password }) = Json::from_request(request, &console).await?;
    let email = root::normal_email(&email);
    let refused = |why: &'static str, beyond| Refused {
        account: &email,
        address,
        action: "session.create",
        why,
        beyond,
    };
    if email.len() > 254 || password::too_long(&password) {
        audit::refused(&console, &refused(WRONG_LOGIN, true)).await;
        return Err(wrong_login());
    }
    if let Err(wait) = console.logins().charge(address, &email) {
        tracing::warn!(%address, email, "too many login attempts");
        audit::refused(&console, &refused(TOO_MANY, true)).await;
        return Err(too_many_attempts(wait));
    }
    let user = users::by_email(console.db(), &email).await?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let matches = console.passwords().verify(password, hash).await?;
    let Some(user) = user.filter(|_| matches) else {
        tracing::info!(%address, email, "a login was refused");
        audit::refused(&console, &refused(WRONG_LOGIN, false)).await;
        return Err(wrong_login());
    };
    console.logins().succeeded(address, &email);
    let token = secret::token(secret::SESSION_PREFIX).map_err(|e| Problem::internal(&e))?;
    let now = now_ms();
    let expires_at = now + i64::try_from(SESSION_LIFETIME.as_millis()).unwrap_or(i64::MAX - now);
    let session = Session {
        token_hash: secret::hash(&token),
        user: user.id,
        created_at: now,
        expires_at,
        last_seen: now,
    };
    sessions::insert(console.db(), &session, MAX_SESSIONS).await?;
    let actor = Actor::new(user.email).at(address);
    record(&console, &actor, "session.create", None).await?;
    let cookie = auth::set_cookie(&token, tls);
    Ok(with_cookie(
        Answer(LoggedIn { token, expires_at }).into_response(),
        &cookie,
    ))
}

/// End this session.
#[utoipa::path(post, path = "/api/auth/logout", tag = TAG,
    responses((status = 204, description = "logged out")))]
pub(crate) async fn logout(
    State(console): State<Console>,
    principal: Principal,
    _: NoBody,
) -> Result<Response, Problem> {
    let Credential::Session { hash, .. } = &principal.credential else {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "not_a_session",
            "this is an API token: to end it, use DELETE /api/tokens/{id}",
        ));
    };
    sessions::remove(console.db(), hash).await?;
    record(&console, &principal.actor(), "session.remove", None).await?;
    Ok(with_cookie(
        StatusCode::NO_CONTENT.into_response(),
        &auth::set_cookie("", false),
    ))
}

/// What proves who asks.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CredentialKind {
    /// A session, from a login.
    Session,
    /// An API token.
    Token,
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    /// The user's email address.
    email: String,
    /// What proves it.
    credential: CredentialKind,
    /// When that ends, in milliseconds since 1970; null: never.
    expires_at: Option<i64>,
    /// Whether the password was made by somebody else and should be changed.
    must_change_password: bool,
}

/// Show who is asking.
#[utoipa::path(get, path = "/api/auth/me", tag = TAG,
    responses((status = 200, description = "the user", body = Me)))]
pub(crate) async fn me(principal: Principal) -> Answer<Me> {
    let (credential, expires_at) = match principal.credential {
        Credential::Session { expires_at, .. } => (CredentialKind::Session, Some(expires_at)),
        Credential::Token { expires_at, .. } => (CredentialKind::Token, expires_at),
    };
    Answer(Me {
        email: principal.user.email,
        credential,
        expires_at,
        must_change_password: principal.user.must_change_password,
    })
}

/// A password to be replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    /// The password so far.
    #[schema(format = Password, write_only)]
    current_password: String,
    /// The new one: at least 8 characters.
    #[schema(format = Password, write_only)]
    new_password: String,
}

/// Change one's password.
///
/// Ends the user's other sessions; API tokens stay.
#[utoipa::path(post, path = "/api/auth/password", tag = TAG, request_body = PasswordChange,
    responses((status = 204, description = "changed")))]
pub(crate) async fn password(
    State(console): State<Console>,
    principal: Principal,
    request: Request,
) -> Result<StatusCode, Problem> {
    let address = principal.address;
    let Json(change): Json<PasswordChange> = Json::from_request(request, &console).await?;
    password::check("new_password", &change.new_password)?;
    let user = &principal.user;
    let refused = |why: &'static str, beyond| Refused {
        account: &user.email,
        address,
        action: "user.password",
        why,
        beyond,
    };
    if let Err(wait) = console.logins().charge(address, &user.email) {
        audit::refused(&console, &refused(TOO_MANY, true)).await;
        return Err(too_many_attempts(wait));
    }
    let hash = Some(user.password_hash.clone());
    if password::too_long(&change.current_password)
        || !console
            .passwords()
            .verify(change.current_password, hash)
            .await?
    {
        audit::refused(&console, &refused("the password so far was wrong", false)).await;
        return Err(Invalid::new("current_password", "is not your password").into());
    }
    console.logins().succeeded(address, &user.email);
    let hash = console.passwords().hash(change.new_password).await?;
    let keep = match &principal.credential {
        Credential::Session { hash, .. } => Some(hash.as_str()),
        Credential::Token { .. } => None,
    };
    users::set_password(console.db(), &user.id, &hash, keep).await?;
    record(
        &console,
        &principal.actor(),
        "user.password",
        Some(&user.email),
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn wrong_login() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "wrong_login",
        "no user has this email and password: check both",
    )
}

fn too_many_attempts(wait: std::time::Duration) -> Problem {
    let seconds = wait.as_secs().max(1);
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_attempts",
        format!("too many wrong attempts: try again in {seconds} s"),
    )
    .retry_after(seconds)
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}
