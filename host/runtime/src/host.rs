//! What an app's host gives it, as its guests see it: the interfaces of `wit/`, bound to the ports of
//! [`lodge_model::Capabilities`]. One file an interface; nothing here decides anything, it converts and
//! passes on.
//!
//! What a guest holds (sources, transactions, cursors, buckets) lies in its store's resource table,
//! which is bounded, and goes with the store: an open transaction is rolled back, a statement under
//! way is cancelled. What a call has copied out of its guest is charged to the app while the call
//! waits, so that a thousand of them meet the app's memory limit and not the host's.

mod config;
#[expect(unreachable_pub, reason = "the bindings re-export what resources are")]
mod database;
mod database_async;
mod jwt;
#[expect(unreachable_pub, reason = "the bindings re-export what resources are")]
mod keyvalue;
mod logging;
mod outbound;
mod sql;

use crate::engine::Flavor;
use crate::guest::Guest;
use crate::memory::{Hold, InstanceMemory};
use crate::stdio::GuestLog;
use lodge_model::Capabilities;
pub(crate) use migrating::MigratingPre;
pub(crate) use migrating::exports::lodge::host::migrations::Migration as ListedMigration;
pub(crate) use outbound::{BODY_CHUNK_BYTES, Hooks};
use wasmtime::Result;
use wasmtime::component::{HasData, Linker, ResourceTable};

/// Bindings of the world `app`.
mod sync {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "lodge:host/app",
        imports: {
            "lodge:host/database": async | trappable,
            "wasi:keyvalue/store": async | trappable,
            "wasi:keyvalue/atomics": async | trappable,
            "wasi:keyvalue/batch": async | trappable,
            default: trappable,
        },
        with: {
            "lodge:host/database.data-source": super::database::Source,
            "lodge:host/database.transaction": super::database::OpenTransaction,
            "lodge:host/database.cursor": super::database::OpenCursor,
            "wasi:keyvalue/store.bucket": super::keyvalue::Bucket,
            "wasi:keyvalue/atomics.cas": super::keyvalue::Cas,
        },
    });
}

/// Bindings of what the world `app-async` has beyond `app`.
mod concurrent {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "lodge:host/app-async",
        imports: {
            "lodge:host/database-async": store | trappable,
            default: trappable,
        },
        with: {
            "lodge:host/sql": super::sync::lodge::host::sql,
            "lodge:host/database-async.data-source": super::database::Source,
            "lodge:host/database-async.transaction": super::database::OpenTransaction,
        },
    });
}

/// Bindings of what a component with migrations exports.
mod migrating {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "lodge:host/migrating",
        exports: { default: async },
    });
}

/// Bytes of one call at a time that are covered by what each instance is charged.
const COVERED_BYTES: u64 = 64 << 10;
/// What the host keeps for one of many calls besides what came from the guest, in bytes.
const CALL_BYTES: u64 = 2 << 10;

/// What the interfaces reach of a guest.
pub(crate) struct View<'a> {
    capabilities: &'a Capabilities,
    table: &'a mut ResourceTable,
    memory: &'a InstanceMemory,
    log: &'a GuestLog,
}

impl View<'_> {
    /// Charges what a call holds that its whole instance waits for.
    ///
    /// # Errors
    /// The limit that it met, for the guest.
    fn hold(&self, bytes: u64) -> std::result::Result<Option<Hold>, String> {
        match bytes {
            0..=COVERED_BYTES => Ok(None),
            _ => self.try_hold(bytes).map(Some),
        }
    }

    /// Charges what one of many calls holds.
    ///
    /// # Errors
    /// The limit that it met, for the guest.
    fn hold_one_of_many(&self, bytes: u64) -> std::result::Result<Hold, String> {
        self.try_hold(bytes.saturating_add(CALL_BYTES))
    }

    fn try_hold(&self, bytes: u64) -> std::result::Result<Hold, String> {
        self.memory.hold(bytes).ok_or_else(|| {
            let text = format!(
                "the app's memory (limits.memory_bytes) has no room for the {bytes} bytes that the host would \
                 hold while it waits for this call"
            );
            self.log.warn(&text);
            text
        })
    }
}

/// Ties [`View`] to its store.
pub(crate) struct HasView;

impl HasData for HasView {
    type Data<'a> = View<'a>;
}

fn view(guest: &mut Guest) -> View<'_> {
    let (capabilities, table, memory, log) = guest.host_parts();
    View {
        capabilities,
        table,
        memory,
        log,
    }
}

/// Offers the interfaces to components of one flavor.
///
/// # Errors
/// Two of the parts define the same name.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>, flavor: Flavor) -> Result<()> {
    use sync::{lodge::host, wasi};
    host::sql::add_to_linker::<_, HasView>(linker, view)?;
    host::database::add_to_linker::<_, HasView>(linker, view)?;
    host::jwt::add_to_linker::<_, HasView>(linker, view)?;
    wasi::config::store::add_to_linker::<_, HasView>(linker, view)?;
    wasi::keyvalue::store::add_to_linker::<_, HasView>(linker, view)?;
    wasi::keyvalue::atomics::add_to_linker::<_, HasView>(linker, view)?;
    wasi::keyvalue::batch::add_to_linker::<_, HasView>(linker, view)?;
    wasi::logging::logging::add_to_linker::<_, HasView>(linker, view)?;
    if flavor == Flavor::Async {
        concurrent::lodge::host::database_async::add_to_linker::<_, HasView>(linker, view)?;
    }
    Ok(())
}
