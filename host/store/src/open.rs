//! Which store, and with whose credentials: `LODGE_COMPONENT_STORE` and the usual `AWS_*` variables.

use super::ComponentStore;
use super::http::Connections;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path as Key;
use object_store::{BackoffConfig, RetryConfig};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// What a store is opened with. Its `Debug` form shows nothing of it.
#[derive(Clone)]
pub struct StoreSettings {
    bucket: String,
    prefix: Key,
    variables: HashMap<&'static str, String>,
}

/// Settings that make no store. Shows no credential, and no URL that may hold one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {why}")]
pub struct BadStore {
    /// Which setting.
    pub variable: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

const STORE: &str = "LODGE_COMPONENT_STORE";
/// Those of the variables that mean something here: credentials, wherever they come from, and where the
/// server is.
const VARIABLES: [&str; 19] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ALLOW_HTTP",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_METADATA_ENDPOINT",
    "AWS_REQUEST_PAYER",
];
const ENDPOINTS: [&str; 3] = ["AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"];

impl StoreSettings {
    /// Reads `s3://bucket/prefix`, and what of the `AWS_*` variables `environment` has. Empty ones count
    /// as unset.
    ///
    /// # Errors
    /// The first that is wrong, and why.
    pub fn read(url: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, BadStore> {
        let (bucket, prefix) = place(url).ok_or_else(|| bad(STORE, "is not s3://bucket/prefix"))?;
        let given = |name| {
            let value = environment(name).filter(|value| !value.is_empty());
            value.map(|value| (name, value))
        };
        let this = Self {
            bucket,
            prefix,
            variables: VARIABLES.into_iter().filter_map(given).collect(),
        };
        this.check()?;
        Ok(this)
    }

    fn check(&self) -> Result<(), BadStore> {
        let is_set = |name: &str| self.variables.contains_key(name);
        match (is_set("AWS_ACCESS_KEY_ID"), is_set("AWS_SECRET_ACCESS_KEY")) {
            (true, false) => {
                return Err(bad(
                    "AWS_SECRET_ACCESS_KEY",
                    "is missing: AWS_ACCESS_KEY_ID is set",
                ));
            }
            (false, true) => {
                return Err(bad(
                    "AWS_ACCESS_KEY_ID",
                    "is missing: AWS_SECRET_ACCESS_KEY is set",
                ));
            }
            _ => {}
        }
        let allow_http = self.variables.get("AWS_ALLOW_HTTP").map(String::as_str);
        if !matches!(allow_http, None | Some("true" | "false")) {
            return Err(bad("AWS_ALLOW_HTTP", "is neither true nor false"));
        }
        for name in ENDPOINTS {
            let Some(endpoint) = self.variables.get(name) else {
                continue;
            };
            let scheme = endpoint_scheme(endpoint).ok_or_else(|| {
                bad(
                    name,
                    "is not the address of an S3 server: give https://host[:port], without user or password",
                )
            })?;
            if scheme == "http" && allow_http != Some("true") {
                return Err(bad(
                    name,
                    "is http, which shows components and what asks for them to the network: set AWS_ALLOW_HTTP=true if that is meant",
                ));
            }
        }
        Ok(())
    }

    /// Opens the store. Asks nothing of it yet.
    ///
    /// # Errors
    /// The settings make no store.
    pub fn open(&self) -> Result<Arc<ComponentStore>, BadStore> {
        let connections =
            Connections::new().map_err(|_| bad(STORE, "cannot be used: TLS cannot be set up"))?;
        let mut builder = AmazonS3Builder::new();
        for (name, value) in &self.variables {
            let key = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>();
            let key = key.map_err(|_| bad(name, "is not known to the S3 library"))?;
            builder = builder.with_config(key, value);
        }
        let objects = builder
            .with_bucket_name(&self.bucket)
            // Whoever uses the store goes on trying: these are for a moment's trouble.
            .with_retry(RetryConfig {
                backoff: BackoffConfig {
                    init_backoff: Duration::from_millis(100),
                    max_backoff: Duration::from_secs(1),
                    ..BackoffConfig::default()
                },
                max_retries: 2,
                retry_timeout: Duration::from_secs(20),
            })
            .with_http_connector(connections)
            .build()
            .map_err(|_| bad(STORE, "cannot be used: an AWS_* variable makes no sense"))?;
        let name = format!("s3://{}/{}", self.bucket, self.prefix);
        let name = name.trim_end_matches('/').to_owned();
        Ok(Arc::new(ComponentStore::new(
            Arc::new(objects),
            self.prefix.clone(),
            name,
        )))
    }
}

impl std::fmt::Debug for StoreSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreSettings").finish_non_exhaustive()
    }
}

fn bad(variable: &'static str, why: &'static str) -> BadStore {
    BadStore { variable, why }
}

/// Bucket and prefix.
fn place(url: &str) -> Option<(String, Key)> {
    let url = Url::parse(url).ok().filter(|url| url.scheme() == "s3")?;
    let more = url.query().is_some() || url.fragment().is_some() || url.port().is_some();
    if more || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let bucket = url.host_str().filter(|bucket| !bucket.is_empty())?;
    let prefix = Key::from_url_path(url.path()).ok()?;
    Some((bucket.to_owned(), prefix))
}

fn endpoint_scheme(endpoint: &str) -> Option<String> {
    let url = Url::parse(endpoint).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.host_str().is_some();
    (plain && matches!(url.scheme(), "http" | "https")).then(|| url.scheme().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str, variables: &[(&str, &str)]) -> Result<StoreSettings, BadStore> {
        let variables: HashMap<_, _> = variables.iter().copied().collect();
        StoreSettings::read(url, &|name| variables.get(name).map(|v| (*v).to_owned()))
    }

    #[test]
    fn every_variable_is_known() {
        for name in VARIABLES {
            let known = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>();
            assert!(known.is_ok(), "{name}");
        }
    }

    #[test]
    fn good_settings_make_a_store() {
        for (url, name) in [
            ("s3://components", "s3://components"),
            ("s3://components/", "s3://components"),
            ("s3://my.bucket/lodge/one/", "s3://my.bucket/lodge/one"),
        ] {
            let variables = [
                ("AWS_ACCESS_KEY_ID", "someone"),
                ("AWS_SECRET_ACCESS_KEY", "hunter2"),
                ("AWS_ENDPOINT", "http://127.0.0.1:9000"),
                ("AWS_ALLOW_HTTP", "true"),
                ("AWS_REGION", ""),
                ("AWS_PAGER", "less"),
            ];
            let settings = read(url, &variables).unwrap();
            let store = settings.open().unwrap();
            assert_eq!(store.name(), name);
            let shown = format!("{settings:?} {store:?}");
            assert!(
                !shown.contains("hunter2") && !shown.contains("someone"),
                "{shown}"
            );
        }
    }

    #[test]
    fn bad_settings_are_named_and_not_shown() {
        let key = [("AWS_ACCESS_KEY_ID", "hunter2")];
        let secret = [("AWS_SECRET_ACCESS_KEY", "hunter2")];
        let plain = [("AWS_ENDPOINT", "http://hunter2.example.org")];
        let user = [("AWS_ENDPOINT_URL", "https://u:hunter2@example.org")];
        let allow = [("AWS_ALLOW_HTTP", "hunter2")];
        for (url, variables, named) in [
            ("hunter2", &[][..], STORE),
            ("https://hunter2/bucket", &[], STORE),
            ("s3://", &[], STORE),
            ("s3://key:hunter2@bucket", &[], STORE),
            ("s3://bucket?secret=hunter2", &[], STORE),
            ("s3://bucket", &key, "AWS_SECRET_ACCESS_KEY"),
            ("s3://bucket", &secret, "AWS_ACCESS_KEY_ID"),
            ("s3://bucket", &plain, "AWS_ENDPOINT"),
            ("s3://bucket", &user, "AWS_ENDPOINT_URL"),
            ("s3://bucket", &allow, "AWS_ALLOW_HTTP"),
        ] {
            let error = read(url, variables).unwrap_err();
            assert_eq!(error.variable, named, "{url}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
