//! Where Redis is and whose certificate it must have, and what is said of a URL that is none.

use lodge_model::ClusterKey;
use redis::{Client, IntoConnectionInfo as _, RedisResult, TlsCertificates};
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::time::Duration;

/// How long a connection may take by default.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// What both ends of the link need. Its `Debug` form shows no password.
#[derive(Clone)]
pub struct Settings {
    /// `APP_SUPERVISOR_REDIS_URL`: registrations, specifications, reports. `redis:` or `rediss:` (TLS), with
    /// user, password and database number.
    pub supervisor_url: String,
    /// `APP_COMMAND_REDIS_URL`: the streams. May be the same.
    pub command_url: String,
    /// The cluster's key: the two ends must have the same.
    pub key: ClusterKey,
    /// How long a connection may take, with its handshake. A server that answers later is away.
    pub connect_timeout: Duration,
    /// Who must have signed the certificate of a `rediss:` server, in PEM; none: one of the public
    /// authorities.
    authorities: Option<Vec<u8>>,
}

/// What holds no certificate that others can be checked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("holds no certificate of an authority in PEM form (-----BEGIN CERTIFICATE-----)")]
pub struct NoAuthority;

/// A URL that is no Redis server's. Holds neither the URL nor a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{variable} is not the URL of a Redis server ({why}): give redis://[user:password@]host[:port][/database], or rediss:// for TLS"
)]
pub struct MalformedUrl {
    /// Which setting.
    pub variable: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Settings {
    /// Both URLs and the key, with the default timeout (2 s).
    pub fn new(supervisor_url: &str, command_url: &str, key: ClusterKey) -> Self {
        Self {
            supervisor_url: supervisor_url.to_owned(),
            command_url: command_url.to_owned(),
            key,
            connect_timeout: CONNECT_TIMEOUT,
            authorities: None,
        }
    }

    /// The same, with authorities (PEM) that are believed instead of the public ones when the server is
    /// at a `rediss:` URL.
    ///
    /// # Errors
    /// There is no certificate in it, or one that cannot be used.
    pub fn with_authorities(mut self, pem: Vec<u8>) -> Result<Self, NoAuthority> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|_| NoAuthority)?;
            store.add(certificate).map_err(|_| NoAuthority)?;
        }
        if store.is_empty() {
            return Err(NoAuthority);
        }
        self.authorities = Some(pem);
        Ok(self)
    }

    /// A client of the server at one of the URLs.
    pub(crate) fn client(&self, url: &str) -> RedisResult<Client> {
        if !url.starts_with("rediss:") {
            return Client::open(url);
        }
        if CryptoProvider::get_default().is_none() {
            // The library takes the process's. Somebody else may just have set it: as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert: self.authorities.clone(),
        };
        Client::build_with_tls(url, certificates)
    }

    /// Looks at the URLs without connecting.
    ///
    /// # Errors
    /// Which one is malformed, and why, without showing it.
    pub fn check(&self) -> Result<(), MalformedUrl> {
        let urls = [
            ("APP_SUPERVISOR_REDIS_URL", &self.supervisor_url),
            ("APP_COMMAND_REDIS_URL", &self.command_url),
        ];
        for (variable, url) in urls {
            check_url(url).map_err(|why| MalformedUrl { variable, why })?;
        }
        Ok(())
    }

    /// Whether one server is both.
    pub(crate) fn one_server(&self) -> bool {
        self.supervisor_url == self.command_url
    }
}

/// The library's own errors may quote parts of a URL: these do not.
fn check_url(url: &str) -> Result<(), &'static str> {
    let known = ["redis://", "rediss://", "unix://", "redis+unix://"];
    if !known.iter().any(|scheme| url.starts_with(scheme)) {
        return Err("it does not begin with redis:// or rediss://");
    }
    let parsed = redis::parse_redis_url(url).ok_or("it cannot be read as a URL")?;
    if url.starts_with("redis") && !url.starts_with("redis+") && parsed.host_str().is_none() {
        return Err("it names no host");
    }
    if parsed.fragment().is_some() {
        return Err("what follows `#` means nothing here");
    }
    parsed
        .into_connection_info()
        .map_err(|_| "its database number or another part is wrong")?;
    Ok(())
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(supervisor: &str, command: &str) -> Settings {
        let key = ClusterKey::new("0123456789abcdef0123456789abcdef").unwrap();
        Settings::new(supervisor, command, key)
    }

    #[test]
    fn good_urls_pass() {
        for url in [
            "redis://localhost",
            "redis://:p%40ss@10.0.0.1:6380/3",
            "rediss://user:secret@redis.example.org:6380/0",
            "redis://[::1]:6379",
        ] {
            settings(url, url).check().unwrap();
        }
    }

    #[test]
    fn authorities_are_certificates() {
        let settings = settings("rediss://a", "rediss://a");
        for pem in [
            "",
            "hunter2",
            "-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----\n",
        ] {
            let refused = settings.clone().with_authorities(pem.into());
            assert_eq!(refused.err(), Some(NoAuthority), "{pem}");
        }
    }

    #[test]
    fn bad_urls_are_named_and_never_shown() {
        for url in [
            "",
            "localhost:6379",
            "http://:hunter2@localhost",
            "redis://:hunter2@/",
            "redis://:hunter2@localhost/hunter2",
            "redis://:hunter2@localhost:99999",
            "rediss://:hunter2@localhost#insecure",
        ] {
            let error = settings("redis://localhost", url).check().unwrap_err();
            assert_eq!(error.variable, "APP_COMMAND_REDIS_URL");
            assert!(!error.to_string().contains("hunter2"), "{error}");
            let error = settings(url, "redis://localhost").check().unwrap_err();
            assert_eq!(error.variable, "APP_SUPERVISOR_REDIS_URL");
        }
        let shown = format!("{:?}", settings("redis://:hunter2@a", "redis://:hunter2@a"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
