//! An app that runs: what its instances share, and where its requests enter.

use crate::gate::Lane;
use crate::guest::{Guest, Owner, new_store};
use crate::memory::{Budget, Denied, InstanceMemory};
use crate::oneshot::{self, IdleInstances};
use crate::program::{Entry, Program};
use crate::report::Broken;
use crate::shared::{self, Instances};
use crate::slots::{Held, Slot, Slots};
use futures::future::BoxFuture;
use http::{Request, Response};
use lodge_model::{
    AppMeter, Capabilities, Endpoint, Failure, FailureKind, Launch, Limits, RequestBody, RequestId,
    ResponseBody,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use wasmtime::Store;

/// An instance without requests is given up after this long: a quiet app holds none.
pub(crate) const IDLE: Duration = Duration::from_secs(1);

/// Who waits for room looks again after this long at the latest.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// One app, running.
pub(crate) struct RunningApp {
    pub(crate) launch: Launch,
    pub(crate) owner: Owner,
    pub(crate) capabilities: Arc<Capabilities>,
    pub(crate) program: Arc<Program>,
    pub(crate) lane: Arc<Lane>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) slots: Arc<Slots>,
    pub(crate) held: Arc<Held>,
    /// Cuts off what still runs.
    pub(crate) cut_off: CancellationToken,
    /// Guests that still work after their response's end.
    pub(crate) lingering: AtomicUsize,
    /// WASI 0.2: instances between two requests.
    pub(crate) idle: IdleInstances,
    /// WASI 0.3: instances that requests share.
    pub(crate) instances: Instances,
}

/// Why there is no room for an instance now.
enum NoRoom {
    Slots,
    Memory,
    /// All apps together have what they may.
    HostMemory,
    /// The component is larger than the budget, or than what all apps may have.
    Never,
}

impl RunningApp {
    pub(crate) fn limits(&self) -> &Limits {
        &self.launch.limits
    }

    pub(crate) fn meter(&self) -> &Arc<AppMeter> {
        &self.launch.meter
    }

    /// Time until a response begins, and the longest silence within its body.
    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.limits().request_timeout_ms)
    }

    /// CPU that one request may use.
    pub(crate) fn request_cpu(&self) -> Duration {
        Duration::from_millis(self.limits().request_cpu_ms)
    }

    /// A store for a new instance, once there is room for it.
    ///
    /// # Errors
    /// No room within the app's queue timeout, or ever.
    pub(crate) async fn new_store(&self) -> Result<Store<Guest>, Broken> {
        let (slot, memory) = match self.try_room() {
            Ok(room) => room,
            Err(why) => self.wait_for_room(why).await?,
        };
        new_store(
            &self.program.engine,
            &self.owner,
            self.capabilities.clone(),
            memory,
            slot,
        )
        .map_err(|e| Broken::from_guest(&e, None, self.limits()))
    }

    /// Remembers what an instance started with, so that later ones wait for that much.
    pub(crate) fn note_started(&self, guest: &Guest) {
        self.meter().instantiations.fetch_add(1, Relaxed);
        self.program
            .starting_bytes
            .fetch_max(guest.memory.grown(), Relaxed);
    }

    fn try_room(&self) -> Result<(Slot, InstanceMemory), NoRoom> {
        let slot = self
            .slots
            .try_take(&self.held, self.meter())
            .ok_or(NoRoom::Slots)?;
        let expected = self.program.starting_bytes.load(Relaxed);
        match InstanceMemory::reserve(&self.budget, self.limits().instance_memory_bytes, expected) {
            Ok(memory) => Ok((slot, memory)),
            Err(Denied::Host(_)) if self.budget.may_hold(expected) => Err(NoRoom::HostMemory),
            Err(_) if self.budget.may_hold(expected) => Err(NoRoom::Memory),
            Err(_) => Err(NoRoom::Never),
        }
    }

    /// Whether a new instance would find room now.
    pub(crate) fn has_room(&self) -> bool {
        // What is taken to look is given back at once.
        self.try_room().is_ok()
    }

    async fn wait_for_room(&self, mut why: NoRoom) -> Result<(Slot, InstanceMemory), Broken> {
        let patience = Duration::from_millis(self.limits().queue_timeout_ms);
        let waiting = async {
            loop {
                let freed: BoxFuture<'_, ()> = match why {
                    NoRoom::Slots => Box::pin(self.slots.freed()),
                    NoRoom::Memory => Box::pin(self.budget.freed()),
                    NoRoom::HostMemory => Box::pin(self.budget.host_freed()),
                    NoRoom::Never => return None,
                };
                // Others wait for the same with other needs: who was woken may not be who has room now.
                let _ = tokio::time::timeout(LOOK_AGAIN, freed).await;
                match self.try_room() {
                    Ok(room) => {
                        self.budget.pass_on();
                        return Some(room);
                    }
                    Err(still) => why = still,
                }
            }
        };
        match tokio::time::timeout(patience, waiting).await {
            Ok(Some(room)) => Ok(room),
            Ok(None) => Err(Broken::new(
                FailureKind::OutOfMemory,
                format!(
                    "one instance of the component starts with {} bytes, and the app's instances may have {} \
                     together (limits.memory_bytes), all apps of the host no more than max_memory",
                    self.program.starting_bytes.load(Relaxed),
                    self.limits().memory_bytes
                ),
            )),
            Err(_) => Err(Broken::new(
                FailureKind::HostBusy,
                "no room for another instance came free in time: the app's memory (limits.memory_bytes), the host's \
                 memory for all apps (max_memory) or its instance slots are taken",
            )),
        }
    }

    /// Tries one instance, so that an app which cannot start is found out before its visitors do.
    ///
    /// # Errors
    /// Why it cannot start.
    pub(crate) async fn probe(self: &Arc<Self>) -> Result<(), Broken> {
        match &self.program.entry {
            Entry::Proxy(_) => oneshot::probe(self).await,
            Entry::Service(_) => shared::probe(self).await,
        }
    }

    /// Gives up instances that nobody uses.
    pub(crate) fn retire_idle(&self) {
        self.idle.clear();
        self.instances.retire_all();
    }
}

impl Endpoint for RunningApp {
    fn call(
        self: Arc<Self>,
        id: RequestId,
        request: Request<RequestBody>,
    ) -> BoxFuture<'static, Result<Response<ResponseBody>, Failure>> {
        match self.program.entry {
            Entry::Proxy(_) => Box::pin(oneshot::call(self, id, request)),
            Entry::Service(_) => Box::pin(shared::call(self, id, request)),
        }
    }
}
