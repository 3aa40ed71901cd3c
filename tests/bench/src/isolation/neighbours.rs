//! A quiet app's visits alone, and while a neighbour spins, is flooded, allocates and traps, streams without end,
//! hammers its database, or uploads what compiles slowly. Each is measured next to a quiet spell of the same host.
//!
//! (0) is no neighbour but the machine's own part in it: processes that run only where nobody else wants the core.

use crate::visitors::{Crowd, Place, Seen, visit_steadily};
use lodge_bench::figures::{Figures, verdict};
use lodge_bench::process::{run_first, stolen};
use lodge_harness::{Api, Host, distinct, slow_component};
use serde_json::json;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Visits of the quiet app a second: a busy small business.
const PER_SECOND: u64 = 100;
/// Until a neighbour is at its worst.
const WARM_UP: Duration = Duration::from_secs(1);
/// Milliseconds of CPU that each request of the flooded app takes.
const FLOODED_MS: u64 = 10;

/// Of a spell, what others may take of this virtual machine's cores: a hundredth of the visits may be late because of it,
/// and the spell says nothing about the host.
const STOLEN: f64 = 0.005;
/// A spell is measured so often at most.
const TRIES: u32 = 5;

/// What a neighbour does: its letter, its words, and how it begins.
type Worst = (char, &'static str, fn(&Scene) -> Doing);

/// What goes on until it is dropped.
#[expect(dead_code, reason = "held for what its end does")]
enum Doing {
    Visits(Crowd),
    Uploads(Uploads),
    Nothing(Vec<Busy>),
}

struct Scene {
    host: Host,
    api: Arc<Api>,
    runtime: Runtime,
    cores: u64,
}

/// Measures beside the neighbours whose letters are given.
pub(crate) fn measure(rounds: u64, seconds: u64, letters: &str) {
    let scene = Scene::set();
    let quiet = Place::new(scene.host.apps, "quiet", "/");
    let time = Duration::from_secs(seconds);
    // A thread of its own that need not wait for a core, so that what is measured is the host.
    if !run_first() {
        println!(
            "Without the right to run first, the quiet app's visitor shares the cores with all others."
        );
    }
    let visitor = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let once = || visitor.block_on(visit_steadily(&quiet, PER_SECOND, time));
    let mut disturbed = 0;
    let mut spell = || {
        let mut tries = 0;
        loop {
            let before = stolen();
            let seen = once();
            tries += 1;
            let is_disturbed = stolen() - before > time.mul_f64(STOLEN);
            disturbed += u32::from(is_disturbed);
            if !is_disturbed || seen.failed > 0 || tries == TRIES {
                return seen;
            }
        }
    };
    spell();
    println!(
        "A quiet app ({PER_SECOND} visits a second) beside a neighbour at its worst, medians of {rounds} rounds of {seconds} s:\n"
    );
    println!(
        "| the neighbour | p50 alone | p50 beside | p99 alone | p99 beside | at most | aim | failed |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for (letter, what, begin) in WORST {
        if !letters.contains(letter) {
            continue;
        }
        let (mut alone, mut beside) = (Spells::default(), Spells::default());
        for _ in 0..rounds {
            alone.add(&spell());
            let guard = scene.runtime.enter();
            let worst = begin(&scene);
            drop(guard);
            std::thread::sleep(WARM_UP);
            beside.add(&spell());
            drop(worst);
            scene.calm();
        }
        let most = alone.p99.median() * 1.25 + 1.0;
        println!(
            "| ({letter}) {what} | {:.2} ms | {:.2} ms | {:.2} ms | {:.2} ms | {most:.2} ms | {} | {} of {} |",
            alone.p50.median(),
            beside.p50.median(),
            alone.p99.median(),
            beside.p99.median(),
            verdict(beside.p99.median() <= most && beside.failed == 0),
            beside.failed,
            rounds * seconds * PER_SECOND,
        );
    }
    println!(
        "\nSpells in which others had more than {} % of a core (the kernel's count of stolen time): {disturbed}. Each was measured again, up to {} times.\n",
        STOLEN * 100.0,
        TRIES - 1
    );
}

const WORST: [Worst; 7] = [
    (
        '0',
        "is not there; the cores are busy with what gives way",
        |scene| Doing::Nothing((0..scene.cores).map(|_| Busy::begin()).collect()),
    ),
    ('a', "spins in 64 requests", |scene| {
        Doing::Visits(scene.crowd("spins", "/", 64))
    }),
    ('b', "is flooded with 10 times what it can serve", |scene| {
        let place = scene.place("flooded", &format!("/burn?ms={FLOODED_MS}"));
        let capacity = scene.cores * 1_000 / FLOODED_MS;
        Doing::Visits(Crowd::flood(&place, capacity * 10))
    }),
    ('c', "allocates and traps in a loop", |scene| {
        Doing::Visits(scene.crowd("allocates", "/grow_small", 16))
    }),
    ('d', "streams bodies without end", |scene| {
        Doing::Visits(scene.crowd("streams", "/endless_body", 16))
    }),
    ('e', "hammers its database", |scene| {
        let query = "WITH%20RECURSIVE%20n(i)%20AS%20(SELECT%201%20UNION%20ALL%20SELECT%20i%2B1%20FROM%20n%20WHERE%20i%3C50000)%20SELECT%20sum(i)%20FROM%20n";
        Doing::Visits(scene.crowd("hammers", &format!("/sql?q={query}"), 32))
    }),
    ('f', "uploads what compiles slowly", |scene| {
        Doing::Uploads(Uploads::begin(scene.api.clone()))
    }),
];

impl Scene {
    fn set() -> Self {
        let mut host = Host::start();
        let patient =
            json!({ "limits": { "request_cpu_ms": 60_000, "request_timeout_ms": 120_000 } });
        host.deploy("hello-p2", "quiet");
        host.deploy_with("loop-p2", "spins", patient.clone());
        host.deploy_with("loop-p2", "flooded", patient);
        host.deploy("hostile-p2", "allocates");
        host.deploy("hostile-p2", "streams");
        let database = json!({ "database": { "kind": "new_database" } });
        host.deploy_with("capable-p2", "hammers", database);
        let api = Arc::new(host.api());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let cores = std::thread::available_parallelism().unwrap().get() as u64;
        Self {
            host,
            api,
            runtime,
            cores,
        }
    }

    fn place(&self, app: &'static str, path: &str) -> Place {
        Place::new(self.host.apps, app, path)
    }

    fn crowd(&self, app: &'static str, path: &str, visitors: usize) -> Crowd {
        Crowd::at_once(&self.place(app, path), visitors)
    }

    /// Nothing of a neighbour's is under way any more.
    fn calm(&self) {
        for app in ["spins", "flooded", "allocates", "streams", "hammers"] {
            lodge_harness::eventually("a neighbour is calm", Duration::from_secs(60), || {
                let stats = self.api.stats(app);
                (stats["in_flight"] == 0 && stats["queued"] == 0).then_some(())
            });
        }
    }
}

#[derive(Default)]
struct Spells {
    p50: Figures,
    p99: Figures,
    failed: u64,
}

impl Spells {
    fn add(&mut self, seen: &Seen) {
        self.p50.add(seen.times.median());
        self.p99.add(seen.times.percentile(99));
        self.failed += seen.failed;
    }
}

/// A process that uses a core that nobody else wants.
struct Busy(Child);

impl Busy {
    fn begin() -> Self {
        let spins = ["--idle", "0", "sh", "-c", "while :; do :; done"];
        Self(Command::new("chrt").args(spins).spawn().unwrap())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        // Both fail only if it has ended.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// How many were uploaded, by all rounds: each is another component.
static UPLOADS: AtomicU32 = AtomicU32::new(0);

/// Uploads one component after the other, each of which would compile for minutes.
struct Uploads(Arc<AtomicBool>, Option<JoinHandle<()>>);

impl Uploads {
    fn begin(api: Arc<Api>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let ends = over.clone();
        let slow = slow_component();
        let thread = std::thread::spawn(move || {
            while !ends.load(Relaxed) {
                let number = UPLOADS.fetch_add(1, Relaxed);
                let other = distinct(&slow, number);
                let taken = api.try_upload(&format!("?name=slow&version=1.0.{number}"), other);
                let component = taken.unwrap().expect(201);
                std::thread::sleep(Duration::from_secs(1));
                // Given up: its compile ends with it, where it can.
                let digest = component["digest"].as_str().unwrap();
                api.delete(&format!("/api/components/{digest}"));
            }
        });
        Self(over, Some(thread))
    }
}

impl Drop for Uploads {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
        // The host is to be there until it has given up its last.
        _ = self.1.take().map(JoinHandle::join);
    }
}
