//! Apps: what should be.

use crate::text::{Reader, name_of, to_json};
use crate::{Database, Error, Tx, sealing, settings};
use lodge_model::{
    App, AppId, ComponentRef, ConfigEntry, DataPolicy, DatabaseSpec, EnvironmentName, JwtSpec,
    Limits, PathAccess, Placement, Sealer, SourceGrant,
};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use std::collections::{BTreeMap, HashMap};

/// The setting that holds the highest generation of the apps that were deleted.
const LAST_GENERATION: &str = "last_generation";

/// An app as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct AppRow {
    /// What its administrator asked for, secrets included and in the clear; `observed` is empty.
    pub app: App,
    /// How often that changed. A late finisher of an older change can be told from it.
    pub generation: i64,
    /// Set once deletion was asked for: what becomes of its data.
    pub deleting: Option<DataPolicy>,
}

/// The fields that no query asks for, kept as one JSON text. Each has a default, so that a field
/// added later reads from older rows.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Spec {
    environments: Vec<EnvironmentName>,
    placement: Placement,
    failover: bool,
    database: DatabaseSpec,
    data_sources: BTreeMap<String, SourceGrant>,
    auto_upgrade: bool,
    jwt: JwtSpec,
    domains: Vec<String>,
    limits: Limits,
    config: BTreeMap<String, ConfigEntry>,
    outbound_hosts: Vec<String>,
    tags: Vec<String>,
    path_access: PathAccess,
}

impl Spec {
    /// As it is kept: secrets sealed.
    fn sealed(sealer: &dyn Sealer, app: &App) -> Result<Self, Error> {
        let mut app = app.clone();
        sealing::seal_app(sealer, &mut app)?;
        Ok(Self {
            environments: app.environments,
            placement: app.placement,
            failover: app.failover,
            database: app.database,
            data_sources: app.data_sources,
            auto_upgrade: app.auto_upgrade,
            jwt: app.jwt,
            domains: app.domains,
            limits: app.limits,
            config: app.config,
            outbound_hosts: app.outbound_hosts,
            tags: app.tags,
            path_access: app.path_access,
        })
    }
}

/// The columns of an app and of the component it names.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.display_name, a.component, a.start_mode, a.spec, a.desired, ",
            "a.generation, a.deleting, a.created_at, a.updated_at, ",
            "c.name AS component_name, c.version AS component_version ",
            "FROM apps a JOIN components c ON c.digest = a.component ",
            $rest
        )
    };
}

/// Every app, by ID.
///
/// # Errors
/// The database failed, holds an unreadable row, or was sealed with another key.
pub async fn all(database: &Database, sealer: &dyn Sealer) -> Result<Vec<AppRow>, Error> {
    let rows = sqlx::query(select!("ORDER BY a.id"))
        .fetch_all(database.reader())
        .await?;
    rows.iter().map(|row| read(row, sealer)).collect()
}

/// Every app's generation.
///
/// # Errors
/// The database failed or holds an unreadable row.
pub async fn generations(database: &Database) -> Result<HashMap<AppId, i64>, Error> {
    let rows = sqlx::query("SELECT id, generation FROM apps")
        .fetch_all(database.reader())
        .await?;
    rows.iter()
        .map(|row| {
            let row = Reader::new("apps", "id", row);
            Ok((row.id("id")?, row.get("generation")?))
        })
        .collect()
}

/// One app.
///
/// # Errors
/// The database failed, holds an unreadable row, or was sealed with another key.
pub async fn get(
    database: &Database,
    sealer: &dyn Sealer,
    app: &AppId,
) -> Result<Option<AppRow>, Error> {
    let row = sqlx::query(select!("WHERE a.id = $1"))
        .bind(app.as_str())
        .fetch_optional(database.reader())
        .await?;
    row.as_ref().map(|row| read(row, sealer)).transpose()
}

/// Adds an app and its domains.
///
/// # Errors
/// [`Error::Taken`]: its ID, host label or a domain is another app's. [`Error::Referenced`]: its
/// component is not there. The database failed.
pub async fn insert(tx: &mut Tx, sealer: &dyn Sealer, row: &AppRow) -> Result<(), Error> {
    let app = &row.app;
    sqlx::query(
        "INSERT INTO apps (id, host_label, display_name, component, start_mode, spec, desired, \
         generation, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(app.id.as_str())
    .bind(app.id.host_label())
    .bind(&app.display_name)
    .bind(app.component.digest.to_hex())
    .bind(name_of(&app.start_mode)?)
    .bind(to_json(&Spec::sealed(sealer, app)?)?)
    .bind(name_of(&app.desired)?)
    .bind(row.generation)
    .bind(app.created_at)
    .bind(app.updated_at)
    .execute(&mut **tx)
    .await?;
    insert_domains(tx, app).await
}

/// Writes a changed app, if it still has the generation that the change was made from. False: it
/// does not, and nothing was written.
///
/// # Errors
/// As [`insert`].
pub async fn update(
    tx: &mut Tx,
    sealer: &dyn Sealer,
    row: &AppRow,
    from_generation: i64,
) -> Result<bool, Error> {
    let app = &row.app;
    let done = sqlx::query(
        "UPDATE apps SET display_name = $2, component = $3, start_mode = $4, spec = $5, \
         desired = $6, generation = $7, deleting = $8, updated_at = $9 \
         WHERE id = $1 AND generation = $10",
    )
    .bind(app.id.as_str())
    .bind(&app.display_name)
    .bind(app.component.digest.to_hex())
    .bind(name_of(&app.start_mode)?)
    .bind(to_json(&Spec::sealed(sealer, app)?)?)
    .bind(name_of(&app.desired)?)
    .bind(row.generation)
    .bind(row.deleting.as_ref().map(name_of).transpose()?)
    .bind(app.updated_at)
    .bind(from_generation)
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("DELETE FROM app_domains WHERE app = $1")
        .bind(app.id.as_str())
        .execute(&mut **tx)
        .await?;
    insert_domains(tx, app).await?;
    Ok(true)
}

/// Removes an app with its domains and what was observed of it. True: it was there.
///
/// # Errors
/// The database failed.
pub async fn delete(tx: &mut Tx, app: &AppId) -> Result<bool, Error> {
    sqlx::query(
        "INSERT INTO settings (key, value) \
         SELECT CAST($2 AS TEXT), CAST(generation AS TEXT) FROM apps WHERE id = $1 \
         ON CONFLICT (key) DO UPDATE SET value = excluded.value \
         WHERE CAST(settings.value AS BIGINT) < CAST(excluded.value AS BIGINT)",
    )
    .bind(app.as_str())
    .bind(LAST_GENERATION)
    .execute(&mut **tx)
    .await?;
    let done = sqlx::query("DELETE FROM apps WHERE id = $1")
        .bind(app.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// The generation that a new app begins with: higher than any of the apps that were deleted, so that
/// nothing that was said of one of the same ID counts for it.
///
/// # Errors
/// The database failed.
pub async fn first_generation(database: &Database) -> Result<i64, Error> {
    let last = settings::get(database, LAST_GENERATION).await?;
    let last: i64 = last.and_then(|text| text.parse().ok()).unwrap_or(0);
    Ok(last.saturating_add(1))
}

async fn insert_domains(tx: &mut Tx, app: &App) -> Result<(), Error> {
    for domain in &app.domains {
        sqlx::query("INSERT INTO app_domains (domain, app) VALUES ($1, $2)")
            .bind(domain)
            .bind(app.id.as_str())
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

fn read(row: &AnyRow, sealer: &dyn Sealer) -> Result<AppRow, Error> {
    let row = Reader::new("apps", "id", row);
    let spec: Spec = row.json("spec")?;
    let mut kept = AppRow {
        app: App {
            id: row.id("id")?,
            display_name: row.get("display_name")?,
            component: ComponentRef {
                name: row.get("component_name")?,
                version: row.get("component_version")?,
                digest: row.id("component")?,
            },
            start_mode: row.name("start_mode")?,
            environments: spec.environments,
            placement: spec.placement,
            failover: spec.failover,
            database: spec.database,
            data_sources: spec.data_sources,
            auto_upgrade: spec.auto_upgrade,
            jwt: spec.jwt,
            domains: spec.domains,
            limits: spec.limits,
            config: spec.config,
            outbound_hosts: spec.outbound_hosts,
            tags: spec.tags,
            path_access: spec.path_access,
            desired: row.name("desired")?,
            observed: Vec::new(),
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        },
        generation: row.get("generation")?,
        deleting: row.optional_name("deleting")?,
    };
    sealing::open_app(sealer, &mut kept.app)?;
    Ok(kept)
}
