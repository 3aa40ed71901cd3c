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

/// What the threads have that are woken for turns at an epoch's end, before guests are interrupted: else an interrupted
/// guest's thread looks for work, finds theirs first, and a core is without.
const HEAD_START: Duration = Duration::from_micros(150);

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
        let mut has_passed = false;
        while let (Some(sync), Some(concurrent), Some(gate)) =
            (sync.upgrade(), concurrent.upgrade(), gate.upgrade())
        {
            // Before guests are interrupted, whose threads are to decide about their turns.
            let has_given = gate.refill();
            if let Some(time) = gate.may_rest(REST) {
                drop((sync, concurrent, gate));
                std::thread::park_timeout(time);
                // Whoever has begun just now has a whole epoch.
                has_passed = false;
                continue;
            }
            if has_passed {
                if has_given {
                    sleep(HEAD_START);
                }
                sync.increment_epoch();
                concurrent.increment_epoch();
            }
            drop((sync, concurrent, gate));
            sleep(EPOCH);
            has_passed = true;
        }
    };
    std::thread::Builder::new()
        .name("lodge-epoch".into())
        .spawn(tick)
        .map(drop)
}

#[expect(
    clippy::disallowed_methods,
    reason = "on a thread of its own, not a guest's"
)]
fn sleep(time: Duration) {
    std::thread::sleep(time);
}
