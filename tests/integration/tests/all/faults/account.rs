//! What plan, faults and visitors know of one another: which apps there should be, and which fault was when.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// After a fault, or an operation on an app, visits may fail for so long: a worker that was away is waited for,
/// connections are made again, apps start again.
const AFTERMATH: Duration = Duration::from_secs(20);

/// What an app should be, as far as the API has accepted it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// False: it was deleted, or never made.
    pub(super) exists: bool,
    pub(super) running: bool,
    pub(super) environments: Vec<String>,
    /// The value of its configuration.
    pub(super) mark: u64,
    /// One more with each app of this ID, and with its end.
    pub(super) incarnation: u64,
    /// Whether something is being asked of it now.
    pub(super) busy: bool,
    /// When something was asked of it last.
    pub(super) touched: Instant,
}

impl Wanted {
    pub(super) fn none() -> Self {
        Self {
            exists: false,
            running: false,
            environments: Vec::new(),
            mark: 0,
            incarnation: 0,
            busy: false,
            touched: Instant::now(),
        }
    }
}

/// One fault; without an end: under way.
#[derive(Debug)]
struct Fault {
    name: String,
    ended: Option<Instant>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Account {
    apps: Mutex<BTreeMap<String, Wanted>>,
    faults: Mutex<Vec<Fault>>,
    closed: AtomicBool,
    broken: AtomicBool,
}

impl Account {
    /// Changes what an app should be.
    pub(super) fn change(&self, app: &str, change: impl FnOnce(&mut Wanted)) {
        let mut apps = self.apps.lock().unwrap();
        let wanted = apps.entry(app.to_owned()).or_insert_with(Wanted::none);
        change(wanted);
        wanted.touched = Instant::now();
    }

    pub(super) fn app(&self, app: &str) -> Wanted {
        let apps = self.apps.lock().unwrap();
        apps.get(app).cloned().unwrap_or_else(Wanted::none)
    }

    pub(super) fn apps(&self) -> BTreeMap<String, Wanted> {
        self.apps.lock().unwrap().clone()
    }

    pub(super) fn begin_fault(&self, name: &str) {
        println!("{} fault: {name}", clock());
        self.faults.lock().unwrap().push(Fault {
            name: name.to_owned(),
            ended: None,
        });
    }

    pub(super) fn end_fault(&self) {
        println!("{} fault ends", clock());
        let mut faults = self.faults.lock().unwrap();
        faults.last_mut().unwrap().ended = Some(Instant::now());
    }

    /// The fault that something from `begin` until now may have met.
    pub(super) fn fault_near(&self, begin: Instant) -> Option<String> {
        let faults = self.faults.lock().unwrap();
        let near = |fault: &&Fault| fault.ended.is_none_or(|end| end + AFTERMATH > begin);
        faults
            .iter()
            .rev()
            .find(near)
            .map(|fault| fault.name.clone())
    }

    /// Whether an operation on an app may be why a visit from `begin` until now failed.
    pub(super) fn operation_near(&self, app: &str, before: &Wanted, begin: Instant) -> bool {
        let now = self.app(app);
        now.busy || now.incarnation != before.incarnation || now.touched + AFTERMATH > begin
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Relaxed);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Relaxed) || self.is_broken()
    }

    /// The plan cannot go on: no need for further faults.
    pub(super) fn give_up(&self) {
        self.broken.store(true, Relaxed);
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Relaxed)
    }
}

/// Seconds since 1970 as logs have them, to find a moment in them.
pub(super) fn clock() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap();
    let of_day = now.as_secs() % 86_400;
    let (hours, minutes, seconds) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!(
        "{hours:02}:{minutes:02}:{seconds:02}.{:03}",
        now.subsec_millis()
    )
}
