//! Time and randomness, in the shapes that rows and IDs need.

use crate::{Error, Fault};
use lodge_model::{AppId, OperationId};
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// A fresh operation ID.
pub(crate) fn operation_id(now: i64) -> Result<OperationId, Error> {
    Ok(OperationId::generate(now.unsigned_abs(), random()?))
}

/// A fresh app ID; the caller checks that it is free.
pub(crate) fn app_id() -> Result<AppId, Error> {
    Ok(AppId::generate(random()?))
}

/// Bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|e| Fault::Bug(format!("the system gives no random bytes: {e}")))?;
    Ok(bytes)
}
