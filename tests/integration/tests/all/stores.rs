//! Components in an S3-compatible store: who has them when their supervisor is gone, and who when the
//! store is.

use lodge_harness::postgres::Postgres;
use lodge_harness::s3::S3;
use lodge_harness::{Cluster, ClusterConfig, Host, Visit, eventually};
use serde_json::{Value, json};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn served(visit: &Visit) {
    eventually("it is served", PATIENCE, || {
        (visit.send().status == 200).then_some(())
    });
}

/// What the health check of the store says, until it is of this status.
fn until_store_is(host: &mut Host, status: &str) -> Value {
    let api = host.api();
    eventually(&format!("the store is {status}"), PATIENCE, || {
        let about = api.get("/api/about").expect(200);
        let checks = about["checks"].as_array().unwrap().iter();
        let store = checks.clone().find(|c| c["name"] == "component_store");
        store.filter(|check| check["status"] == status).cloned()
    })
}

#[test]
fn a_component_outlives_the_supervisor_that_took_it_in() {
    let server = Postgres::start().unwrap();
    let control = server.create_database("control").unwrap();
    let s3 = S3::start().unwrap();
    let mut store = s3.variables();
    store.push(("LODGE_COMPONENT_STORE".into(), s3.url("ours")));
    let mut supervisor = store.clone();
    supervisor.extend([
        ("DATABASE_URL".into(), control),
        ("APPS_DATABASE_URL".into(), "sqlite:".into()),
        (
            "LODGE_SECRET_KEY".into(),
            "a secret key that tests share: 123".into(),
        ),
    ]);
    let config = ClusterConfig {
        supervisor,
        workers: store,
        ..ClusterConfig::default()
    };
    let mut cluster = Cluster::start_with(&["env_a"], config);
    let mut second = cluster.another_supervisor();
    let settings = json!({"environments": ["env_a"]});
    cluster.supervisor.deploy_with("hello-p2", "shop", settings);
    served(&cluster.visit("shop", "/"));
    until_store_is(&mut cluster.supervisor, "ok");

    cluster.supervisor.kill();
    cluster.add("env_b");
    let api = second.api();
    let moved = json!({"environments": ["env_b"]});
    eventually("the app may be moved", PATIENCE, || {
        let asked = api.patch("/api/apps/shop", &moved);
        (asked.status == 200).then_some(())
    });
    // The worker has never seen it, and this supervisor neither.
    eventually("it runs at the other worker", PATIENCE, || {
        let reply = cluster.at("env_b").visit("shop", "/").send();
        (reply.status == 200).then_some(())
    });
    served(&second.visit("shop", "/"));
}

#[test]
fn a_store_that_is_away_fails_nothing() {
    let mut s3 = S3::start().unwrap();
    let mut store = s3.variables();
    store.push(("LODGE_COMPONENT_STORE".into(), s3.url("ours")));
    let config = ClusterConfig {
        supervisor: store.clone(),
        workers: store,
        ..ClusterConfig::default()
    };
    let mut cluster = Cluster::start_with(&["env_a"], config);
    until_store_is(&mut cluster.supervisor, "ok");
    s3.kill();
    cluster.supervisor.deploy("hello-p2", "shop");
    served(&cluster.visit("shop", "/"));
    let check = until_store_is(&mut cluster.supervisor, "warning");
    let message = check["message"].as_str().unwrap();
    assert!(message.contains("from the supervisor meanwhile"), "{check}");
    let (_, key) = &s3.variables()[2];
    assert!(!message.contains(key.as_str()), "{check}");
    s3.restart().unwrap();
    until_store_is(&mut cluster.supervisor, "ok");
}
