//! Many simulated workers with many apps over a real Redis: how long it takes a supervisor that begins
//! anew to know them all, and how long a command takes meanwhile. For the figures: run alone, with
//! `--ignored --nocapture`, and `LODGE_SCALE=200x100` for other numbers.

use crate::bed::{Bed, Host, admin};
use crate::workers::{done, registration};
use lodge_bus::{Settings, SupervisorEnd, WorkerEnd};
use lodge_harness::redis::Redis;
use lodge_model::*;
use lodge_supervisor::NewApp;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Commands at least.
const COMMANDS: usize = 200;

fn settings(redis: &Redis) -> Settings {
    let key = ClusterKey::new("the cluster's key of forty-two characters.").unwrap();
    Settings::new(&redis.url(), &redis.url(), key)
}

/// Does what it is told at once, and beats.
async fn work(worker: Arc<WorkerEnd>) {
    let mut beat = tokio::time::interval(Duration::from_secs(5));
    loop {
        tokio::select! {
            told = worker.next() => if let ToWorker::Specification(told) = told {
                worker.report(done(&told));
                worker.done(&told.app, told.revision).await;
            },
            _ = beat.tick() => worker.beat(Load::default()),
        }
    }
}

fn open(bed: &mut Bed, redis: &Redis, term: i64) -> Host {
    let settings = settings(redis);
    bed.link = Some(Box::new(move || {
        let boot = BootId::random().unwrap();
        SupervisorEnd::open(settings.clone(), boot, term, None)
    }));
    bed.open()
}

fn running(host: &Host) -> usize {
    let all = host.supervisor.environments().into_iter();
    all.map(|one| usize::try_from(one.running).unwrap()).sum()
}

fn create(host: &Host, workers: usize, apps: usize) {
    let component = host.component("hello", "1.0.0");
    let actor = admin();
    let creates = (0..workers * apps).map(|n| {
        let new: NewApp = serde_json::from_value(serde_json::json!({
            "id": format!("app-{n}"), "component": {"digest": component.digest},
            "start_mode": "with_host", "desired": "running",
            "environments": [format!("w{}", n % workers)],
        }))
        .unwrap();
        host.supervisor.create_app(new, &actor)
    });
    let created = host.run(futures::future::join_all(creates));
    assert!(created.iter().all(Result::is_ok));
}

/// Restarts one app after another, until all are known and a while on: it goes on telling them. Gives when
/// all were known, and how long each command took.
fn command(host: &Host, all: usize) -> (Duration, Vec<Duration>) {
    let begun = Instant::now();
    let mut took = Vec::new();
    let mut known = None;
    while known.is_none() || took.len() < COMMANDS {
        let asked = Instant::now();
        let restart = host.restart(&format!("app-{}", took.len() % all));
        let patience = Duration::from_secs(300);
        let ended = host.run(host.supervisor.wait_operation(&restart.id, patience));
        assert_eq!(ended.unwrap().status, OperationStatus::Succeeded);
        took.push(asked.elapsed());
        if known.is_none() && running(host) >= all {
            known = Some(begun.elapsed());
        }
    }
    (known.unwrap_or_default(), took)
}

#[test]
#[ignore = "measures for minutes"]
fn a_supervisor_that_begins_anew_with_many_workers() {
    let scale = std::env::var("LODGE_SCALE").unwrap_or_else(|_| "50x100".to_owned());
    let (workers, apps) = scale.split_once('x').unwrap();
    let (workers, apps): (usize, usize) = (workers.parse().unwrap(), apps.parse().unwrap());
    let all = workers * apps;
    let redis = Redis::start().unwrap();
    let others = tokio::runtime::Runtime::new().unwrap();
    let dirs: Vec<TempDir> = (0..workers).map(|_| tempfile::tempdir().unwrap()).collect();
    for (n, dir) in dirs.iter().enumerate() {
        let _in = others.enter();
        let about = registration(&format!("w{n}"));
        let worker = WorkerEnd::open(settings(&redis), about, dir.path());
        others.spawn(work(worker));
    }
    let mut bed = Bed::sqlite();
    let host = open(&mut bed, &redis, 1);
    host.until_within("all have joined", Duration::from_secs(60), || {
        host.supervisor.environments().len() == workers
    });
    let begun = Instant::now();
    create(&host, workers, apps);
    let created = begun.elapsed();
    host.until_within("all run", Duration::from_secs(600), || {
        running(&host) == all
    });
    eprintln!(
        "{scale}: created after {created:?}, all running after {:?}",
        begun.elapsed()
    );
    host.crash();

    let begun = Instant::now();
    let host = open(&mut bed, &redis, 2);
    let opened = begun.elapsed();
    let (converged, mut took) = command(&host, all);
    let first = took[0];
    took.sort();
    eprintln!(
        "{scale}: open after {opened:?}, all known after {converged:?}; {} commands meanwhile: \
         the first {first:?}, median {:?}, longest {:?}",
        took.len(),
        took[took.len() / 2],
        took[took.len() - 1],
    );
    host.crash();
    others.shutdown_timeout(Duration::from_secs(5));
}
