//! Every setting of an app as flags, shared by `app create`, `app update` and `deploy`.

use super::failure::Failure;
use super::values::{self, Pair};
use clap::{ArgAction, Args, ValueEnum};
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

/// Where an app's data lives.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[expect(clippy::enum_variant_names, reason = "the API's own words")]
enum Database {
    /// It keeps no data
    None,
    /// A database of its own on the host's service
    NewDatabase,
    /// A schema of its own on the host's service
    NewSchema,
    /// Another server: give --database-url-file
    NewConnection,
}

/// A database's make.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Engine {
    Sqlite,
    Postgres,
    Mysql,
    Mariadb,
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
    /// Where it runs (may be repeated)
    #[arg(long = "environment", value_name = "NAME")]
    environments: Vec<String>,
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
    /// What happens to /apps/ID/
    #[arg(long, value_enum, value_name = "HOW")]
    path_access: Option<PathAccess>,
    /// Where its data lives
    #[arg(long, value_enum, value_name = "KIND")]
    database: Option<Database>,
    /// The database's make
    #[arg(long, value_enum, value_name = "ENGINE", requires = "database")]
    database_engine: Option<Engine>,
    /// A file that holds the database's URL; - reads standard input
    #[arg(long, value_name = "FILE", requires = "database")]
    database_url_file: Option<String>,
    /// Sign its tokens with the key that all apps share that chose so
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", action = ArgAction::Set)]
    jwt_shared: Option<bool>,
    /// Follow newer versions of its component
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", action = ArgAction::Set)]
    auto_upgrade: Option<bool>,
    /// Whether it is to serve
    #[arg(long, value_enum, value_name = "STATE")]
    desired: Option<Desired>,
}

/// A name as the API spells it: the flag's, with `_` for `-`.
fn name(value: impl ValueEnum) -> Value {
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
        set("environments", list(&self.environments, false));
        set("domains", list(&self.domains, self.no_domains));
        set(
            "outbound_hosts",
            list(&self.outbound_hosts, self.no_outbound_hosts),
        );
        set("path_access", self.path_access.map(name));
        set("auto_upgrade", self.auto_upgrade.map(Value::Bool));
        set(
            "jwt",
            self.jwt_shared
                .map(|shared| json!({ "independent": !shared })),
        );
        set("desired", self.desired.map(name));
        set("limits", self.limits()?);
        set("config", self.config()?);
        set("database", self.database()?);
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
            .filter(|pair| pair.value == "@-");
        if from_stdin.count() + usize::from(self.database_url_file.as_deref() == Some("-")) > 1 {
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

    fn database(&self) -> Result<Option<Value>, Failure> {
        let Some(kind) = self.database else {
            return Ok(None);
        };
        let mut database = Map::from_iter([("kind".to_owned(), name(kind))]);
        if let Some(engine) = self.database_engine {
            database.insert("engine".to_owned(), name(engine));
        }
        if let Some(file) = &self.database_url_file {
            database.insert("url".to_owned(), values::read(file)?.trim().into());
        }
        Ok(Some(Value::Object(database)))
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
            "x --display-name Shop --start-mode with-host --environment local --domain a.b \
             --domain c.d --limit memory_bytes=256MiB --limit cpu-cores=0.5 --limit \
             instance_reuse=none --config GREETING=hi=ho --secret KEY=s --outbound-host *.x.y:1 \
             --path-access redirect --database new-schema --database-engine postgres --jwt-shared \
             --auto-upgrade --desired stopped",
        );
        let new: NewApp = serde_json::from_value(Value::Object(fields.clone())).unwrap();
        let patch: AppPatch = serde_json::from_value(Value::Object(fields.clone())).unwrap();
        assert_eq!(new.domains, ["a.b", "c.d"]);
        assert_eq!(patch.limits.as_ref().unwrap().cpu_cores, Some(Some(0.5)));
        assert_eq!(patch.limits.unwrap().instance_reuse, Some(None));
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
            Value::Object(parse("x --no-domains --unset A")),
            json!({"domains": [], "config": {"A": null}})
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
    }
}
