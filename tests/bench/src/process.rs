//! What processes of this machine use, as the system counts it.

use std::process::Command;
use std::time::Duration;

/// CPU time that a process has used, its ended threads' included. Counted in steps of 10 ms.
pub fn cpu(pid: u32) -> Duration {
    of_stat(&format!("/proc/{pid}/stat"))
}

/// CPU time that a process's thread of this name has used.
pub fn cpu_of_thread(pid: u32, name: &str) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let mut tasks = tasks.map(|task| task.unwrap().path());
    let is_it = |task: &std::path::PathBuf| {
        std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name)
    };
    let task = tasks.find(is_it).unwrap();
    of_stat(task.join("stat").to_str().unwrap())
}

fn of_stat(file: &str) -> Duration {
    let stat = std::fs::read_to_string(file).unwrap();
    // The name before it may hold anything, a bracket too.
    let fields = stat.rsplit_once(") ").unwrap().1;
    let ticks = |at: usize| -> u64 { fields.split(' ').nth(at).unwrap().parse().unwrap() };
    of_ticks(ticks(11) + ticks(12))
}

fn of_ticks(ticks: u64) -> Duration {
    let per_second = rustix::param::clock_ticks_per_second();
    Duration::from_secs_f64(ticks as f64 / per_second as f64)
}

/// Time that this machine's cores were ready to run and others had them: a virtual machine's host counts it. All cores'
/// together, in steps of 10 ms.
pub fn stolen() -> Duration {
    let stat = std::fs::read_to_string("/proc/stat").unwrap();
    let all = stat.lines().next().unwrap();
    of_ticks(all.split_whitespace().nth(8).unwrap().parse().unwrap())
}

/// Memory of a process, in MiB.
pub fn resident_mib(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.unwrap().trim().parse::<f64>().unwrap() / 1024.0
}

/// Has all threads of a process, present and future, run on these cores only (`0`, `0,1`).
pub fn pin(pid: u32, cores: &str) {
    let done = Command::new("taskset")
        .args(["--all-tasks", "--cpu-list", "--pid", cores])
        .arg(pid.to_string())
        .output()
        .expect("taskset (util-linux) is not installed");
    assert!(done.status.success(), "{done:?}");
}

/// Lets this thread run whenever it wants to, before all others: for a visitor who has a machine of their own in truth.
/// False where that is not allowed.
pub fn run_first() -> bool {
    let thread = rustix::thread::gettid().as_raw_nonzero();
    let done = Command::new("chrt")
        .args(["--fifo", "--reset-on-fork", "--pid", "1"])
        .arg(thread.to_string())
        .output();
    done.is_ok_and(|done| done.status.success())
}
