//! Every setting of an app as flags, shared by `app create`, `app update` and `deploy`.

mod data;

use super::failure::Failure;
use super::values::{self, Pair};
use clap::{ArgAction, Args, ValueEnum};
pub(crate) use data::DatabaseFields;
use serde_json::{Map, Value, json};

/// When an app starts.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum StartMode {
    /// At its first visit, which waits for it
    OnFirstVisit,
    /// With the host
    WithHost,
}

/// What happens to `/apps/{id}/`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum PathAccess {
    /// Requests are served
    Serve,
    /// Browsers are sent to the app's own host name
    Redirect,
    /// There is nothing
    Off,
}

/// How tokens are signed, in the standard's spelling.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Algorithm {
    #[value(name = "HS256")]
    HS256,
    #[value(name = "EdDSA")]
    EdDSA,
    #[value(name = "RS256")]
    RS256,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Desired {
    /// Serve
    Running,
    /// Do not serve until started
    Stopped,
}

/// Settings of an app. What is not given stays as it is, or has its default.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "App settings")]
pub(crate) struct AppFields {
    /// A name for people
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// When it starts
    #[arg(long, value_enum, value_name = "MODE")]
    start_mode: Option<StartMode>,
    /// Where it runs (may be repeated: in each at once; together they replace). Not given for a new
    /// app: where Lodge chooses
    #[arg(long = "environment", value_name = "NAME")]
    environments: Vec<String>,
    /// Let Lodge choose where it runs
    #[arg(long, conflicts_with = "environments")]
    any_environment: bool,
    /// Move it to another environment when its own is lost
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", action = ArgAction::Set)]
    failover: Option<bool>,
    /// A host name of its own (may be repeated; together they replace those it has)
    #[arg(long = "domain", value_name = "HOST")]
    domains: Vec<String>,
    /// Take all its own host names away
    #[arg(long, conflicts_with = "domains")]
    no_domains: bool,
    /// A limit, such as memory_bytes=256MiB, concurrency=16, cpu_cores=none (may be repeated)
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = values::pair)]
    limits: Vec<Pair>,
    /// A configuration value; @FILE and @- read it (may be repeated)
    #[arg(long = "config", value_name = "KEY=VALUE", value_parser = values::pair)]
    config: Vec<Pair>,
    /// The same, shown to nobody again; @FILE and @- keep it out of the shell's history
    #[arg(long = "secret", value_name = "KEY=VALUE", value_parser = values::pair)]
    secrets: Vec<Pair>,
    /// Remove a configuration value or secret (may be repeated; for apps that exist)
    #[arg(long = "unset", value_name = "KEY")]
    unset: Vec<String>,
    /// A host it may call: name, *.name or name:port (may be repeated; together they replace)
    #[arg(long = "outbound-host", value_name = "HOST")]
    outbound_hosts: Vec<String>,
    /// Let it call no host
    #[arg(long, conflicts_with = "outbound_hosts")]
    no_outbound_hosts: bool,
    /// A word to find it by (may be repeated; together they replace)
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Take all its tags away
    #[arg(long, conflicts_with = "tags")]
    no_tags: bool,
    /// What happens to /apps/ID/
    #[arg(long, value_enum, value_name = "HOW")]
    path_access: Option<PathAccess>,
    #[command(flatten)]
    database: DatabaseFields,
    /// Another database, read-only or with :rw: NAME=app:ID for that app's, NAME=URL, or NAME=@FILE
    /// for either out of a file (may be repeated)
    #[arg(long = "data-source", value_name = "NAME=SOURCE[:rw]", value_parser = values::pair)]
    data_sources: Vec<Pair>,
    /// Take another database away (may be repeated; for apps that exist)
    #[arg(long = "no-data-source", value_name = "NAME")]
    no_data_sources: Vec<String>,
    /// What its tokens are signed with; another one means a new key
    #[arg(long, value_enum, value_name = "ALGORITHM")]
    jwt_algorithm: Option<Algorithm>,
    /// Sign its tokens with the host-wide key. Every app that does accepts the tokens of all the
    /// others, and can sign some that they accept
    #[arg(long, alias = "jwt-shared", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", action = ArgAction::Set)]
    shared_jwt: Option<bool>,
    /// Follow newer versions of its component
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", action = ArgAction::Set)]
    auto_upgrade: Option<bool>,
    /// Whether it is to serve
    #[arg(long, value_enum, value_name = "STATE")]
    desired: Option<Desired>,
}

/// A name as the API spells it: the flag's, with `_` for `-`.
pub(super) fn name(value: impl ValueEnum) -> Value {
    let name = value
        .to_possible_value()
        .map(|value| value.get_name().replace('-', "_"));
    name.map_or(Value::Null, Value::String)
}

impl AppFields {
    /// The fields that were given, as the API takes them.
    ///
    /// # Errors
    /// A file cannot be read, or a value has no sense.
    pub(crate) fn to_json(&self) -> Result<Map<String, Value>, Failure> {
        let mut fields = Map::new();
        let mut set = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                fields.insert(key.to_owned(), value);
            }
        };
        set("display_name", self.display_name.clone().map(Value::String));
        set("start_mode", self.start_mode.map(name));
        set(
            "environments",
            list(&self.environments, self.any_environment),
        );
        set("failover", self.failover.map(Value::Bool));
        set("domains", list(&self.domains, self.no_domains));
        set("tags", list(&self.tags, self.no_tags));
        set(
            "outbound_hosts",
            list(&self.outbound_hosts, self.no_outbound_hosts),
        );
        set("path_access", self.path_access.map(name));
        set("auto_upgrade", self.auto_upgrade.map(Value::Bool));
        set("jwt", self.jwt());
        set("desired", self.desired.map(name));
        set("limits", self.limits()?);
        set("config", self.config()?);
        set("database", self.database.to_json()?);
        set("data_sources", self.data_sources()?);
        Ok(fields)
    }

    fn limits(&self) -> Result<Option<Value>, Failure> {
        let mut limits = Map::new();
        for pair in &self.limits {
            let key = pair
                .key
                .strip_prefix("limits.")
                .unwrap_or(&pair.key)
                .replace('-', "_");
            limits.insert(key, values::limit(pair)?);
        }
        Ok(some(limits))
    }

    fn config(&self) -> Result<Option<Value>, Failure> {
        let from_stdin = self
            .config
            .iter()
            .chain(&self.secrets)
            .chain(&self.data_sources)
            .filter(|pair| matches!(pair.value.as_str(), "@-" | "@-:rw"));
        if from_stdin.count() + usize::from(self.database.reads_stdin()) > 1 {
            return Err(Failure::Usage(
                "standard input can be read once: use files".into(),
            ));
        }
        let mut config = Map::new();
        for (pairs, secret) in [(&self.config, false), (&self.secrets, true)] {
            for pair in pairs {
                let value = json!({ "value": values::content(pair)?, "secret": secret });
                if config.insert(pair.key.clone(), value).is_some() {
                    return Err(Failure::Usage(format!("`{}` is given twice", pair.key)));
                }
            }
        }
        for key in &self.unset {
            config.insert(key.clone(), Value::Null);
        }
        Ok(some(config))
    }

    fn jwt(&self) -> Option<Value> {
        let mut jwt = Map::new();
        if let Some(shared) = self.shared_jwt {
            jwt.insert("independent".to_owned(), json!(!shared));
        }
        if let Some(algorithm) = self.jwt_algorithm {
            jwt.insert("algorithm".to_owned(), name(algorithm));
        }
        some(jwt)
    }

    fn data_sources(&self) -> Result<Option<Value>, Failure> {
        let mut sources = Map::new();
        for pair in &self.data_sources {
            if sources
                .insert(pair.key.clone(), data::source(pair)?)
                .is_some()
            {
                return Err(Failure::Usage(format!("`{}` is given twice", pair.key)));
            }
        }
        for name in &self.no_data_sources {
            sources.insert(name.clone(), Value::Null);
        }
        Ok(some(sources))
    }
}

fn list(items: &[String], none: bool) -> Option<Value> {
    (none || !items.is_empty()).then(|| json!(items))
}

fn some(map: Map<String, Value>) -> Option<Value> {
    (!map.is_empty()).then_some(Value::Object(map))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use lodge_supervisor::{AppPatch, NewApp};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        fields: AppFields,
    }

    fn parse(line: &str) -> Map<String, Value> {
        Line::try_parse_from(line.split(' '))
            .unwrap()
            .fields
            .to_json()
            .unwrap()
    }

    /// Every field, through the flags, is what the API itself reads.
    #[test]
    fn the_api_understands_every_field() {
        let fields = parse(
            "x --display-name Shop --start-mode with-host --environment eu --environment us --failover --domain a.b \
             --domain c.d --limit memory_bytes=256MiB --limit cpu-cores=0.5 --limit \
             instance_reuse=none --config GREETING=hi=ho --secret KEY=s --outbound-host *.x.y:1 \
             --path-access redirect --database new-schema --database-engine postgres --shared-jwt \
             --jwt-algorithm HS256 --data-source o=app:orders:rw --data-source w=mysql://u:p@h/d \
             --auto-upgrade --tag blue --tag green --desired stopped",
        );
        let new: NewApp = serde_json::from_value(Value::Object(fields.clone())).unwrap();
        let patch: AppPatch = serde_json::from_value(Value::Object(fields.clone())).unwrap();
        assert_eq!(new.domains, ["a.b", "c.d"]);
        assert_eq!(new.environments.map(|names| names.len()), Some(2));
        assert!(new.failover);
        assert_eq!(patch.limits.as_ref().unwrap().cpu_cores, Some(Some(0.5)));
        assert_eq!(patch.limits.unwrap().instance_reuse, Some(None));
        assert_eq!(
            new.data_sources["o"].access,
            lodge_model::SourceAccess::ReadWrite
        );
        assert_eq!(
            new.data_sources["w"].url.as_deref(),
            Some("mysql://u:p@h/d")
        );
        assert!(!new.jwt.independent && new.config["KEY"].secret && !new.config["GREETING"].secret);
        // Nothing that an app has lacks a flag; the ID and the component are arguments.
        for field in serde_json::to_value(NewApp::default())
            .unwrap()
            .as_object()
            .unwrap()
            .keys()
        {
            let elsewhere = matches!(field.as_str(), "id" | "component");
            assert!(
                elsewhere || fields.contains_key(field),
                "no flag for {field}"
            );
        }
    }

    #[test]
    fn what_is_not_given_is_not_sent() {
        assert!(parse("x").is_empty());
        assert_eq!(
            Value::Object(parse(
                "x --no-domains --unset A --any-environment --failover false"
            )),
            json!({"domains": [], "config": {"A": null}, "environments": [], "failover": false})
        );
        assert_eq!(
            Value::Object(parse("x --no-data-source a --jwt-algorithm EdDSA")),
            json!({"data_sources": {"a": null}, "jwt": {"algorithm": "EdDSA"}})
        );
        assert_eq!(
            Value::Object(parse("x --database postgres://u:p@h/d")),
            json!({"database": {"kind": "new_connection", "url": "postgres://u:p@h/d"}})
        );
        assert_eq!(
            Value::Object(parse("x --database new_database")),
            json!({"database": {"kind": "new_database"}})
        );
        assert_eq!(
            Value::Object(parse("x --jwt-shared false")),
            json!({"jwt": {"independent": true}})
        );
    }

    #[test]
    fn contradictions_are_usage_errors() {
        let fields = Line::try_parse_from(["x", "--config", "A=1", "--secret", "A=2"])
            .unwrap()
            .fields;
        assert_eq!(fields.to_json().unwrap_err().exit_code(), 2);
        let fields = Line::try_parse_from(["x", "--config", "A=@-", "--secret", "B=@-"])
            .unwrap()
            .fields;
        assert_eq!(fields.to_json().unwrap_err().exit_code(), 2);
        assert!(Line::try_parse_from(["x", "--domain", "a.b", "--no-domains"]).is_err());
        assert!(Line::try_parse_from(["x", "--environment", "eu", "--any-environment"]).is_err());
        assert!(Line::try_parse_from(["x", "--database", "new"]).is_err());
        for twice in ["a=app:b", "a=", "c=d"] {
            let line = ["x", "--data-source", "a=app:b", "--data-source", twice];
            let fields = Line::try_parse_from(line).unwrap().fields;
            assert_eq!(fields.to_json().unwrap_err().exit_code(), 2, "{twice}");
        }
    }
}
