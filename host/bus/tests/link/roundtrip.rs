//! What is said arrives, and nothing that is secret can be read on the way.

use crate::support::*;
use lodge_model::{
    Figures, FromWorkers, Load, Revision, SupervisorLink as _, Tally, ToWorker, WorkerLink as _,
};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_said_arrives() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    let registration = joined(&supervisor).await;
    assert_eq!(registration.worker_id, "first");
    assert_eq!(supervisor.local_address(), Some([127, 0, 0, 1].into()));
    told(&worker, "where the supervisor is", |told| match told {
        ToWorker::Supervisor { url, .. } => (url == "http://supervisor:13001").then_some(()),
        _ => None,
    })
    .await;

    let wanted = specification("shop", 1);
    supervisor.publish(&wanted).await.unwrap();
    assert_eq!(specified(&worker).await, wanted);
    let said = report("shop", 1, "serves");
    worker.report(said.clone());
    worker.done(&app("shop"), at(1)).await;
    assert_eq!(reported(&supervisor).await, said);
    assert_eq!(supervisor.reports(&here()).await.unwrap(), [said]);
    assert_eq!(
        supervisor.published(&here()).await.unwrap()[&app("shop")],
        at(1)
    );

    worker.beat(Load {
        apps: 7,
        ..Load::default()
    });
    let beat = heard(&supervisor, "a heartbeat", |heard| match heard {
        FromWorkers::Beat(beat) => Some(beat),
        _ => None,
    })
    .await;
    assert_eq!((beat.load.apps, beat.boot), (7, registration.boot));
    let tally = Tally {
        answered: 3,
        ..Tally::default()
    };
    worker.figures(Figures {
        apps: vec![(app("shop"), tally)],
    });
    let figures = heard(&supervisor, "figures", |heard| match heard {
        FromWorkers::Figures { figures, .. } => Some(figures),
        _ => None,
    })
    .await;
    assert_eq!(figures.apps[0].1.answered, 3);

    worker.leave().await;
    let left = heard(&supervisor, "that the worker left", |heard| match heard {
        FromWorkers::Left { boot, .. } => Some(boot),
        _ => None,
    })
    .await;
    assert_eq!(left, registration.boot);
    supervisor.forget(&here(), &app("shop")).await.unwrap();
    assert!(supervisor.published(&here()).await.unwrap().is_empty());
    supervisor.remove(&here()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_reaches_workers() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    supervisor.announce("http://elsewhere");
    told(&worker, "the new address", |told| match told {
        ToWorker::Supervisor { url, .. } => (url == "http://elsewhere").then_some(()),
        _ => None,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_go_when_they_are_done_and_the_newest_counts() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    let mut redis = cluster.intruder().await;
    for generation in 1..=20 {
        let wanted = specification("shop", generation);
        supervisor.publish(&wanted).await.unwrap();
    }
    let mut last = Revision::default();
    while last < at(20) {
        let found = specified(&worker).await.revision;
        assert!(found > last, "{found:?} after {last:?}");
        last = found;
    }
    let mut length = redis::cmd("XLEN");
    length.arg(cluster.name("cmd:here").await);
    // Greetings go at once; of the others some may not have been read yet.
    eventually(&mut redis, &length, 20).await;
    worker.done(&app("shop"), at(20)).await;
    eventually(&mut redis, &length, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_app_delays_no_other() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    supervisor.publish(&specification("slow", 1)).await.unwrap();
    assert_eq!(specified(&worker).await.app, app("slow"));
    // Never done; others go on.
    for number in 0..50 {
        let id = format!("app{number}");
        supervisor.publish(&specification(&id, 1)).await.unwrap();
        assert_eq!(specified(&worker).await.app, app(&id));
        worker.done(&app(&id), at(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_worker_sees_what_was_not_done() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    let wanted = specification("shop", 1);
    supervisor.publish(&wanted).await.unwrap();
    specified(&worker).await;
    drop(worker);
    supervisor.publish(&specification("blog", 1)).await.unwrap();

    let worker = cluster.worker();
    let mut found = vec![specified(&worker).await.app, specified(&worker).await.app];
    found.sort();
    assert_eq!(found, [app("blog"), app("shop")]);
    joined(&supervisor).await;
    let mut redis = cluster.intruder().await;
    let mut length = redis::cmd("XLEN");
    length.arg(cluster.name("cmd:here").await);
    eventually(&mut redis, &length, 2).await;
    for app in found {
        worker.done(&app, at(1)).await;
    }
    eventually(&mut redis, &length, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_supervisor_hears_all_again() {
    let cluster = Cluster::start();
    let first = cluster.supervisor();
    let worker = cluster.worker();
    joined(&first).await;
    worker.report(report("shop", 1, "serves"));
    worker.report(report("blog", 1, "serves"));
    reported(&first).await;
    drop(first);
    let second = cluster.supervisor();
    joined(&second).await;
    let mut apps = vec![reported(&second).await.app, reported(&second).await.app];
    apps.sort();
    assert_eq!(apps, [app("blog"), app("shop")]);
    assert_eq!(second.reports(&here()).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_supervisors_at_once_both_hear() {
    let cluster = Cluster::start();
    let first = cluster.supervisor();
    let second = cluster.supervisor();
    let worker = cluster.worker();
    joined(&first).await;
    joined(&second).await;
    worker.report(report("shop", 1, "serves"));
    assert_eq!(reported(&first).await.app, app("shop"));
    assert_eq!(reported(&second).await.app, app("shop"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_carry_it_too() {
    let cluster = Cluster::start();
    let other = Cluster::start();
    let mut settings = cluster.settings();
    settings.command_url = other.redis.url();
    let boot = lodge_model::BootId::random().unwrap();
    let supervisor = lodge_bus::SupervisorEnd::open(settings.clone(), boot, 1, None);
    let registration = registration("here", "first");
    let worker = lodge_bus::WorkerEnd::open(settings, registration, cluster.state.path());
    joined(&supervisor).await;
    supervisor.publish(&specification("shop", 1)).await.unwrap();
    specified(&worker).await;
    worker.report(report("shop", 1, "serves"));
    reported(&supervisor).await;
    assert_eq!(supervisor.reports(&here()).await.unwrap().len(), 1);
    cluster.name("spec:here").await;
    other.name("events").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_can_be_read_in_redis() {
    let cluster = Cluster::start();
    let supervisor = cluster.supervisor();
    let worker = cluster.worker();
    joined(&supervisor).await;
    supervisor.publish(&specification("shop", 1)).await.unwrap();
    specified(&worker).await;
    let mut redis = cluster.intruder().await;
    // The same after a while in which the log of what was written is written too.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg("*")
        .query_async(&mut redis)
        .await
        .unwrap();
    assert!(
        keys.iter().any(|key| key.ends_with("spec:here")),
        "{keys:?}"
    );
    for key in keys {
        // One form of each type shows all of it.
        for command in ["GET", "HGETALL", "XRANGE"] {
            let mut asked = redis::cmd(command);
            asked.arg(&key);
            if command == "XRANGE" {
                asked.arg("-").arg("+");
            }
            let Ok(value) = asked.query_async::<redis::Value>(&mut redis).await else {
                continue;
            };
            let bytes = flat(&value);
            for secret in ["hunter2-secret", cluster.key] {
                let found = bytes
                    .windows(secret.len())
                    .any(|part| part == secret.as_bytes());
                assert!(!found, "{key} shows a secret");
            }
        }
    }
}

/// All bytes in an answer.
fn flat(value: &redis::Value) -> Vec<u8> {
    match value {
        redis::Value::BulkString(bytes) => bytes.clone(),
        redis::Value::Array(values) => values.iter().flat_map(flat).collect(),
        other => format!("{other:?}").into_bytes(),
    }
}
