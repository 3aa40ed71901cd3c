//! The connection to the store: plain if that is allowed.
//!
//! The library's own would be a second HTTP client with a second TLS beside the one that we have.

use crate::client::{Client, client};
use async_trait::async_trait;
use http_body_util::BodyExt as _;
use lodge_model::with_causes;
use object_store::client::{
    ClientConfigKey, ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind,
    HttpRequest, HttpRequestBody, HttpResponse, HttpResponseBody, HttpService,
};
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// The longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest wait for an answer's head …
const HEAD: Duration = Duration::from_secs(10);
/// … and with the time that the bytes need to get there, if some are sent.
const HEAD_OF_PUT: Duration = Duration::from_secs(60);

/// Makes connections.
#[derive(Debug)]
pub(crate) struct Connections(Client<HttpRequestBody>);

impl Connections {
    pub(crate) fn new() -> Result<Self, rustls::Error> {
        client(CONNECT, "a component store").map(Self)
    }
}

impl HttpConnector for Connections {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let allow_http = options.get_config_value(&ClientConfigKey::AllowHttp);
        Ok(HttpClient::new(Service {
            client: self.0.clone(),
            allow_http: allow_http.as_deref() == Some("true"),
        }))
    }
}

#[derive(Debug)]
struct Service {
    client: Client<HttpRequestBody>,
    allow_http: bool,
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if !self.allow_http && request.uri().scheme_str() != Some("https") {
            let reason = "its address is http, which is not allowed (AWS_ALLOW_HTTP=true)";
            return Err(failed(HttpErrorKind::Unknown, reason.to_owned()));
        }
        let limit = if request.body().content_length() == 0 {
            HEAD
        } else {
            HEAD_OF_PUT
        };
        let answer = timeout(limit, self.client.request(request)).await;
        let answer = answer.map_err(|_| {
            failed(
                HttpErrorKind::Timeout,
                format!("no answer within {limit:?}"),
            )
        })?;
        let response = answer.map_err(|error| {
            let kind = if error.is_connect() {
                HttpErrorKind::Connect
            } else {
                HttpErrorKind::Request
            };
            failed(kind, with_causes(&error))
        })?;
        Ok(response.map(|body| {
            HttpResponseBody::new(
                body.map_err(|error| failed(HttpErrorKind::Interrupted, with_causes(&error))),
            )
        }))
    }
}

fn failed(kind: HttpErrorKind, reason: String) -> HttpError {
    HttpError::new(kind, io::Error::other(reason))
}
