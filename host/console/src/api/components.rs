//! Uploaded components.

use super::{List, WaitParams};
use crate::auth::Principal;
use crate::extract::{NoBody, PathDigest, Query};
use crate::problem::Problem;
use crate::state::Console;
use axum::Json as Answer;
use axum::extract::{Request, State};
use futures::TryStreamExt as _;
use http::{HeaderMap, StatusCode, header};
use lodge_model::{Component, ComponentStatus, Digest};
use lodge_supervisor::{ComponentFilter, LiveEvent, NewComponent, Page};
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use utoipa::IntoParams;

const TAG: &str = "components";

/// How an upload is to be listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadParams {
    /// The name to list it under; if not given, that in its metadata.
    #[param(nullable = false)]
    name: Option<String>,
    /// Its version; if not given, that in its metadata.
    #[param(nullable = false)]
    version: Option<String>,
}

/// Upload a component.
///
/// The body is the `.wasm` file, 100 MiB at most. It is checked before the answer and compiled
/// after it; follow `status`. The same bytes again are the same component: 200 instead of 201.
#[utoipa::path(post, path = "/api/components", tag = TAG, params(UploadParams),
    request_body(content = Vec<u8>, content_type = "application/wasm"),
    responses(
        (status = 201, description = "uploaded and valid", body = Component),
        (status = 200, description = "it was there already", body = Component)))]
pub(crate) async fn upload(
    State(console): State<Console>,
    principal: Principal,
    Query(params): Query<UploadParams>,
    request: Request,
) -> Result<(StatusCode, Answer<Component>), Problem> {
    check_encoding(request.headers())?;
    let new = NewComponent {
        len: declared_len(&request),
        name: params.name,
        version: params.version,
    };
    let body = request
        .into_body()
        .into_data_stream()
        .map_err(std::io::Error::other);
    let (component, created) = console
        .supervisor()
        .upload(body, new, &principal.actor())
        .await?;
    Ok((
        if created {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        },
        Answer(component),
    ))
}

/// The body's length, from `Content-Length`; none where it is sent in chunks.
fn declared_len(request: &Request) -> Option<u64> {
    request
        .headers()
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// The digest is that of the bytes as sent: compressed ones would be another component.
fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(coding) if coding != "identity" => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "encoded_body",
            "send the .wasm file itself, without Content-Encoding",
        )
        .about("content-encoding")),
        _ => Ok(()),
    }
}

/// Which components.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Part of the name, version or digest.
    #[param(nullable = false)]
    search: Option<String>,
    /// Exactly this name.
    #[param(nullable = false)]
    name: Option<String>,
    /// How far they are.
    #[param(nullable = false)]
    status: Option<ComponentStatus>,
    /// `next_cursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
    /// Items at most: 1 to 1,000; 100 if not given.
    #[param(nullable = false)]
    limit: Option<u32>,
}

/// List components, newest first.
#[utoipa::path(get, path = "/api/components", tag = TAG, params(ListParams),
    responses((status = 200, description = "one page", body = List<Component>)))]
pub(crate) async fn list(
    State(console): State<Console>,
    Query(params): Query<ListParams>,
) -> Result<Answer<List<Component>>, Problem> {
    let filter = ComponentFilter {
        search: params.search,
        name: params.name,
        status: params.status,
    };
    let page = Page {
        cursor: params.cursor,
        limit: params.limit,
    };
    Ok(Answer(
        console.supervisor().components(&filter, &page)?.into(),
    ))
}

/// Show a component.
#[utoipa::path(get, path = "/api/components/{digest}", tag = TAG,
    params(("digest" = String, Path, description = "SHA-256 of its bytes"), WaitParams),
    responses((status = 200, description = "the component", body = Component)))]
pub(crate) async fn show(
    State(console): State<Console>,
    PathDigest(digest): PathDigest,
    Query(wait): Query<WaitParams>,
) -> Result<Answer<Component>, Problem> {
    let compiled = wait_compiled(&console, digest);
    tokio::select! {
        component = compiled => component,
        () = tokio::time::sleep(wait.duration()) => Ok(console.supervisor().component(&digest)?),
        () = console.stopped() => Ok(console.supervisor().component(&digest)?),
    }
    .map(Answer)
}

/// Waits until the component's compile has ended.
async fn wait_compiled(console: &Console, digest: Digest) -> Result<Component, Problem> {
    // Subscribed before the first look, so that no change falls between.
    let mut live = console.supervisor().subscribe();
    loop {
        let component = console.supervisor().component(&digest)?;
        if matches!(
            component.status,
            ComponentStatus::Ready | ComponentStatus::Failed
        ) {
            return Ok(component);
        }
        loop {
            match live.recv().await {
                Ok(LiveEvent::Component { component }) if component.digest == digest => break,
                Ok(LiveEvent::ComponentRemoved { digest: removed }) if removed == digest => break,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return Ok(component),
            }
        }
    }
}

/// Remove a component that no app uses.
#[utoipa::path(delete, path = "/api/components/{digest}", tag = TAG,
    params(("digest" = String, Path, description = "SHA-256 of its bytes")),
    responses((status = 204, description = "removed")))]
pub(crate) async fn remove(
    State(console): State<Console>,
    principal: Principal,
    PathDigest(digest): PathDigest,
    _: NoBody,
) -> Result<StatusCode, Problem> {
    console
        .supervisor()
        .remove_component(digest, &principal.actor())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
