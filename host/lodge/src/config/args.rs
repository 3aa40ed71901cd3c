//! The settings of `lodge serve`, once for flags and variables and once for the file.

use clap::Args;
use serde::Deserialize;
use std::path::PathBuf;

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

/// Declares every setting once: its type, variable and help. Empty variables count as unset, since
/// compose files write them so.
macro_rules! settings {
    ($($(#[$attribute:meta])* $name:ident: $type:ty;)*) => {
        /// Settings that a flag, a variable or the file may give.
        #[derive(Debug, Default, Args, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct FileSettings {
            $($(#[$attribute])* pub(crate) $name: Option<$type>,)*
        }

        impl FileSettings {
            /// What is given here, or else there.
            pub(crate) fn or(self, other: Self) -> Self {
                Self { $($name: self.$name.filter(is_given).or(other.$name),)* }
            }
        }
    };
}

/// Whether a value says something.
trait Given {
    fn is_empty_text(&self) -> bool {
        false
    }
}

impl Given for String {
    fn is_empty_text(&self) -> bool {
        self.is_empty()
    }
}
impl Given for PathBuf {
    fn is_empty_text(&self) -> bool {
        self.as_os_str().is_empty()
    }
}
impl Given for bool {}
impl Given for u16 {}
impl Given for u32 {}
impl Given for usize {}

fn is_given<T: Given>(value: &T) -> bool {
    !value.is_empty_text()
}

settings! {
    /// Where apps are served [default: 127.0.0.1:13000]
    #[arg(long, env = "LODGE_LISTEN", value_name = "ADDRESS")]
    listen: String;
    /// Where the console and the API are served [default: 127.0.0.1:13001]
    #[arg(long, env = "LODGE_ADMIN_LISTEN", value_name = "ADDRESS")]
    admin_listen: String;
    /// What this process keeps [default: ./data]
    #[arg(long, env = "LODGE_DATA_DIR", value_name = "FOLDER")]
    data_dir: PathBuf;
    /// The control database: sqlite: or postgres: [default: an SQLite file in the data folder]
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: String;
    /// Apps answer at ID.DOMAIN too
    #[arg(long, env = "APPS_DOMAIN", value_name = "DOMAIN")]
    apps_domain: String;
    /// Proxies whose forwarded headers are believed, as addresses or networks with commas between
    #[arg(long, env = "TRUSTED_PROXIES", value_name = "CIDRS")]
    trusted_proxies: String;
    /// The first administrator, at the first start [default: a generated password, printed once]
    #[arg(long, env = "INIT_ROOT_EMAIL", value_name = "EMAIL")]
    init_root_email: String;
    /// Their password, at the first start
    #[arg(long, env = "INIT_ROOT_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    init_root_password: String;
    /// Let /metrics be read without a token
    #[arg(long, env = "LODGE_OPEN_METRICS", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    open_metrics: bool;
    /// Instances held at once, by all apps together [default: 1000]
    #[arg(long, env = "LODGE_MAX_INSTANCES", value_name = "COUNT")]
    max_instances: u32;
    /// Components compiled at once [default: half the cores]
    #[arg(long, env = "LODGE_COMPILE_SLOTS", value_name = "COUNT")]
    compile_slots: usize;
    /// Guests run at once [default: the cores]
    #[arg(long, env = "LODGE_GUEST_THREADS", value_name = "COUNT")]
    guest_threads: usize;
    /// How log lines are written: text or json [default: text]
    #[arg(long, env = "LODGE_LOG_FORMAT", value_name = "FORMAT")]
    log_format: String;
    /// Which part of a larger Lodge this process is; only all in one in this version
    #[arg(long, env = "APP_MODE", value_name = "MODE", hide = true)]
    app_mode: String;
    /// How apps are found; only `local` in this version
    #[arg(long, env = "APP_DISCOVERY_ADAPTER", value_name = "ADAPTER", hide = true)]
    app_discovery_adapter: String;
    /// How apps are run; only `local` in this version
    #[arg(long, env = "APP_PROCESS_ADAPTER", value_name = "ADAPTER", hide = true)]
    app_process_adapter: String;
    /// How commands travel; none in this version
    #[arg(long, env = "APP_COMMAND_ADAPTER", value_name = "ADAPTER", hide = true)]
    app_command_adapter: String;
    /// The control database's make: sqlite or postgres
    #[arg(long, env = "DB_DIALECT", value_name = "DIALECT", hide = true)]
    db_dialect: String;
    /// The control database's host
    #[arg(long, env = "DB_HOST", value_name = "HOST", hide = true)]
    db_host: String;
    /// The control database's port
    #[arg(long, env = "DB_PORT", value_name = "PORT", hide = true)]
    db_port: u16;
    /// The control database's name
    #[arg(long, env = "DB_DATABASE", value_name = "NAME", hide = true)]
    db_database: String;
    /// The control database's user
    #[arg(long, env = "DB_USER", value_name = "USER", hide = true)]
    db_user: String;
    /// The control database's password
    #[arg(long, env = "DB_PASSWORD", value_name = "PASSWORD", hide = true, hide_env_values = true)]
    db_password: String;
}
