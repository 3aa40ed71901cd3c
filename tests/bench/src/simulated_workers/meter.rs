//! What supervisor and Redis use: CPU, memory, operations.

use lodge_bench::process;
use redis::{Client, Connection};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A way to ask Redis itself.
pub(crate) struct Meter {
    client: Client,
}

/// Everything counted so far.
pub(crate) struct Reading {
    at: Instant,
    operations: f64,
    commands: BTreeMap<String, f64>,
    supervisor: Duration,
}

/// What came between two readings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spent {
    pub(crate) seconds: f64,
    pub(crate) operations: f64,
    /// Cores that the supervisor used.
    pub(crate) cores: f64,
    /// CPU seconds of the supervisor.
    pub(crate) cpu_seconds: f64,
    /// The most frequent commands and how many there were.
    pub(crate) most: Vec<(String, f64)>,
}

impl Meter {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            client: Client::open(url).unwrap(),
        }
    }

    fn info(&self, section: &str) -> String {
        let mut connection: Connection = self.client.get_connection().unwrap();
        let mut asked = redis::cmd("INFO");
        asked.arg(section).query(&mut connection).unwrap()
    }

    /// Memory that Redis has for what it keeps, in MiB.
    pub(crate) fn redis_mib(&self) -> f64 {
        value(&self.info("memory"), "used_memory") / f64::from(1 << 20)
    }

    /// Reads all counters. A Redis that was started anew counts from 0.
    pub(crate) fn read(&self, supervisor: u32) -> Reading {
        Reading {
            supervisor: process::cpu(supervisor),
            ..self.read_without_supervisor()
        }
    }

    /// Before a supervisor that is yet to begin.
    pub(crate) fn read_without_supervisor(&self) -> Reading {
        let stats = self.info("commandstats");
        let commands = stats.lines().filter_map(|line| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            let calls = rest.split(',').next()?.parse().ok()?;
            Some((name.to_owned(), calls))
        });
        Reading {
            at: Instant::now(),
            operations: value(&self.info("stats"), "total_commands_processed"),
            commands: commands.collect(),
            supervisor: Duration::ZERO,
        }
    }
}

impl Reading {
    /// What was spent from an earlier reading to this one.
    pub(crate) fn since(&self, before: &Self) -> Spent {
        let seconds = (self.at - before.at).as_secs_f64();
        let cpu = self.supervisor.saturating_sub(before.supervisor);
        let mut most: Vec<_> = self
            .commands
            .iter()
            .map(|(name, calls)| {
                let earlier = before.commands.get(name).copied().unwrap_or_default();
                (name.clone(), calls - earlier)
            })
            .filter(|(_, calls)| *calls > 0.0)
            .collect();
        most.sort_by(|a, b| b.1.total_cmp(&a.1));
        most.truncate(8);
        Spent {
            seconds,
            operations: self.operations - before.operations,
            cores: cpu.as_secs_f64() / seconds,
            cpu_seconds: cpu.as_secs_f64(),
            most,
        }
    }

    /// A reading of a Redis and a supervisor that have just begun, at this moment.
    pub(crate) fn nothing(at: Instant, supervisor: Duration) -> Self {
        Self {
            at,
            operations: 0.0,
            commands: BTreeMap::new(),
            supervisor,
        }
    }
}

fn value(info: &str, name: &str) -> f64 {
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap().trim().parse().unwrap()
}
