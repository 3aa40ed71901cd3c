//! What is measured of one size, in order.

use crate::crowd::Crowd;
use crate::meter::{Reading, Spent};
use lodge_bench::figures::Figures;
use lodge_bench::process;
use std::time::{Duration, Instant};

/// How long nothing happens but heartbeats.
const REST: Duration = Duration::from_secs(20);
/// What happens behind a creation or a convergence ends within this.
const CALM: Duration = Duration::from_secs(3);
const COMMANDS: usize = 100;

/// How all becomes as it should be.
#[derive(Debug, Default)]
pub(crate) struct Convergence {
    /// Until the supervisor answers, in seconds (after its restart).
    pub(crate) serves: Option<f64>,
    /// Until every app is seen running.
    pub(crate) seen: Option<f64>,
    /// Until every app was told again.
    pub(crate) told: Option<f64>,
    /// Specifications that workers took.
    pub(crate) specifications: u64,
    pub(crate) spent: Spent,
    pub(crate) commands: Figures,
}

/// Everything of one size; times in seconds, none: not in time.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) joined: Option<f64>,
    pub(crate) created: f64,
    pub(crate) creating: Spent,
    /// After the last creation until all run.
    pub(crate) started: Option<f64>,
    pub(crate) rest: Spent,
    pub(crate) at_rest: Figures,
    pub(crate) supervisor_mib: f64,
    pub(crate) redis_mib: f64,
    pub(crate) restart: Convergence,
    pub(crate) supervisor_mib_after: f64,
    pub(crate) empty: Convergence,
}

pub(crate) fn measure(workers: usize, apps: usize) -> Measured {
    let mut crowd = Crowd::start(workers, apps);
    let mut measured = Measured {
        joined: crowd.join().map(|took| took.as_secs_f64()),
        ..Measured::default()
    };
    eprintln!("  joined: {:?} s", measured.joined);
    let before = read(&crowd);
    measured.created = crowd.create().as_secs_f64();
    let begin = Instant::now();
    let started = crowd.until(begin, Crowd::all_run);
    measured.started = started.map(|took| took.as_secs_f64());
    measured.creating = read(&crowd).since(&before);
    eprintln!(
        "  created: {:.1} s, running {:?} s later",
        measured.created, measured.started
    );
    rest(&mut crowd, &mut measured);
    measured.restart = restart(&mut crowd);
    eprintln!("  restarted: {:?}", measured.restart);
    std::thread::park_timeout(CALM);
    measured.supervisor_mib_after = process::resident_mib(crowd.supervisor.pid());
    measured.empty = empty(&mut crowd);
    eprintln!("  Redis empty: {:?}", measured.empty);
    measured
}

fn read(crowd: &Crowd) -> Reading {
    crowd.meter.read(crowd.supervisor.pid())
}

fn rest(crowd: &mut Crowd, measured: &mut Measured) {
    std::thread::park_timeout(CALM);
    let before = read(crowd);
    std::thread::park_timeout(REST);
    measured.rest = read(crowd).since(&before);
    measured.at_rest = crowd.commands(COMMANDS);
    measured.supervisor_mib = process::resident_mib(crowd.supervisor.pid());
    measured.redis_mib = crowd.meter.redis_mib();
    eprintln!(
        "  at rest: {:.2} cores, {:?}, commands p50 {:.1} ms",
        measured.rest.cores,
        measured.rest.most,
        measured.at_rest.median()
    );
}

/// The supervisor is killed and started again at the same addresses.
fn restart(crowd: &mut Crowd) -> Convergence {
    crowd.supervisor.kill();
    crowd.told.begin();
    let before = crowd.meter.read_without_supervisor();
    let begin = Instant::now();
    crowd.supervisor.start_again_here();
    let serves = begin.elapsed().as_secs_f64();
    let commander = crowd.keep_commanding();
    let (seen, told) = converge(crowd, begin);
    let commands = commander.stop();
    Convergence {
        serves: Some(serves),
        seen,
        told,
        specifications: crowd.told.specifications(),
        spent: read(crowd).since(&before),
        commands,
    }
}

/// Redis is killed and comes back with nothing.
fn empty(crowd: &mut Crowd) -> Convergence {
    crowd.told.begin();
    let supervisor = process::cpu(crowd.supervisor.pid());
    crowd.redis.restart_empty().unwrap();
    let begin = Instant::now();
    let before = Reading::nothing(begin, supervisor);
    let commander = crowd.keep_commanding();
    let (seen, told) = converge(crowd, begin);
    let commands = commander.stop();
    Convergence {
        serves: None,
        seen,
        told,
        specifications: crowd.told.specifications(),
        spent: read(crowd).since(&before),
        commands,
    }
}

/// Until all are seen running, and until each was told again.
fn converge(crowd: &mut Crowd, begin: Instant) -> (Option<f64>, Option<f64>) {
    let mut seen = None;
    let apps = crowd.apps as u64;
    let told = crowd.until(begin, |crowd| {
        if seen.is_none() && crowd.all_run() {
            seen = Some(begin.elapsed().as_secs_f64());
        }
        crowd.told.apps() >= apps
    });
    let told = told.map(|took| took.as_secs_f64());
    if seen.is_none() {
        let later = crowd.until(begin, Crowd::all_run);
        seen = later.map(|took| took.as_secs_f64());
    }
    (seen, told)
}
