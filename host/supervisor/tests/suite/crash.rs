//! `kill -9` at random instants: a child process changes apps and components as fast as it can and
//! says what was acknowledged; killed, a new process must have all of it, and nothing half done.

mod child;

use crate::bed::{Bed, Host, id};
use child::{Act, Line, Random, Wanted};
use lodge_model::*;
use lodge_supervisor::*;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

const APPS: u64 = 6;
const DIR: &str = "LODGE_TEST_CRASH_DIR";
const URL: &str = "LODGE_TEST_CRASH_URL";
const SEED: &str = "LODGE_TEST_CRASH_SEED";

#[test]
fn killed_fifty_times_on_sqlite() {
    kill_often(&Bed::sqlite(), 50);
}

#[test]
fn killed_ten_times_on_postgresql() {
    let server = lodge_harness::postgres::Postgres::start().unwrap();
    kill_often(&Bed::postgres(server.create_database("lodge").unwrap()), 10);
}

/// Not a case: the process that is killed.
#[test]
#[ignore = "the child process of the tests above"]
fn the_killed_process() {
    let Some(dir) = std::env::var_os(DIR) else {
        return;
    };
    let bed = Bed::at(dir.into(), std::env::var(URL).ok());
    let seed = std::env::var(SEED).unwrap().parse().unwrap();
    child::busy(&bed, seed);
}

fn kill_often(bed: &Bed, times: u64) {
    let mut wanted: BTreeMap<String, Wanted> = BTreeMap::new();
    let mut uploaded = BTreeSet::new();
    let mut acknowledged = 0;
    for seed in 1..=times {
        let lines = run_and_kill(bed, seed);
        acknowledged += lines
            .iter()
            .filter(|line| matches!(line, Line::Done(_)))
            .count();
        let mut tried: BTreeMap<String, Act> = BTreeMap::new();
        for line in &lines {
            let (Line::Try(act) | Line::Done(act) | Line::Refused(act)) = line;
            match (line, act, act.app()) {
                (Line::Done(_), Act::Upload(n), _) => drop(uploaded.insert(*n)),
                (Line::Try(_), _, Some(app)) => drop(tried.insert(app.into(), act.clone())),
                (_, _, Some(app)) => {
                    tried.remove(app);
                    if matches!(line, Line::Done(_)) {
                        let before = wanted.get(app).copied().flatten();
                        wanted.insert(app.into(), act.after(before));
                    }
                }
                _ => {}
            }
        }
        let host = bed.open();
        settle(&host, seed);
        check_components(bed, &host, &uploaded, seed);
        for n in 0..APPS {
            let app = format!("app-{n}");
            let known = wanted.get(&app).copied().flatten();
            let found = check_app(&host, &app, known, tried.get(&app), seed);
            wanted.insert(app, found);
        }
        host.crash();
    }
    eprintln!("{times} kills, {acknowledged} acknowledged requests, nothing lost");
    assert!(
        acknowledged as u64 > times,
        "the child hardly did anything: {acknowledged}"
    );
}

fn run_and_kill(bed: &Bed, seed: u64) -> Vec<Line> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "crash::the_killed_process",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(DIR, bed.dir())
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(url) = &bed.url {
        command.env(URL, url);
    }
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    // Killed while it opens, too; usually later.
    let mut random = Random(seed);
    let mut first = None;
    if !seed.is_multiple_of(10) {
        first = lines.find(|line| line.starts_with('@'));
        assert!(first.is_some(), "the child says nothing");
    }
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| first.into_iter().chain(lines).collect::<Vec<_>>());
        #[expect(clippy::disallowed_methods, reason = "no task runs on this thread")]
        std::thread::sleep(Duration::from_millis(random.below(300)));
        // SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        let parse = |line: String| serde_json::from_str(line.strip_prefix('@')?).ok();
        reader
            .join()
            .unwrap()
            .into_iter()
            .filter_map(parse)
            .collect()
    })
}

/// Waits until nothing is left to do.
#[track_caller]
fn settle(host: &Host, seed: u64) {
    host.until(&format!("no operation runs (seed {seed})"), || {
        host.run(lodge_db::operations::unfinished(&host.db))
            .unwrap()
            .is_empty()
    });
    host.until(&format!("every app settles (seed {seed})"), || {
        let apps = host
            .supervisor
            .apps(&AppFilter::default(), &Page::default())
            .unwrap()
            .items;
        apps.iter().all(
            |app| match (app.desired, app.start_mode, app.observed[0].status) {
                (Desired::Stopped, _, status) => status == Status::Stopped,
                (Desired::Running, StartMode::WithHost, status) => status == Status::Running,
                (Desired::Running, StartMode::OnFirstVisit, status) => {
                    matches!(status, Status::Waiting | Status::Running)
                }
            },
        )
    });
}

fn check_app(host: &Host, app: &str, known: Wanted, tried: Option<&Act>, seed: u64) -> Wanted {
    let found = host.supervisor.app(&id(app)).ok();
    let found = found.map(|app| (app.desired, app.limits.concurrency));
    let maybe = tried.map(|act| act.after(known));
    assert!(
        found == known || Some(found) == maybe,
        "{app} is {found:?}, was acknowledged as {known:?}, and {tried:?} was tried (seed {seed})"
    );
    let phase = host.routes.phase(app);
    match found {
        None => assert_eq!(phase, None),
        Some((Desired::Stopped, _)) => {
            assert_eq!(phase.as_deref(), Some("Stopped"));
            assert!(!host.runtime.runs(app));
        }
        Some((Desired::Running, _)) => assert_eq!(host.visit(app), Ok(()), "seed {seed}"),
    }
    found
}

fn check_components(bed: &Bed, host: &Host, uploaded: &BTreeSet<u64>, seed: u64) {
    let page = Page {
        cursor: None,
        limit: Some(1000),
    };
    let mut listed = BTreeSet::new();
    let mut cursor = None;
    loop {
        let page = Page {
            cursor,
            ..page.clone()
        };
        let listing = host
            .supervisor
            .components(&ComponentFilter::default(), &page)
            .unwrap();
        listed.extend(listing.items.iter().map(|c| (c.version.clone(), c.digest)));
        cursor = listing.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let versions: BTreeSet<_> = listed.iter().map(|(version, _)| version.clone()).collect();
    for n in uploaded {
        assert!(
            versions.contains(&n.to_string()),
            "upload {n} was lost (seed {seed})"
        );
    }
    let files: BTreeSet<_> = std::fs::read_dir(bed.path("components"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected: BTreeSet<_> = listed
        .iter()
        .map(|(_, digest)| format!("{digest}.wasm"))
        .collect();
    assert_eq!(files, expected, "seed {seed}");
    assert_eq!(
        std::fs::read_dir(bed.path("uploads")).unwrap().count(),
        0,
        "seed {seed}"
    );
}
