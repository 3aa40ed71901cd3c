//! What apps used, over time: sampled by hand at times that the test says.

use crate::bed::{Bed, Host, id};
use lodge_model::*;
use lodge_supervisor::*;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// The start of an hour. A running minute is closed with the process, by the real clock: it does not
/// touch these.
const NOON: i64 = 1_900_000 * HOUR;

impl Host {
    fn meter(&self, app: &str) -> Arc<AppMeter> {
        Arc::clone(&self.routes.0.lock()[&id(app)].meter)
    }

    /// So many answers of 5 ms, each with 1 ms of CPU.
    fn answer(&self, app: &str, times: u64) {
        let meter = self.meter(app);
        for _ in 0..times {
            meter.record(Outcome::Answered(http::StatusCode::OK));
            meter.took(Duration::from_millis(5));
            meter.cpu_nanos.fetch_add(1_000_000, Relaxed);
        }
    }

    fn sample(&self, now: i64) {
        self.run(self.supervisor.sample(now)).unwrap();
    }

    fn history(&self, app: &str, range: HistoryRange, now: i64) -> StatsHistory {
        self.run(self.supervisor.stats_history(&id(app), range, now))
            .unwrap()
    }

    /// Time and answers of each point.
    fn answered(&self, range: HistoryRange, now: i64) -> Vec<(i64, u64)> {
        let history = self.history("shop", range, now);
        let points = history.points.iter();
        points
            .map(|point| ((point.time - NOON) / MINUTE, point.answered))
            .collect()
    }

    /// How many rows are kept of each length of step, in minutes.
    fn kept(&self) -> Vec<(i64, i64)> {
        let query = "SELECT step / 60000 AS step, COUNT(*) AS n FROM app_history GROUP BY step ORDER BY step";
        let rows = self.run(sqlx::query_as(query).fetch_all(self.db.reader()));
        rows.unwrap()
    }

    /// An answer a minute from `from` to `until`, in minutes from noon.
    fn work(&self, from: i64, until: i64) {
        self.sample(NOON + from * MINUTE);
        for minute in from..until {
            self.answer("shop", 1);
            self.sample(NOON + (minute + 1) * MINUTE);
        }
    }
}

fn shop(bed: &Bed) -> Host {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    host
}

pub fn minutes_are_kept_and_merged(bed: Bed) {
    let host = shop(&bed);
    host.work(0, 75);
    host.answer("shop", 5);
    let now = NOON + 75 * MINUTE + 30_000;
    // The running minute is there before anybody samples it.
    let hour = host.answered(HistoryRange::Hour, now);
    assert_eq!((hour.len(), hour[0], hour[59]), (60, (16, 1), (75, 5)));
    let day: Vec<_> = (0..7).map(|n| (n * 10, 10)).chain([(70, 10)]).collect();
    assert_eq!(host.answered(HistoryRange::Day, now), day);
    assert_eq!(host.answered(HistoryRange::Week, now), [(0, 60), (60, 20)]);
    assert_eq!(host.kept(), [(1, 75), (10, 7), (60, 1)]);

    let week = host.history("shop", HistoryRange::Week, now);
    assert_eq!((week.step_ms, week.to), (HOUR, now));
    assert_eq!(week.from, NOON + HOUR - 167 * HOUR);
    let (hour, latency) = (&week.points[0], week.points[0].latency.unwrap());
    assert_eq!(hour.cpu_ms, 60);
    assert!((latency.p50_ms - 5.0).abs() < 0.7, "{latency:?}");
    assert_eq!(host.kept(), [(1, 75), (10, 7), (60, 1)]);
}

pub fn a_restart_in_the_middle_of_a_step_loses_nothing(bed: Bed) {
    let host = shop(&bed);
    host.work(0, 3);
    host.answer("shop", 4);
    host.run(host.supervisor.shutdown(Duration::ZERO));
    host.crash();

    // Counters begin at nothing again, in the minute in which they ended.
    let host = bed.open();
    assert_eq!(
        host.supervisor.stats(&id("shop")).unwrap(),
        MeterSnapshot::default()
    );
    host.sample(NOON + 3 * MINUTE + 30_000);
    host.answer("shop", 2);
    host.sample(NOON + 4 * MINUTE);
    host.work(4, 10);
    let now = NOON + 10 * MINUTE;
    assert_eq!(host.kept(), [(1, 10), (10, 1)]);
    // A row that nobody can read is a gap, and nothing more.
    let spoil = "INSERT INTO app_history (app, step, time, data) VALUES ('shop', 60000, 6840000060001, 'x')";
    host.run(sqlx::query(spoil).execute(host.db.reader()))
        .unwrap();
    assert_eq!(host.answered(HistoryRange::Hour, now)[3], (3, 6));
    assert_eq!(host.answered(HistoryRange::Day, now), [(0, 15)]);
}

pub fn steps_that_nobody_merged_are_made_up_for(bed: Bed) {
    let host = shop(&bed);
    host.work(0, 58);
    host.answer("shop", 100);
    host.crash(); // The running minute is lost, and no more.
    let host = bed.open();
    assert_eq!(host.kept(), [(1, 58), (10, 5)]);
    let later = NOON + 5 * HOUR;
    assert_eq!(
        host.answered(HistoryRange::Day, later)[5],
        (50, 8),
        "from its minutes"
    );
    host.sample(later);
    host.sample(later + MINUTE);
    // Merged before they were removed.
    assert_eq!(host.kept(), [(10, 6), (60, 1)]);
    assert_eq!(host.answered(HistoryRange::Week, later), [(0, 58)]);
    assert_eq!(host.answered(HistoryRange::Day, later)[5], (50, 8));
}

pub fn old_rows_are_removed(bed: Bed) {
    let host = shop(&bed);
    host.work(0, 70);
    let pass = |hours: i64| {
        host.sample(NOON + hours * HOUR);
        host.sample(NOON + hours * HOUR + MINUTE);
        host.kept()
    };
    assert_eq!(pass(2), [(1, 70), (10, 7), (60, 2)]);
    // Minutes a whole ten at a time, tens a whole hour.
    host.sample(NOON + 2 * HOUR + 15 * MINUTE);
    assert_eq!(host.kept(), [(1, 60), (10, 7), (60, 2)]);
    assert_eq!(pass(4), [(10, 7), (60, 2)]);
    assert_eq!(pass(49), [(10, 1), (60, 2)]);
    assert_eq!(pass(50), [(60, 2)]);
    assert_eq!(pass(8 * 24 + 1), [(60, 1)]);
    assert_eq!(pass(9 * 24), []);
}

pub fn an_idle_host_writes_nothing(bed: Bed) {
    let host = shop(&bed);
    let meter = host.meter("shop");
    meter.memory_bytes.store(1 << 20, Relaxed);
    meter.instances.store(1, Relaxed);
    for minute in 0..30 {
        host.sample(NOON + minute * MINUTE);
    }
    assert_eq!(host.kept(), []);
    assert_eq!(host.answered(HistoryRange::Day, NOON + 30 * MINUTE), []);
    // It is seen all the same.
    let usage = host.supervisor.usage();
    assert_eq!((usage[0].memory_bytes, usage[0].instances), (1 << 20, 1));
    assert_eq!(usage[0].requests_per_minute, 0);
}

pub fn usage_is_of_the_last_minute(bed: Bed) {
    let host = shop(&bed);
    host.create("quiet", "on_first_visit");
    assert_eq!(host.supervisor.usage(), []);
    let meter = host.meter("shop");
    let mut now = NOON;
    let mut tick = || {
        now += 5_000;
        host.sample(now);
    };
    for _ in 0..6 {
        host.answer("shop", 10);
        tick();
    }
    meter.record(Outcome::Answered(http::StatusCode::BAD_GATEWAY));
    meter.record(Outcome::Failed(FailureKind::QueueFull));
    meter.record(Outcome::Cancelled);
    meter.cpu_nanos.fetch_add(4_990_000_000, Relaxed);
    meter.throttled_nanos.fetch_add(30_000_000_000, Relaxed);
    tick();
    let usage = host.supervisor.usage();
    assert_eq!((usage.len(), usage[0].id.as_str()), (1, "shop"));
    assert_eq!(
        (usage[0].requests_per_minute, usage[0].errors_per_minute),
        (63, 2)
    );
    assert!((usage[0].cpu_cores - 0.5).abs() < 1e-9, "{usage:?}");
    assert!((usage[0].throttled - 1.0).abs() < 1e-9, "{usage:?}");
    let stats = host.supervisor.stats(&id("shop")).unwrap();
    assert_eq!(stats.reasons.get("queue_full"), Some(&1));
    assert!((stats.latency.unwrap().p99_ms - 5.0).abs() < 0.7);
    let load = host.supervisor.environments()[0].cpu_load;
    assert!((load - 0.5).abs() < 1e-9);
    (0..12).for_each(|_| tick());
    assert_eq!(host.supervisor.usage(), []);
    assert_eq!(host.supervisor.stats(&id("shop")).unwrap().latency, None);
}

pub fn figures_go_with_their_app(bed: Bed) {
    let host = shop(&bed);
    host.work(0, 12);
    let operation = host.delete("shop", DataPolicy::Drop);
    host.answer("shop", 3);
    host.sample(NOON + 13 * MINUTE);
    host.done(&operation);
    assert_eq!(host.kept(), []);
    // Another one by this name begins with nothing.
    host.create("shop", "on_first_visit");
    host.sample(NOON + 14 * MINUTE);
    assert_eq!(host.answered(HistoryRange::Day, NOON + 15 * MINUTE), []);
    let nobody = id("nobody");
    let unknown = host
        .supervisor
        .stats_history(&nobody, HistoryRange::Hour, NOON);
    assert!(matches!(host.run(unknown), Err(Error::NotFound { .. })));
}

pub fn the_machine_is_told(bed: Bed) {
    let host = shop(&bed);
    host.meter("shop").memory_bytes.store(4096, Relaxed);
    host.meter("shop").instances.store(2, Relaxed);
    let local = &host.supervisor.environments()[0];
    assert!(local.started_at > 0);
    assert!(0 < local.process_memory_bytes);
    assert!(local.process_memory_bytes < local.memory_total_bytes);
    let apps = (
        local.app_memory_bytes,
        local.instances,
        local.instance_slots,
    );
    assert_eq!(apps, (4096, 2, 100));
    assert!((local.cpu_cores - 3.0).abs() < 1e-9);
}
