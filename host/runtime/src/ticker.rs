//! The clock that bounds every poll of a guest: a thread that advances both engines' epochs each
//! millisecond.
//!
//! A thread of its own, not a timer of the async runtime, since it must tick when every other
//! thread is inside a guest, and one that the kernel lets run on time ([`slice`]). It holds the
//! engines weakly and ends with them. While no guest runs it rests, so that an idle host uses no CPU:
//! the gate wakes it.

use crate::engine::{Engines, Flavor};
use crate::gate::Gate;
use crate::slice;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long a guest may run before it must yield.
pub(crate) const EPOCH: Duration = Duration::from_millis(1);

/// How long it rests at most: then it sees whether the engines are still there.
const REST: Duration = Duration::from_secs(1);

/// Starts the thread.
///
/// # Errors
/// No thread can be had.
pub(crate) fn start(engines: &Engines, gate: &Arc<Gate>) -> std::io::Result<()> {
    let sync = engines.get(Flavor::Sync).weak();
    let concurrent = engines.get(Flavor::Async).weak();
    let gate: Weak<Gate> = Arc::downgrade(gate);
    let tick = move || {
        slice::set(slice::PUNCTUAL);
        while let (Some(sync), Some(concurrent)) = (sync.upgrade(), concurrent.upgrade()) {
            let rests = gate.upgrade().and_then(|gate| {
                gate.refill();
                gate.may_rest(REST)
            });
            if let Some(time) = rests {
                drop((sync, concurrent));
                std::thread::park_timeout(time);
                continue;
            }
            // Whoever has begun just now has a whole epoch.
            #[expect(
                clippy::disallowed_methods,
                reason = "a thread of its own, not a guest's"
            )]
            std::thread::sleep(EPOCH);
            sync.increment_epoch();
            concurrent.increment_epoch();
        }
    };
    std::thread::Builder::new()
        .name("lodge-epoch".into())
        .spawn(tick)
        .map(drop)
}
