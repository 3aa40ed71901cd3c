//! One app at a time in order, apps beside one another, always the newest.

use super::bed::Bed;
use super::runtime::Deed;
use super::specs::*;
use lodge_model::*;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

/// A small generator of randomness (xorshift), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn seeded() -> Self {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).unwrap();
        let seed = u64::from_le_bytes(bytes) | 1;
        eprintln!("random seed: {seed}");
        Self(seed)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// A specification that may come after this one.
fn next(before: &Specification, random: &mut Random) -> Specification {
    let generation = before.revision.generation + 1;
    let name = before.app.as_str();
    let mut spec = match random.below(10) {
        // The same run: nothing that the runtime would be told has changed. (No restart either, since
        // the simulated runtime could not tell the two runs apart.)
        0 => {
            return Specification {
                domains: vec![format!("g{generation}.example.com")],
                ..again(before, generation)
            };
        }
        1 => spec(name, generation, Goal::Stopped),
        2 => spec(name, generation, Goal::Waiting),
        3 => spec_of(name, generation, Goal::Running, "2.0.0"),
        _ => spec(name, generation, Goal::Running),
    };
    spec.restart_before = match random.below(4) {
        0 => generation,
        _ => before.restart_before,
    };
    spec
}

#[test]
fn whatever_comes_the_last_one_wins() {
    let bed = Bed::new();
    let worker = bed.start();
    *worker.runtime.slowness.lock() = Duration::from_millis(4);
    let mut random = Random::seeded();
    let names = ["a", "b", "c"];
    let mut all: Vec<Vec<Specification>> = Vec::new();
    for name in names {
        all.push(vec![spec(name, 1, Goal::Running)]);
        worker.say(&all.last().unwrap()[0]);
    }
    for _ in 0..1_000 {
        let of = random.below(names.len() as u64) as usize;
        let spec = next(all[of].last().unwrap(), &mut random);
        worker.say(&spec);
        if random.below(10) == 0 {
            // What was said before is said again: it must not matter.
            let old = random.below(all[of].len() as u64) as usize;
            worker.say(&all[of][old]);
        }
        all[of].push(spec);
        let pause = Duration::from_micros(random.below(3_000));
        worker.pause(pause);
    }
    for specs in &mut all {
        // The last word is one whose end is certain.
        let last = specs.last().unwrap();
        let goal = match random.below(3) {
            0 => Goal::Stopped,
            _ => Goal::Running,
        };
        let generation = last.revision.generation + 1;
        let last = Specification {
            restart_before: last.restart_before,
            ..spec(last.app.as_str(), generation, goal)
        };
        worker.say(&last);
        specs.push(last);
    }
    for specs in &all {
        let last = specs.last().unwrap();
        let (name, generation) = (last.app.as_str(), last.revision.generation);
        let running = last.goal == Goal::Running;
        let status = if running {
            Status::Running
        } else {
            Status::Stopped
        };
        worker.until_settled(name, status, generation);
        let launched = worker.runtime.running.lock().get(&last.app).cloned();
        assert_eq!(
            launched.map(|l| l.grant),
            running.then(|| last.grant.clone())
        );
        let phase = if running { "Running" } else { "Stopped" };
        assert_eq!(worker.routes.phase(name).as_deref(), Some(phase));
        check_restarts(specs, &worker.runtime.deeds_of(name));
    }
    assert_eq!(worker.runtime.overlaps.load(SeqCst), 0);
}

/// From one run to the next without a stop in between only if nobody asked for a restart by then.
fn check_restarts(specs: &[Specification], deeds: &[Deed]) {
    let mut runs: Option<i64> = None;
    for deed in deeds {
        match deed {
            Deed::Stopped => runs = None,
            Deed::Started(generation) => {
                let spec = &specs[usize::try_from(*generation).unwrap() - 1];
                assert_eq!(spec.revision.generation, *generation);
                if let Some(before) = runs {
                    assert!(before >= spec.restart_before, "no stop before {generation}");
                    assert!(before <= *generation, "an older one took over");
                }
                runs = Some(*generation);
            }
        }
    }
}

#[test]
fn each_restart_is_one_and_a_repetition_is_none() {
    let bed = Bed::new();
    let worker = bed.start();
    let mut spec = spec("a", 1, Goal::Running);
    for generation in 1..=10 {
        spec.revision.generation = generation;
        spec.restart_before = generation;
        worker.say(&spec);
        worker.until_settled("a", Status::Running, generation);
        let reports = worker.link.reports.lock().len();
        let done = worker.link.done.lock().len();
        worker.say(&spec);
        worker.until("it is reported and acknowledged again", || {
            worker.link.reports.lock().len() == reports + 1
                && worker.link.done.lock().len() == done + 1
        });
    }
    // What changes nothing of the run restarts nothing, whatever the revision.
    for generation in 11..=13 {
        worker.say(&again(&spec, generation));
        worker.until_settled("a", Status::Running, generation);
    }
    let stops = worker.runtime.deeds_of("a");
    let stops = stops.iter().filter(|deed| **deed == Deed::Stopped).count();
    assert_eq!((worker.runtime.starts_of("a"), stops), (10, 9));
}

#[test]
fn terms_and_steps_count_as_revisions() {
    let bed = Bed::new();
    let worker = bed.start();
    let mut newest = spec("a", 5, Goal::Stopped);
    newest.revision.term = 2;
    worker.say(&newest);
    worker.until_settled("a", Status::Stopped, 5);
    // A supervisor that lost the lead.
    worker.say(&spec("a", 5, Goal::Running));
    worker.pause(Duration::from_millis(30));
    assert_eq!(worker.runtime.starts_of("a"), 0);
    let mut newer = spec("a", 5, Goal::Running);
    newer.revision = Revision {
        step: 1,
        ..newest.revision
    };
    worker.say(&newer);
    worker.until_settled("a", Status::Running, 5);
}

#[test]
fn another_environments_specification_is_ignored() {
    let bed = Bed::new();
    let worker = bed.start();
    let mut foreign = spec("a", 1, Goal::Running);
    foreign.environment = "w2".parse().unwrap();
    worker.say(&foreign);
    worker.say(&spec("b", 1, Goal::Running));
    worker.until_settled("b", Status::Running, 1);
    assert_eq!(worker.routes.phase("a"), None);
}

#[test]
fn a_slow_start_delays_nobody_and_no_heartbeat() {
    let mut bed = Bed::new();
    bed.settings.background_starts = 2;
    let worker = bed.start();
    let slow: Vec<String> = (0..100).map(|n| format!("slow{n}")).collect();
    let names: Vec<&str> = slow.iter().map(String::as_str).collect();
    worker.runtime.hang(&names);
    for name in &names {
        worker.say(&asked(spec(name, 1, Goal::Running)));
    }
    worker.until("all of them hang", || {
        worker.runtime.starting.load(SeqCst) == 100
    });
    let (begun, beats) = (Instant::now(), worker.link.beats.lock().len());
    worker.say(&asked(spec("quick", 1, Goal::Running)));
    worker.until_settled("quick", Status::Running, 1);
    // One that hangs is stopped without waiting for its end.
    worker.say(&spec("slow1", 2, Goal::Stopped));
    worker.until_settled("slow1", Status::Stopped, 2);
    worker.until("heartbeats went on", || {
        worker.link.beats.lock().len() > beats + 5
    });
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "something waited"
    );
    // A newer one takes the place of a start that hangs.
    worker.runtime.hang(&names[10..]);
    worker.say(&spec_of("slow50", 2, Goal::Running, "2.0.0"));
    worker.until("the older start was given up", || {
        let newest = worker.link.newest("slow50").unwrap();
        newest.revision.generation == 2 && newest.observed.status == Status::Starting
    });
    assert_eq!(worker.runtime.overlaps.load(SeqCst), 0);
}

#[test]
fn starts_that_nobody_waits_for_are_few_at_once_and_passed() {
    let mut bed = Bed::new();
    bed.settings.background_starts = 2;
    let worker = bed.start();
    let slow: Vec<String> = (0..10).map(|n| format!("slow{n}")).collect();
    let names: Vec<&str> = slow.iter().map(String::as_str).collect();
    worker.runtime.hang(&names);
    for name in &names {
        worker.say(&spec(name, 1, Goal::Running));
    }
    let starting = || worker.runtime.starting.load(SeqCst);
    worker.until("two hang", || starting() == 2);
    worker.pause(Duration::from_millis(50));
    assert_eq!(starting(), 2, "past the bound");
    // A stop needs no place.
    worker.say(&spec("other", 1, Goal::Stopped));
    worker.until_settled("other", Status::Stopped, 1);
    // A visitor moves an app past the others.
    let visited = names.iter().find(|name| {
        let newest = worker.link.newest(name);
        newest.is_none_or(|report| report.observed.status != Status::Starting)
    });
    let visited = (*visited.unwrap()).to_owned();
    let rest: Vec<&str> = names.iter().copied().filter(|n| *n != visited).collect();
    worker.runtime.hang(&rest);
    worker.visit(&visited).unwrap();
    worker.runtime.hang(&[]);
    for name in names {
        worker.until_settled(name, Status::Running, 1);
    }
}

/// As an operation asks for it.
fn asked(spec: Specification) -> Specification {
    Specification {
        operation: Some(OperationId::from_text("op_1")),
        ..spec
    }
}
