//! `Idempotency-Key` on POST: a request that is sent again, since its answer was lost, gets the
//! same answer and acts once.
//!
//! A key belongs to whoever sent it and is remembered for a day. The same key with another
//! request is 422, with one that is still under way 409. A keyed request runs to its end even if
//! its sender goes away, so that the answer is there for the second try. Not remembered, so that
//! trying again may help: answers of 5xx, 401, 408 and 429, and requests whose body was not read
//! to its end. An answer that holds a secret is not kept either (see [`Unrepeatable`]). A login is
//! nobody's request yet: it takes no key.
//!
//! What bounds it: keys of 255 characters, answers of [`MAX_ANSWER_BYTES`], a day.

use crate::auth::Principal;
use crate::problem::Problem;
use crate::state::{Console, now_ms};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use lodge_db::idempotency::{self, Answer, Claim, Known};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

const HEADER: &str = "idempotency-key";
const MAX_KEY_CHARS: usize = 255;
const KEEP_MS: i64 = 24 * 3600 * 1000;
/// The longest answer that is kept, in bytes.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// The longest silence within the body of a repeated request.
const STALL: Duration = Duration::from_secs(30);

/// Marks an answer (as an extension of the response) that shows a secret once: it is not kept,
/// and a repeated request gets 409 with this text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unrepeatable(pub(crate) &'static str);

/// The layer.
///
/// # Errors
/// 422 for a malformed key or one that another request used, 409 while its request is under way.
pub(crate) async fn layer(
    State(console): State<Console>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let key = match key(request.headers())? {
        Some(key) if request.method() == Method::POST => key,
        _ => return Ok(next.run(request).await),
    };
    let Some(actor) = request
        .extensions()
        .get::<Principal>()
        .map(|found| found.user.id.clone())
    else {
        return Ok(next.run(request).await);
    };
    let claim = Claim {
        actor: &actor,
        key: &key,
        method: request.method().as_str(),
        path: path(&request),
        now: now_ms(),
        keep: KEEP_MS,
    };
    match idempotency::claim(console.db(), claim).await? {
        Known::New => first(console, actor, key, request, next).await,
        Known::InProgress => Err(Problem::new(
            StatusCode::CONFLICT,
            "idempotency_key_in_progress",
            "the request with this key is still under way: wait, then send it again",
        )
        .about(HEADER)
        .retry_after(1)),
        Known::Answered(answer) => repeat(answer, request).await,
    }
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(HEADER) else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= MAX_KEY_CHARS => Ok(Some(key.to_owned())),
        _ => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            format!("must have 1 to {MAX_KEY_CHARS} visible ASCII characters"),
        )
        .about(HEADER)),
    }
}

fn path(request: &Request) -> &str {
    request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str())
}

/// Runs the first request of a key, in a task of its own so that it ends whether or not its sender
/// stays, and writes down how.
async fn first(
    console: Console,
    actor: String,
    key: String,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let hash = BodyHash::default();
    let request = request.map(|body| Body::new(HashedBody::new(body, hash.clone())));
    let (db, names) = (console.db().clone(), (actor.clone(), key.clone()));
    let task = tokio::spawn(async move {
        let response = next.run(request).await;
        settle(&console, &actor, &key, &hash, response).await
    });
    match task.await {
        Ok(response) => Ok(response),
        Err(error) => {
            idempotency::forget(&db, &names.0, &names.1).await?;
            Err(Problem::internal(&error))
        }
    }
}

/// Keeps the answer, or gives the key up.
async fn settle(
    console: &Console,
    actor: &str,
    key: &str,
    hash: &BodyHash,
    response: Response,
) -> Response {
    let (parts, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) => return Problem::internal(&error).into_response(),
    };
    let kept = hash
        .finished()
        .and_then(|hash| kept(&parts, &body).map(|(s, b)| (hash, s, b)));
    let done = match kept {
        Some((hash, status, body)) => {
            idempotency::finish(console.db(), actor, key, &hash, status, &body).await
        }
        None => idempotency::forget(console.db(), actor, key).await,
    };
    if let Err(error) = done {
        // The request itself has its answer; only its repetition will say "under way".
        tracing::warn!("could not keep the answer to an idempotency key: {error}");
    }
    Response::from_parts(parts, Body::from(body))
}

/// What is kept of an answer, if anything.
fn kept(parts: &http::response::Parts, body: &Bytes) -> Option<(u16, String)> {
    let again = [
        StatusCode::UNAUTHORIZED,
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    if parts.status.is_server_error() || again.contains(&parts.status) {
        return None;
    }
    if let Some(Unrepeatable(text)) = parts.extensions.get::<Unrepeatable>() {
        let problem = Problem::new(StatusCode::CONFLICT, "idempotency_answer_not_kept", *text);
        return Some((problem.status, serde_json::to_string(&problem).ok()?));
    }
    if body.len() > MAX_ANSWER_BYTES {
        return None;
    }
    Some((
        parts.status.as_u16(),
        String::from_utf8(body.to_vec()).ok()?,
    ))
}

/// Answers a request whose key was answered before.
async fn repeat(answer: Answer, request: Request) -> Result<Response, Problem> {
    let same = request.method().as_str() == answer.method && path(&request) == answer.path;
    if !same || hash_of(request.into_body()).await? != answer.request_hash {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "another request used this key: take a fresh key for each request",
        )
        .about(HEADER));
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = if status.is_client_error() {
        crate::problem::PROBLEM_JSON
    } else {
        "application/json"
    };
    let mut response = (status, answer.body).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
        .headers_mut()
        .insert("idempotency-replayed", HeaderValue::from_static("true"));
    Ok(response)
}

async fn hash_of(body: Body) -> Result<String, Problem> {
    let hash = BodyHash::default();
    let mut body = HashedBody::new(body, hash.clone());
    loop {
        match tokio::time::timeout(STALL, body.frame()).await {
            Ok(Some(Ok(_))) => {}
            Ok(None) => return Ok(hash.finished().unwrap_or_default()),
            Ok(Some(Err(_))) | Err(_) => {
                return Err(Problem::new(
                    StatusCode::BAD_REQUEST,
                    "body_cut_short",
                    "the body did not arrive whole: send it again",
                ));
            }
        }
    }
}

/// The SHA-256 of a body that somebody else reads.
#[derive(Clone, Default)]
struct BodyHash(Arc<Mutex<(Sha256, bool)>>);

impl BodyHash {
    /// The hash, once the body was read to its end.
    fn finished(&self) -> Option<String> {
        let state = self.0.lock();
        state.1.then(|| hex::encode(state.0.clone().finalize()))
    }
}

struct HashedBody {
    body: Body,
    hash: BodyHash,
}

impl HashedBody {
    fn new(body: Body, hash: BodyHash) -> Self {
        hash.0.lock().1 = body.is_end_stream();
        Self { body, hash }
    }
}

impl http_body::Body for HashedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(frame) = &polled {
            let ended = self.body.is_end_stream();
            let mut state = self.hash.0.lock();
            match frame {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        state.0.update(data);
                    }
                    state.1 = ended;
                }
                Some(Err(_)) => {}
                None => state.1 = true,
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
