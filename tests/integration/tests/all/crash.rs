//! Power cuts: the host is killed at random instants while components are uploaded and apps are
//! made, started, visited, stopped and removed. What it had acknowledged must be so afterwards, and
//! every app must be as desired.

use lodge_harness::{Api, Host, Visit, eventually, guest};
use lodge_integration::{Dice, variant};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use ureq::http::Method;

const KILLS: u64 = 50;
const PATIENCE: Duration = Duration::from_secs(60);
const APPS: u64 = 8;

/// What the host acknowledged. Nothing is known of an app while an act on it is unanswered.
#[derive(Default, Clone)]
struct Known {
    components: Vec<String>,
    apps: BTreeMap<String, Option<State>>,
    uploads: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Stopped,
    Gone,
}

#[test]
fn fifty_power_cuts_lose_nothing() {
    let seed = std::env::var("SEED").map_or(0x51ed, |seed| seed.parse().unwrap());
    println!("SEED={seed}");
    let mut dice = Dice::new(seed);
    let component = guest("hello-p2");
    let mut host = Host::start();
    let mut known = Known::default();
    known.components.push(host.api().upload_guest("hello-p2"));
    for round in 0..KILLS {
        known = trouble(&mut host, known, &component, &mut dice);
        host.start_again();
        check(&mut host, &mut known, round);
    }
}

/// Keeps the host busy and kills it at some instant.
fn trouble(host: &mut Host, known: Known, component: &[u8], dice: &mut Dice) -> Known {
    let stop = Arc::new(AtomicBool::new(false));
    let worker = {
        let (api, at, stop) = (host.api(), host.apps, stop.clone());
        let (component, mut dice) = (component.to_vec(), Dice::new(dice.below(1 << 50)));
        std::thread::spawn(move || {
            let mut known = known;
            while !stop.load(Relaxed) {
                if act(&api, at, &mut known, &component, &mut dice).is_err() {
                    break;
                }
            }
            known
        })
    };
    std::thread::sleep(Duration::from_millis(dice.below(250)));
    host.kill();
    stop.store(true, Relaxed);
    worker.join().unwrap()
}

/// One random act; an error means that the host was gone before it answered.
fn act(
    api: &Api,
    at: SocketAddr,
    known: &mut Known,
    component: &[u8],
    dice: &mut Dice,
) -> Result<(), ()> {
    let app = format!("app-{}", dice.below(APPS));
    let send = |method, path: &str, body| api.try_send(method, path, body).map_err(drop);
    match dice.below(6) {
        0 => {
            known.uploads += 1;
            let query = format!(
                "?name=hello&version=0.{}.{}",
                known.uploads,
                dice.below(1 << 40)
            );
            let answer = api
                .try_upload(&query, variant(component, dice.below(1 << 50)))
                .map_err(drop)?;
            known
                .components
                .push(answer.expect(201)["digest"].as_str().unwrap().to_owned());
        }
        1 | 2 => {
            let digest = &known.components[dice.below(known.components.len() as u64) as usize];
            let before = known.apps.insert(app.clone(), None);
            let new = json!({ "id": app, "component": { "digest": digest } });
            let answer = send(Method::POST, "/api/apps", Some(&new))?;
            let state = match answer.status {
                201 => Some(State::Running),
                409 => before.flatten(),
                _ => panic!("{} {}", answer.status, answer.body),
            };
            known.apps.insert(app, state);
        }
        3 => drop(Visit::new(at, "127.0.0.1", &format!("/apps/{app}/")).try_send()),
        other => {
            let (method, path, state) = match other {
                4 => (Method::POST, "/stop", State::Stopped),
                _ if dice.below(2) == 0 => (Method::POST, "/start", State::Running),
                _ => (Method::DELETE, "", State::Gone),
            };
            let before = known.apps.insert(app.clone(), None).flatten();
            let answer = send(method, &format!("/api/apps/{app}{path}"), None)?;
            let now = match answer.status {
                202 => Some(state),
                // It is gone, or on its way there.
                404 | 409 => before.filter(|state| *state == State::Gone),
                _ => panic!("{} {}", answer.status, answer.body),
            };
            known.apps.insert(app, now);
        }
    }
    Ok(())
}

fn check(host: &mut Host, known: &mut Known, round: u64) {
    let api = host.api();
    for digest in &known.components {
        let component = api.compiled(digest);
        assert_eq!(component["status"], "ready", "round {round}: {component}");
    }
    for (app, acknowledged) in &mut known.apps {
        let shown = api.get(&format!("/api/apps/{app}"));
        let is = match shown.status {
            404 => State::Gone,
            _ if shown.body["desired"] == "stopped" => State::Stopped,
            _ => State::Running,
        };
        match acknowledged {
            // A removal that was acknowledged may still be under way.
            Some(State::Gone) => eventually("the removal is carried out", PATIENCE, || {
                (api.get(&format!("/api/apps/{app}")).status == 404).then_some(())
            }),
            Some(state) => assert_eq!(*state, is, "round {round}: {app}: {}", shown.body),
            None => {}
        }
        let expected = match acknowledged.unwrap_or(is) {
            State::Running => (200, ""),
            State::Stopped => (503, "app_stopped"),
            State::Gone => (404, "app_not_found"),
        };
        eventually(
            &format!("round {round}: {app} is as desired: {expected:?}"),
            PATIENCE,
            || {
                let reply = host.visit(app, "/").send();
                // A removal nobody had an answer to may end between the look and the visit.
                let fits = (reply.status, reply.code().as_str()) == expected;
                (fits || (acknowledged.is_none() && reply.status == 404)).then_some(())
            },
        );
    }
    known.apps.retain(|_, state| state.is_some());
}
