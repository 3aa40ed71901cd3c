//! What a cluster may have and need not: an authority of its own for Redis's certificates, a component
//! store.

use super::super::Secret;
use super::super::args::FileSettings;
use super::given;
use anyhow::{Result, anyhow, bail};
use lodge_store::StoreSettings;

/// The authorities in the file of `LODGE_REDIS_CA`, if that is set.
pub(super) fn authorities(settings: &FileSettings, urls: [&Secret; 2]) -> Result<Option<Vec<u8>>> {
    let Some(path) = &settings.redis_ca else {
        return Ok(None);
    };
    if !urls.iter().any(|url| url.0.starts_with("rediss:")) {
        bail!(
            "LODGE_REDIS_CA is set and no Redis speaks TLS: write its address with rediss://, or unset it"
        );
    }
    let read = std::fs::read(path);
    let pem = read
        .map_err(|error| anyhow!("LODGE_REDIS_CA: {} cannot be read: {error}", path.display()))?;
    Ok(Some(pem))
}

/// The store of `LODGE_COMPONENT_STORE`, if that is set.
pub(super) fn store(
    settings: &FileSettings,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<StoreSettings>> {
    let url = given(&settings.component_store);
    let read = url.map(|url| StoreSettings::read(url, environment));
    Ok(read.transpose()?)
}
