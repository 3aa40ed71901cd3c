//! Faults at random moments: Redis, the supervisor, each worker and the control database are killed,
//! stopped, cut off, slowed down and emptied while apps are created, started, stopped, moved, changed and deleted, and
//! visited. Afterwards all is as it was asked for, and nothing happened twice.
//!
//! Effects are counted where they happen: in the apps' own databases, by the guest `counting-p2`, and in the table of
//! operations; not in logs. A fault is ended by whoever began it, one at a time; the plan does not wait
//! until all is well. Requests of the API whose answer was lost are sent again with the same key.
//!
//! Two forms: a short one among the ordinary tests, and a whole one of some ten minutes:
//!
//! ```sh
//! LODGE_FAULT_SEED=7 cargo nextest run --workspace --run-ignored only -E 'test(every_fault)' --no-capture
//! ```
//!
//! `LODGE_FAULT_CUT_SECONDS=5` makes it shorter: networks are cut for so long, otherwise for 30 s. Without a seed the
//! whole form takes one from the clock; either prints it.
//!
//! A seed repeats what is done and in which order, not the instants: those are the machine's.

mod account;
mod plan;
mod trouble;
mod verdict;
mod visitors;

use account::Account;
use lodge_harness::{Cluster, ClusterConfig};
use lodge_integration::Dice;
use plan::Plan;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use trouble::Trouble;

/// The workers.
const WORKERS: [&str; 3] = ["env_a", "env_b", "env_c"];
/// Threads that visit apps.
const VISITORS: u64 = 3;

/// How much of everything.
struct Course {
    /// Accepted lifecycle operations.
    operations: usize,
    /// Between operations, on average.
    pause: Duration,
    /// Faults.
    faults: usize,
    /// How long a network is cut.
    cut: Duration,
}

#[test]
fn a_few_faults_lose_nothing_and_double_nothing() {
    run(
        &Course {
            operations: 30,
            pause: Duration::from_millis(1200),
            faults: 6,
            cut: Duration::from_secs(5),
        },
        seed().unwrap_or(0x10d6e),
    );
}

#[test]
#[ignore = "takes ten minutes and more: see the module's doc"]
fn every_fault_loses_nothing_and_doubles_nothing() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    run(
        &Course {
            operations: 200,
            pause: Duration::from_millis(2000),
            faults: trouble::KINDS,
            cut: Duration::from_secs(number("LODGE_FAULT_CUT_SECONDS").unwrap_or(30)),
        },
        seed().unwrap_or(now.as_secs()),
    );
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap())
}

fn seed() -> Option<u64> {
    number("LODGE_FAULT_SEED")
}

fn run(course: &Course, seed: u64) {
    println!("LODGE_FAULT_SEED={seed}");
    let mut dice = Dice::new(seed);
    let mut cluster = Cluster::start_with(
        &WORKERS,
        ClusterConfig {
            postgres: true,
            harmable: true,
            ..ClusterConfig::default()
        },
    );
    let api = cluster.api();
    let digest = api.upload_guest("counting-p2");
    let account = Arc::new(Account::default());
    let visitors: Vec<_> = (0..VISITORS)
        .map(|_| visitors::send(&account, cluster.supervisor.apps, dice.below(1 << 50)))
        .collect();
    let (operations, pause) = (course.operations, course.pause);
    let plan = Plan::new(api, digest, Arc::clone(&account), dice.below(1 << 50));
    let plan = std::thread::spawn(move || plan.carry_out(operations, pause));
    let mut trouble = Trouble::new(dice.below(1 << 50), course.cut);
    let mut done = 0;
    while done < course.faults && !account.is_broken() {
        trouble.make_one(&mut cluster, &account);
        done += 1;
    }
    let outcome = plan.join().unwrap();
    verdict::converged(&mut cluster, &account, &outcome);
    account.close();
    let visits: Vec<_> = visitors
        .into_iter()
        .map(|one| one.join().unwrap())
        .collect();
    verdict::effects(&cluster, &account, &outcome, &visits);
}
