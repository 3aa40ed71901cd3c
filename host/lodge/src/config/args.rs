//! The settings of `lodge serve`, once for flags and variables and once for the file.

use crate::size::Size;
use anyhow::{Result, bail};
use clap::Args;
use serde::Deserialize;
use std::path::PathBuf;
use std::str::FromStr;

/// Flags and variables of `lodge serve`.
#[derive(Debug, Default, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) settings: FileSettings,
    /// A file of settings [default: lodge.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Write the addresses in use to this file, as JSON, once everything serves
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
}

/// Declares every setting once: name, type, variable, what stands for its value, help. Empty
/// variables count as unset, since compose files write them so. The variables are read here and not
/// by clap, so that one that makes no sense stops `lodge serve` and not every other command.
macro_rules! settings {
    ($($(#[$attribute:meta])* $name:ident: $type:ty, $variable:literal, $value:literal, $help:literal;)*) => {
        /// Settings that a flag, a variable or the file may give.
        #[derive(Default, Args, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct FileSettings {
            $(
                $(#[$attribute])*
                #[arg(long, value_name = $value, help = concat!($help, " [env: ", $variable, "]"))]
                pub(crate) $name: Option<$type>,
            )*
        }

        impl FileSettings {
            /// What the environment's variables give.
            ///
            /// # Errors
            /// One cannot be read; the value is not shown, since it may be a secret.
            pub(super) fn of_variables(environment: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
                Ok(Self { $($name: variable($variable, environment)?,)* })
            }

            /// What is given here, or else there.
            pub(super) fn or(self, other: Self) -> Self {
                Self { $($name: self.$name.or(other.$name),)* }
            }
        }
    };
}

fn variable<T: FromStr>(
    name: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<T>>
where
    T::Err: std::fmt::Display,
{
    match environment(name).filter(|value| !value.is_empty()) {
        Some(value) => match value.parse() {
            Ok(value) => Ok(Some(value)),
            Err(error) => bail!("{name} cannot be read: {error}"),
        },
        None => Ok(None),
    }
}

impl std::fmt::Debug for FileSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Passwords are among them.
        f.debug_struct("FileSettings").finish_non_exhaustive()
    }
}

settings! {
    listen: String, "LODGE_LISTEN", "ADDRESS", "Where apps are served [default: 127.0.0.1:13000]";
    admin_listen: String, "LODGE_ADMIN_LISTEN", "ADDRESS", "Where the console and the API are served [default: 127.0.0.1:13001]";
    data_dir: PathBuf, "LODGE_DATA_DIR", "FOLDER", "What this process keeps [default: ./data]";
    database_url: String, "DATABASE_URL", "URL", "The control database: sqlite: or postgres: [default: an SQLite file in the data folder]";
    apps_database_url: String, "APPS_DATABASE_URL", "URL", "The service in which apps' databases are made: postgres:, mysql:, mariadb: or sqlite: [default: the control database's service]";
    apps_database_connections: usize, "LODGE_APPS_DATABASE_CONNECTIONS", "COUNT", "Connections to one database server, by all apps together [default: 50]";
    #[arg(hide = true)]
    secret_key: String, "LODGE_SECRET_KEY", "KEY", "The key under which secrets are kept, 32 characters at least [default: host.key in the data folder]";
    outbound_private_networks: String, "LODGE_OUTBOUND_PRIVATE_NETWORKS", "CIDRS", "Private addresses that apps may call if they were granted the host, as addresses or networks with commas between [default: none]";
    apps_domain: String, "APPS_DOMAIN", "DOMAIN", "Apps answer at ID.DOMAIN too";
    trusted_proxies: String, "TRUSTED_PROXIES", "CIDRS", "Proxies whose forwarded headers are believed, as addresses or networks with commas between";
    init_root_email: String, "INIT_ROOT_EMAIL", "EMAIL", "The first administrator, at the first start [default: a generated password, printed once]";
    init_root_password: String, "INIT_ROOT_PASSWORD", "PASSWORD", "Their password, at the first start";
    #[arg(num_args = 0..=1, default_missing_value = "true")]
    open_metrics: bool, "LODGE_OPEN_METRICS", "BOOL", "Let /metrics be read without a token";
    max_instances: u32, "LODGE_MAX_INSTANCES", "COUNT", "Instances held at once, by all apps together [default: 1000]";
    max_memory: Size, "LODGE_MAX_MEMORY", "SIZE", "Memory that all apps together may have, such as 8GiB [default: three quarters of the machine's or the control group's]";
    compile_slots: usize, "LODGE_COMPILE_SLOTS", "COUNT", "Components compiled at once [default: half the cores]";
    guest_threads: usize, "LODGE_GUEST_THREADS", "COUNT", "Guests run at once [default: the cores]";
    #[arg(hide = true)]
    cpu_gate: bool, "LODGE_CPU_GATE", "BOOL", "Share the CPU out by turns; false only to measure what that does";
    max_connections: u32, "LODGE_MAX_CONNECTIONS", "COUNT", "Visitors' connections held at once [default: 16384, or what the limit on open files allows]";
    stop_grace: u32, "LODGE_STOP_GRACE", "SECONDS", "How long requests under way may take when the host stops, in seconds [default: 10]";
    log_format: String, "LODGE_LOG_FORMAT", "FORMAT", "How log lines are written: text or json [default: text]";
    app_mode: String, "APP_MODE", "MODE", "Which part of a larger Lodge this process is: supervisor or worker [default: all in one process]";
    app_discovery_adapter: String, "APP_DISCOVERY_ADAPTER", "ADAPTER", "How apps are found: local, or remote for supervisor and worker";
    app_process_adapter: String, "APP_PROCESS_ADAPTER", "ADAPTER", "How apps are run: remote for a supervisor, or local if it hosts apps too; local for a worker";
    app_command_adapter: String, "APP_COMMAND_ADAPTER", "ADAPTER", "How commands travel: redis for supervisor and worker";
    app_supervisor_redis_url: String, "APP_SUPERVISOR_REDIS_URL", "URL", "The Redis of supervisor and workers: redis: or rediss:";
    app_command_redis_url: String, "APP_COMMAND_REDIS_URL", "URL", "The Redis that commands travel through [default: the same]";
    redis_ca: PathBuf, "LODGE_REDIS_CA", "FILE", "Who signs the certificate of a rediss: server, as PEM [default: the public authorities]";
    component_store: String, "LODGE_COMPONENT_STORE", "URL", "Where workers find components beside the supervisor: s3://bucket/prefix, with the usual AWS_* variables [default: nowhere]";
    supervisor_url: String, "SUPERVISOR_URL", "URL", "Where workers reach the supervisor's admin listener; for the supervisor [default: that listener's address, or the one that faces Redis]";
    environment_name: String, "ENVIRONMENT_NAME", "NAME", "The environment that this worker is";
    environment_url: String, "ENVIRONMENT_URL", "URL", "Where people reach this worker";
    environment_proxy_url: String, "ENVIRONMENT_PROXY_URL", "URL", "Where the supervisor reaches this worker [default: where people do]";
    heartbeat: u32, "LODGE_HEARTBEAT", "SECONDS", "How often this worker says that it lives, in seconds [default: 10]";
    #[arg(hide = true)]
    cluster_key: String, "LODGE_CLUSTER_KEY", "KEY", "What supervisor and workers know one another by, the same on all, 32 characters at least";
    #[arg(hide = true)]
    db_dialect: String, "DB_DIALECT", "DIALECT", "The control database's make: sqlite or postgres; on a worker the apps' service's, mysql and mariadb too";
    #[arg(hide = true)]
    db_host: String, "DB_HOST", "HOST", "The control database's host";
    #[arg(hide = true)]
    db_port: u16, "DB_PORT", "PORT", "The control database's port";
    #[arg(hide = true)]
    db_database: String, "DB_DATABASE", "NAME", "The control database's name";
    #[arg(hide = true)]
    db_user: String, "DB_USER", "USER", "The control database's user";
    #[arg(hide = true)]
    db_password: String, "DB_PASSWORD", "PASSWORD", "The control database's password";
}
