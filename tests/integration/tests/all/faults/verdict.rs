//! After the faults: is all as it was asked for, and did everything happen once?

use super::WORKERS;
use super::account::{Account, Wanted};
use super::plan::Outcome;
use super::visitors::Visits;
use lodge_harness::{Cluster, eventually};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Until all is well again.
const PATIENCE: Duration = Duration::from_secs(180);

/// Waits until every operation has ended, and every app is as desired, in the API and at each worker.
pub(super) fn converged(cluster: &mut Cluster, account: &Account, outcome: &Outcome) {
    let begun = Instant::now();
    let apps = account.apps();
    let mut amiss = Vec::new();
    loop {
        let before = std::mem::take(&mut amiss);
        amiss.extend(unfinished(cluster, outcome));
        amiss.extend(not_as_desired(cluster, &apps));
        amiss.extend(not_served(cluster, &apps));
        if amiss.is_empty() {
            break;
        }
        if amiss != before {
            println!("{:?} after: {amiss:#?}", begun.elapsed());
        }
        let wrong = &outcome.wrong;
        assert!(
            begun.elapsed() < PATIENCE,
            "never: {amiss:#?}; before: {wrong:#?}"
        );
        std::thread::sleep(Duration::from_secs(1));
    }
    println!("all is well {:?} after the last fault", begun.elapsed());
}

fn unfinished(cluster: &mut Cluster, outcome: &Outcome) -> Vec<String> {
    let api = cluster.api();
    let mut found = Vec::new();
    for (id, what) in outcome.operations.iter().filter(|(id, _)| !id.is_empty()) {
        let answer = api.get(&format!("/api/operations/{id}"));
        let status = answer.body["status"].as_str().unwrap_or("none");
        if !matches!(status, "succeeded" | "superseded" | "failed") {
            found.push(format!("operation {id} ({what}): {}", answer.body));
        }
    }
    found
}

fn not_as_desired(cluster: &mut Cluster, apps: &BTreeMap<String, Wanted>) -> Vec<String> {
    let list = cluster.api().get("/api/apps?limit=100").expect(200);
    let items = list["items"].as_array().unwrap();
    let mut found = Vec::new();
    let name = |item: &serde_json::Value| item["id"].as_str().unwrap().to_owned();
    let there: Vec<String> = items.iter().map(name).collect();
    let wanted = apps.iter().filter(|(_, wanted)| wanted.exists);
    let wanted: BTreeSet<String> = wanted.map(|(app, _)| app.clone()).collect();
    if there.len() != wanted.len() || there.iter().cloned().collect::<BTreeSet<_>>() != wanted {
        found.push(format!("apps: {there:?}, not {wanted:?}"));
    }
    for item in items {
        let id = name(item);
        let Some(wanted) = apps.get(&id) else {
            continue;
        };
        let app = cluster.api().get(&format!("/api/apps/{id}")).body;
        let desired = if wanted.running { "running" } else { "stopped" };
        let shown = app["observed"].as_array().cloned().unwrap_or_default();
        let mut places: Vec<String> = Vec::new();
        let mut fits = app["desired"] == desired
            && app["config"]["mark"]["value"] == wanted.mark.to_string().as_str();
        for observed in &shown {
            places.push(observed["environment"].as_str().unwrap().to_owned());
            let status = observed["status"].as_str().unwrap();
            fits &= match status {
                "running" | "waiting" => wanted.running,
                other => other == desired,
            };
        }
        places.sort();
        let mut environments = wanted.environments.clone();
        environments.sort();
        if !fits || places != environments {
            let (desired, observed) = (&app["desired"], &app["observed"]);
            let why = format!("{id}: desired {desired}, observed {observed}, not {wanted:?}");
            found.push(why);
        }
    }
    found
}

/// Each worker is asked for each app, without the supervisor.
fn not_served(cluster: &mut Cluster, apps: &BTreeMap<String, Wanted>) -> Vec<String> {
    let mut found = Vec::new();
    for worker in WORKERS {
        for (app, wanted) in apps {
            let visit = cluster.at(worker).visit(app, "/");
            let reply = visit.patience(Duration::from_secs(20)).try_send();
            let seen = match reply {
                Ok(reply) if reply.status == 200 => format!("mark {}", reply.text()),
                Ok(reply) => reply.code(),
                Err(error) => error.to_string(),
            };
            let placed = wanted.exists && wanted.environments.iter().any(|name| name == worker);
            let expected = match (placed, wanted.running) {
                (false, _) => "app_not_found".to_owned(),
                (true, false) => "app_stopped".to_owned(),
                (true, true) => format!("mark {}", wanted.mark),
            };
            if seen != expected {
                found.push(format!("{app} at {worker}: {seen}, not {expected}"));
            }
        }
    }
    found
}

/// Counts what happened in the databases.
pub(super) fn effects(cluster: &Cluster, account: &Account, outcome: &Outcome, visits: &[Visits]) {
    let mut amiss = outcome.wrong.clone();
    amiss.extend(failed_visits(visits));
    amiss.extend(operations(cluster, outcome));
    let apps = account.apps();
    let postgres = cluster.postgres.as_ref().unwrap();
    let databases = eventually("databases of deleted apps are gone", PATIENCE, || {
        let list = "SELECT datname FROM pg_database WHERE datname LIKE 'lodge%'";
        let list = postgres.query("postgres", list).unwrap();
        let of_app = |name: &str| name.rsplit('_').next().unwrap().to_owned();
        let list: BTreeMap<_, _> = list
            .lines()
            .map(|name| (of_app(name), name.to_owned()))
            .collect();
        let there = |app: &String| apps.get(app).is_some_and(|wanted| wanted.exists);
        list.keys().all(there).then_some(list)
    });
    let (mut counted, mut found) = (0, 0);
    let mut noted = BTreeMap::new();
    for (key, numbers) in visits.iter().flat_map(|visits| &visits.noted) {
        let all: &mut Vec<u64> = noted.entry(key.clone()).or_default();
        all.extend(numbers);
    }
    for (app, wanted) in apps.iter().filter(|(_, wanted)| wanted.exists) {
        let key = (app.clone(), wanted.incarnation);
        let told = noted.remove(&key).unwrap_or_default();
        let Some(database) = databases.get(app) else {
            // It was never started.
            assert!(told.is_empty() && !wanted.running, "{app} has no database");
            continue;
        };
        let made = postgres
            .query(database, "SELECT count(*) FROM made")
            .unwrap();
        if made != "1" {
            amiss.push(format!("{app}: its migration ran {made} times"));
        }
        let rows = postgres.query(database, "SELECT n FROM visits").unwrap();
        let rows: Vec<u64> = rows.lines().map(|row| row.parse().unwrap()).collect();
        let once: BTreeSet<u64> = rows.iter().copied().collect();
        (counted, found) = (counted + 1, found + rows.len());
        let lost: Vec<_> = told.iter().filter(|n| !once.contains(n)).collect();
        if rows.len() != once.len() || !lost.is_empty() {
            let doubled = rows.len() - once.len();
            amiss.push(format!("{app}: {doubled} visits doubled, lost: {lost:?}"));
        }
    }
    println!("{counted} databases with {found} visits");
    assert!(amiss.is_empty(), "{amiss:#?}");
}

/// Prints why visits failed, and gives those that nothing explains.
fn failed_visits(visits: &[Visits]) -> Vec<String> {
    let mut failed: BTreeMap<_, u64> = BTreeMap::new();
    for (why, count) in visits.iter().flat_map(|visits| &visits.failed) {
        *failed.entry(why).or_default() += count;
    }
    let all: u64 = visits.iter().map(|visits| visits.count).sum();
    println!("{all} visits, failed:");
    for ((near, reason), count) in failed {
        println!("{count:6}  {near}: {reason}");
    }
    let unexplained = visits.iter().flat_map(|visits| visits.unexplained.clone());
    unexplained
        .map(|visit| format!("a visit failed without any fault near it: {visit}"))
        .collect()
}

/// Compares the operations that were accepted with those in the control database.
fn operations(cluster: &Cluster, outcome: &Outcome) -> Vec<String> {
    let postgres = cluster.postgres.as_ref().unwrap();
    let sql = "SELECT id, kind, app, status FROM operations ORDER BY created_at";
    let rows = postgres.query("control", sql).unwrap();
    let rows: Vec<Vec<&str>> = rows.lines().map(|row| row.split('|').collect()).collect();
    let mut accepted: BTreeSet<&str> = outcome.operations.iter().map(|(id, _)| &**id).collect();
    let unnamed = |(id, _): &&(String, String)| id.is_empty();
    let mut unknown: BTreeMap<&str, u64> = BTreeMap::new();
    let mut statuses: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for row in &rows {
        *statuses.entry((row[1], row[3])).or_default() += 1;
        if !accepted.remove(row[0]) {
            *unknown.entry(row[1]).or_default() += 1;
        }
    }
    accepted.remove("");
    let (repeated, too_early) = (&outcome.repeated, outcome.too_early);
    println!(
        "operations: {statuses:?}; sent again: {repeated:?}; creations too early: {too_early}"
    );
    let expected = [
        ("start", outcome.created_running),
        ("update", outcome.updates),
        (
            "delete",
            outcome.operations.iter().filter(unnamed).count() as u64,
        ),
    ];
    let expected = BTreeMap::from(expected);
    let mut amiss = Vec::new();
    for kind in ["start", "stop", "restart", "update", "delete"] {
        let least = expected.get(kind).copied().unwrap_or_default();
        let most = least + repeated.get(kind).copied().unwrap_or_default();
        let count = unknown.remove(kind).unwrap_or_default();
        if count > least {
            println!("{kind}: {} more operations than answers", count - least);
        }
        if !(least..=most).contains(&count) {
            amiss.push(format!(
                "{count} operations `{kind}` that no answer named, not {least} to {most}"
            ));
        }
    }
    if !unknown.is_empty() {
        amiss.push(format!("operations that nobody asked for: {unknown:?}"));
    }
    if !accepted.is_empty() {
        amiss.push(format!("operations that were lost: {accepted:?}"));
    }
    amiss
}
