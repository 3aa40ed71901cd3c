//! Many apps, and what is bounded.

use crate::support::*;
use lodge_model::{FromWorkers, SupervisorLink as _, WorkerLink as _};
use std::collections::HashSet;
use std::sync::Arc;

const APPS: usize = 2_000;

/// Awaits many.
async fn all(tasks: Vec<tokio::task::JoinHandle<()>>) {
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_apps_are_caught_up_and_reported() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    drop(worker);
    let mut tasks = Vec::new();
    for number in 0..APPS {
        let supervisor = Arc::clone(&supervisor);
        tasks.push(tokio::spawn(async move {
            let wanted = specification(&format!("app{number}"), 1);
            supervisor.publish(&wanted).await.unwrap();
        }));
    }
    all(tasks).await;
    assert_eq!(supervisor.published(&here()).await.unwrap().len(), APPS);

    let worker = cluster.worker();
    let mut seen = HashSet::new();
    while seen.len() < APPS {
        let found = specified(&worker).await;
        worker.report(report(found.app.as_str(), 1, "serves"));
        worker.done(&found.app, found.revision).await;
        assert!(seen.insert(found.app), "each once");
    }
    let mut heard_of = HashSet::new();
    heard(&supervisor, "all reports", |heard| {
        if let FromWorkers::Report(report) = heard {
            heard_of.insert(report.app);
        }
        (heard_of.len() == APPS).then_some(())
    })
    .await;
    assert_eq!(supervisor.reports(&here()).await.unwrap().len(), APPS);
    let mut redis = cluster.intruder().await;
    let mut length = redis::cmd("XLEN");
    length.arg(cluster.name("cmd:here").await);
    eventually(&mut redis, &length, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_of_a_worker_that_is_away_do_not_pile_up() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    heard(&supervisor, "that it is connected", |heard| {
        (heard == FromWorkers::Connected).then_some(())
    })
    .await;
    let mut tasks = Vec::new();
    for part in 0..24 {
        let supervisor = Arc::clone(&supervisor);
        tasks.push(tokio::spawn(async move {
            for generation in 1..=500 {
                let wanted = specification(&format!("app{part}"), generation);
                supervisor.publish(&wanted).await.unwrap();
            }
        }));
    }
    all(tasks).await;
    let mut redis = cluster.intruder().await;
    let length: usize = redis::cmd("XLEN")
        .arg(cluster.name("cmd:here").await)
        .query_async(&mut redis)
        .await
        .unwrap();
    assert!((10_000..11_000).contains(&length), "{length}");
    // What was trimmed is not missed.
    let worker = cluster.worker();
    let mut seen = HashSet::new();
    while seen.len() < 24 {
        let found = specified(&worker).await;
        assert_eq!(found.revision, at(500));
        seen.insert(found.app);
    }
}

/// More is said than the supervisor takes, and than the stream keeps: the kept reports make up for it.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_trimmed_before_it_was_read_is_read_elsewhere() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    // The supervisor's process is busy: nobody takes what it hears, until its inbox is full.
    let mut redis = cluster.intruder().await;
    let events = cluster.name("events").await;
    for part in 0..8 {
        for number in 0..250 {
            worker.report(report(&format!("app{part}x{number}"), 1, "serves"));
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let statuses = cluster.name("status:here").await;
    eventually(&mut redis, redis::cmd("HLEN").arg(&statuses), 2_000).await;
    let mut asked = redis::cmd("XTRIM");
    asked.arg(&events).arg("MAXLEN").arg(0);
    asked.exec_async(&mut redis).await.unwrap();
    worker.beat(lodge_model::Load::default());
    let mut heard_of = HashSet::new();
    heard(&supervisor, "all reports", |heard| {
        if let FromWorkers::Report(report) = heard {
            heard_of.insert(report.app);
        }
        (heard_of.len() == 2_000).then_some(())
    })
    .await;
}

/// For the figures in the crate's documentation: run alone, with `--ignored --nocapture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures for a minute"]
async fn what_an_idle_minute_and_a_command_cost() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    let mut redis = cluster.intruder().await;
    let mut times = Vec::new();
    for generation in 1..=500 {
        let wanted = specification("shop", generation);
        let begin = std::time::Instant::now();
        supervisor.publish(&wanted).await.unwrap();
        specified(&worker).await;
        let handed = begin.elapsed();
        worker.report(report("shop", generation, "serves"));
        worker.done(&app("shop"), at(generation)).await;
        reported(&supervisor).await;
        times.push((begin.elapsed(), handed));
    }
    times.sort();
    let (round, handed) = times[times.len() / 2];
    println!("published to handed out {handed:?}, to reported {round:?} (median of 500)");
    let mut asked = redis::cmd("CONFIG");
    asked.arg("RESETSTAT").exec_async(&mut redis).await.unwrap();
    for _ in 0..6 {
        worker.beat(lodge_model::Load::default());
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    }
    let mut asked = redis::cmd("INFO");
    let info: String = asked
        .arg("commandstats")
        .query_async(&mut redis)
        .await
        .unwrap();
    for line in info.lines().filter(|line| line.starts_with("cmdstat_")) {
        println!("{}", line.split(",usec").next().unwrap());
    }
}
