//! Capabilities from the app's start to its stop.

use super::bed::{Bed, app_id};
use lodge_model::{GrantError, Runtime, Secret, StartError};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_replaced_when_its_grant_is_another() {
    let bed = Bed::new();
    let first = bed.start("capable-p2").await;
    let same = bed.start("capable-p2").await;
    assert!(Arc::ptr_eq(&first, &same));
    assert_eq!(bed.seen().events(), ["open"]);
    let mut launch = bed.launch("capable-p2");
    let hello = Secret("hello".into());
    launch.grant.config.insert("greeting".into(), hello);
    let other = bed.run(launch).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &other));
    assert_eq!(
        super::bed::get(&other, "/config?key=greeting")
            .await
            .unwrap(),
        "hello"
    );
    bed.runtime.ensure_stopped(&app_id(), Duration::ZERO).await;
    assert_eq!(bed.seen().events(), ["open", "close"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_opened_does_not_start() {
    let bed = Bed::new();
    let refused = GrantError::Refused("no such engine".into());
    *bed.provider.refuses.lock() = Some(refused);
    let failed = bed.run(bed.launch("capable-p2")).await.err().unwrap();
    assert!(matches!(failed, StartError::Component(text) if text == "no such engine"));
    let away = GrantError::Unavailable("the server is away".into());
    *bed.provider.refuses.lock() = Some(away);
    let failed = bed.run(bed.launch("capable-p2")).await.err().unwrap();
    assert!(matches!(failed, StartError::Host(text) if text == "the server is away"));
    assert_eq!(bed.seen().events(), ["open", "close", "open", "close"]);

    // An app that runs goes on when its replacement cannot start.
    let app = bed.start("capable-p2").await;
    *bed.provider.refuses.lock() = Some(GrantError::Refused("no".into()));
    let mut launch = bed.launch("capable-p2");
    launch.grant.outbound_hosts.push("api.test".into());
    assert!(bed.run(launch).await.is_err());
    assert_eq!(bed.seen().events(), ["open", "open"]);
    assert_eq!(super::bed::get(&app, "/").await.unwrap(), "capable");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_work_is_charged_to_the_app() {
    let bed = Bed::new();
    let mut launch = bed.launch("capable-p2");
    launch.limits.memory_bytes = 10 << 20;
    let meter = launch.meter.clone();
    let _app = bed.run(launch).await.unwrap();
    let account = bed.seen().account.lock().clone().unwrap();
    let before = meter.snapshot();
    account.charge_cpu(Duration::from_secs(2));
    assert!(meter.snapshot().cpu_ms >= before.cpu_ms + 2_000);
    assert!(account.try_reserve(6 << 20));
    assert!(!account.try_reserve(6 << 20));
    account.release(6 << 20);
    assert!(account.try_reserve(6 << 20));
    account.log(lodge_model::LogLevel::Warn, "the disk is slow".into());
    assert!(bed.log().contains("the disk is slow"));
}
