//! A supervisor and workers, as an administrator and as visitors meet them.

use lodge_harness::mariadb::Mariadb;
use lodge_harness::postgres::Postgres;
use lodge_harness::{ANY_PORT, Cluster, ClusterConfig, Visit, eventually};
use serde_json::json;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn served(visit: &Visit) {
    eventually("it is served", PATIENCE, || {
        (visit.send().status == 200).then_some(())
    });
}

#[test]
fn an_app_lives_on_a_worker_from_creation_to_deletion() {
    let mut cluster = Cluster::start(&["env_a", "env_b"]);
    let app =
        cluster
            .supervisor
            .deploy_with("hello-p2", "shop", json!({"environments": ["env_a"]}));
    assert_eq!(app["placement"], "named");

    // The first visit comes through the supervisor, starts it there and is answered.
    let reply = cluster.visit("shop", "/").send();
    assert_eq!(reply.status, 200, "{}", reply.text());
    cluster.until_observed("shop", &[("env_a", "running")]);
    // The worker serves it by itself too; the other knows nothing of it.
    assert_eq!(cluster.at("env_a").visit("shop", "/").send().status, 200);
    assert_eq!(cluster.at("env_b").visit("shop", "/").send().status, 404);

    let api = cluster.api();
    api.act("shop", "stop");
    assert_eq!(cluster.observed("shop")["env_a"], "stopped");
    let refused = cluster.visit("shop", "/").send();
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "app_stopped")
    );
    api.act("shop", "start");
    served(&cluster.visit("shop", "/"));
    api.act("shop", "restart");
    served(&cluster.visit("shop", "/"));

    api.remove("shop");
    assert_eq!(cluster.visit("shop", "/").send().status, 404);
    eventually("the worker lets go of it", PATIENCE, || {
        let status = cluster.at("env_a").visit("shop", "/").send().status;
        (status == 404).then_some(())
    });
}

#[test]
fn an_app_in_several_environments_starts_in_one_after_the_other_and_is_balanced() {
    let mut cluster = Cluster::start(&["env_a", "env_b"]);
    cluster.supervisor.deploy_with(
        "hello-p2",
        "shop",
        json!({"environments": ["env_a", "env_b"]}),
    );
    let api = cluster.api();
    let operation = api.act("shop", "start");
    assert_eq!(operation["status"], "succeeded", "{operation}");
    cluster.until_observed("shop", &[("env_a", "running"), ("env_b", "running")]);
    let chosen = cluster
        .visit("shop", "/")
        .header("x-lodge-environment", "env_b")
        .send();
    assert_eq!(chosen.status, 200, "{}", chosen.text());
    // One of them is killed: the other goes on, and nobody is told an error.
    cluster.at("env_a").kill();
    for _ in 0..20 {
        assert_eq!(cluster.visit("shop", "/").send().status, 200);
    }
    cluster.until_environment("env_a", "lost");
    assert_eq!(cluster.observed("shop")["env_a"], "unknown");
    cluster.at("env_a").start_again();
    cluster.until_observed("shop", &[("env_a", "running"), ("env_b", "running")]);
    api.act("shop", "stop");
    cluster.until_observed("shop", &[("env_a", "stopped"), ("env_b", "stopped")]);
}

#[test]
fn a_lost_worker_is_told_apart_and_comes_back_with_its_apps() {
    let mut cluster = Cluster::start(&["env_a"]);
    cluster.supervisor.deploy("hello-p2", "shop");
    let app = cluster.api().app("shop");
    assert_eq!(
        (&app["placement"], &app["environments"]),
        (&json!("automatic"), &json!(["env_a"]))
    );
    served(&cluster.visit("shop", "/"));
    cluster.at("env_a").kill();
    let lost = cluster.visit("shop", "/").send();
    assert!([502, 503].contains(&lost.status), "{}", lost.status);
    cluster.until_environment("env_a", "lost");
    cluster.at("env_a").start_again();
    cluster.until_environment("env_a", "online");
    served(&cluster.visit("shop", "/"));
}

#[test]
fn without_redis_apps_are_served_on_and_commands_wait_for_it() {
    let mut cluster = Cluster::start(&["env_a"]);
    cluster.supervisor.deploy("hello-p2", "shop");
    cluster
        .supervisor
        .deploy_with("hello-p2", "other", json!({"start_mode": "with_host"}));
    served(&cluster.visit("shop", "/"));
    cluster.redis.kill();
    let api = cluster.api();
    let operation = api.post("/api/apps/other/start", &json!({})).expect(202);
    for _ in 0..20 {
        assert_eq!(cluster.visit("shop", "/").send().status, 200);
    }
    eventually("the console says so", PATIENCE, || {
        let about = api.get("/api/about").expect(200);
        let checks = about["checks"].as_array()?.iter();
        let mut redis = checks.filter(|check| check["name"] == "redis");
        (redis.next()?["status"] == "failed").then_some(())
    });
    // It comes back with nothing: everything is told again.
    cluster.redis.restart_empty().unwrap();
    let id = operation["operation"]["id"].as_str().unwrap().to_owned();
    eventually("the command is carried out", PATIENCE, || {
        let operation = api.get(&format!("/api/operations/{id}")).expect(200);
        (operation["status"] == "succeeded").then_some(())
    });
    assert_eq!(cluster.visit("other", "/").send().status, 200);
    assert_eq!(cluster.visit("shop", "/").send().status, 200);
}

#[test]
fn without_its_supervisor_a_worker_serves_on_and_both_find_each_other_again() {
    let mut cluster = Cluster::start(&["env_a"]);
    cluster.supervisor.deploy("hello-p2", "shop");
    served(&cluster.visit("shop", "/"));
    cluster.supervisor.kill();
    assert_eq!(cluster.at("env_a").visit("shop", "/").send().status, 200);
    // Also one that begins anew meanwhile.
    cluster.at("env_a").kill();
    cluster.at("env_a").start_again();
    let direct = cluster.at("env_a").visit("shop", "/");
    served(&direct);
    cluster.supervisor.start_again();
    cluster.until_environment("env_a", "online");
    cluster.until_observed("shop", &[("env_a", "running")]);
    assert_eq!(cluster.visit("shop", "/").send().status, 200);
}

#[test]
fn a_second_worker_of_the_same_name_is_refused() {
    let cluster = Cluster::start(&["env_a"]);
    // It may end before it is ready, or after.
    let ended = cluster.worker("env_a").command(ANY_PORT).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("env_a"), "{said}");
}

#[test]
fn a_drained_environment_is_left_by_what_may_leave() {
    let mut cluster = Cluster::start(&["env_a", "env_b"]);
    let api = cluster.api();
    api.post("/api/environments/env_b/cordon", &json!({}))
        .expect(200);
    cluster.supervisor.deploy("hello-p2", "moves");
    cluster
        .supervisor
        .deploy_with("hello-p2", "stays", json!({"environments": ["env_a"]}));
    served(&cluster.visit("moves", "/"));
    served(&cluster.visit("stays", "/"));
    assert_eq!(cluster.observed("moves")["env_a"], "running");
    let refused = api.post(
        "/api/apps",
        &json!({"component": {"name": "hello-p2"}, "environments": ["env_b"]}),
    );
    assert_eq!(refused.expect(422)["field"], "environments[0]");
    api.post("/api/environments/env_b/uncordon", &json!({}))
        .expect(200);
    api.post("/api/environments/env_a/drain", &json!({}))
        .expect(200);
    cluster.until_observed("moves", &[("env_b", "running")]);
    cluster.until_observed("stays", &[("env_a", "stopped")]);
    assert_eq!(cluster.visit("moves", "/").send().status, 200);
    let in_use = api.delete("/api/environments/env_a");
    assert_eq!(in_use.code(), "environment_online");
    api.post("/api/environments/env_a/uncordon", &json!({}))
        .expect(200);
    served(&cluster.visit("stays", "/"));
}

#[test]
fn a_local_file_is_in_one_environment() {
    let mut cluster = Cluster::start(&["env_a", "env_b"]);
    let api = cluster.api();
    let digest = api.upload_guest("hello-p2");
    let app = json!({
        "id": "shop", "component": {"digest": digest}, "environments": ["env_a", "env_b"],
        "database": {"kind": "new_database", "engine": "sqlite"},
    });
    let refused = api.post("/api/apps", &app);
    let problem = refused.expect(422);
    assert_eq!(problem["field"], "environments");
    assert!(
        problem["detail"].as_str().unwrap().contains("local file"),
        "{problem}"
    );
}

#[test]
fn a_migration_that_broke_off_is_cleared_where_the_app_runs() {
    let server = Mariadb::start().unwrap();
    let service = vec![("APPS_DATABASE_URL".into(), server.url(""))];
    let config = ClusterConfig {
        supervisor: service.clone(),
        workers: service,
        ..ClusterConfig::default()
    };
    let mut cluster = Cluster::start_with(&["env_a"], config);
    let bad = json!({
        "database": {"kind": "new_database"}, "config": {"migrate": {"value": "bad"}},
    });
    cluster.supervisor.deploy_with("migrating-p2", "shop", bad);
    let api = cluster.api();
    let failed = api.act("shop", "start").to_string();
    assert!(
        failed.contains("migration 0002_bad")
            && failed.contains("`lodge app clear-migration shop`"),
        "{failed}"
    );
    let change = json!({"config": {"migrate": {"value": "good"}}});
    api.patch("/api/apps/shop", &change).expect(200);
    let path = "/api/apps/shop/database/clear-migration";
    // The change has it started once more: while its migrations run, the mark cannot be cleared.
    let cleared = eventually("its mark is cleared", PATIENCE, || {
        let answer = api.post(path, &json!({}));
        let is_cleared = answer.status == 200;
        assert!(
            is_cleared || answer.code() == "database_unavailable",
            "{answer:?}"
        );
        is_cleared.then_some(answer.body)
    });
    assert_eq!(cleared, json!({"migration": "0002_bad", "done": false}));
    assert_eq!(api.act("shop", "start")["status"], "succeeded");
    assert_eq!(api.post(path, &json!({})).code(), "no_mark");
    let rows = cluster.visit("shop", "/").send().text();
    assert_eq!(rows.matches("for mariadb").count(), 1, "{rows}");
    cluster.at("env_a").kill();
    cluster.until_environment("env_a", "lost");
    let away = api.post(path, &json!({}));
    assert_eq!(away.code(), "database_unavailable");
}

#[test]
fn an_app_that_may_fails_over_and_its_old_place_is_fenced() {
    let mut cluster = Cluster::start(&["env_a", "env_b"]);
    let api = cluster.api();
    api.post("/api/environments/env_b/cordon", &json!({}))
        .expect(200);
    cluster
        .supervisor
        .deploy_with("hello-p2", "shop", json!({"failover": true}));
    served(&cluster.visit("shop", "/"));
    cluster.until_observed("shop", &[("env_a", "running")]);
    api.post("/api/environments/env_b/uncordon", &json!({}))
        .expect(200);
    cluster.at("env_a").kill();
    cluster.until_observed("shop", &[("env_b", "running")]);
    served(&cluster.visit("shop", "/"));
    // The one that was lost comes back, finds that the app has moved, and lets go of it.
    cluster.at("env_a").start_again();
    cluster.until_environment("env_a", "online");
    eventually("it lets go", PATIENCE, || {
        let status = cluster.at("env_a").visit("shop", "/").send().status;
        (status == 404).then_some(())
    });
    assert_eq!(cluster.visit("shop", "/").send().status, 200);
}

#[test]
fn an_app_made_anew_is_not_taken_for_the_one_before() {
    let mut cluster = Cluster::start(&["env_a"]);
    for _ in 0..3 {
        cluster.supervisor.deploy("hello-p2", "shop");
        served(&cluster.visit("shop", "/"));
        let api = cluster.api();
        api.act("shop", "restart");
        served(&cluster.visit("shop", "/"));
        api.remove("shop");
    }
    let environment = cluster.environment("env_a").unwrap();
    assert_eq!(environment["dead_letters"], 0, "{environment}");
}

#[test]
fn a_visit_to_a_worker_itself_is_counted_and_none_twice() {
    let config = ClusterConfig {
        workers: vec![("LODGE_OPEN_METRICS".into(), "true".into())],
        ..ClusterConfig::default()
    };
    let mut cluster = Cluster::start_with(&["env_a"], config);
    cluster.supervisor.deploy("hello-p2", "shop");
    served(&cluster.visit("shop", "/"));
    let direct = cluster.at("env_a").visit("shop", "/");
    for _ in 0..4 {
        assert_eq!(direct.send().status, 200);
    }
    let api = cluster.api();
    let told = eventually("all are counted", PATIENCE, || {
        let stats = api.stats("shop");
        (stats["answered"].as_u64()? >= 5).then_some(stats)
    });
    assert_eq!(told["answered"], 5, "{told}");
    assert!(told["latency"].is_object(), "{told}");
    let admin = cluster.at("env_a").admin;
    let shown = Visit::new(admin, "localhost", "/metrics").send();
    let line = "lodge_app_requests_total{app=\"shop\",outcome=\"answered\"} 5";
    assert!(shown.text().contains(line), "{}", shown.text());
}

#[test]
fn the_metrics_of_a_worker_are_closed_unless_they_are_opened() {
    let mut cluster = Cluster::start(&["env_a"]);
    let admin = cluster.at("env_a").admin;
    let refused = Visit::new(admin, "localhost", "/metrics").send();
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.text().contains("LODGE_OPEN_METRICS"));
}

#[test]
fn of_two_supervisors_one_leads_and_the_other_takes_over() {
    let server = Postgres::start().unwrap();
    let control = server.create_database("control").unwrap();
    let config = ClusterConfig {
        supervisor: vec![
            ("DATABASE_URL".into(), control),
            ("APPS_DATABASE_URL".into(), "sqlite:".into()),
            (
                "LODGE_SECRET_KEY".into(),
                "a secret key that tests share: 123".into(),
            ),
        ],
        ..ClusterConfig::default()
    };
    let mut cluster = Cluster::start_with(&["env_a"], config);
    let mut second = cluster.another_supervisor();
    cluster.supervisor.deploy("hello-p2", "shop");
    // Visitors may come to either, at first too.
    served(&second.visit("shop", "/"));
    served(&cluster.visit("shop", "/"));
    cluster.until_observed("shop", &[("env_a", "running")]);
    // Only one of them changes anything.
    let refused = second.api().post("/api/apps/shop/stop", &json!({}));
    assert_eq!(refused.code(), "not_leading");
    cluster.supervisor.kill();
    assert_eq!(second.visit("shop", "/").send().status, 200);
    let api = second.api();
    let operation = eventually("the other leads", PATIENCE, || {
        let asked = api.post("/api/apps/shop/stop", &json!({}));
        (asked.status == 202).then(|| asked.expect(202))
    });
    let id = operation["operation"]["id"].as_str().unwrap().to_owned();
    eventually("it is carried out", PATIENCE, || {
        let operation = api.get(&format!("/api/operations/{id}")).expect(200);
        (operation["status"] == "succeeded").then_some(())
    });
    assert_eq!(second.visit("shop", "/").send().status, 503);
    // The first comes back and follows.
    cluster.supervisor.start_again();
    let refused = cluster.api().post("/api/apps/shop/start", &json!({}));
    assert_eq!(refused.code(), "not_leading");
    let operation = api.act("shop", "start");
    assert_eq!(operation["status"], "succeeded", "{operation}");
    served(&cluster.visit("shop", "/"));
}
