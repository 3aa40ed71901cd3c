//! What somebody who can do everything in Redis, and does not have the key, can bring about: nothing.

use crate::support::*;
use lodge_bus::{Settings, SupervisorEnd, WorkerEnd};
use lodge_model::{
    BootId, ClusterKey, FromWorkers, Load, SupervisorLink as _, ToWorker, WorkerLink as _,
};
use redis::aio::MultiplexedConnection;
use std::time::Duration;

async fn get(redis: &mut MultiplexedConnection, hash: &str, field: &str) -> Vec<u8> {
    let mut asked = redis::cmd("HGET");
    asked.arg(hash).arg(field);
    asked.query_async(redis).await.unwrap()
}

async fn set(redis: &mut MultiplexedConnection, hash: &str, field: &str, value: &[u8]) {
    let mut asked = redis::cmd("HSET");
    asked.arg(hash).arg(field).arg(value);
    asked.exec_async(redis).await.unwrap();
}

/// All entries of a stream: each its fields and values.
async fn entries(redis: &mut MultiplexedConnection, stream: &str) -> Vec<Vec<Vec<u8>>> {
    let mut asked = redis::cmd("XRANGE");
    asked.arg(stream).arg("-").arg("+");
    let found: Vec<(String, Vec<Vec<u8>>)> = asked.query_async(redis).await.unwrap();
    found.into_iter().map(|(_, fields)| fields).collect()
}

async fn append(redis: &mut MultiplexedConnection, stream: &str, fields: &[Vec<u8>]) {
    let mut asked = redis::cmd("XADD");
    asked.arg(stream).arg("*");
    fields.iter().for_each(|field| {
        asked.arg(field);
    });
    asked.exec_async(redis).await.unwrap();
}

/// What the supervisor hears up to a heartbeat that is sent now.
async fn until_beat(supervisor: &SupervisorEnd, worker: &WorkerEnd, apps: u64) -> Vec<FromWorkers> {
    worker.beat(Load {
        apps,
        ..Load::default()
    });
    let mut all = Vec::new();
    heard(supervisor, "the heartbeat", |heard| {
        let last = matches!(&heard, FromWorkers::Beat(beat) if beat.load.apps == apps);
        all.push(heard);
        last.then_some(())
    })
    .await;
    all.pop();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_specification_is_refused_also_after_a_restart() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    supervisor.publish(&specification("shop", 1)).await.unwrap();
    specified(&worker).await;
    let mut redis = cluster.intruder().await;
    let hash = cluster.name("spec:here").await;
    let old = get(&mut redis, &hash, "shop").await;
    let stream = cluster.name("cmd:here").await;
    let command = entries(&mut redis, &stream).await.pop().unwrap();
    supervisor.publish(&specification("shop", 2)).await.unwrap();
    assert_eq!(specified(&worker).await.revision, at(2));

    set(&mut redis, &hash, "shop", &old).await;
    append(&mut redis, &stream, &command).await;
    drop(worker);
    let worker = cluster.worker();
    supervisor.publish(&specification("blog", 1)).await.unwrap();
    // Only the other app's: of this one there is nothing new.
    assert_eq!(specified(&worker).await.app, app("blog"));
    let reason = heard(&supervisor, "a dead letter", |heard| match heard {
        FromWorkers::DeadLetter { reason, .. } => Some(reason),
        _ => None,
    })
    .await;
    assert!(reason.contains("older"), "{reason}");
    // The supervisor sees that it is not what it published.
    assert_eq!(
        supervisor.published(&here()).await.unwrap()[&app("shop")],
        at(1)
    );
    supervisor.publish(&specification("shop", 2)).await.unwrap();
    assert_eq!(specified(&worker).await.revision, at(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_or_moved_specification_is_refused() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    supervisor_ready(&supervisor).await;
    for name in ["here", "there"] {
        let wanted = specification_in(name, "shop", 5);
        publish(&supervisor, &wanted).await;
    }
    publish(&supervisor, &specification("blog", 5)).await;
    let mut redis = cluster.intruder().await;
    let own = cluster.name("spec:here").await;
    let other = cluster.name("spec:there").await;
    let elsewhere = get(&mut redis, &other, "shop").await;
    let genuine = get(&mut redis, &own, "shop").await;
    let neighbour = get(&mut redis, &own, "blog").await;
    let mut altered = vec![elsewhere, neighbour, Vec::new(), vec![0; 200]];
    for position in [0, 7, 23, 24, 40, genuine.len() - 1] {
        let mut bytes = genuine.clone();
        bytes[position] ^= 1;
        altered.push(bytes);
    }
    for bytes in altered {
        set(&mut redis, &own, "shop", &bytes).await;
        let published = supervisor.published(&here()).await.unwrap();
        assert!(!published.contains_key(&app("shop")));
        let worker = cluster.worker();
        assert_eq!(specified(&worker).await.app, app("blog"));
        // Had it taken the other, it would say so now, or before.
        let more = tokio::time::timeout(Duration::from_millis(300), specified(&worker)).await;
        assert!(more.is_err());
        worker.leave().await;
    }
}

async fn supervisor_ready(supervisor: &SupervisorEnd) {
    heard(supervisor, "that it is connected", |heard| {
        (heard == FromWorkers::Connected).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_worker_counts_twice() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    worker.report(report("shop", 1, "old"));
    reported(&supervisor).await;
    let mut redis = cluster.intruder().await;
    let statuses = cluster.name("status:here").await;
    let old = get(&mut redis, &statuses, "shop").await;
    worker.report(report("shop", 2, "new"));
    assert_eq!(reported(&supervisor).await, report("shop", 2, "new"));

    let events = cluster.name("events").await;
    for event in entries(&mut redis, &events).await {
        append(&mut redis, &events, &event).await;
    }
    set(&mut redis, &statuses, "shop", &old).await;
    assert_eq!(until_beat(&supervisor, &worker, 1).await, []);
    assert_eq!(supervisor.reports(&here()).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_worker_does_not_join_again() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    let dead = joined(&supervisor).await;
    worker.report(report("shop", 1, "of the dead"));
    reported(&supervisor).await;
    let mut redis = cluster.intruder().await;
    let events = cluster.name("events").await;
    let workers = cluster.name("workers").await;
    let registration = get(&mut redis, &workers, "here").await;
    let said = entries(&mut redis, &events).await;
    drop(worker);

    // At the same supervisor, after another run took its place.
    let worker = cluster.worker();
    let living = joined(&supervisor).await;
    assert_ne!(living.boot, dead.boot);
    for event in &said {
        append(&mut redis, &events, event).await;
    }
    assert_eq!(until_beat(&supervisor, &worker, 1).await, []);
    drop(worker);

    // At a new supervisor, where nobody is alive.
    drop(supervisor);
    set(&mut redis, &workers, "here", &registration).await;
    let supervisor = cluster.supervisor();
    supervisor_ready(&supervisor).await;
    for event in &said {
        append(&mut redis, &events, event).await;
    }
    let heard = tokio::time::timeout(Duration::from_secs(2), supervisor.next()).await;
    assert!(heard.is_err(), "{heard:?}");
    assert_eq!(supervisor.reports(&here()).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn altered_and_moved_messages_count_for_nothing() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    worker.report(report("shop", 1, "serves"));
    reported(&supervisor).await;
    let mut redis = cluster.intruder().await;
    let events = cluster.name("events").await;
    for event in entries(&mut redis, &events).await {
        // In another's name.
        let mut moved = event.clone();
        moved[1] = b"there".to_vec();
        append(&mut redis, &events, &moved).await;
        // Each byte of the head, and of the body.
        for position in (0..event[3].len()).step_by(7) {
            let mut altered = event.clone();
            altered[3][position] ^= 0x20;
            append(&mut redis, &events, &altered).await;
        }
    }
    append(&mut redis, &events, &[b"x".to_vec(), b"y".to_vec()]).await;
    let moved = get(&mut redis, &cluster.name("status:here").await, "shop").await;
    set(
        &mut redis,
        &cluster.name("status:here").await,
        "blog",
        &moved,
    )
    .await;
    assert_eq!(until_beat(&supervisor, &worker, 1).await, []);
    assert_eq!(supervisor.reports(&here()).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_takes_no_forged_greeting_or_command() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    let mut redis = cluster.intruder().await;
    let stream = cluster.name("cmd:here").await;
    drop(worker);
    // What the supervisor says to a run that is over, it says to no other.
    supervisor.announce("http://old");
    let mut length = redis::cmd("XLEN");
    length.arg(&stream);
    eventually(&mut redis, &length, 1).await;
    let greeting = entries(&mut redis, &stream).await.pop().unwrap();
    drop(supervisor);
    let worker = cluster.worker();
    append(&mut redis, &stream, &greeting).await;
    for position in 0..greeting[1].len() {
        let mut altered = greeting.clone();
        altered[1][position] ^= 1;
        append(&mut redis, &stream, &altered).await;
    }
    eventually(&mut redis, &length, 0).await;
    assert_eq!(worker.next().await, ToWorker::Connected);
    let more = tokio::time::timeout(Duration::from_millis(500), worker.next()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_with_other_keys_do_not_meet() {
    let cluster = Cluster::start();
    let other = ClusterKey::new("another key, also of more than 32 characters").unwrap();
    let url = cluster.redis.url();
    let settings = Settings::new(&url, &url, other);
    let stranger = SupervisorEnd::open(settings, BootId::random().unwrap(), 9, None);
    supervisor_ready(&stranger).await;
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    stranger.publish(&specification("evil", 9)).await.unwrap();
    supervisor.publish(&specification("shop", 1)).await.unwrap();
    assert_eq!(specified(&worker).await.app, app("shop"));
    let heard = tokio::time::timeout(Duration::from_millis(300), stranger.next()).await;
    assert!(heard.is_err(), "{heard:?}");
}
