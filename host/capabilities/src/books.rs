//! An account for tests.

use lodge_model::{Account, AppMeter, LogLevel, Turn};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What was charged and said.
#[derive(Default)]
pub(crate) struct Books {
    pub(crate) cpu: AtomicU64,
    pub(crate) reserved: AtomicU64,
    pub(crate) room: AtomicU64,
    pub(crate) lines: Mutex<Vec<String>>,
    meter: AppMeter,
}

impl Account for Books {
    fn charge_cpu(&self, used: Duration) {
        self.cpu.fetch_add(used.as_micros() as u64, Relaxed);
    }

    fn next_turn(&self, last: Option<Turn>, _: &dyn Fn() -> bool) -> Option<Turn> {
        last
    }

    fn end_turn(&self, _: Turn) {}

    fn try_reserve(&self, bytes: u64) -> bool {
        let fits = |used: u64| Some(used + bytes).filter(|sum| *sum <= self.room.load(Relaxed));
        self.reserved.fetch_update(Relaxed, Relaxed, fits).is_ok()
    }

    fn release(&self, bytes: u64) {
        self.reserved.fetch_sub(bytes, Relaxed);
    }

    fn log(&self, _: LogLevel, message: String) {
        self.lines.lock().push(message);
    }

    fn meter(&self) -> &AppMeter {
        &self.meter
    }
}
