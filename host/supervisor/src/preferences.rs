//! What an administrator sets for the whole host while it runs: limits of new apps, trusted proxies, the
//! console's language.
//!
//! Kept as one JSON text in the control database's settings. What a flag, variable or file says of the
//! proxies counts more and cannot be changed here: the answer says so.

use crate::clock::now_ms;
use crate::supervisor::Supervisor;
use crate::{Actor, Error, Fault, Settings};
use lodge_db::Database;
use lodge_model::{Invalid, Limits, LimitsPatch, parse_networks};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Under which key they are kept.
const KEY: &str = "preferences";
/// The longest language tag (RFC 5646 recommends room for 35 characters).
const MAX_LANGUAGE: usize = 35;

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kept {
    default_limits: LimitsPatch,
    trusted_proxies: Vec<String>,
    language: Option<String>,
}

/// Settings of the whole host.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Settings)]
pub struct Preferences {
    /// Limits of new apps that differ from the built-in ones.
    pub default_limits: LimitsPatch,
    /// What a new app gets that asks for nothing.
    pub limits: Limits,
    /// Which proxies are believed.
    pub trusted_proxies: ProxyList,
    /// The console's language for whoever chose none; null: that of the browser.
    pub language: Option<String>,
}

/// Proxies whose `X-Forwarded-*` headers are believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TrustedProxies)]
pub struct ProxyList {
    /// Addresses and networks.
    pub cidrs: Vec<String>,
    /// True: by flag, variable or file; not to be changed here.
    pub configured: bool,
}

/// Changes to the host's settings; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = SettingsPatch)]
pub struct PreferencesPatch {
    /// Limits of new apps, as a whole: what is absent in it is as built in.
    pub default_limits: Option<LimitsPatch>,
    /// Proxies whose `X-Forwarded-*` headers are believed: addresses and networks, as a whole.
    pub trusted_proxies: Option<Vec<String>>,
    /// A language tag such as `fr`; null: that of the browser.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub language: Option<Option<String>>,
}

/// Tells `null` (`Some(None)`) from absent (`None`).
fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

impl Kept {
    /// Reads them, and has the trusted proxies believed.
    pub(crate) async fn load(db: &Database, settings: &Settings) -> Result<Self, Error> {
        let Some(text) = lodge_db::settings::get(db, KEY).await? else {
            return Ok(Self::default());
        };
        let kept = Self::read(&text)?;
        kept.enforce(settings)?;
        Ok(kept)
    }

    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        Ok(serde_json::from_str(text).map_err(unreadable)?)
    }

    pub(crate) fn write(&self) -> Result<String, Error> {
        Ok(serde_json::to_string(self).map_err(unreadable)?)
    }

    fn enforce(&self, settings: &Settings) -> Result<(), Error> {
        if !settings.proxies_configured {
            let networks = parse_networks("trusted_proxies", &self.trusted_proxies)?;
            settings.trusted_proxies.set(networks);
        }
        Ok(())
    }

    /// What a new app gets that asks for nothing.
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.apply(&self.default_limits);
        limits
    }

    pub(crate) fn change(
        &mut self,
        patch: PreferencesPatch,
        configured: bool,
    ) -> Result<(), Error> {
        if let Some(limits) = patch.default_limits {
            self.default_limits = limits;
            self.limits().check().map_err(in_defaults)?;
        }
        if let Some(proxies) = patch.trusted_proxies {
            if configured {
                let message = "is set by flag, variable or file: change it there and restart, \
                               or remove it there to change it here";
                return Err(Invalid::new("trusted_proxies", message).into());
            }
            let networks = parse_networks("trusted_proxies", &proxies)?;
            self.trusted_proxies = networks.iter().map(ToString::to_string).collect();
        }
        if let Some(language) = patch.language {
            if let Some(tag) = &language {
                check_language(tag)?;
            }
            self.language = language;
        }
        Ok(())
    }
}

fn unreadable(error: serde_json::Error) -> Fault {
    Fault::Bug(format!(
        "the host's settings cannot be read or written as JSON: {error}"
    ))
}

/// The limits' own errors name `limits.…`.
fn in_defaults(error: Invalid) -> Invalid {
    Invalid::new(format!("default_{}", error.field), error.message)
}

fn check_language(tag: &str) -> Result<(), Invalid> {
    let part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let first = tag.split('-').next().unwrap_or_default();
    let begins = first.len() >= 2 && first.bytes().all(|b| b.is_ascii_alphabetic());
    if tag.len() > MAX_LANGUAGE || !begins || !tag.split('-').all(part) {
        let message = "is not a language tag: give one such as `fr` or `zh-CN`, or null";
        return Err(Invalid::new("language", message));
    }
    Ok(())
}

impl Supervisor {
    /// The host's settings.
    pub fn preferences(&self) -> Preferences {
        let kept = self.kept.lock().clone();
        let cidrs = self.settings.trusted_proxies.get();
        Preferences {
            limits: kept.limits(),
            default_limits: kept.default_limits,
            trusted_proxies: ProxyList {
                cidrs: cidrs.iter().map(ToString::to_string).collect(),
                configured: self.settings.proxies_configured,
            },
            language: kept.language,
        }
    }

    /// Changes the host's settings. Apps that are there keep their limits.
    ///
    /// # Errors
    /// The field that breaks a rule, or the database failed: then nothing has changed.
    pub async fn change_preferences(
        &self,
        patch: PreferencesPatch,
        actor: &Actor,
    ) -> Result<Preferences, Error> {
        let _one = self.writes.lock().await;
        let mut kept = self.kept.lock().clone();
        kept.change(patch, self.settings.proxies_configured)?;
        let text = kept.write()?;
        let mut tx = self.begin().await?;
        lodge_db::settings::set(&mut tx, KEY, &text).await?;
        let event = actor.entry(now_ms(), "settings.update");
        lodge_db::events::insert(&mut tx, &event).await?;
        tx.commit().await.map_err(lodge_db::Error::from)?;
        kept.enforce(&self.settings)?;
        *self.kept.lock() = kept;
        Ok(self.preferences())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_tags() {
        for tag in ["fr", "zh-CN", "sr-Latn-RS"] {
            check_language(tag).unwrap();
        }
        for tag in ["", "f", "français", "fr_FR", "12", "fr-", "en-toolongpart"] {
            assert_eq!(check_language(tag).unwrap_err().field, "language", "{tag}");
        }
    }

    #[test]
    fn limits_out_of_range_are_named_and_nothing_is_changed_for_the_configured() {
        let mut kept = Kept::default();
        let patch = PreferencesPatch {
            default_limits: Some(LimitsPatch {
                concurrency: Some(0),
                ..LimitsPatch::default()
            }),
            ..PreferencesPatch::default()
        };
        let Error::Invalid(error) = kept.change(patch, false).unwrap_err() else {
            panic!("another error")
        };
        assert_eq!(error.field, "default_limits.concurrency");
        let proxies = PreferencesPatch {
            trusted_proxies: Some(vec!["10.0.0.0/8".into()]),
            ..PreferencesPatch::default()
        };
        assert!(kept.change(proxies, true).is_err());
    }
}
