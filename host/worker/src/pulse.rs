//! Signs of life, load, and what apps used.
//!
//! The heartbeat is a task of its own that waits for nothing but its time: no start, no download and
//! no answer of the carrier's. Load is what the last looks at the meters found.

use crate::agent::Agent;
use crate::cell::Cell;
use crate::machine;
use lodge_model::{AppId, AppMeter, Figures, Load, MeterSnapshot, Status, Tally};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Looks between which CPU load is reckoned: the last 10 s.
const LOOKS: usize = 3;

/// The shortest time between two of anything here.
const SHORTEST: Duration = Duration::from_millis(1);

/// What was found at the last looks.
#[derive(Default)]
pub(crate) struct Pulse(Mutex<Found>);

#[derive(Default)]
struct Found {
    /// CPU time that all apps had used, in nanoseconds, when it was looked; the newest last.
    cpu: VecDeque<(Instant, u64)>,
    /// What apps that are gone used last.
    last: Vec<(AppId, Tally)>,
}

impl Pulse {
    /// What apps used since the look before.
    pub(crate) fn look(&self, cells: &[Arc<Cell>]) -> Figures {
        let mut found = self.0.lock();
        let mut apps = std::mem::take(&mut found.last);
        apps.extend(cells.iter().filter_map(|cell| {
            let tally = cell.usage.lock().look(&cell.meter)?;
            Some((cell.id.clone(), tally))
        }));
        let used = apps.iter().map(|(_, tally)| tally.cpu_nanos);
        let before = found.cpu.back().map_or(0, |(_, total)| *total);
        let total = used.fold(before, u64::saturating_add);
        found.cpu.push_back((Instant::now(), total));
        while found.cpu.len() > LOOKS {
            found.cpu.pop_front();
        }
        Figures { apps }
    }

    /// An app is about to be forgotten: what it used last is not.
    pub(crate) fn keep_last(&self, cell: &Cell) {
        // Not under both locks: `look` takes them the other way round.
        let tally = cell.usage.lock().look(&cell.meter);
        if let Some(tally) = tally {
            self.0.lock().last.push((cell.id.clone(), tally));
        }
    }

    /// Cores used between the looks that are remembered.
    fn cores(&self) -> f64 {
        let found = self.0.lock();
        let (Some((first, before)), Some((last, now))) = (found.cpu.front(), found.cpu.back())
        else {
            return 0.0;
        };
        let seconds = last.duration_since(*first).as_secs_f64();
        if seconds <= 0.0 {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let used = now.saturating_sub(*before) as f64 / 1e9;
        used / seconds
    }
}

impl Agent {
    /// Says that it is alive, for as long as it is.
    pub(crate) async fn beat(&self) {
        let mut time = interval(self.settings.heartbeat.max(SHORTEST));
        time.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            time.tick().await;
            self.link.beat(self.load());
        }
    }

    /// Says what apps used, for as long as it lives.
    pub(crate) async fn sample(&self) {
        let mut time = interval(self.settings.sample_every.max(SHORTEST));
        time.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            time.tick().await;
            let cells = self.index.all();
            self.stop_what_crashes(&cells);
            let figures = self.pulse.look(&cells);
            if !figures.apps.is_empty() {
                self.link.figures(figures);
            }
        }
    }

    /// Each app's state, and what happened to it since this process began, whoever sent its visitors.
    pub fn figures(&self) -> Vec<(AppId, Status, MeterSnapshot)> {
        let cells = self.index.all().into_iter();
        let figures = cells.map(|cell| {
            let status = cell.lock().observed.status;
            let mut stats = cell.meter.snapshot();
            stats.latency = cell.usage.lock().latency(&cell.meter);
            (cell.id.clone(), status, stats)
        });
        figures.collect()
    }

    /// How busy the worker is.
    fn load(&self) -> Load {
        let cells = self.index.all();
        let sum = |held: fn(&AppMeter) -> u64| cells.iter().map(|cell| held(&cell.meter)).sum();
        let runs = |cell: &&Arc<Cell>| cell.lock().observed.status == Status::Running;
        Load {
            cpu: self.pulse.cores(),
            process_memory_bytes: machine::process_memory(),
            app_memory_bytes: sum(|meter| meter.memory_bytes.load(Relaxed)),
            instances: sum(|meter| meter.instances.load(Relaxed).max(0).unsigned_abs()),
            apps: cells.len() as u64,
            running: cells.iter().filter(runs).count() as u64,
        }
    }
}
