//! What the host does for an app outside its guests' polls is charged to the app all the same: CPU to
//! its lane through the gate, memory to its budget.

use crate::gate::{Lane, nanos};
use crate::guest::Owner;
use crate::memory::Budget;
use crate::metered::count_waiting;
use crate::report::write_host_line;
use lodge_model::{Account, AppMeter, LogLevel, Turn};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// One app's account with the host.
pub(crate) struct AppAccount {
    pub(crate) owner: Owner,
    pub(crate) lane: Arc<Lane>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) meter: Arc<AppMeter>,
}

impl Account for AppAccount {
    fn charge_cpu(&self, used: Duration) {
        self.lane.charge(used);
        self.meter.cpu_nanos.fetch_add(nanos(used), Relaxed);
    }

    fn next_turn(&self, last: Option<Turn>, is_wanted: &dyn Fn() -> bool) -> Option<Turn> {
        let last = last.map(|turn| turn.0);
        let (next, waited) = self.lane.borrow_next(last, is_wanted);
        if !waited.is_zero() {
            count_waiting(&self.meter, &self.lane, waited);
        }
        next.map(Turn)
    }

    fn end_turn(&self, turn: Turn) {
        self.lane.bring_back(turn.0);
    }

    fn try_reserve(&self, bytes: u64) -> bool {
        self.budget.try_charge(bytes).is_ok()
    }

    fn release(&self, bytes: u64) {
        self.budget.release(bytes);
    }

    fn log(&self, level: LogLevel, message: String) {
        write_host_line(&self.owner, level, message, None);
    }

    fn meter(&self) -> &AppMeter {
        &self.meter
    }
}
