//! What this host is, and whether what it stands on is as it should be.

use crate::state::Console;
use axum::Json as Answer;
use axum::extract::State;
use lodge_db::Dialect;
use lodge_model::DatabaseEngine;
use lodge_supervisor::HealthCheck;
use serde::Serialize;
use std::net::SocketAddr;
use utoipa::ToSchema;

/// What the control database is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ControlDatabase {
    /// A file in the data directory.
    Sqlite,
    /// A server.
    Postgres,
}

/// This host.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct About {
    /// Lodge's version.
    version: String,
    /// The version of Wasmtime that runs apps.
    wasmtime: String,
    /// When it began, in milliseconds since 1970.
    started_at: i64,
    /// The operating system: `linux`.
    os: String,
    /// The processor: `x86_64`, `aarch64`.
    arch: String,
    /// Threads that run at once on this machine.
    cores: u64,
    /// Memory that the process may have, in bytes.
    memory_total_bytes: u64,
    /// What the control database is.
    control_database: ControlDatabase,
    /// What apps' databases are unless asked otherwise.
    apps_database: DatabaseEngine,
    /// Where apps are served.
    #[schema(required)]
    listen: Option<String>,
    /// Where the admin API is served.
    #[schema(required)]
    admin_listen: Option<String>,
    /// The domain under which every app has a name.
    #[schema(required)]
    apps_domain: Option<String>,
    /// Whether what the host stands on is as it should be, as of the last 5 s.
    checks: Vec<HealthCheck>,
}

/// Show what this host is, and whether what it stands on is as it should be.
#[utoipa::path(get, path = "/api/about", tag = "about",
    responses((status = 200, description = "this host", body = About)))]
pub(crate) async fn show(State(console): State<Console>) -> Answer<About> {
    let host = console.supervisor().host_info();
    let settings = console.settings();
    let shown = |address: Option<SocketAddr>| address.map(|address| address.to_string());
    Answer(About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        wasmtime: settings.wasmtime.to_owned(),
        started_at: host.started_at,
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        cores: host.cores,
        memory_total_bytes: host.memory_total_bytes,
        control_database: match host.control_database {
            Dialect::Sqlite => ControlDatabase::Sqlite,
            Dialect::Postgres => ControlDatabase::Postgres,
        },
        apps_database: host.apps_database,
        listen: shown(settings.addresses.listen),
        admin_listen: shown(settings.admin_listen),
        apps_domain: settings.addresses.apps_domain.clone(),
        checks: console.supervisor().health().await,
    })
}
