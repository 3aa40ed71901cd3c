//! One worker a name.

use crate::support::*;
use lodge_bus::WorkerEnd;
use lodge_model::{FromWorkers, SupervisorLink as _, ToWorker, WorkerLink as _};
use std::time::Duration;

async fn refused(worker: &WorkerEnd) -> String {
    told(worker, "that it is refused", |told| match told {
        ToWorker::Refused { reason } => Some(reason),
        _ => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_later_of_two_workers_is_refused() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let first = cluster.worker();
    joined(&supervisor).await;
    let other = tempfile::tempdir().unwrap();
    let second = cluster.worker_with("here", "second", other.path());
    let reason = refused(&second).await;
    assert!(reason.contains("ENVIRONMENT_NAME"), "{reason}");
    let reason = heard(&supervisor, "that one was refused", |heard| match heard {
        FromWorkers::Refused { reason, .. } => Some(reason),
        _ => None,
    })
    .await;
    assert!(reason.contains("http://second:13000"), "{reason}");
    supervisor.publish(&specification("shop", 1)).await.unwrap();
    assert_eq!(specified(&first).await.app, app("shop"));
    // One that leaves gives its name up at once.
    first.leave().await;
    let third = cluster.worker_with("here", "third", other.path());
    assert_eq!(joined(&supervisor).await.worker_id, "third");
    drop(third);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_on_the_same_data_directory_takes_over_at_once() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let first = cluster.worker_with("here", "first", cluster.state.path());
    let before = joined(&supervisor).await;
    drop(first);
    let second = cluster.worker();
    let after = joined(&supervisor).await;
    assert_ne!(before.boot, after.boot);
    supervisor.publish(&specification("shop", 1)).await.unwrap();
    specified(&second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_redis_lost_goes_back_to_who_had_it() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let first = cluster.worker();
    joined(&supervisor).await;
    // So that it has held the name for longer than the other will have.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut redis = cluster.intruder().await;
    let holder = cluster.name("holder:here").await;
    redis::cmd("DEL")
        .arg(&holder)
        .exec_async(&mut redis)
        .await
        .unwrap();
    let other = tempfile::tempdir().unwrap();
    let second = cluster.worker_with("here", "second", other.path());
    told(&second, "that it is connected", |told| {
        (told == ToWorker::Connected).then_some(())
    })
    .await;
    refused(&second).await;
    publish(&supervisor, &specification("shop", 1)).await;
    assert_eq!(specified(&first).await.app, app("shop"));
    first.report(report("shop", 1, "serves"));
    reported(&supervisor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn junk_in_the_place_of_a_holder_is_overwritten() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    let holder = cluster.name("holder:here").await;
    let mut redis = cluster.intruder().await;
    redis::cmd("SET")
        .arg(&holder)
        .arg("junk")
        .exec_async(&mut redis)
        .await
        .unwrap();
    drop(worker);
    let worker = cluster.worker();
    joined(&supervisor).await;
    drop(worker);
}
