//! A `tower` layer that lets only requests with a token through.

use super::{Expected, verify};
use crate::{Body, Bytes, Error, Response};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body::Body as HttpBody;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Requests need a token with these claims, in `Authorization: Bearer`; without it the answer is 401. The claims go
/// into the request's extensions (in axum: `Extension<Claims>`).
///
/// ```
/// # #[derive(Clone, serde::Deserialize)] struct Session { sub: String }
/// let layer = lodge_sdk::jwt::require::<Session>().cookie("session");
/// ```
#[must_use]
pub fn require<C>() -> Require<C> {
    Require {
        cookie: None,
        expected: Expected::default(),
        claims: PhantomData,
    }
}

/// See [`require`].
pub struct Require<C> {
    cookie: Option<&'static str>,
    expected: Expected,
    claims: PhantomData<fn() -> C>,
}

impl<C> Require<C> {
    /// The token may also come in this cookie.
    #[must_use]
    pub fn cookie(mut self, name: &'static str) -> Self {
        self.cookie = Some(name);
        self
    }

    /// What a token must also say.
    #[must_use]
    pub fn expected(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }
}

impl<C> Clone for Require<C> {
    fn clone(&self) -> Self {
        Self {
            cookie: self.cookie,
            expected: self.expected.clone(),
            claims: PhantomData,
        }
    }
}

/// See [`require`].
pub struct RequireService<S, C> {
    inner: S,
    layer: Require<C>,
}

impl<S: Clone, C> Clone for RequireService<S, C> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<S, C> Layer<S> for Require<C> {
    type Service = RequireService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireService {
            inner,
            layer: self.clone(),
        }
    }
}

impl<S, C, B, R> Service<Request<B>> for RequireService<S, C>
where
    S: Service<Request<B>, Response = http::Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    C: DeserializeOwned + Clone + Send + Sync + 'static,
    R: HttpBody<Data = Bytes> + Send + 'static,
    R::Error: Into<Error>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let token = bearer(request.headers()).or_else(|| {
            let name = self.layer.cookie?;
            cookie(request.headers(), name)
        });
        let why = match token {
            None => "a token is needed: sign in".to_owned(),
            Some(token) => match verify::<C>(token, &self.layer.expected) {
                Ok(claims) => {
                    request.extensions_mut().insert(claims);
                    let answer = self.inner.call(request);
                    return Box::pin(async move { Ok(answer.await?.map(Body::new)) });
                }
                Err(error) => error.to_string(),
            },
        };
        Box::pin(std::future::ready(Ok(unauthorized(&why))))
    }
}

/// The token of `Authorization: Bearer`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

fn unauthorized(why: &str) -> Response {
    let problem = serde_json::json!({
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "code": "unauthorized",
        "detail": why,
    });
    let mut response = Response::new(problem.to_string().into());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwt::{Options, sign};
    use crate::testing;
    use serde::{Deserialize, Serialize};
    use std::convert::Infallible;

    #[derive(Clone, Serialize, Deserialize)]
    struct Session {
        user: String,
    }

    #[derive(Clone)]
    struct Hello;

    impl Service<crate::Request> for Hello {
        type Response = Response;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: crate::Request) -> Self::Future {
            let user = &request.extensions().get::<Session>().unwrap().user;
            std::future::ready(Ok(Response::new(user.clone().into())))
        }
    }

    #[test]
    fn only_who_has_a_token_comes_through() {
        let session = Session { user: "ada".into() };
        let token = sign(&session, &Options::default()).unwrap();
        let service = require::<Session>().cookie("session").layer(Hello);
        let ask = |name: &str, value: String| {
            let request = http::Request::get("/").header(name, value);
            testing::call(&service, request.body(Body::empty()).unwrap())
        };
        for (name, value) in [
            ("authorization", format!("Bearer {token}")),
            ("authorization", format!("bearer {token}")),
            ("cookie", format!("a=b; session={token}")),
        ] {
            let (status, body) = ask(name, value);
            assert_eq!((status, body.as_str()), (StatusCode::OK, "ada"));
        }
        for (name, value) in [
            ("x", String::new()),
            ("authorization", format!("Basic {token}")),
            ("authorization", format!("Bearer {token}x")),
            ("cookie", format!("other={token}")),
        ] {
            let (status, body) = ask(name, value);
            assert_eq!(status, StatusCode::UNAUTHORIZED);
            assert!(body.contains("\"code\":\"unauthorized\""), "{body}");
        }
    }
}
