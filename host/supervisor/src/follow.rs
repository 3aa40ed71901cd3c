//! Apps that follow newer versions of their component (`auto_upgrade`).
//!
//! When a component has been compiled for the first time, every app that follows its name and runs an older
//! version is changed to it, as an administrator would do it: an operation and an audit entry of `system`'s each. An
//! app that was set back to an older version stays there until the next upload. Newer is what semantic versioning
//! says, and where a version is not one, what was uploaded later.

use crate::cell::Cell;
use crate::input::{AppPatch, ComponentChoice};
use crate::supervisor::Supervisor;
use crate::{Actor, Error};
use lodge_model::{Component, ComponentStatus, Digest, LogLevel, LogLine, LogSource};
use semver::Version;
use std::sync::Arc;

impl Supervisor {
    /// Gives a component that has just become ready to the apps that follow it, one after the other.
    pub(crate) async fn follow(self: &Arc<Self>, digest: Digest) {
        let Some(row) = self.library.get(&digest) else {
            return;
        };
        let new = row.component;
        if new.status != ComponentStatus::Ready {
            return;
        }
        for cell in self.index.all() {
            if !self.follows(&cell, &new) {
                continue;
            }
            let patch = AppPatch {
                component: Some(ComponentChoice {
                    digest: Some(digest.to_hex()),
                    ..ComponentChoice::default()
                }),
                ..AppPatch::default()
            };
            if let Err(error) = self.update_app(&cell.id, patch, &Actor::system()).await {
                self.tell_not_followed(&cell, &new, &error);
            }
        }
    }

    fn follows(&self, cell: &Cell, new: &Component) -> bool {
        let app = &cell.lock().row.app;
        if !app.auto_upgrade || app.component.name != new.name {
            return false;
        }
        let now = self.library.get(&app.component.digest);
        now.is_some_and(|now| is_newer(new, &now.component))
    }

    fn tell_not_followed(&self, cell: &Cell, new: &Component, error: &Error) {
        tracing::warn!(app = %cell.id, version = new.version, %error, "an app could not follow its component");
        let line = LogLine {
            time: crate::clock::now_ms(),
            level: LogLevel::Error,
            source: LogSource::Host,
            message: format!(
                "it could not be changed to version {} of its component: {error}",
                new.version
            ),
            fields: None,
            request: None,
        };
        self.logs.write(&cell.id, line);
    }
}

fn is_newer(new: &Component, old: &Component) -> bool {
    match (Version::parse(&new.version), Version::parse(&old.version)) {
        (Ok(new), Ok(old)) => new > old,
        _ => new.created_at > old.created_at,
    }
}
