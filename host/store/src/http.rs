//! The connection to the store: plain if that is allowed, or TLS with the system's roots.
//!
//! The library's own would be a second HTTP client with a second TLS beside the one that we have.

use async_trait::async_trait;
use http_body_util::BodyExt as _;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::client::{
    ClientConfigKey, ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind,
    HttpRequest, HttpRequestBody, HttpResponse, HttpResponseBody, HttpService,
};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// The longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest wait for an answer's head …
const HEAD: Duration = Duration::from_secs(10);
/// … and with the time that the bytes need to get there, if some are sent.
const HEAD_OF_PUT: Duration = Duration::from_secs(60);
/// How long an idle connection is kept.
const IDLE_FOR: Duration = Duration::from_secs(30);

type Client = legacy::Client<HttpsConnector<connect::HttpConnector>, HttpRequestBody>;

/// Makes connections.
#[derive(Debug)]
pub(crate) struct Connections(Client);

impl Connections {
    /// Without roots every TLS call fails, and plain ones still work.
    pub(crate) fn new() -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions()?;
        let tls = match builder.clone().with_native_roots() {
            Ok(builder) => builder,
            Err(error) => {
                tracing::warn!(%error, "no certificates of the system: a component store at an \
                    `https` address cannot be reached");
                builder.with_root_certificates(RootCertStore::empty())
            }
        };
        let mut http = connect::HttpConnector::new();
        http.set_connect_timeout(Some(CONNECT));
        http.set_nodelay(true);
        http.enforce_http(false);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls.with_no_client_auth())
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_FOR)
            .build(https);
        Ok(Self(client))
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
    client: Client,
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
            failed(kind, cause(&error))
        })?;
        Ok(response.map(|body| {
            HttpResponseBody::new(
                body.map_err(|error| failed(HttpErrorKind::Interrupted, cause(&error))),
            )
        }))
    }
}

fn failed(kind: HttpErrorKind, reason: String) -> HttpError {
    HttpError::new(kind, io::Error::other(reason))
}

/// An error with what caused it: hyper's own text says little.
fn cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}
