//! The network of a cluster: one [`Proxy`] for each pair of processes, so that any of them can be cut off.

use crate::proxy::{Proxy, Wire};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

/// A process of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// Redis.
    Redis,
    /// PostgreSQL, as far as it has the control database.
    Control,
    /// PostgreSQL, as far as it has the apps' databases.
    Apps,
    /// The supervisor.
    Supervisor,
    /// All workers together, where they share a way.
    Workers,
    /// One worker.
    Worker(String),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redis => "redis",
            Self::Control => "control database",
            Self::Apps => "apps' databases",
            Self::Supervisor => "supervisor",
            Self::Workers => "workers",
            Self::Worker(name) => name,
        })
    }
}

/// All ways of a cluster.
#[derive(Debug, Default)]
pub struct Network {
    links: Mutex<BTreeMap<(Party, Party), Proxy>>,
}

impl Network {
    /// The port by which `from` reaches what `to` serves at `port`.
    pub fn way(&self, from: Party, to: Party, port: u16) -> u16 {
        let mut links = self.links.lock().unwrap();
        let proxy = links.entry((from, to)).or_insert_with(Proxy::start);
        proxy.lead_to(port);
        proxy.port()
    }

    /// Sets how all ways from and to a process are.
    pub fn set(&self, party: &Party, wire: Wire) {
        for ((from, to), proxy) in &*self.links.lock().unwrap() {
            if from == party || to == party {
                proxy.set(wire);
            }
        }
    }
}
