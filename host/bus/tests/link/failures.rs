//! Redis is killed, emptied, frozen; the link goes on.

use crate::support::*;
use lodge_bus::{SupervisorEnd, WorkerEnd};
use lodge_model::{Figures, FromWorkers, SupervisorLink as _, Tally, ToWorker, WorkerLink as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

async fn cut(supervisor: &SupervisorEnd, worker: &WorkerEnd) {
    heard(supervisor, "that Redis is away", |heard| {
        matches!(heard, FromWorkers::Disconnected { .. }).then_some(())
    })
    .await;
    told(worker, "that Redis is away", |told| {
        matches!(told, ToWorker::Disconnected { .. }).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_killed_and_comes_back() {
    let mut cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    worker.report(report("shop", 1, "before"));
    reported(&supervisor).await;
    cluster.redis.kill();
    cut(&supervisor, &worker).await;
    assert!(supervisor.publish(&specification("shop", 2)).await.is_err());
    for message in ["first", "second", "last"] {
        worker.report(report("blog", 1, message));
    }
    cluster.redis.restart().unwrap();
    connected(&supervisor, &worker).await;
    let mut found = vec![reported(&supervisor).await, reported(&supervisor).await];
    found.sort_by(|one, other| one.app.cmp(&other.app));
    assert_eq!(
        found,
        [report("blog", 1, "last"), report("shop", 1, "before")]
    );
    publish(&supervisor, &specification("shop", 2)).await;
    assert_eq!(specified(&worker).await.revision, at(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_comes_back_empty() {
    let mut cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    let before = joined(&supervisor).await;
    supervisor.publish(&specification("shop", 1)).await.unwrap();
    specified(&worker).await;
    worker.report(report("shop", 1, "serves"));
    reported(&supervisor).await;
    cluster.redis.restart_empty().unwrap();
    connected(&supervisor, &worker).await;
    // It has the same run: its reports come again, and it is told of what is new.
    assert_eq!(reported(&supervisor).await, report("shop", 1, "serves"));
    assert!(supervisor.published(&here()).await.unwrap().is_empty());
    publish(&supervisor, &specification("shop", 1)).await;
    publish(&supervisor, &specification("blog", 1)).await;
    assert_eq!(specified(&worker).await.app, app("blog"));
    assert_eq!(supervisor.reports(&here()).await.unwrap().len(), 1);
    // The worker still has its name: another does not get it.
    let other = tempfile::tempdir().unwrap();
    let second = cluster.worker_with("here", "second", other.path());
    told(&second, "that it is refused", |told| {
        matches!(told, ToWorker::Refused { .. }).then_some(())
    })
    .await;
    worker.beat(lodge_model::Load::default());
    let boot = heard(&supervisor, "a heartbeat", |heard| match heard {
        FromWorkers::Beat(beat) => Some(beat.boot),
        _ => None,
    })
    .await;
    assert_eq!(boot, before.boot);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_emptied_while_connections_hold() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    worker.report(report("shop", 1, "serves"));
    reported(&supervisor).await;
    let mut redis = cluster.intruder().await;
    redis::cmd("FLUSHALL").exec_async(&mut redis).await.unwrap();
    heard(&supervisor, "that it may be empty", |heard| {
        (heard == FromWorkers::Connected).then_some(())
    })
    .await;
    publish(&supervisor, &specification("shop", 1)).await;
    assert_eq!(specified(&worker).await.app, app("shop"));
    worker.report(report("shop", 1, "again"));
    heard(&supervisor, "the report", |heard| {
        (heard == FromWorkers::Report(report("shop", 1, "again"))).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_redis_is_noticed() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    cluster.redis.pause();
    let begin = Instant::now();
    cut(&supervisor, &worker).await;
    // 5 s as promised, and as much again for a busy machine.
    assert!(begin.elapsed() < Duration::from_secs(10));
    cluster.redis.resume();
    connected(&supervisor, &worker).await;
    publish(&supervisor, &specification("shop", 1)).await;
    assert_eq!(specified(&worker).await.app, app("shop"));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ends_may_begin_before_redis_does() {
    let mut cluster = Cluster::start();
    cluster.redis.kill();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    cut(&supervisor, &worker).await;
    cluster.redis.restart().unwrap();
    joined(&supervisor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_an_outage_are_added_up_and_counted_once() {
    let mut cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    let counted = Arc::new(AtomicU64::new(0));
    let count = tokio::spawn({
        let (supervisor, counted) = (supervisor.clone(), counted.clone());
        async move {
            loop {
                if let FromWorkers::Figures { figures, .. } = supervisor.next().await {
                    counted.fetch_add(figures.apps[0].1.answered, Relaxed);
                }
            }
        }
    });
    let mut said = 0;
    let mut say = || {
        said += 1;
        worker.figures(figures());
    };
    for _ in 0..3 {
        // Some of these are on their way when the server dies.
        (0..20).for_each(|_| say());
        cluster.redis.kill();
        say();
        told(&worker, "that Redis is away", |told| {
            matches!(told, ToWorker::Disconnected { .. }).then_some(())
        })
        .await;
        say();
        cluster.redis.restart().unwrap();
        told(&worker, "that it is connected", |told| {
            (told == ToWorker::Connected).then_some(())
        })
        .await;
    }
    while counted.load(Relaxed) < said {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(counted.load(Relaxed), said);
    count.abort();
}

/// One request, answered.
fn figures() -> Figures {
    let tally = Tally {
        answered: 1,
        ..Tally::default()
    };
    Figures {
        apps: vec![(app("shop"), tally)],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_without_its_specification_is_put_aside() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    drop(worker);
    supervisor.publish(&specification("shop", 1)).await.unwrap();
    let mut redis = cluster.intruder().await;
    let hash = cluster.name("spec:here").await;
    redis::cmd("DEL")
        .arg(hash)
        .exec_async(&mut redis)
        .await
        .unwrap();
    let worker = cluster.worker();
    joined(&supervisor).await;
    supervisor.publish(&specification("blog", 1)).await.unwrap();
    assert_eq!(
        specified(&worker).await.app,
        app("blog"),
        "others go on meanwhile"
    );
    let (dead, reason) = heard(&supervisor, "a dead letter", |heard| match heard {
        FromWorkers::DeadLetter { app, reason, .. } => Some((app, reason)),
        _ => None,
    })
    .await;
    assert_eq!(dead, app("shop"));
    assert!(reason.contains("no specification"), "{reason}");
    let mut length = redis::cmd("XLEN");
    length.arg(cluster.name("dead:here").await);
    eventually(&mut redis, &length, 1).await;
    worker.done(&app("blog"), at(1)).await;
    let mut length = redis::cmd("XLEN");
    length.arg(cluster.name("cmd:here").await);
    eventually(&mut redis, &length, 0).await;
    // Published again it is told as ever.
    supervisor.publish(&specification("shop", 1)).await.unwrap();
    assert_eq!(specified(&worker).await.app, app("shop"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_for_what_the_supervisor_forgot_is_no_dead_letter() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    supervisor.publish(&specification("shop", 1)).await.unwrap();
    specified(&worker).await;
    drop(worker);
    supervisor.forget(&here(), &app("shop")).await.unwrap();
    let worker = cluster.worker();
    joined(&supervisor).await;
    let mut redis = cluster.intruder().await;
    let mut length = redis::cmd("XLEN");
    length.arg(cluster.name("cmd:here").await);
    eventually(&mut redis, &length, 0).await;
    let mut dead = redis::cmd("EXISTS");
    dead.arg(cluster.name("cmd:here").await.replace(":cmd:", ":dead:"));
    eventually(&mut redis, &dead, 0).await;
    drop(worker);
}
