//! What apps are given beside CPU and memory: databases, data sources, keys.

pub mod databases;
pub mod keys;
pub mod provider;

use crate::bed::{Host, id};
use lodge_model::*;

/// What an app that runs was last granted.
pub fn grant_of(host: &Host, app: &str) -> Grant {
    host.runtime.running.lock()[&id(app)].grant.clone()
}

/// The grant's keys: their IDs, and whether they still sign.
pub fn keys_of(host: &Host, app: &str) -> Vec<(String, bool)> {
    let keys = grant_of(host, app).jwt_keys.into_iter();
    keys.map(|key| (key.id, key.retired_at.is_none())).collect()
}
