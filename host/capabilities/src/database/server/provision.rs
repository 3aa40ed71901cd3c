//! Rooms of apps' own on the host's database service: a database or a schema, a role that can touch
//! nothing else, and one that can only read it (for apps that were granted that).
//!
//! Names begin with the host's own sign, so that two hosts may use one server; passwords are derived
//! from the host's key and kept nowhere. Everything is an "ensure": what is there already is left
//! alone, what one attempt made is taken back if the attempt fails.

use super::address::Address;
use super::session::{self, GRACE, Live, Opening, Server};
use super::{mysql, postgres};
use crate::keys::HostKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lodge_model::{
    Account, AppId, AppMeter, DatabaseEngine, GrantError, LogLevel, Row, Secret, SqlError, Turn,
    Value,
};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// How long one statement of the host's own may take.
const STATEMENT: Duration = Duration::from_secs(60);
/// How long one waits for it: the server ends it before, so that its session is of use to take back what
/// was made.
const PATIENCE: Duration = STATEMENT.saturating_add(GRACE.saturating_mul(2));
/// Characters of an app's ID that a name holds; MySQL's users' names have 32 in all.
const APP_CHARS: usize = 17;

/// Which kind of room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Database,
    Schema,
}

/// Makes rooms on one service.
pub(crate) struct Provisioner {
    /// Where, as somebody who may.
    service: Address,
    key: Arc<HostKey>,
    control: Option<String>,
}

impl Provisioner {
    /// `control`: the URL of the host's control database, if it is on a server.
    pub(crate) fn new(service: Address, key: Arc<HostKey>, control: Option<String>) -> Self {
        Self {
            service,
            key,
            control,
        }
    }

    pub(crate) fn engine(&self) -> DatabaseEngine {
        self.service.engine
    }

    /// Who may make rooms, and end what runs in them.
    pub(crate) fn administrator(&self) -> &Address {
        &self.service
    }

    /// Makes sure that an app's room is there. The address is that of its own role, or of its
    /// reader's.
    ///
    /// # Errors
    /// Rights that are missing, or a server that is away.
    pub(crate) async fn ensure(
        &self,
        app: &AppId,
        room: Room,
        reads_only: bool,
    ) -> Result<(Address, Server), GrantError> {
        let plan = self.plan(app, room).await?;
        let owner = plan.address(&plan.role, &plan.password);
        let reader = plan.address(&plan.reader, &plan.reader_password);
        // Either may have changed its own password: a room that cannot be entered is not whole.
        if let Ok(mut own) = connect(&owner).await
            && plan.is_ready(&mut own).await
            && (!reads_only || connect(&reader).await.is_ok())
        {
            return Ok((plan.address_for(reads_only), own.session.server().clone()));
        }
        let mut admin = connect(&self.service)
            .await
            .map_err(|e| self.unusable(&e))?;
        match self.service.engine {
            DatabaseEngine::Postgres => postgres::provision::make(&mut admin, &plan).await?,
            _ => mysql::provision::make(&mut admin, &plan).await?,
        }
        let own = connect(&owner).await.map_err(|e| self.unusable(&e))?;
        Ok((plan.address_for(reads_only), own.session.server().clone()))
    }

    /// Where an app's room is, as somebody who may enter every room; and its schema, if it is one.
    ///
    /// # Errors
    /// A server that is away.
    pub(crate) async fn inside(
        &self,
        app: &AppId,
        room: Room,
    ) -> Result<(Address, Option<String>), GrantError> {
        let plan = self.plan(app, room).await?;
        let (user, password) = (&self.service.user, self.service.password.clone());
        let address = self.service.with_login(&plan.database, user, password);
        Ok((address, (room == Room::Schema).then_some(plan.role)))
    }

    /// Drops an app's room with all that is in it.
    ///
    /// # Errors
    /// What could not be dropped.
    pub(crate) async fn remove(&self, app: &AppId, room: Room) -> Result<(), GrantError> {
        let plan = self.plan(app, room).await?;
        let mut admin = connect(&self.service)
            .await
            .map_err(|e| self.unusable(&e))?;
        match self.service.engine {
            DatabaseEngine::Postgres => postgres::provision::remove(&mut admin, &plan).await,
            _ => mysql::provision::remove(&mut admin, &plan).await,
        }
    }

    /// Whether rooms can be made, without making one.
    ///
    /// # Errors
    /// What is missing.
    pub(crate) async fn check(&self, room: Room) -> Result<Server, GrantError> {
        let mut admin = connect(&self.service)
            .await
            .map_err(|e| self.unusable(&e))?;
        match self.service.engine {
            DatabaseEngine::Postgres => postgres::provision::check(&mut admin, room).await?,
            _ => mysql::provision::check(&mut admin).await?,
        }
        Ok(admin.session.server().clone())
    }

    async fn plan(&self, app: &AppId, room: Room) -> Result<Plan, GrantError> {
        let sign = hex::encode(self.key.derive("sign of this host's databases"));
        let host = format!("lodge_{}", sign.get(..6).unwrap_or_default());
        let role = format!("{host}_{}", short_name(app));
        let reader = format!("{role}_r");
        let password = |role: &str| {
            let key = self
                .key
                .derive(&format!("password of the database role {role}"));
            Secret(URL_SAFE_NO_PAD.encode(key))
        };
        let (database, makes_database) = match room {
            Room::Database => (role.clone(), true),
            Room::Schema if self.is_ours_to_fill().await? => (self.service.database.clone(), false),
            Room::Schema => (format!("{host}_schemas"), true),
        };
        Ok(Plan {
            service: self.service.clone(),
            room,
            password: password(&role),
            reader_password: password(&reader),
            role,
            reader,
            database,
            makes_database,
        })
    }

    /// Whether schemas go into the database that the service's URL names: not if it is only there to
    /// be entered by, or the control database.
    async fn is_ours_to_fill(&self) -> Result<bool, GrantError> {
        if matches!(self.service.database.as_str(), "" | "postgres") {
            return Ok(false);
        }
        let mut admin = connect(&self.service)
            .await
            .map_err(|e| self.unusable(&e))?;
        Ok(!is_control(&mut admin, self.control.as_deref()).await?)
    }

    fn unusable(&self, error: &SqlError) -> GrantError {
        let text = format!("the service of apps' databases (APPS_DATABASE_URL): {error}");
        match error {
            SqlError::Refused(_) => GrantError::Refused(text),
            _ => GrantError::Unavailable(text),
        }
    }
}

/// One app's room: its names and who may enter.
pub(super) struct Plan {
    pub(super) service: Address,
    pub(super) room: Room,
    pub(super) role: String,
    pub(super) password: Secret,
    pub(super) reader: String,
    pub(super) reader_password: Secret,
    pub(super) database: String,
    /// The database is made by this host, too.
    pub(super) makes_database: bool,
}

impl Plan {
    pub(super) fn address(&self, role: &str, password: &Secret) -> Address {
        self.service
            .with_login(&self.database, role, password.clone())
    }

    fn address_for(&self, reads_only: bool) -> Address {
        if reads_only {
            self.address(&self.reader, &self.reader_password)
        } else {
            self.address(&self.role, &self.password)
        }
    }

    async fn is_ready(&self, own: &mut Live) -> bool {
        match self.service.engine {
            DatabaseEngine::Postgres => postgres::provision::is_ready(own, self).await,
            // Its user gets its rights last, and cannot enter without them.
            _ => true,
        }
    }
}

/// An app's ID, or as much of it as fits and a digest of the rest.
fn short_name(app: &AppId) -> String {
    let id = app.as_str();
    if id.len() <= APP_CHARS {
        return id.to_owned();
    }
    let digest = hex::encode(Sha256::digest(id.as_bytes()));
    let (head, tail) = (id.get(..8), digest.get(..8));
    format!("{}_{}", head.unwrap_or_default(), tail.unwrap_or_default())
}

/// Looks at a server that an administrator gave the URL of: it is not the host's own, and the role
/// cannot leave its database for the server's files.
///
/// # Errors
/// What an app must not have.
pub(crate) async fn inspect(
    address: &Address,
    control: Option<&str>,
) -> Result<Server, GrantError> {
    let mut live = connect(address).await.map_err(|error| match error {
        SqlError::Refused(text) => GrantError::Refused(text),
        other => GrantError::Unavailable(other.to_string()),
    })?;
    match address.engine {
        DatabaseEngine::Postgres => {
            if is_control(&mut live, control).await? {
                return Err(GrantError::Refused(
                    "this is the host's own control database: give the app another".into(),
                ));
            }
            postgres::provision::check_guest(&mut live).await?;
        }
        _ => mysql::provision::check_guest(&mut live).await?,
    }
    Ok(live.session.server().clone())
}

/// Whether a connection leads to the host's control database, by whatever way.
async fn is_control(live: &mut Live, control: Option<&str>) -> Result<bool, GrantError> {
    match control {
        Some(url) if live.session.server().engine == DatabaseEngine::Postgres => {
            postgres::provision::is_same(live, url).await
        }
        _ => Ok(false),
    }
}

/// Who pays for what the host does for itself.
pub(crate) fn nobody() -> Arc<dyn Account> {
    Arc::<Host>::default()
}

/// A connection of the host's own.
pub(super) async fn connect(address: &Address) -> Result<Live, SqlError> {
    let opening = Opening {
        statement_timeout: STATEMENT,
        result_bytes: 1 << 20,
        is_ours: true,
    };
    session::connect(address, opening, nobody()).await
}

/// Statements of the host's, one after the other.
pub(super) async fn run(live: &mut Live, sql: &str) -> Result<(), SqlError> {
    let done = tokio::time::timeout(PATIENCE, live.session.script(sql)).await;
    done.unwrap_or_else(|_| Err(SqlError::TimedOut("the database server is too slow".into())))
}

/// A question of the host's.
pub(crate) async fn ask(
    live: &mut Live,
    sql: &str,
    parameters: Vec<Value>,
) -> Result<Vec<Row>, SqlError> {
    let mut rows = Few(Vec::new());
    let asked = live.session.fetch(sql, parameters, &mut rows);
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(done) => done.map(|()| rows.0),
        Err(_) => Err(SqlError::TimedOut("the database server is too slow".into())),
    }
}

/// What kept a room from being made.
pub(super) fn not_made(step: &str, error: &SqlError) -> GrantError {
    let text = format!("the app's database: {step}: {error}");
    match error {
        SqlError::Unavailable(_) | SqlError::TimedOut(_) => GrantError::Unavailable(text),
        _ => GrantError::Refused(text),
    }
}

struct Few(Vec<Row>);

#[async_trait::async_trait]
impl session::Sink for Few {
    fn columns(&mut self, _: Vec<lodge_model::Column>) -> Result<(), SqlError> {
        Ok(())
    }

    fn row(&mut self, row: Row) -> Result<bool, SqlError> {
        self.0.push(row);
        Ok(false)
    }

    async fn flush(&mut self) -> bool {
        true
    }
}

/// Who pays for what the host does for itself: nobody.
#[derive(Default)]
struct Host(AppMeter);

impl Account for Host {
    fn charge_cpu(&self, _: Duration) {}

    fn next_turn(&self, last: Option<Turn>, _: &dyn Fn() -> bool) -> Option<Turn> {
        last
    }

    fn end_turn(&self, _: Turn) {}

    fn try_reserve(&self, _: u64) -> bool {
        true
    }

    fn release(&self, _: u64) {}

    fn log(&self, _: LogLevel, _: String) {}

    fn meter(&self) -> &AppMeter {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_distinct() {
        let name = |id: &str| short_name(&id.parse().unwrap());
        assert_eq!(name("shop"), "shop");
        let long = name("a-very-long-name-of-an-app-1");
        assert_ne!(long, name("a-very-long-name-of-an-app-2"));
        assert!(long.len() <= APP_CHARS, "{long}");
    }
}
