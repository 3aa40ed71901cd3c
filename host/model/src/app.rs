//! An app as its administrator describes it.

mod data;

use crate::outbound_host::is_host_name;
use crate::{
    AppId, Desired, Digest, EnvironmentName, Invalid, JwtAlgorithm, Limits, Observed, OutboundHost,
    SourceGrant,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The environment inside this process.
pub const LOCAL_ENVIRONMENT: &str = "local";
/// Most tags that an app may have.
const MAX_TAGS: usize = 16;

/// When an app that should run starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StartMode {
    /// At its first visit, which waits for it.
    #[default]
    OnFirstVisit,
    /// With the host.
    WithHost,
}

/// What happens to requests that reach an app by `/apps/{id}/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PathAccess {
    /// They are served. Apps served by path share one browser origin.
    #[default]
    Serve,
    /// A browser's navigation is sent to the app's own host name.
    Redirect,
    /// They find nothing.
    Off,
}

/// Who chose where an app runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// Its administrator, who named the environments.
    Named,
    /// The supervisor, which may also choose others later.
    #[default]
    Automatic,
}

/// Where an app's data lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseKind {
    /// The app keeps no data.
    #[default]
    None,
    /// A database of its own on the host's service.
    NewDatabase,
    /// A schema of its own on the host's service (PostgreSQL).
    NewSchema,
    /// Another server, by URL.
    NewConnection,
}

/// A database's make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseEngine {
    /// SQLite, a file of the app's own.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL.
    Mysql,
    /// MariaDB.
    Mariadb,
}

/// An app's main data source.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSpec {
    /// Which of the ways.
    pub kind: DatabaseKind,
    /// The make; none: that of the host's service (`APPS_DATABASE_URL`), which is then written here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<DatabaseEngine>,
    /// For `new_connection`: the server's URL. Write-only: it holds a password, so no answer of
    /// the API, no log line and no error shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(write_only)]
    pub url: Option<String>,
}

/// How the app's tokens are signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JwtSpec {
    /// True (the default): a key of the app's own. False: the host-wide app key, which it shares
    /// with every app that chose so. The risk of that: each of those apps accepts the tokens of all
    /// the others and can sign tokens that they accept, so whoever takes over one has taken over
    /// the users of all. Choose it only for apps that trust one another fully.
    pub independent: bool,
    /// What its own key is for; the host-wide key is for HS256. With EdDSA and RS256 others can
    /// verify the app's tokens by its public key.
    pub algorithm: JwtAlgorithm,
}

impl Default for JwtSpec {
    fn default() -> Self {
        Self {
            independent: true,
            algorithm: JwtAlgorithm::default(),
        }
    }
}

/// One configuration value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigEntry {
    /// The value; null in answers where it is secret.
    pub value: Option<String>,
    /// True: shown to nobody again.
    #[serde(default)]
    pub secret: bool,
}

/// The component version that an app runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComponentRef {
    /// The name it is listed under.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its bytes.
    #[schema(value_type = String)]
    pub digest: Digest,
}

/// One tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct App {
    /// Unique and immutable.
    #[schema(value_type = String)]
    pub id: AppId,
    /// For people.
    pub display_name: String,
    /// What it runs.
    pub component: ComponentRef,
    /// When it starts.
    pub start_mode: StartMode,
    /// Where it runs.
    #[schema(value_type = Vec<String>)]
    pub environments: Vec<EnvironmentName>,
    /// Who chose them.
    #[serde(default)]
    pub placement: Placement,
    /// Whether it moves to another environment when its own is lost. Not with a database that is a
    /// local file.
    #[serde(default)]
    pub failover: bool,
    /// Its main data source, `default`.
    pub database: DatabaseSpec,
    /// Further data sources that it was granted, by the name under which it opens them.
    #[serde(default)]
    pub data_sources: BTreeMap<String, SourceGrant>,
    /// Whether it follows newer versions of its component.
    pub auto_upgrade: bool,
    /// How its tokens are signed.
    pub jwt: JwtSpec,
    /// Host names of its own, lower case, without port.
    pub domains: Vec<String>,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What it may use.
    pub limits: Limits,
    /// Its configuration.
    pub config: BTreeMap<String, ConfigEntry>,
    /// Hosts it may call: `name`, `*.name` or an IP address, optionally with `:port`, and
    /// `{app}.lodge.internal`.
    pub outbound_hosts: Vec<String>,
    /// What happens to `/apps/{id}/`.
    pub path_access: PathAccess,
    /// What was asked for.
    pub desired: Desired,
    /// What was last seen, one entry an environment.
    #[serde(default)]
    pub observed: Vec<Observed>,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// When it was last changed, in milliseconds since 1970.
    pub updated_at: i64,
}

impl App {
    /// The app as anyone may see it: without its secrets.
    #[must_use]
    pub fn masked(mut self) -> Self {
        self.database.url = None;
        for source in self.data_sources.values_mut() {
            source.url = None;
        }
        for entry in self.config.values_mut().filter(|entry| entry.secret) {
            entry.value = None;
        }
        self
    }

    /// Checks every field that one can check by itself.
    ///
    /// # Errors
    /// The first field that breaks a rule, with the rule.
    pub fn check(&self) -> Result<(), Invalid> {
        check_text("display_name", &self.display_name, 1, 200)?;
        check_tags(&self.tags)?;
        self.limits.check()?;
        if self.environments.is_empty() && self.placement == Placement::Named {
            return Err(Invalid::new(
                "environments",
                "must name at least one, such as `local`",
            ));
        }
        for (index, domain) in self.domains.iter().enumerate() {
            check_domain(&format!("domains[{index}]"), domain)?;
        }
        for (index, host) in self.outbound_hosts.iter().enumerate() {
            check_outbound_host(&format!("outbound_hosts[{index}]"), host)?;
        }
        for (key, entry) in &self.config {
            check_config(key, entry)?;
        }
        self.database.check()?;
        self.jwt.check()?;
        data::check_sources(self)
    }
}

fn check_text(field: &str, text: &str, min: usize, max: usize) -> Result<(), Invalid> {
    let length = text.chars().count();
    if length < min || length > max || text.chars().any(char::is_control) {
        return Err(Invalid::new(
            field,
            format!("must have {min} to {max} characters and no control characters"),
        ));
    }
    Ok(())
}

fn check_tags(tags: &[String]) -> Result<(), Invalid> {
    if tags.len() > MAX_TAGS {
        let message = format!("has {} tags; at most {MAX_TAGS} are allowed", tags.len());
        return Err(Invalid::new("tags", message));
    }
    for (index, tag) in tags.iter().enumerate() {
        let field = format!("tags[{index}]");
        check_text(&field, tag, 1, 32)?;
        if tag.contains(',') || tag.trim() != tag {
            let message = "has no comma, and no space at its ends";
            return Err(Invalid::new(field, message));
        }
        if tags.iter().take(index).any(|other| other == tag) {
            return Err(Invalid::new(
                field,
                format!("`{tag}` is there twice: remove one"),
            ));
        }
    }
    Ok(())
}

fn check_domain(field: &str, domain: &str) -> Result<(), Invalid> {
    let own = domain == "localhost" || domain.ends_with(".localhost");
    let address = domain.parse::<std::net::IpAddr>().is_ok();
    if !is_host_name(domain) || address {
        return Err(Invalid::new(
            field,
            format!(
                "`{domain}` is not a host name: lower-case labels with dots, no scheme, port or path"
            ),
        ));
    }
    if own {
        return Err(Invalid::new(
            field,
            "names under `localhost` are Lodge's own: remove it",
        ));
    }
    Ok(())
}

fn check_outbound_host(field: &str, host: &str) -> Result<(), Invalid> {
    let parsed = host.parse::<OutboundHost>();
    parsed
        .map(|_| ())
        .map_err(|invalid| Invalid::new(field, invalid.message))
}

fn check_config(key: &str, entry: &ConfigEntry) -> Result<(), Invalid> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/');
    if key.is_empty() || key.len() > 128 || !key.bytes().all(allowed) {
        return Err(Invalid::new(
            format!("config.{key}"),
            "a key has 1 to 128 letters, digits, `_`, `-`, `.` or `/`",
        ));
    }
    match &entry.value {
        Some(value) if value.len() <= 64 * 1024 => Ok(()),
        Some(_) => Err(Invalid::new(
            format!("config.{key}"),
            "a value has at most 64 KiB",
        )),
        None => Err(Invalid::new(format!("config.{key}"), "needs a value")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_short_few_and_told_apart() {
        let tags =
            |tags: &[&str]| check_tags(&tags.iter().map(ToString::to_string).collect::<Vec<_>>());
        tags(&["production", "Team Süd", "客户"]).unwrap();
        for bad in [
            &["a", ""][..],
            &["a", "b,c"],
            &["a", " b"],
            &["a", "a"],
            &["a", "b\n"],
        ] {
            assert_eq!(tags(bad).unwrap_err().field, "tags[1]", "{bad:?}");
        }
        assert_eq!(tags(&["x"; MAX_TAGS + 1]).unwrap_err().field, "tags");
        assert!(tags(&[&"x".repeat(33)]).is_err());
    }

    #[test]
    fn domains_are_host_names() {
        for good in ["shop.example.com", "example.com", "x1.io"] {
            check_domain("domains[0]", good).unwrap();
        }
        for bad in [
            "",
            "Shop.example",
            "a..b",
            "-a.b",
            "http://a.b",
            "a.b:80",
            "127.0.0.1",
            "x.localhost",
        ] {
            assert!(check_domain("domains[0]", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn outbound_hosts_name_the_field() {
        check_outbound_host("outbound_hosts[0]", "127.0.0.1:8080").unwrap();
        let refused = check_outbound_host("outbound_hosts[3]", "https://a.b").unwrap_err();
        assert_eq!(refused.field, "outbound_hosts[3]");
    }
}
