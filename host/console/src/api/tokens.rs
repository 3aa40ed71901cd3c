//! API tokens: credentials for programs, made and revoked by their user.

use super::List;
use crate::audit::record;
use crate::auth::Principal;
use crate::extract::{Json, PathId};
use crate::idempotency::Unrepeatable;
use crate::problem::Problem;
use crate::secret;
use crate::state::{Console, now_ms};
use axum::Json as Answer;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use lodge_db::tokens;
use lodge_model::Invalid;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const TAG: &str = "tokens";
/// Tokens one user has at once.
const MAX_TOKENS: i64 = 100;
/// The longest life of a token that ends, in days.
const MAX_DAYS: u32 = 3650;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// What it is for, 1 to 100 characters.
    name: String,
    /// After how many days it ends: 1 to 3,650; absent: never.
    #[serde(default)]
    expires_in_days: Option<u32>,
}

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenInfo {
    /// Its ID.
    id: String,
    /// What it is for.
    name: String,
    /// When it was made, in milliseconds since 1970.
    created_at: i64,
    /// When it ends, in milliseconds since 1970; null: never.
    expires_at: Option<i64>,
    /// When it was last used, to the minute, in milliseconds since 1970.
    last_used: Option<i64>,
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeToken {
    /// Its ID.
    id: String,
    /// What it is for.
    name: String,
    /// Send it as `Authorization: Bearer …`. Shown once.
    token: String,
    /// When it was made, in milliseconds since 1970.
    created_at: i64,
    /// When it ends, in milliseconds since 1970; null: never.
    expires_at: Option<i64>,
}

impl From<tokens::Token> for TokenInfo {
    fn from(token: tokens::Token) -> Self {
        Self {
            id: token.id,
            name: token.name,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used: token.last_used,
        }
    }
}

impl NewToken {
    fn check(&self) -> Result<(), Invalid> {
        let length = self.name.trim().chars().count();
        if length == 0 || length > 100 || self.name.chars().any(char::is_control) {
            return Err(Invalid::new("name", "must have 1 to 100 characters"));
        }
        if self
            .expires_in_days
            .is_some_and(|days| days == 0 || days > MAX_DAYS)
        {
            return Err(Invalid::new(
                "expires_in_days",
                format!("must be 1 to {MAX_DAYS}, or absent for a token that does not end"),
            ));
        }
        Ok(())
    }
}

/// Make an API token.
#[utoipa::path(post, path = "/api/tokens", tag = TAG, request_body = NewToken,
    responses((status = 201, description = "made; the answer is the only place that shows it",
        body = MadeToken)))]
pub(crate) async fn create(
    State(console): State<Console>,
    principal: Principal,
    Json(new): Json<NewToken>,
) -> Result<Response, Problem> {
    new.check()?;
    let now = now_ms();
    let random =
        |made: Result<String, _>| made.map_err(|e: secret::NoRandomness| Problem::internal(&e));
    let secret = random(secret::token(secret::TOKEN_PREFIX))?;
    let token = tokens::Token {
        id: random(secret::id("tok_"))?,
        user: principal.user.id.clone(),
        name: new.name.trim().to_owned(),
        created_at: now,
        expires_at: new
            .expires_in_days
            .map(|days| now + i64::from(days) * DAY_MS),
        last_used: None,
    };
    if !tokens::insert(console.db(), &token, &secret::hash(&secret), MAX_TOKENS).await? {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "too_many_tokens",
            format!("you have {MAX_TOKENS} tokens already: remove one that is not used"),
        ));
    }
    record(
        &console,
        &principal.actor(),
        "token.create",
        Some(&token.id),
    )
    .await?;
    let made = MadeToken {
        id: token.id,
        name: token.name,
        token: secret,
        created_at: token.created_at,
        expires_at: token.expires_at,
    };
    let mut response = (StatusCode::CREATED, Answer(made)).into_response();
    response.extensions_mut().insert(Unrepeatable(
        "the token was made, and is shown only in the first answer: remove it and make another",
    ));
    Ok(response)
}

/// List one's API tokens.
#[utoipa::path(get, path = "/api/tokens", tag = TAG,
    responses((status = 200, description = "all of them, newest first", body = List<TokenInfo>)))]
pub(crate) async fn list(
    State(console): State<Console>,
    principal: Principal,
) -> Result<Answer<List<TokenInfo>>, Problem> {
    let tokens = tokens::list(console.db(), &principal.user.id).await?;
    Ok(Answer(List::whole(
        tokens.into_iter().map(TokenInfo::from).collect(),
    )))
}

/// Remove an API token. It is refused from then on.
#[utoipa::path(delete, path = "/api/tokens/{id}", tag = TAG,
    params(("id" = String, Path, description = "the token's ID")),
    responses((status = 204, description = "removed")))]
pub(crate) async fn remove(
    State(console): State<Console>,
    principal: Principal,
    PathId(id): PathId,
) -> Result<StatusCode, Problem> {
    if !tokens::remove(console.db(), &principal.user.id, &id).await? {
        return Err(Problem::not_found("token", &id));
    }
    record(&console, &principal.actor(), "token.remove", Some(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
