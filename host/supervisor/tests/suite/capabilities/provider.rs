//! The provider's port, simulated: remembers what was removed, and fails or hangs as the test says.

use lodge_model::*;
use parking_lot::Mutex;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::sync::watch;

pub struct FakeProvider {
    pub removed: Mutex<Vec<(Grant, DataPolicy)>>,
    /// So many removals fail.
    pub failing_removals: AtomicUsize,
    /// A migration that broke off.
    pub marked: Mutex<Option<String>>,
    /// False: tries hang.
    pub may_test: watch::Sender<bool>,
}

impl Default for FakeProvider {
    fn default() -> Self {
        Self {
            removed: Mutex::default(),
            marked: Mutex::default(),
            failing_removals: AtomicUsize::new(0),
            may_test: watch::channel(true).0,
        }
    }
}

#[async_trait::async_trait]
impl Provider for FakeProvider {
    async fn open(&self, _: &Grant, _: Arc<dyn Account>) -> Result<Capabilities, GrantError> {
        Err(GrantError::Unavailable("the runtime is simulated".into()))
    }

    async fn close(&self, _: &AppId) {}

    async fn remove(&self, grant: &Grant, data: DataPolicy) -> Result<(), GrantError> {
        let left = |n: usize| n.checked_sub(1);
        if self
            .failing_removals
            .fetch_update(SeqCst, SeqCst, left)
            .is_ok()
        {
            return Err(GrantError::Unavailable("the server is away".into()));
        }
        self.removed.lock().push((grant.clone(), data));
        Ok(())
    }

    fn check_database(&self, _: &lodge_model::DatabaseSpec) -> Result<(), lodge_model::Invalid> {
        Ok(())
    }

    async fn test_database(
        &self,
        app: &AppId,
        database: &DatabaseSpec,
    ) -> Result<ConnectionReport, GrantError> {
        let _ = self.may_test.subscribe().wait_for(|open| *open).await;
        if database.url.as_ref().is_some_and(|url| url.contains("bad")) {
            let url = database.url.as_deref().unwrap_or_default();
            return Err(GrantError::Refused(format!("no rights for {app} at {url}")));
        }
        Ok(ConnectionReport {
            engine: DatabaseEngine::Postgres,
            version: "17".into(),
            elapsed_ms: 1,
        })
    }

    async fn clear_migration(
        &self,
        _: &AppId,
        _: &DatabaseSpec,
        _: bool,
    ) -> Result<Option<String>, GrantError> {
        Ok(self.marked.lock().take())
    }

    async fn report_database(
        &self,
        _: &AppId,
        database: &DatabaseSpec,
        _: &Limits,
    ) -> DatabaseReport {
        DatabaseReport::empty(database.kind, std::time::Duration::from_millis(100))
    }
}

/// Keys that are told apart, in every algorithm but one.
pub fn make_key(algorithm: JwtAlgorithm) -> Result<JwtKey, String> {
    static SALT: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    static MADE: AtomicUsize = AtomicUsize::new(0);
    if algorithm == JwtAlgorithm::RS256 {
        return Err("no randomness".into());
    }
    // Other processes make keys for the same database.
    let salt = SALT.get_or_init(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.unwrap().as_nanos() as u64 ^ u64::from(std::process::id())
    });
    let id = format!("{salt:x}-{}", MADE.fetch_add(1, SeqCst));
    Ok(JwtKey {
        secret: Secret(format!("secret of {id}")),
        id,
        algorithm,
        retired_at: None,
    })
}

pub fn key_set(keys: &[JwtKey]) -> serde_json::Value {
    let public = keys.iter().filter(|k| k.algorithm != JwtAlgorithm::HS256);
    json!({ "keys": public.map(|k| json!({ "kid": k.id })).collect::<Vec<_>>() })
}
