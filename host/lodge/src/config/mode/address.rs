//! Addresses in settings. The texts of errors hold nothing of them: they may hold passwords.

use super::super::Secret;
use anyhow::{Result, bail};
use url::{Host, Url};

/// Where something is reached over HTTP: scheme, host and port, and nothing after them.
///
/// # Errors
/// It is not of this form.
pub(super) fn origin(name: &str, text: &str) -> Result<String> {
    let remedy = "write it like http://10.0.0.5:13000 or https://worker.example.com";
    let Ok(url) = Url::parse(text) else {
        bail!("{name}: not an address; {remedy}");
    };
    if !matches!(url.scheme(), "http" | "https") {
        bail!("{name}: begins with neither http:// nor https://; {remedy}");
    }
    if !url.username().is_empty() || url.password().is_some() {
        bail!("{name}: holds a user or a password, which would not be sent; {remedy}");
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        bail!("{name}: has something after host and port; {remedy}");
    }
    let nowhere = match url.host() {
        None => true,
        Some(Host::Domain(host)) => host.is_empty(),
        Some(Host::Ipv4(ip)) => ip.is_unspecified(),
        Some(Host::Ipv6(ip)) => ip.is_unspecified(),
    };
    if nowhere || url.port() == Some(0) {
        bail!("{name}: leads nowhere; {remedy}");
    }
    Ok(url.origin().ascii_serialization())
}

/// Where a Redis is.
///
/// # Errors
/// It is not of the form `redis://…` or `rediss://…` with a host.
pub(super) fn redis(name: &str, text: &str) -> Result<Secret> {
    let remedy = "write it like redis://:password@host:6379/0, or rediss:// for TLS, other than letters \
                  and digits in the password percent-encoded";
    let Ok(url) = Url::parse(text) else {
        bail!("{name}: not an address; {remedy}");
    };
    if !matches!(url.scheme(), "redis" | "rediss") {
        bail!("{name}: begins with neither redis:// nor rediss://; {remedy}");
    }
    if url.host_str().is_none_or(str::is_empty) {
        bail!("{name}: names no host; {remedy}");
    }
    let number = url.path().trim_start_matches('/');
    if !number.is_empty() && number.parse::<u16>().is_err() {
        bail!("{name}: what follows the host is not the number of a database; {remedy}");
    }
    Ok(Secret(text.to_owned()))
}
