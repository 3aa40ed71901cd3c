//! Input, read with bounds and refused with the field and the remedy.
//!
//! axum's own extractors answer in plain text; these answer as problems. A body has at most
//! [`MAX_JSON_BYTES`] and [`BODY_TIMEOUT`] to arrive. What cannot be parsed is 400, what can be
//! parsed and breaks a rule is 422.

use crate::problem::Problem;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use lodge_model::{AppId, Digest, EnvironmentName};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The longest JSON body, in bytes.
pub(crate) const MAX_JSON_BYTES: usize = 1024 * 1024;

/// How long a JSON body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(not_json());
        }
        parse(&read_body(request).await?).map(Self)
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| json_problem(&error.path().to_string(), error.inner()))?;
    deserializer
        .end()
        .map_err(|error| json_problem(".", &error))?;
    Ok(value)
}

/// A JSON body whose every member has a default, and that may be left out altogether.
pub(crate) struct JsonOrNothing<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for JsonOrNothing<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if request.headers().contains_key(header::CONTENT_TYPE) {
            return Json::from_request(request, state)
                .await
                .map(|json| Self(json.0));
        }
        let bytes = read_body(request).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        Err(not_json())
    }
}

/// No body: what comes is read, within bounds, and not looked at.
pub(crate) struct NoBody;

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        read_body(request).await.map(|_| Self)
    }
}

async fn read_body(request: Request) -> Result<bytes::Bytes, Problem> {
    let body = Limited::new(request.into_body(), MAX_JSON_BYTES);
    match tokio::time::timeout(BODY_TIMEOUT, body.collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("the body may have {MAX_JSON_BYTES} bytes at most: send less"),
        )),
        Ok(Err(error)) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "body_cut_short",
            format!("the body did not arrive whole ({error}): send it again"),
        )),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_too_slow",
            format!(
                "the body did not arrive within {} s: send it again",
                BODY_TIMEOUT.as_secs()
            ),
        )),
    }
}

fn not_json() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not_json",
        "send the body as JSON, with the header `Content-Type: application/json`",
    )
    .about("content-type")
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
    else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Syntax errors are 400; a value of the wrong kind is 422 and names its field.
fn json_problem(path: &str, error: &serde_json::Error) -> Problem {
    if error.is_data() {
        // serde_json ends its messages with the position, which means little to a form.
        let text = error.to_string();
        let message = text
            .rsplit_once(" at line ")
            .map_or(text.as_str(), |(message, _)| message);
        return refused(path, message);
    }
    Problem::new(
        StatusCode::BAD_REQUEST,
        "malformed_json",
        format!("the body is not JSON: {error}"),
    )
}

fn refused(path: &str, message: &str) -> Problem {
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message);
    match field_of(path, message) {
        Some(field) => problem.about(field),
        None => problem,
    }
}

/// The field that a serde error is about: the path, extended by the name in messages such as
/// "missing field `x`", whose path is that of the object around it.
fn field_of(path: &str, message: &str) -> Option<String> {
    let path = if matches!(path, "." | "?") { "" } else { path };
    let named = ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.split('`').next());
    match (path, named) {
        ("", None) => None,
        ("", Some(name)) => Some(name.to_owned()),
        (path, None) => Some(path.to_owned()),
        (path, Some(name)) if path == name || path.ends_with(&format!(".{name}")) => {
            Some(path.to_owned())
        }
        (path, Some(name)) => Some(format!("{path}.{name}")),
    }
}

/// Query parameters.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        axum::extract::Query::<T>::try_from_uri(&parts.uri)
            .map(|query| Self(query.0))
            .map_err(|rejection| {
                let text = rejection.body_text();
                let text = text
                    .split_once(": ")
                    .map_or(text.as_str(), |(_, rest)| rest);
                // What is left is `field: message`, or the message alone.
                match text.split_once(": ") {
                    Some((field, message)) if !field.contains(' ') => refused(field, message),
                    _ => refused(".", text),
                }
            })
    }
}

/// The app that the path names. A name that cannot be an app's is one that no app has.
pub(crate) struct PathApp(pub(crate) AppId);

impl<S: Send + Sync> FromRequestParts<S> for PathApp {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = path_text(parts, state).await?;
        id.parse()
            .map(Self)
            .map_err(|_| Problem::not_found("app", &shortened(&id)))
    }
}

/// The environment that the path names. A name that cannot be one's is one that none has.
pub(crate) struct PathEnvironment(pub(crate) EnvironmentName);

impl<S: Send + Sync> FromRequestParts<S> for PathEnvironment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let name = path_text(parts, state).await?;
        name.parse()
            .map(Self)
            .map_err(|_| Problem::not_found("environment", &shortened(&name)))
    }
}

/// The component that the path names by its digest.
pub(crate) struct PathDigest(pub(crate) Digest);

impl<S: Send + Sync> FromRequestParts<S> for PathDigest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self(path_text(parts, state).await?.parse::<Digest>()?))
    }
}

/// The ID that the path names, whatever its form.
pub(crate) struct PathId(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        path_text(parts, state).await.map(|id| Self(shortened(&id)))
    }
}

async fn path_text<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<String, Problem> {
    axum::extract::Path::<String>::from_request_parts(parts, state)
        .await
        .map(|path| path.0)
        .map_err(|rejection| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "malformed_path",
                rejection.body_text(),
            )
        })
}

/// Enough of a name to recognize it: an answer does not repeat 8 KiB of path.
fn shortened(id: &str) -> String {
    id.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only parsed")]
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only parsed")]
        count: u32,
    }

    async fn parse(body: impl Into<Body>, kind: &str) -> Result<Outer, Problem> {
        let request = Request::post("/")
            .header("content-type", kind)
            .body(body.into())
            .unwrap();
        Json::<Outer>::from_request(request, &())
            .await
            .map(|json| json.0)
    }

    #[tokio::test]
    async fn refusals_name_the_field() {
        let json = "application/json; charset=utf-8";
        for (body, status, code, field) in [
            (r#"{"inner":{"count":1}"#, 400, "malformed_json", None),
            (r#"{"inner":{"count":1}} x"#, 400, "malformed_json", None),
            (r#"{}"#, 422, "invalid", Some("inner")),
            (r#"{"inner":{}}"#, 422, "invalid", Some("inner.count")),
            (
                r#"{"inner":{"count":-1}}"#,
                422,
                "invalid",
                Some("inner.count"),
            ),
            (
                r#"{"inner":{"count":1,"more":2}}"#,
                422,
                "invalid",
                Some("inner.more"),
            ),
        ] {
            let problem = parse(body, json).await.unwrap_err();
            assert_eq!(
                (
                    problem.status,
                    problem.code.as_ref(),
                    problem.field.as_deref()
                ),
                (status, code, field),
                "{body}: {problem:?}"
            );
        }
        assert!(parse(r#"{"inner":{"count":1}}"#, json).await.is_ok());
        assert_eq!(parse("{}", "text/plain").await.unwrap_err().status, 415);
    }

    #[tokio::test]
    async fn long_bodies_are_cut_off() {
        let problem = parse(vec![b' '; MAX_JSON_BYTES + 1], "application/json")
            .await
            .unwrap_err();
        assert_eq!(
            (problem.status, problem.code.as_ref()),
            (413, "body_too_large")
        );
    }

    #[tokio::test]
    async fn queries_name_the_field() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Page {
            #[expect(dead_code, reason = "only parsed")]
            limit: Option<u32>,
        }
        for (query, field) in [("limit=x", "limit"), ("offset=1", "offset")] {
            let (mut parts, ()) = Request::get(format!("/?{query}"))
                .body(())
                .unwrap()
                .into_parts();
            let problem = Query::<Page>::from_request_parts(&mut parts, &())
                .await
                .err()
                .unwrap();
            assert_eq!(
                (problem.status, problem.field.as_deref()),
                (422, Some(field)),
                "{problem:?}"
            );
        }
    }
}
