//! What `fuzz/` calls directly; compiled only there. The way of a whole request is fuzzed through [`Edge`],
//! over a socket, and needs nothing from here.
//!
//! [`Edge`]: crate::Edge

use crate::Routes;
use crate::cookies;
use crate::resolve::Host;
use http::HeaderValue;
use lodge_model::{AppId, FailureKind};

/// A host name as the edge reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName {
    /// In lower case, without port and final dot.
    pub name: String,
    /// With its colon, or empty.
    pub port: String,
    /// An address instead of a name.
    pub is_address: bool,
    /// Names this machine from its own point of view.
    pub is_loopback: bool,
}

/// Reads `name[:port]`; nothing: it is none.
pub fn host(given: &str) -> Option<HostName> {
    let host = Host::parse(given)?;
    Some(HostName {
        name: host.name().to_owned(),
        port: host.port().to_owned(),
        is_address: host.is_address,
        is_loopback: host.is_loopback(),
    })
}

/// Whose host name it is.
///
/// # Errors
/// It is no host name, or can only be an app's, and no app has it.
pub fn app_of(
    routes: &Routes,
    given: &str,
    apps_suffix: Option<&str>,
) -> Result<Option<AppId>, FailureKind> {
    let host = Host::parse(given).ok_or(FailureKind::BadRequest)?;
    let entry = routes.by_host(&host, apps_suffix)?;
    Ok(entry.map(|entry| entry.app.clone()))
}

/// Whether some cookie in a `Cookie` field may be Lodge's.
pub fn mentions_own(cookies: &[u8]) -> bool {
    cookies::mentions_own(cookies)
}

/// A `Cookie` field without Lodge's cookies; nothing if nothing is left.
pub fn without_own(cookies: &HeaderValue) -> Option<HeaderValue> {
    cookies::without_own(cookies)
}

/// A guest's `Set-Cookie` as the visitor may have it; nothing if it must not.
pub fn admitted(
    cookie: &HeaderValue,
    host: Option<&str>,
    prefix: Option<&str>,
) -> Option<HeaderValue> {
    cookies::admitted(cookie, host, prefix)
}
