//! What workers ask of the supervisor: the bytes of components, at `GET /cluster/components/{digest}`.
//!
//! Outside `/api` and its document, since it is for no administrator and no program but Lodge's own, and
//! there at all only where there is a cluster. Open to signed requests alone: a credential of the API is of
//! no use here, and a signature of none there.
//!
//! A download that was cut goes on where it stopped (`Range`, RFC 9110, 14): a component never changes, so
//! that its digest is its `ETag`, and a range of it is always one of the same bytes. What bounds it: the
//! listener's connections; a file is read piece by piece as the worker takes it. How it fails: with
//! problems as everywhere; a file that cannot be read to its end cuts the answer short, which the worker
//! notices by the length.

mod range;

use crate::extract::PathDigest;
use crate::problem::Problem;
use crate::state::Console;
use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use range::{Asked, asked};
use std::io::SeekFrom;
use std::path::Path;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

/// The media type of a component.
pub(crate) const WASM: &str = "application/wasm";
/// How much of a file is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// Tells requests that were signed with the cluster's key for this run of this process; implemented by
/// the binary.
pub trait VerifyRequest: Send + Sync + 'static {
    /// True: the request is a worker's, and was not seen before.
    fn verify(&self, request: &Parts) -> bool;
}

/// The endpoints, where there is a cluster.
pub(crate) fn routes(console: &Console) -> Router<Console> {
    match console.settings().cluster {
        Some(_) => Router::new().route("/cluster/components/{digest}", get(component)),
        None => Router::new(),
    }
}

async fn component(State(console): State<Console>, request: Request) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    let cluster = console.settings().cluster.as_ref();
    if !cluster.is_some_and(|cluster| cluster.verify(&parts)) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "not_signed",
            "only this cluster's workers may ask this: their LODGE_CLUSTER_KEY is that of the supervisor",
        ));
    }
    let PathDigest(digest) = PathDigest::from_request_parts(&mut parts, &console).await?;
    let Some(path) = console.supervisor().component_file(&digest) else {
        return Err(Problem::not_found("component", &digest.to_hex()));
    };
    let tag = format!("\"{digest}\"");
    let shared = [
        (header::CONTENT_TYPE, WASM),
        (header::ACCEPT_RANGES, "bytes"),
        (header::CACHE_CONTROL, "private, immutable"),
        (header::ETAG, tag.as_str()),
    ];
    if is_any(&parts.headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, shared).into_response());
    }
    let unread =
        |error| Problem::internal(&format_args!("cannot read {}: {error}", path.display()));
    let (file, size) = open(&path).await.map_err(unread)?;
    let (first, last) = match asked(&parts.headers, &tag, size) {
        Asked::All => {
            let length = [(header::CONTENT_LENGTH, size)];
            return Ok((shared, length, body(file, size)).into_response());
        }
        Asked::Nothing => return Ok(beyond(size)),
        Asked::Part { first, last } => (first, last),
    };
    let len = last - first + 1;
    let body = part(file, first, len).await.map_err(unread)?;
    let range = [(
        header::CONTENT_RANGE,
        format!("bytes {first}-{last}/{size}"),
    )];
    let length = [(header::CONTENT_LENGTH, len)];
    Ok((StatusCode::PARTIAL_CONTENT, shared, range, length, body).into_response())
}

async fn open(path: &Path) -> std::io::Result<(File, u64)> {
    let file = File::open(path).await?;
    let size = file.metadata().await?.len();
    Ok((file, size))
}

async fn part(mut file: File, first: u64, len: u64) -> std::io::Result<Body> {
    file.seek(SeekFrom::Start(first)).await?;
    Ok(body(file, len))
}

fn body(file: File, len: u64) -> Body {
    Body::from_stream(ReaderStream::with_capacity(file.take(len), PIECE))
}

fn beyond(size: u64) -> Response {
    let problem = Problem::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "no_such_range",
        format!("it has {size} bytes: begin within them"),
    );
    let range = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
    (range, problem).into_response()
}

/// Whether the worker has it already (`If-None-Match`).
fn is_any(headers: &HeaderMap, tag: &str) -> bool {
    let named = headers.get_all(header::IF_NONE_MATCH);
    named
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| matches!(one.trim(), "*") || one.trim().trim_start_matches("W/") == tag)
}
