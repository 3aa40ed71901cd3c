//! The keys of apps' tokens: made, rotated, retired.
//!
//! An app with a key of its own gets it with its row, in one transaction; the host-wide key is made
//! when the first app needs it. A rotation makes a new key that signs from then on; the old ones
//! verify through an overlap, so that nobody is logged out, and are then removed. All keys are in
//! memory too, so that a start needs no query.
//!
//! What bounds it: one key that signs an owner, and a longest overlap ([`MAX_OVERLAP`]). How it
//! fails: a key that cannot be made or written is an error of the request or the start that needed
//! it, and nothing has changed. No error and no answer holds a key.

use crate::clock::now_ms;
use crate::supervisor::Supervisor;
use crate::{Error, Fault};
use lodge_db::keys::KeyRow;
use lodge_db::{Tx, keys};
use lodge_model::{App, AppId, Invalid, JwtAlgorithm, JwtKey, Sealer};
use parking_lot::RwLock;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Makes a key. Blocks: an RSA key takes a while.
pub type KeyMaker = Arc<dyn Fn(JwtAlgorithm) -> Result<JwtKey, String> + Send + Sync>;
/// The public keys of some keys, as a JSON Web Key Set.
pub type KeySet = Arc<dyn Fn(&[JwtKey]) -> serde_json::Value + Send + Sync>;

/// How long old keys verify after a rotation, unless asked otherwise, and at most.
pub(crate) const DEFAULT_OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);
pub(crate) const MAX_OVERLAP: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Every key, by its owner; none: the host-wide one.
pub(crate) struct Keys {
    rows: RwLock<HashMap<Option<AppId>, Vec<KeyRow>>>,
    make: KeyMaker,
    pub(crate) set: KeySet,
}

/// What becomes of one owner's keys.
#[derive(Debug, Clone)]
pub(crate) struct KeyChange {
    pub(crate) owner: Option<AppId>,
    /// The keys that are there verify until then, in milliseconds since 1970.
    pub(crate) retire_at: Option<i64>,
    pub(crate) new: Option<KeyRow>,
}

impl KeyChange {
    /// Writes it as part of `tx`; [`Keys::apply`] follows the commit.
    pub(crate) async fn stage(&self, tx: &mut Tx, sealer: &dyn Sealer) -> Result<(), Error> {
        if let Some(time) = self.retire_at {
            keys::retire(tx, self.owner.as_ref(), time).await?;
        }
        if let Some(key) = &self.new {
            keys::insert(tx, sealer, key).await?;
        }
        Ok(())
    }
}

impl Keys {
    pub(crate) fn new(make: KeyMaker, set: KeySet, rows: Vec<KeyRow>) -> Self {
        let keys = Self {
            rows: RwLock::default(),
            make,
            set,
        };
        keys.load(rows);
        keys
    }

    /// Takes what the database says.
    pub(crate) fn load(&self, all: Vec<KeyRow>) {
        let mut rows: HashMap<_, Vec<KeyRow>> = HashMap::new();
        for row in all {
            rows.entry(row.app.clone()).or_default().push(row);
        }
        *self.rows.write() = rows;
    }

    /// The keys that an app's tokens have now: the first signs, all of them verify.
    pub(crate) fn of(&self, app: &App) -> Vec<KeyRow> {
        let now = now_ms();
        let rows = self.rows.read();
        let owned = |owner: Option<AppId>| rows.get(&owner).into_iter().flatten();
        let shared = owned(None).filter(|_| !app.jwt.independent);
        // What an app signed before it chose the shared key verifies through the overlap.
        let mut found: Vec<_> = shared
            .chain(owned(Some(app.id.clone())))
            .filter(|key| key.retired_at.is_none_or(|at| at > now))
            .cloned()
            .collect();
        found.sort_by_key(|key| {
            let own = key.app.is_some() && !app.jwt.independent;
            (key.retired_at.is_some(), own, Reverse(key.created_at))
        });
        found
    }

    /// Whose key signs an app's tokens.
    pub(crate) fn owner(app: &App) -> Option<AppId> {
        app.jwt.independent.then(|| app.id.clone())
    }

    /// Whether there is a key that signs an app's tokens as it is set.
    pub(crate) fn can_sign(&self, app: &App) -> bool {
        let rows = self.rows.read();
        let mut owned = rows.get(&Self::owner(app)).into_iter().flatten();
        owned.any(|key| key.retired_at.is_none() && key.algorithm == app.jwt.algorithm)
    }

    /// A new key for the owner, in place of those that are there: they verify through `overlap`.
    pub(crate) async fn replace(
        &self,
        owner: Option<AppId>,
        algorithm: JwtAlgorithm,
        overlap: Duration,
    ) -> Result<KeyChange, Error> {
        let make = Arc::clone(&self.make);
        let made = tokio::task::spawn_blocking(move || make(algorithm)).await;
        let key = made
            .unwrap_or_else(|e| Err(e.to_string()))
            .map_err(|e| Fault::Bug(format!("cannot make a {algorithm:?} key: {e}")))?;
        let now = now_ms();
        Ok(KeyChange {
            retire_at: Some(now.saturating_add(millis(overlap))),
            new: Some(KeyRow {
                app: owner.clone(),
                kid: key.id,
                algorithm,
                secret: key.secret,
                created_at: now,
                retired_at: None,
            }),
            owner,
        })
    }

    /// Notes what the database has taken.
    pub(crate) fn apply(&self, change: KeyChange) {
        let mut rows = self.rows.write();
        let owned = rows.entry(change.owner).or_default();
        if let Some(time) = change.retire_at {
            for key in owned.iter_mut() {
                key.retired_at = Some(key.retired_at.map_or(time, |at| at.min(time)));
            }
        }
        owned.splice(0..0, change.new);
    }

    /// Forgets the keys of an app that is gone.
    pub(crate) fn forget(&self, app: &AppId) {
        self.rows.write().remove(&Some(app.clone()));
    }

    /// Forgets keys that verify no more.
    pub(crate) fn prune(&self, now: i64) {
        self.rows.write().retain(|_, owned| {
            owned.retain(|key| key.retired_at.is_none_or(|at| at > now));
            !owned.is_empty()
        });
    }
}

/// As the capability takes it.
pub(crate) fn granted(row: &KeyRow) -> JwtKey {
    JwtKey {
        id: row.kid.clone(),
        algorithm: row.algorithm,
        secret: row.secret.clone(),
        // Rounded up: never shorter than was promised.
        retired_at: row.retired_at.map(|ms| ms.saturating_add(999) / 1000),
    }
}

/// The overlap that was asked for.
pub(crate) fn overlap(seconds: Option<u64>) -> Result<Duration, Invalid> {
    let overlap = seconds.map_or(DEFAULT_OVERLAP, Duration::from_secs);
    if overlap > MAX_OVERLAP {
        return Err(Invalid::new(
            "overlap_seconds",
            format!("is out of range: 0 to {} seconds", MAX_OVERLAP.as_secs()),
        ));
    }
    Ok(overlap)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl Supervisor {
    /// What has to be written for an app to have a key that signs, if it has none.
    pub(crate) async fn missing_key(&self, app: &App) -> Result<Option<KeyChange>, Error> {
        if self.keys.can_sign(app) {
            return Ok(None);
        }
        let (owner, algorithm) = (Keys::owner(app), app.jwt.algorithm);
        let change = self.keys.replace(owner, algorithm, DEFAULT_OVERLAP).await?;
        Ok(Some(change))
    }

    /// Makes sure that an app has a key that signs: one that was made by an older Lodge has none.
    pub(crate) async fn ensure_key(&self, app: &App) -> Result<(), Error> {
        if self.keys.can_sign(app) {
            return Ok(());
        }
        let _one = self.writes.lock().await;
        if let Some(change) = self.missing_key(app).await? {
            let mut tx = self.begin().await?;
            change.stage(&mut tx, &*self.sealer).await?;
            tx.commit().await.map_err(lodge_db::Error::from)?;
            self.keys.apply(change);
        }
        Ok(())
    }

    /// What an app's new token settings do to its keys: what it signed with verifies through the
    /// overlap, and it has a key that fits.
    pub(crate) async fn changed_keys(&self, old: &App, new: &App) -> Result<Vec<KeyChange>, Error> {
        let mut changes = Vec::new();
        if old.jwt == new.jwt {
            return Ok(changes);
        }
        let own = Some(new.id.clone());
        if new.jwt.independent {
            let algorithm = new.jwt.algorithm;
            changes.push(self.keys.replace(own, algorithm, DEFAULT_OVERLAP).await?);
        } else {
            changes.extend(self.missing_key(new).await?);
            changes.push(KeyChange {
                owner: own,
                retire_at: Some(now_ms().saturating_add(millis(DEFAULT_OVERLAP))),
                new: None,
            });
        }
        Ok(changes)
    }
}
