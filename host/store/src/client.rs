//! An HTTP client: plain, or TLS with the system's roots.

use http_body::Body;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;

/// A client that pools its connections.
pub type Client<B> = legacy::Client<HttpsConnector<HttpConnector>, B>;

/// How long an idle connection is kept.
const IDLE_FOR: Duration = Duration::from_secs(30);

/// A client whose connections may take `connect` to stand. Without roots every TLS call fails, and plain
/// ones still work; `whom` is who cannot be reached then, for the log.
///
/// # Errors
/// TLS cannot be set up.
pub fn client<B>(connect: Duration, whom: &str) -> Result<Client<B>, rustls::Error>
where
    B: Body + Send,
    B::Data: Send,
{
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions()?;
    let tls = match builder.clone().with_native_roots() {
        Ok(builder) => builder,
        Err(error) => {
            tracing::warn!(%error, "no certificates of the system: {whom} at an `https` address cannot be reached");
            builder.with_root_certificates(RootCertStore::empty())
        }
    };
    let mut http = HttpConnector::new();
    http.set_connect_timeout(Some(connect));
    http.set_nodelay(true);
    http.enforce_http(false);
    let https = HttpsConnectorBuilder::new()
        .with_tls_config(tls.with_no_client_auth())
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    Ok(legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_FOR)
        .build(https))
}
