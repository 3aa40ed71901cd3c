//! A quiet app's visitor, who comes again and again while others misbehave.

use lodge_harness::Host;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Visits an app of the guest `hello` until told to stop; counts and times it.
pub(super) struct Neighbour {
    seen: Arc<Seen>,
    visitor: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    served: AtomicU32,
    slowest_micros: AtomicU64,
}

impl Neighbour {
    pub(super) fn start(host: &Host, app: &str) -> Self {
        let (seen, visit) = (Arc::new(Seen::default()), host.visit(app, "/"));
        let shared = seen.clone();
        let visitor = std::thread::spawn(move || {
            while !shared.stop.load(Relaxed) {
                let begin = Instant::now();
                let reply = visit.send();
                assert_eq!(
                    (reply.status, reply.text().as_str()),
                    (200, "Hello, World!")
                );
                let took = begin.elapsed().as_micros() as u64;
                shared.slowest_micros.fetch_max(took, Relaxed);
                shared.served.fetch_add(1, Relaxed);
            }
        });
        Self { seen, visitor }
    }

    /// Visits so far; its end, if one failed, counts as one more.
    pub(super) fn served(&self) -> u32 {
        self.seen.served.load(Relaxed) + u32::from(self.visitor.is_finished())
    }

    /// Whether one of its visits failed.
    pub(super) fn has_failed(&self) -> bool {
        self.visitor.is_finished()
    }

    /// Whether it was served at least once, or failed.
    pub(super) fn was_served(&self) -> bool {
        self.served() > 0
    }

    /// The longest visit since this was last asked.
    pub(super) fn slowest(&self) -> Duration {
        Duration::from_micros(self.seen.slowest_micros.swap(0, Relaxed))
    }

    pub(super) fn finish(self) {
        self.seen.stop.store(true, Relaxed);
        self.visitor
            .join()
            .expect("every one of the neighbour's requests succeeds");
    }
}
