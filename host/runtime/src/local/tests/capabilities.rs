//! Databases as guests use them: what ends with its guest, what is read ahead, what a thousand
//! statements may hold.

use super::bed::{Bed, get, soon};
use lodge_model::FailureKind;
use std::sync::atomic::Ordering::SeqCst;

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_ends_as_its_guest_says_or_with_its_guest() {
    let bed = Bed::new();
    for guest in ["capable-p2", "capable-p3"] {
        let app = bed.start(guest).await;
        bed.seen().events();
        for (how, end) in [
            ("commit", "committed"),
            ("rollback", "rolled back"),
            ("drop", "rolled back"),
            ("trap", "rolled back"),
            ("leave", "rolled back"),
        ] {
            let answered = get(&app, &format!("/tx?q=x&end={how}")).await;
            assert_eq!(
                answered.is_ok(),
                how != "trap",
                "{guest} {how}: {answered:?}"
            );
            soon(how, || bed.seen().has(end)).await;
            assert_eq!(bed.seen().events(), ["begun", end], "{guest} {how}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transactions_statements_follow_one_another_and_end_with_it() {
    let bed = Bed::new();
    for guest in ["capable-p2", "capable-p3"] {
        let app = bed.start(guest).await;
        let ended = get(&app, "/tx?q=x&end=twice").await.unwrap();
        assert!(ended.contains("Closed"), "{guest}: {ended}");
    }
    let app = bed.start("capable-p3").await;
    bed.seen().most.store(0, SeqCst);
    assert_eq!(get(&app, "/together?q=x&n=10").await.unwrap(), "10");
    assert_eq!(bed.seen().most.load(SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_guest_keeps_is_bounded() {
    let bed = Bed::new();
    let app = bed.start("capable-p2").await;
    assert_eq!(get(&app, "/hoard?n=5000").await.unwrap(), "5000");
    assert_eq!(get(&app, "/hoard?n=20000").await, Err(FailureKind::Trap));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_read_when_the_guest_takes_them() {
    let bed = Bed::new();
    for guest in ["capable-p2", "capable-p3"] {
        let app = bed.start(guest).await;
        assert_eq!(get(&app, "/read?q=many").await.unwrap(), "10000", "{guest}");
        let ended = get(&app, "/read?q=broken").await.unwrap();
        assert!(
            ended.contains("TimedOut") && ended.contains("statement_timeout_ms"),
            "{ended}"
        );
        bed.seen().events();
        bed.seen().batches.store(0, SeqCst);
        // Five rows: the first batch has them.
        assert_eq!(
            get(&app, "/read?q=endless&stop=5").await.unwrap(),
            "5",
            "{guest}"
        );
        assert!(bed.seen().has("cursor dropped"), "{guest}");
        let read = bed.seen().batches.load(SeqCst);
        assert!(read <= 2, "{guest} read {read} batches ahead");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_statements_wait_within_the_apps_memory() {
    let bed = Bed::new();
    let app = bed.start("capable-p3").await;
    assert_eq!(get(&app, "/many?n=1000").await.unwrap(), "1000");
    assert_eq!(bed.seen().most.load(SeqCst), 1000);

    // 16 MiB of texts are in the guest; as much again does not fit.
    let mut launch = bed.launch("capable-p3");
    launch.limits.memory_bytes = 32 << 20;
    launch.limits.instance_memory_bytes = 32 << 20;
    let meter = launch.meter.clone();
    let app = bed.run(launch).await.unwrap();
    let answered: u32 = get(&app, "/many?n=1000&kib=16")
        .await
        .unwrap()
        .parse()
        .unwrap();
    assert!((100..1000).contains(&answered), "{answered} were answered");
    assert!(bed.log().contains("limits.memory_bytes"), "{}", bed.log());
    assert!(meter.snapshot().memory_peak_bytes <= 32 << 20);
    // What they held was given back.
    assert_eq!(get(&app, "/many?n=100&kib=16").await.unwrap(), "100");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_parameter_of_a_waiting_guest_is_charged() {
    let bed = Bed::new();
    let mut launch = bed.launch("capable-p2");
    launch.limits.memory_bytes = 8 << 20;
    launch.limits.instance_memory_bytes = 8 << 20;
    let app = bed.run(launch).await.unwrap();
    let small = get(&app, "/sql?q=x&kib=60").await.unwrap();
    assert!(small.contains("Text"), "{}", small.len());
    let large = get(&app, "/sql?q=x&kib=4000").await.unwrap();
    assert!(large.contains("LimitExceeded") && large.contains("limits.memory_bytes"));
}
