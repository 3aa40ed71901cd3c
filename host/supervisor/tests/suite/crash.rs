//! `kill -9` at random instants: a child process changes apps and components as fast as it can and
//! says what was acknowledged; killed, a new process must have all of it, and nothing half done.

use crate::bed::{Bed, Host, admin, id};
use crate::fake::{FakeRuntime, component_bytes};
use futures::stream;
use lodge_model::*;
use lodge_supervisor::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
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
fn child() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let bed = Bed::at(dir.into(), std::env::var(URL).ok());
    let seed = std::env::var(SEED).unwrap().parse().unwrap();
    busy(&bed, seed);
}

/// What a line of the child says: that something is tried, or was acknowledged.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Line {
    Try(Act),
    Done(Act),
    /// Refused: nothing was changed.
    Refused(Act),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Act {
    Create(String),
    Start(String),
    Stop(String),
    Restart(String),
    /// To this concurrency.
    Update(String, u32),
    Delete(String),
    Visit(String),
    /// This version of `other`.
    Upload(u64),
}

/// What should be of one app: running or not, and its concurrency.
type Wanted = Option<(Desired, u32)>;

impl Act {
    fn app(&self) -> Option<&str> {
        match self {
            Self::Create(app) | Self::Start(app) | Self::Stop(app) | Self::Restart(app)
            | Self::Update(app, _) | Self::Delete(app) | Self::Visit(app) => Some(app),
            Self::Upload(_) => None,
        }
    }

    fn after(&self, wanted: Wanted) -> Wanted {
        let (desired, concurrency) = wanted.unwrap_or((Desired::Stopped, 64));
        match self {
            Self::Create(app) => Some((created_as(app).1, 64)),
            Self::Start(_) | Self::Restart(_) => Some((Desired::Running, concurrency)),
            Self::Stop(_) => Some((Desired::Stopped, concurrency)),
            Self::Update(_, concurrency) => Some((desired, *concurrency)),
            Self::Delete(_) => None,
            Self::Visit(_) | Self::Upload(_) => wanted,
        }
    }
}

/// Half of the apps start with the host.
fn created_as(app: &str) -> (StartMode, Desired) {
    match app.ends_with(['0', '2', '4']) {
        true => (StartMode::WithHost, Desired::Stopped),
        false => (StartMode::OnFirstVisit, Desired::Running),
    }
}

struct Random(u64);

impl Random {
    /// SplitMix64.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// The child: every app has one task that asks for one thing after the other.
fn busy(bed: &Bed, seed: u64) {
    let runtime = FakeRuntime::default();
    *runtime.start_delay.lock() = Duration::from_millis(1);
    *runtime.stop_delay.lock() = Duration::from_millis(2);
    let host = bed.open_with(runtime);
    host.component("hello", "1.0.0");
    for n in 0..APPS {
        let (supervisor, random) = (Arc::clone(&host.supervisor), Random(seed ^ (n << 32)));
        host.tokio.spawn(act_on_app(supervisor, format!("app-{n}"), random));
    }
    let supervisor = Arc::clone(&host.supervisor);
    host.run(async move {
        for n in 0.. {
            perform(&supervisor, Act::Upload(seed * 100_000 + n)).await;
        }
    });
}

async fn act_on_app(supervisor: Arc<Supervisor>, app: String, mut random: Random) {
    loop {
        let there = supervisor.app(&id(&app)).is_ok();
        let app = app.clone();
        let act = match random.below(12) {
            _ if !there => Act::Create(app),
            0..2 => Act::Start(app),
            2..4 => Act::Stop(app),
            4..6 => Act::Restart(app),
            6..8 => Act::Update(app, 1 + u32::try_from(random.below(1000)).unwrap()),
            8 => Act::Delete(app),
            _ => Act::Visit(app),
        };
        perform(&supervisor, act).await;
        tokio::time::sleep(Duration::from_millis(random.below(5))).await;
    }
}

async fn perform(supervisor: &Arc<Supervisor>, act: Act) {
    say(&Line::Try(act.clone()));
    let actor = admin();
    let app = act.app().map(id);
    let app = app.as_ref();
    let done = match (&act, app) {
        (Act::Create(_), Some(app)) => {
            let (start_mode, _) = created_as(app.as_str());
            let component = ComponentChoice { name: Some("hello".into()), ..Default::default() };
            let new = NewApp { id: Some(app.clone()), component, start_mode, ..NewApp::default() };
            supervisor.create_app(new, &actor).await.map(drop)
        }
        (Act::Start(_), Some(app)) => supervisor.start(app, &actor).await.map(drop),
        (Act::Stop(_), Some(app)) => supervisor.stop(app, &actor).await.map(drop),
        (Act::Restart(_), Some(app)) => supervisor.restart(app, &actor).await.map(drop),
        (Act::Update(_, concurrency), Some(app)) => {
            let limits = LimitsPatch { concurrency: Some(*concurrency), ..Default::default() };
            let patch = AppPatch { limits: Some(limits), ..AppPatch::default() };
            supervisor.update_app(app, patch, &actor).await.map(drop)
        }
        (Act::Delete(_), Some(app)) => {
            let asked = supervisor.delete_app(app, DataPolicy::Drop, &actor).await;
            // The name may be used again only once it is gone.
            match asked {
                Ok(operation) => {
                    let limit = Duration::from_secs(60);
                    supervisor.wait_operation(&operation.id, limit).await.map(drop)
                }
                Err(error) => Err(error),
            }
        }
        (Act::Visit(_), Some(app)) => {
            let _ = supervisor.activate(app, RequestId(1)).await;
            Ok(())
        }
        (Act::Upload(n), _) => {
            let bytes = component_bytes("other", &n.to_string(), "");
            let body = stream::iter([Ok::<_, std::io::Error>(bytes)]);
            supervisor.upload(body, NewComponent::default(), &actor).await.map(drop)
        }
        _ => Ok(()),
    };
    say(&if done.is_ok() { Line::Done(act) } else { Line::Refused(act) });
}

fn say(line: &Line) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n@{}", serde_json::to_string(line).unwrap()).unwrap();
    out.flush().unwrap();
}

/// The parent.
fn kill_often(bed: &Bed, times: u64) {
    let mut wanted: BTreeMap<String, Wanted> = BTreeMap::new();
    let mut uploaded = BTreeSet::new();
    let mut acknowledged = 0;
    for seed in 1..=times {
        let lines = run_and_kill(bed, seed);
        acknowledged += lines.iter().filter(|line| matches!(line, Line::Done(_))).count();
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
    assert!(acknowledged as u64 > times, "the child hardly did anything: {acknowledged}");
}

fn run_and_kill(bed: &Bed, seed: u64) -> Vec<Line> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "crash::child", "--ignored", "--nocapture", "--test-threads=1"])
        .env(DIR, bed.dir())
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(url) = &bed.url {
        command.env(URL, url);
    }
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
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
        reader.join().unwrap().into_iter().filter_map(parse).collect()
    })
}

/// Waits until nothing is left to do.
#[track_caller]
fn settle(host: &Host, seed: u64) {
    host.until(&format!("no operation runs (seed {seed})"), || {
        host.run(lodge_db::operations::unfinished(&host.db)).unwrap().is_empty()
    });
    host.until(&format!("every app settles (seed {seed})"), || {
        let apps = host.supervisor.apps(&AppFilter::default(), &Page::default()).unwrap().items;
        apps.iter().all(|app| match (app.desired, app.start_mode, app.observed[0].status) {
            (Desired::Stopped, _, status) => status == Status::Stopped,
            (Desired::Running, StartMode::WithHost, status) => status == Status::Running,
            (Desired::Running, StartMode::OnFirstVisit, status) => {
                matches!(status, Status::Waiting | Status::Running)
            }
        })
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
    let page = Page { cursor: None, limit: Some(1000) };
    let mut listed = BTreeSet::new();
    let mut cursor = None;
    loop {
        let page = Page { cursor, ..page.clone() };
        let listing = host.supervisor.components(&ComponentFilter::default(), &page).unwrap();
        listed.extend(listing.items.iter().map(|c| (c.version.clone(), c.digest)));
        cursor = listing.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let versions: BTreeSet<_> = listed.iter().map(|(version, _)| version.clone()).collect();
    for n in uploaded {
        assert!(versions.contains(&n.to_string()), "upload {n} was lost (seed {seed})");
    }
    let files: BTreeSet<_> = std::fs::read_dir(bed.path("components"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected: BTreeSet<_> = listed.iter().map(|(_, digest)| format!("{digest}.wasm")).collect();
    assert_eq!(files, expected, "seed {seed}");
    assert_eq!(std::fs::read_dir(bed.path("uploads")).unwrap().count(), 0, "seed {seed}");
}
