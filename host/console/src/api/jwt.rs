//! The keys of apps' tokens: shown without their secrets, and rotated.

use super::operations::Accepted;
use crate::auth::Principal;
use crate::extract::{JsonOrNothing, PathApp};
use crate::problem::Problem;
use crate::state::Console;
use axum::Json as Answer;
use axum::extract::State;
use lodge_supervisor::{JwtInfo, SharedRotation};
use serde::Deserialize;
use utoipa::ToSchema;

const TAG: &str = "jwt";

/// How to rotate a key. The body may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rotation {
    /// How long tokens of the old keys verify, in seconds: 0 to 7,776,000 (90 days); 86,400 (a day)
    /// if not given. With 0 everyone who has such a token is logged out.
    overlap_seconds: Option<u64>,
}

/// Show the keys of an app's tokens: never a secret.
#[utoipa::path(get, path = "/api/apps/{id}/jwt", tag = TAG,
    params(("id" = String, Path, description = "the app's ID")),
    responses((status = 200, description = "the keys, the one that signs first", body = JwtInfo)))]
pub(crate) async fn show(
    State(console): State<Console>,
    PathApp(id): PathApp,
) -> Result<Answer<JwtInfo>, Problem> {
    Ok(Answer(console.supervisor().jwt(&id)?))
}

/// Have an app sign with a new key.
///
/// Tokens of the old keys verify through the overlap. A running app gets the new key at once. An app
/// that shares the host-wide key has none of its own: 409 `shared_key`.
#[utoipa::path(post, path = "/api/apps/{id}/jwt/rotate", tag = TAG, request_body = Option<Rotation>,
    params(("id" = String, Path, description = "the app's ID")),
    responses((status = 202, description = "under way", body = Accepted)))]
pub(crate) async fn rotate(
    State(console): State<Console>,
    principal: Principal,
    PathApp(id): PathApp,
    JsonOrNothing(rotation): JsonOrNothing<Rotation>,
) -> Result<Accepted, Problem> {
    let operation = console
        .supervisor()
        .rotate_key(&id, rotation.overlap_seconds, &principal.actor())
        .await?;
    Ok(Accepted { operation })
}

/// Have every app that shares the host-wide key sign with a new one.
///
/// Tokens of the old keys verify through the overlap. Running apps get the new key at once.
#[utoipa::path(post, path = "/api/jwt/rotate", tag = TAG, request_body = Option<Rotation>,
    responses((status = 200, description = "the new key", body = SharedRotation)))]
pub(crate) async fn rotate_shared(
    State(console): State<Console>,
    principal: Principal,
    JsonOrNothing(rotation): JsonOrNothing<Rotation>,
) -> Result<Answer<SharedRotation>, Problem> {
    let rotated = console
        .supervisor()
        .rotate_shared_key(rotation.overlap_seconds, &principal.actor())
        .await?;
    Ok(Answer(rotated))
}
