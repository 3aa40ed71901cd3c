//! Migrations at an app's start: its component lists them, the app's database runs those that it has
//! not had.
//!
//! The list comes from an instance of its own, made within the limits of one request, before the app
//! serves any. An app that cannot be migrated does not start, and says which migration and why; the
//! next start tries again. That each runs once, under a lock, is the database's part
//! ([`lodge_model::DataSources::migrate`]).

use crate::app::RunningApp;
use crate::oneshot::run_to_end;
use crate::report::Broken;
use lodge_model::{DatabaseEngine, FailureKind, Migration, SqlError, StartError};
use parking_lot::Mutex;
use std::sync::Arc;

/// The name of an app's own database.
const OWN_SOURCE: &str = "default";
/// Migrations that one component may have.
const MAX_MIGRATIONS: usize = 10_000;

/// Brings the app's database up to date, if its component has migrations.
///
/// # Errors
/// Which migration failed, and why; or why there is no list of them.
pub(crate) async fn migrate(app: &Arc<RunningApp>) -> Result<(), StartError> {
    if app.program.migrations.is_none() {
        return Ok(());
    }
    let databases = &app.capabilities.databases;
    let source = databases.open(OWN_SOURCE).await.map_err(|e| match e {
        SqlError::NoSuchSource(_) => StartError::Component(
            "the component has migrations (it exports lodge:host/migrations), and the app has no database for them: \
             set the app's database.kind, for example to new_database"
                .into(),
        ),
        e => failed(&e),
    })?;
    let migrations = list(app, source.engine()).await.map_err(|mut broken| {
        broken.cause = format!("its migrations could not be listed: {}", broken.cause);
        broken.at_start()
    })?;
    databases.migrate(migrations).await.map_err(|e| failed(&e))
}

fn failed(error: &SqlError) -> StartError {
    let text = format!("its database could not be migrated: {error}");
    match error {
        SqlError::Unavailable(_) => StartError::Host(text),
        _ => StartError::Component(text),
    }
}

/// What the component lists for a database of this make.
async fn list(app: &Arc<RunningApp>, engine: DatabaseEngine) -> Result<Vec<Migration>, Broken> {
    let listed = Arc::new(Mutex::new(Vec::new()));
    let (trial, listing) = (app.clone(), listed.clone());
    run_to_end(app, async move {
        *listing.lock() = ask(&trial, engine).await?;
        Ok(())
    })
    .await?;
    Ok(std::mem::take(&mut *listed.lock()))
}

async fn ask(app: &RunningApp, engine: DatabaseEngine) -> Result<Vec<Migration>, Broken> {
    let Some(pre) = &app.program.migrations else {
        return Ok(Vec::new());
    };
    let mut store = app.new_store().await?;
    let asked = async {
        let instance = pre.instantiate_async(&mut store).await?;
        let migrations = instance.lodge_host_migrations();
        migrations
            .call_list_migrations(&mut store, name(engine))
            .await
    };
    let asked = asked.await;
    app.note_started(store.data());
    let listed =
        asked.map_err(|e| Broken::from_guest(&e, store.data().memory.denied(), app.limits()))?;
    if listed.len() > MAX_MIGRATIONS {
        let cause = format!(
            "the component lists {} migrations, and {MAX_MIGRATIONS} is the most",
            listed.len()
        );
        return Err(Broken::new(FailureKind::NoResponse, cause));
    }
    let migration = |listed: crate::host::ListedMigration| Migration {
        id: listed.id,
        sql: listed.sql,
    };
    Ok(listed.into_iter().map(migration).collect())
}

/// As `wit/migrations.wit` names it.
fn name(engine: DatabaseEngine) -> &'static str {
    match engine {
        DatabaseEngine::Sqlite => "sqlite",
        DatabaseEngine::Postgres => "postgres",
        DatabaseEngine::Mysql => "mysql",
        DatabaseEngine::Mariadb => "mariadb",
    }
}
