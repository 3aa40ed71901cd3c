//! Guests that mean harm, one behaviour after the other while a neighbour is visited all the time. Each of them gets
//! what its row says, the neighbour notices nothing, the app serves on, and all that it took comes back.
//!
//! The behaviours are listed in `tests/guests/hostile.rs`, which the guests read too: one without a row here does not
//! build.

mod components;
mod rows;
mod scene;
mod tails;

use crate::neighbour::Neighbour;
use lodge_harness::{Host, eventually};
use scene::{Attack, PATIENCE, Scene, resident_peak};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

include!("../../../guests/hostile.rs");

/// The longest visit of the neighbour's that is taken for undisturbed on a machine that does other things, too. What
/// a neighbour really notices is measured by the bench.
const NOTICED: Duration = Duration::from_secs(5);

/// What the process may grow by while one app with the default budget (128 MiB) does its worst, in bytes: the budget,
/// as much again for what is on its way (answers to visitors, pages that the pool keeps), and no more.
const GROWTH: u64 = 256 << 20;

/// A behaviour's name, and what must come of it.
type Row = (&'static str, fn() -> Attack);

macro_rules! table {
    ($($name:ident)*) => {
        [$((stringify!($name), rows::$name as fn() -> Attack)),*]
    };
}

#[test]
fn the_hostile_guests_of_wasi_02_hurt_only_themselves() {
    all("hostile-p2", "hello-p2", &hostile_p2!(table));
}

#[test]
fn the_hostile_guests_of_wasi_03_hurt_only_themselves() {
    all("hostile-p3", "hello-p3", &hostile_p3!(table));
}

/// Every behaviour in turn; fails with all that failed. `HOSTILE=name` runs one of them.
fn all(guest: &str, quiet: &str, rows: &[Row]) {
    let mut host = Host::start();
    host.deploy(quiet, "quiet");
    let neighbour = Neighbour::start(&host, "quiet");
    let only = std::env::var("HOSTILE").ok();
    let mut failed = Vec::new();
    for (name, row) in rows {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let begin = Instant::now();
        let one = AssertUnwindSafe(|| one(&mut host, &neighbour, guest, name, &row()));
        if catch_unwind(one).is_err() {
            failed.push(*name);
        }
        println!("{guest} {name}: took {:?}", begin.elapsed());
        if neighbour.has_failed() {
            println!(
                "{guest} {name} hurt its neighbour: {:#?}",
                host.api().log("quiet")
            );
            let log = host.log_text();
            let panic = log.lines().skip_while(|line| !line.contains("panicked at"));
            println!("{}", panic.take(120).collect::<Vec<_>>().join("\n"));
            failed.push("the neighbour");
            break;
        }
    }
    let ran = rows
        .iter()
        .filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name));
    let apps: Vec<String> = ran.map(|(name, _)| scene::app_name(name)).collect();
    all_comes_back(&mut host, &apps);
    neighbour.finish();
    assert!(failed.is_empty(), "{guest}: {failed:?}");
}

fn one(host: &mut Host, neighbour: &Neighbour, guest: &str, name: &'static str, row: &Attack) {
    let scene = Scene::set(host, guest, name, row);
    assert_eq!(scene.ok(), "ok");
    let _ = neighbour.slowest();
    let (before, served) = (host.resident_bytes(), neighbour.served());
    let (peak, outcome) = resident_peak(host, || {
        eventually("the neighbour is served meanwhile", PATIENCE, || {
            row.run(&scene);
            (neighbour.served() > served).then_some(())
        });
    });
    let (grown, slowest) = (peak.saturating_sub(before), neighbour.slowest());
    println!(
        "{guest} {name}: {} MiB more, the neighbour's slowest visit {slowest:?}",
        grown >> 20
    );
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
    assert_eq!(scene.ok(), "ok", "{name}: the app itself serves on");
    scene.is_calm();
    assert!(grown < GROWTH, "{name}: the process grew by {grown} bytes");
    assert!(
        slowest < NOTICED,
        "{name}: a neighbour's visit took {slowest:?}"
    );
}

/// Slots and memory: what any of them took is there again.
fn all_comes_back(host: &mut Host, apps: &[String]) {
    let api = host.api();
    for app in apps {
        let mut stats = api.stats(app);
        let calm = AssertUnwindSafe(|| {
            eventually("instances and memory come back", PATIENCE, || {
                stats = api.stats(app);
                (stats["instances"] == 0 && stats["memory_bytes"] == 0).then_some(())
            });
        });
        assert!(catch_unwind(calm).is_ok(), "{app}: {}", api.stats(app));
    }
}
