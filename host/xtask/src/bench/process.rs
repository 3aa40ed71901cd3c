//! What a process uses, as the system counts it, and when it is at rest.

use anyhow::{Context, Result, bail};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// A process that uses no more than one tick of CPU time in this long is at rest.
const REST: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(120);

/// CPU time that a process has used, its ended threads' included. Counted in ticks of 10 ms.
pub(super) fn cpu(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name before it may hold anything, a bracket too.
    let (_, fields) = stat.rsplit_once(") ").context("no state in /proc")?;
    let mut ticks = fields.split(' ').skip(11).map(str::parse::<u64>);
    let (Some(Ok(user)), Some(Ok(system))) = (ticks.next(), ticks.next()) else {
        bail!("no CPU times in /proc");
    };
    let per_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_secs_f64(
        (user + system) as f64 / per_second as f64,
    ))
}

/// Bytes of a process that are in memory.
pub(super) fn resident_bytes(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.trim().parse::<u64>().ok());
    kib.map(|kib| kib * 1024).context("no VmRSS in /proc")
}

/// Waits until a process has nothing left to do: a host of 10,000 apps starts them behind its first answers.
pub(super) fn until_at_rest(pid: u32) -> Result<()> {
    let (started, mut before) = (Instant::now(), cpu(pid)?);
    let tick = Duration::from_millis(10);
    while started.elapsed() < PATIENCE {
        std::thread::park_timeout(REST);
        let now = cpu(pid)?;
        if now <= before + tick {
            return Ok(());
        }
        before = now;
    }
    bail!("still busy after {} s", PATIENCE.as_secs())
}

/// The same command, on these cores only (`0`, `0-3`); as the same process, since `taskset` becomes it.
pub(super) fn confined(command: &Command, cores: &str) -> Command {
    let mut confined = Command::new("taskset");
    confined
        .args(["--cpu-list", cores])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            confined.env(name, value);
        }
    }
    confined
}
