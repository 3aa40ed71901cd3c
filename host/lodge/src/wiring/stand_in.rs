//! Stands where the capabilities will: tokens' keys without public halves, secrets kept in the clear
//! (and sealed as soon as there is a sealer), and no databases.

use async_trait::async_trait;
use lodge_model::{
    Account, AppId, Capabilities, ConnectionReport, DataPolicy, DatabaseSpec, Grant, GrantError,
    JwtAlgorithm, JwtKey, Provider, SealError, Sealer, Secret,
};
use std::sync::Arc;

pub(super) struct NoCapabilities;

#[async_trait]
impl Provider for NoCapabilities {
    async fn open(&self, _: &Grant, _: Arc<dyn Account>) -> Result<Capabilities, GrantError> {
        Err(none())
    }

    async fn close(&self, _: &AppId) {}

    async fn remove(&self, _: &Grant, _: DataPolicy) -> Result<(), GrantError> {
        Ok(())
    }

    async fn test_database(
        &self,
        _: &AppId,
        _: &DatabaseSpec,
    ) -> Result<ConnectionReport, GrantError> {
        Err(none())
    }
}

fn none() -> GrantError {
    GrantError::Refused("this build has no databases for apps".into())
}

pub(super) struct InTheClear;

impl Sealer for InTheClear {
    fn seal(&self, _: &str, plain: &str, _: &str) -> Result<String, SealError> {
        Ok(plain.to_owned())
    }

    fn open(&self, _: &str, _: &str, _: &str) -> Result<String, SealError> {
        Err(SealError("this build has no key to open it".into()))
    }
}

pub(super) fn make_key(algorithm: JwtAlgorithm) -> Result<JwtKey, String> {
    if algorithm != JwtAlgorithm::HS256 {
        return Err("this build makes HS256 keys only".into());
    }
    let mut bytes = [0; 48];
    getrandom::fill(&mut bytes).map_err(|e| e.to_string())?;
    let text = hex::encode(bytes);
    let (id, secret) = text.split_at(32);
    Ok(JwtKey {
        id: id.to_owned(),
        algorithm,
        secret: Secret(secret.to_owned()),
        retired_at: None,
    })
}

pub(super) fn key_set(_: &[JwtKey]) -> serde_json::Value {
    serde_json::json!({ "keys": [] })
}
