//! What `fuzz/` calls directly; compiled only there. It needs no database: only what is checked of bodies
//! by themselves.

use crate::input::{check_amounts, check_domains};
use crate::preferences::Kept;
use crate::{AppPatch, Error, PreferencesPatch};
use lodge_model::{App, Invalid};

/// Lays changes over an app, and checks what comes of it.
///
/// # Errors
/// The first field that breaks a rule.
pub fn apply(patch: &AppPatch, app: &mut App, apps_domain: Option<&str>) -> Result<(), Invalid> {
    patch.apply(app)?;
    check_amounts(app)?;
    app.check()?;
    check_domains(app, apps_domain)
}

/// The host's settings after changes, as they are kept: JSON.
///
/// # Errors
/// They break a rule, or what is kept is none of the host's settings.
pub fn change(kept: &str, patch: PreferencesPatch) -> Result<String, Error> {
    let mut kept = Kept::read(kept)?;
    kept.change(patch, false)?;
    kept.write()
}
