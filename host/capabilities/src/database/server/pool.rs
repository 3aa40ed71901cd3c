//! Connections to servers: made when needed, lent to one statement or transaction at a time, closed
//! when idle.
//!
//! Two bounds: an app's own (`limits.database_connections`), and the server's ([`Servers`]), which all
//! apps share. Who finds none free waits in order, as long as a statement may take. An app that holds
//! idle connections gives the oldest up when another app waits.

use super::address::Address;
use super::ending::Ending;
use super::session::{self, Live, Opening};
use crate::database::report::{Connections, Waiting};
use lodge_model::{Account, SqlError};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A connection that nobody used for this long is closed.
const IDLE: Duration = Duration::from_secs(30);
/// One that was not used for this long is asked whether it is still there.
const FRESH: Duration = Duration::from_secs(1);
/// Sessions that are ended on a server at once.
const ENDINGS: usize = 2;

/// All servers that apps have connections to.
pub(crate) struct Servers {
    /// Connections to one server, by all apps together.
    most: usize,
    known: Mutex<HashMap<String, Weak<Service>>>,
}

/// One server.
pub(crate) struct Service {
    most: usize,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    pub(super) endings: Semaphore,
    idle: Mutex<IdleOnes>,
}

#[derive(Default)]
struct IdleOnes {
    /// Of all apps, the one that waited longest first.
    queue: VecDeque<Idle>,
    /// Somebody sees that they are closed in time.
    watched: bool,
}

struct Idle {
    /// Whose it is: the pool's number.
    pool: u64,
    since: Instant,
    live: Live,
    turn: OwnedSemaphorePermit,
}

impl Servers {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            known: Mutex::default(),
        }
    }

    /// The server at an address, one however many apps use it.
    pub(crate) fn service(&self, address: &Address) -> Arc<Service> {
        let mut known = self.known.lock();
        known.retain(|_, service| service.strong_count() > 0);
        let place = known.entry(address.server()).or_default();
        place.upgrade().unwrap_or_else(|| {
            let service = Arc::new(Service {
                most: self.most,
                turns: Arc::new(Semaphore::new(self.most)),
                waiting: AtomicUsize::new(0),
                endings: Semaphore::new(ENDINGS),
                idle: Mutex::default(),
            });
            *place = Arc::downgrade(&service);
            service
        })
    }
}

impl Service {
    /// A place for one more connection.
    async fn turn(&self, patience: Duration) -> Result<OwnedSemaphorePermit, SqlError> {
        if let Ok(turn) = self.turns.clone().try_acquire_owned() {
            return Ok(turn);
        }
        // Closed, it makes room for one; others may have waited longer, and go first.
        drop(self.idle.lock().queue.pop_front());
        let _waiting = Waiting::new(&self.waiting);
        let turn = tokio::time::timeout(patience, self.turns.clone().acquire_owned());
        match turn.await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(SqlError::LimitExceeded(format!(
                "all {} connections to the database server were in use too long, by this app and others",
                self.most
            ))),
        }
    }

    fn take_idle(&self, pool: u64) -> Option<Idle> {
        let mut idle = self.idle.lock();
        let newest = idle.queue.iter().rposition(|idle| idle.pool == pool)?;
        idle.queue.remove(newest)
    }

    fn forget(&self, pool: u64) {
        self.idle.lock().queue.retain(|idle| idle.pool != pool);
    }

    fn keep(self: &Arc<Self>, connection: Idle) {
        let mut idle = self.idle.lock();
        idle.queue.push_back(connection);
        if std::mem::replace(&mut idle.watched, true) {
            return;
        }
        let service = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(IDLE / 2).await;
                let Some(service) = service.upgrade() else {
                    return;
                };
                let mut idle = service.idle.lock();
                idle.queue.retain(|idle| idle.since.elapsed() < IDLE);
                if idle.queue.is_empty() {
                    idle.watched = false;
                    return;
                }
            }
        });
    }
}

/// What bounds one source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PoolSettings {
    /// Connections at once.
    pub(crate) connections: usize,
    /// Run time of one statement, and of a wait for a connection.
    pub(crate) statement_timeout: Duration,
    /// Size of one result, and of one value, in bytes.
    pub(crate) result_bytes: u64,
}

/// One app's connections to one source.
pub(super) struct Pool {
    number: u64,
    address: Address,
    /// Who ends sessions of that address: one whom the app cannot lock out, where there is one.
    ender: Address,
    pub(super) settings: PoolSettings,
    pub(super) account: Arc<dyn Account>,
    service: Arc<Service>,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// A connection in use, and the places that it takes.
pub(super) struct Lent {
    pub(super) live: Live,
    turn: OwnedSemaphorePermit,
    _own_turn: OwnedSemaphorePermit,
}

impl Pool {
    pub(super) fn new(
        (address, ender): (Address, Address),
        settings: PoolSettings,
        service: Arc<Service>,
        account: Arc<dyn Account>,
    ) -> Arc<Self> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            number: NUMBERS.fetch_add(1, Relaxed),
            address,
            ender,
            settings,
            account,
            service,
            turns: Arc::new(Semaphore::new(settings.connections)),
            waiting: AtomicUsize::new(0),
        })
    }

    /// The app's connections by now. One that waits for a place on the server counts as both.
    pub(super) fn connections(&self) -> Connections {
        let free = self.turns.available_permits();
        let used = self.settings.connections.saturating_sub(free);
        let idle = self.service.idle.lock();
        let idle = idle.queue.iter().filter(|idle| idle.pool == self.number);
        Connections {
            open: used + idle.count(),
            waiting: self.waiting.load(Relaxed),
        }
    }

    async fn own_turn(&self) -> Result<OwnedSemaphorePermit, SqlError> {
        if let Ok(turn) = self.turns.clone().try_acquire_owned() {
            return Ok(turn);
        }
        let _waiting = Waiting::new(&self.waiting);
        let turn = self.turns.clone().acquire_owned();
        match tokio::time::timeout(self.settings.statement_timeout, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(SqlError::LimitExceeded(format!(
                "all {} connections of the app were in use too long (limits.database_connections)",
                self.settings.connections
            ))),
        }
    }

    /// A connection, in order of asking.
    ///
    /// # Errors
    /// None came free in time, or the server cannot be reached.
    pub(super) async fn lend(&self) -> Result<Lent, SqlError> {
        let own_turn = self.own_turn().await?;
        while let Some(mut idle) = self.service.take_idle(self.number) {
            if idle.since.elapsed() < FRESH || idle.live.session.ping().await {
                idle.live.gauge.reset();
                return Ok(Lent {
                    live: idle.live,
                    turn: idle.turn,
                    _own_turn: own_turn,
                });
            }
        }
        let turn = {
            let _waiting = Waiting::new(&self.waiting);
            self.service.turn(self.settings.statement_timeout).await?
        };
        let opening = Opening {
            statement_timeout: self.settings.statement_timeout,
            result_bytes: self.settings.result_bytes,
            is_ours: false,
        };
        Ok(Lent {
            live: session::connect(&self.address, opening, self.account.clone()).await?,
            turn,
            _own_turn: own_turn,
        })
    }

    /// Takes back a connection that did what it should, and sees that it is closed if nobody wants it.
    pub(super) fn take_back(&self, mut lent: Lent) {
        if lent.live.gauge.take_peak() > 256 << 10 {
            lent.live.session.shrink();
        }
        lent.live.gauge.reset();
        if self.service.waiting.load(Relaxed) > 0 {
            // It is cheaper for this app to connect again than for others to wait: the place is
            // given to who waited longest.
            return;
        }
        self.service.keep(Idle {
            pool: self.number,
            since: Instant::now(),
            live: lent.live,
            turn: lent.turn,
        });
    }

    /// Sees that a connection whose statement was given up in the middle ends, on the server too. It
    /// takes its places until then.
    pub(super) fn give_up(&self, lent: Lent) {
        let ending = Ending {
            by: self.ender.clone(),
            id: lent.live.session.id().clone(),
            account: self.account.clone(),
            service: self.service.clone(),
        };
        tokio::spawn(async move {
            let Lent {
                live,
                turn,
                _own_turn: own_turn,
            } = lent;
            // Closed first: what it would still send is not received.
            drop(live);
            ending.see_to_it().await;
            drop((turn, own_turn));
        });
    }

    /// The server is gone: what is idle is gone too.
    pub(super) fn forget_idle(&self) {
        self.service.forget(self.number);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.service.forget(self.number);
    }
}
