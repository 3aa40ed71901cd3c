//! Rotations of keys, and what may be told of keys: never a secret.

use crate::clock::now_ms;
use crate::desired::Change;
use crate::keys::{Keys, granted, overlap};
use crate::supervisor::Supervisor;
use crate::{Actor, Error, Fault};
use lodge_db::events::NewEvent;
use lodge_db::keys::KeyRow;
use lodge_model::{AppId, JwtAlgorithm, Operation, OperationKind};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// One key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct KeyInfo {
    /// Its `kid`, as it stands in the tokens that it signed.
    pub kid: String,
    /// What it is for.
    pub algorithm: JwtAlgorithm,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// It verifies no longer from then on, in milliseconds since 1970; null: it signs.
    pub retired_at: Option<i64>,
    /// True: it is the host-wide app key, of every app that chose so.
    pub shared: bool,
}

/// An app's keys, without their secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JwtInfo {
    /// False: it signs with the host-wide app key.
    pub independent: bool,
    /// What it signs with.
    pub algorithm: JwtAlgorithm,
    /// The first signs, all of them verify.
    pub keys: Vec<KeyInfo>,
    /// The public keys, as a JSON Web Key Set (RFC 7517); empty with HS256, which has none.
    #[schema(value_type = Object)]
    pub jwks: serde_json::Value,
}

/// A rotation of the host-wide app key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SharedRotation {
    /// The key that signs from now on.
    pub key: KeyInfo,
    /// How many apps share it; those that run are given it now.
    pub apps: u64,
}

impl From<&KeyRow> for KeyInfo {
    fn from(row: &KeyRow) -> Self {
        Self {
            kid: row.kid.clone(),
            algorithm: row.algorithm,
            created_at: row.created_at,
            retired_at: row.retired_at,
            shared: row.app.is_none(),
        }
    }
}

impl Supervisor {
    /// An app's keys.
    ///
    /// # Errors
    /// There is no such app.
    pub fn jwt(&self, id: &AppId) -> Result<JwtInfo, Error> {
        let app = self.index.require(id)?.app();
        let rows = self.keys.of(&app);
        let granted: Vec<_> = rows.iter().map(granted).collect();
        Ok(JwtInfo {
            independent: app.jwt.independent,
            algorithm: app.jwt.algorithm,
            keys: rows.iter().map(KeyInfo::from).collect(),
            jwks: (self.keys.set)(&granted),
        })
    }

    /// Gives an app a new key. The old ones verify for so many seconds more; none: a day.
    ///
    /// # Errors
    /// There is no such app, it is being deleted, it signs with the host-wide key, the overlap is
    /// out of range, or the database failed.
    pub async fn rotate_key(
        self: &Arc<Self>,
        id: &AppId,
        overlap_seconds: Option<u64>,
        actor: &Actor,
    ) -> Result<Operation, Error> {
        let (this, id, actor) = (Arc::clone(self), id.clone(), actor.clone());
        self.unbroken(async move { this.rotate_own(&id, overlap_seconds, &actor).await })
            .await
    }

    async fn rotate_own(
        &self,
        id: &AppId,
        overlap_seconds: Option<u64>,
        actor: &Actor,
    ) -> Result<Operation, Error> {
        let cell = self.index.require(id)?;
        let overlap = overlap(overlap_seconds)?;
        let _one = self.writes.lock().await;
        let row = self.changeable(&cell)?;
        if !row.app.jwt.independent {
            return Err(Error::conflict(
                "shared_key",
                format!(
                    "the app `{id}` signs with the host-wide key: rotate that one \
                     (POST /api/jwt/rotate, `lodge app rotate-key --shared`), or give the app a \
                     key of its own"
                ),
            ));
        }
        let (owner, algorithm) = (Keys::owner(&row.app), row.app.jwt.algorithm);
        let key = self.keys.replace(owner, algorithm, overlap).await?;
        let change = Change {
            keys: vec![key],
            ..Change::of(row, OperationKind::RotateKey, actor)
        };
        self.write_desired(&cell, change, |_| {}).await
    }

    /// Makes a new host-wide app key, and gives it to every app that chose it. The old ones verify
    /// for so many seconds more; none: a day.
    ///
    /// # Errors
    /// The overlap is out of range, or the database failed.
    pub async fn rotate_shared_key(
        self: &Arc<Self>,
        overlap_seconds: Option<u64>,
        actor: &Actor,
    ) -> Result<SharedRotation, Error> {
        let (this, actor) = (Arc::clone(self), actor.clone());
        self.unbroken(async move { this.rotate_shared(overlap_seconds, &actor).await })
            .await
    }

    async fn rotate_shared(
        &self,
        overlap_seconds: Option<u64>,
        actor: &Actor,
    ) -> Result<SharedRotation, Error> {
        let overlap = overlap(overlap_seconds)?;
        let _one = self.writes.lock().await;
        let algorithm = JwtAlgorithm::HS256;
        let change = self.keys.replace(None, algorithm, overlap).await?;
        let key = change.new.as_ref().map(KeyInfo::from);
        let key = key.ok_or_else(|| Fault::Bug("a rotation made no key".into()))?;
        let event = NewEvent {
            subject: Some(&key.kid),
            ..actor.entry(now_ms(), "jwt.rotate")
        };
        let mut tx = self.begin().await?;
        change.stage(&mut tx, &*self.sealer).await?;
        lodge_db::events::insert(&mut tx, &event).await?;
        tx.commit().await.map_err(lodge_db::Error::from)?;
        self.keys.apply(change);
        let mut users = self.index.all();
        users.retain(|cell| !cell.lock().row.app.jwt.independent);
        self.regrant(&users);
        Ok(SharedRotation {
            key,
            apps: users.len() as u64,
        })
    }
}
