//! What a handler may return.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body::Body as HttpBody;

use crate::{Body, Error, Response};

/// Something a handler can answer with. Text is `text/plain` in UTF-8; an error is a 500 and a line in
/// the app's log.
pub trait IntoResponse {
    fn into_response(self) -> Response;
}

impl<B> IntoResponse for http::Response<B>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Error>,
{
    fn into_response(self) -> Response {
        self.map(Body::new)
    }
}

impl<T: IntoResponse, E: Into<Error>> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(answer) => answer.into_response(),
            Err(error) => {
                log_error("the request failed", error.into().as_ref());
                (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error\n").into_response()
            }
        }
    }
}

impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        *response.status_mut() = self.0;
        response
    }
}

impl IntoResponse for StatusCode {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        *response.status_mut() = self;
        response
    }
}

impl IntoResponse for &'static str {
    fn into_response(self) -> Response {
        typed("text/plain; charset=utf-8", self.into())
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Response {
        typed("text/plain; charset=utf-8", self.into())
    }
}

impl IntoResponse for Vec<u8> {
    fn into_response(self) -> Response {
        typed("application/octet-stream", self.into())
    }
}

impl IntoResponse for Bytes {
    fn into_response(self) -> Response {
        typed("application/octet-stream", self.into())
    }
}

fn typed(content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// One line with the error and what caused it.
pub(crate) fn log_error(what: &str, error: &(dyn std::error::Error + 'static)) {
    let mut line = format!("{what}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        line += &format!(": {error}");
        cause = error.source();
    }
    eprintln!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_500_that_hides_its_cause() {
        let failed: Result<&str, _> = Err(std::io::Error::other("the password is swordfish"));
        let response = failed.into_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(
            response
                .body()
                .size_hint()
                .exact()
                .is_some_and(|bytes| bytes == 22)
        );
    }

    #[test]
    fn a_status_goes_with_any_answer() {
        let response = (StatusCode::CREATED, "made").into_response();
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "text/plain; charset=utf-8"
        );
    }
}
