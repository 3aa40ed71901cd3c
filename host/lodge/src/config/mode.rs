//! Which part of a larger Lodge this process is to be. This version runs everything in one process;
//! what asks for more is refused, never ignored.

use super::args::FileSettings;
use anyhow::{Result, bail};

/// Variables that only make sense where there are several environments.
const OF_SEVERAL: [&str; 6] = [
    "APP_SUPERVISOR_REDIS_URL",
    "APP_COMMAND_REDIS_URL",
    "ENVIRONMENT_URL",
    "ENVIRONMENT_PROXY_URL",
    "SUPERVISOR_URL",
    "LODGE_CLUSTER_KEY",
];

/// Variables that are accepted and do nothing, and why.
const WITHOUT_EFFECT: [(&str, &str); 1] = [(
    "APPEND_PRESET_BUILT_IN_PLUGINS",
    "Lodge has no plugins: what an app needs is in its component",
)];

/// Checks the mode, the adapters, and that nothing is set for another mode.
///
/// # Errors
/// The first one that this version has not, with what to do.
pub(super) fn check(
    settings: &FileSettings,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<()> {
    if let Some(mode) = settings.app_mode.as_deref() {
        if matches!(mode, "supervisor" | "worker") {
            bail!(
                "APP_MODE={mode}: several environments are not in this version; unset it to run all in one process"
            );
        }
        bail!("APP_MODE={mode}: unknown; unset it to run all in one process");
    }
    let adapters = [
        ("APP_DISCOVERY_ADAPTER", &settings.app_discovery_adapter),
        ("APP_PROCESS_ADAPTER", &settings.app_process_adapter),
    ];
    for (name, adapter) in adapters {
        match adapter.as_deref() {
            None | Some("local") => {}
            Some("remote") => {
                bail!("{name}=remote: several environments are not in this version; use `local`")
            }
            Some(other) => bail!("{name}={other}: unknown adapter; use `local`"),
        }
    }
    match settings.app_command_adapter.as_deref() {
        None => {}
        Some("redis") => bail!(
            "APP_COMMAND_ADAPTER=redis: several environments are not in this version; unset it"
        ),
        Some(other) => bail!("APP_COMMAND_ADAPTER={other}: unknown adapter; unset it"),
    }
    let is_set = |name: &&str| environment(name).is_some_and(|value| !value.is_empty());
    if let Some(name) = OF_SEVERAL.iter().find(|name| is_set(name)) {
        bail!(
            "{name} is set: several environments are not in this version; unset it to run all in one process"
        );
    }
    match environment("ENVIRONMENT_NAME").as_deref() {
        None | Some("" | "local") => Ok(()),
        Some(name) => bail!(
            "ENVIRONMENT_NAME={name}: this version has the environment `local` only; unset it"
        ),
    }
}

/// What is set and has no effect.
pub(super) fn notices(environment: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let set = WITHOUT_EFFECT
        .iter()
        .filter(|(name, _)| environment(name).is_some_and(|value| !value.is_empty()));
    set.map(|(name, why)| format!("{name} is set and has no effect: {why}"))
        .collect()
}
