//! A component ready to run: its code mapped from the cache, its imports resolved. One for all apps
//! of a component, gone with the last of them.

use crate::artifact::{Artifacts, Refused};
use crate::engine::{Engines, Flavor};
use crate::guest::Guest;
use crate::host::MigratingPre;
use crate::linker::linker;
use lodge_model::{Digest, World};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};
use wasmtime::Engine;
use wasmtime::component::Linker;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p3::bindings::ServicePre;

/// What a component with migrations exports; another patch of the version will do.
const MIGRATIONS: &str = "lodge:host/migrations@0.1.0";

/// A component's code and imports.
pub(crate) struct Program {
    pub(crate) engine: Engine,
    pub(crate) entry: Entry,
    /// How its migrations are asked for, if it has some.
    pub(crate) migrations: Option<MigratingPre<Guest>>,
    /// Bytes of memories and tables that an instance starts with, once one was seen.
    pub(crate) starting_bytes: AtomicU64,
}

/// How its requests enter it.
pub(crate) enum Entry {
    /// `wasi:http/incoming-handler@0.2`.
    Proxy(ProxyPre<Guest>),
    /// `wasi:http/handler@0.3`.
    Service(ServicePre<Guest>),
}

/// Why a program could not be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// Compile again.
    #[error(transparent)]
    Refused(Refused),
    /// Its imports or exports do not fit this host.
    #[error("{0:#}")]
    Unfit(wasmtime::Error),
}

/// The programs in use.
pub(crate) struct Programs {
    engines: Engines,
    sync: Linker<Guest>,
    concurrent: Linker<Guest>,
    loaded: Mutex<HashMap<Digest, Weak<Program>>>,
}

impl Programs {
    pub(crate) fn new(engines: Engines) -> wasmtime::Result<Self> {
        Ok(Self {
            sync: linker(engines.get(Flavor::Sync), Flavor::Sync)?,
            concurrent: linker(engines.get(Flavor::Async), Flavor::Async)?,
            engines,
            loaded: Mutex::new(HashMap::new()),
        })
    }

    /// The program of a component, from memory or from the cache. Blocks while it verifies and
    /// maps the file.
    ///
    /// # Errors
    /// The compiled form is missing or refused, or does not fit this host.
    pub(crate) fn load(
        &self,
        artifacts: &Artifacts,
        digest: Digest,
        flavor: Flavor,
        world: World,
    ) -> Result<Arc<Program>, LoadError> {
        if let Some(program) = self.in_memory(digest) {
            return Ok(program);
        }
        let engine = self.engines.get(flavor);
        let component =
            artifacts
                .load(engine, digest, flavor)
                .map_err(|refused| match refused {
                    // Authentic, so that compiling again would give the same.
                    Refused::Engine(e) => LoadError::Unfit(e),
                    refused => LoadError::Refused(refused),
                })?;
        let linker = match flavor {
            Flavor::Sync => &self.sync,
            Flavor::Async => &self.concurrent,
        };
        let pre = linker
            .instantiate_pre(&component)
            .map_err(LoadError::Unfit)?;
        let migrations = component
            .get_export_index(None, MIGRATIONS)
            .map(|_| MigratingPre::new(pre.clone()))
            .transpose()
            .map_err(LoadError::Unfit)?;
        let entry = match world {
            World::Http02 => ProxyPre::new(pre).map(Entry::Proxy),
            World::Http03 => ServicePre::new(pre).map(Entry::Service),
        };
        let program = Arc::new(Program {
            engine: engine.clone(),
            entry: entry.map_err(LoadError::Unfit)?,
            migrations,
            starting_bytes: AtomicU64::new(0),
        });
        let mut loaded = self.loaded.lock();
        if let Some(first) = loaded.get(&digest).and_then(Weak::upgrade) {
            return Ok(first);
        }
        loaded.retain(|_, program| program.strong_count() > 0);
        loaded.insert(digest, Arc::downgrade(&program));
        Ok(program)
    }

    /// The program of a component, if an app runs it.
    pub(crate) fn in_memory(&self, digest: Digest) -> Option<Arc<Program>> {
        self.loaded.lock().get(&digest).and_then(Weak::upgrade)
    }
}
