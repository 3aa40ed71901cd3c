//! Visitors: each writes a number of its own into an app's database, and remembers what it was told.

use super::account::{Account, Wanted};
use lodge_harness::{Reply, Visit};
use lodge_integration::Dice;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between visits of one visitor.
const PAUSE: Duration = Duration::from_millis(60);
/// For one visit.
const PATIENCE: Duration = Duration::from_secs(20);

/// No two visits of a test have one number.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// What visitors were told.
#[derive(Debug, Default)]
pub(super) struct Visits {
    /// Numbers that an app has noted, by app and incarnation.
    pub(super) noted: BTreeMap<(String, u64), Vec<u64>>,
    /// Failed visits, by the fault near them and the reason.
    pub(super) failed: BTreeMap<(String, String), u64>,
    /// Failed visits that nothing explains.
    pub(super) unexplained: Vec<String>,
    /// All visits.
    pub(super) count: u64,
}

/// Sends visitors until the account is closed.
pub(super) fn send(account: &Arc<Account>, at: SocketAddr, seed: u64) -> JoinHandle<Visits> {
    let (account, mut dice) = (Arc::clone(account), Dice::new(seed));
    std::thread::spawn(move || {
        let mut visits = Visits::default();
        while !account.is_closed() {
            std::thread::sleep(PAUSE);
            let mut running = account.apps();
            running.retain(|_, wanted| wanted.exists && wanted.running);
            let which = dice.below(running.len() as u64) as usize;
            if let Some((app, wanted)) = running.into_iter().nth(which) {
                visits.visit(&account, at, &app, &wanted);
            }
        }
        visits
    })
}

impl Visits {
    fn visit(&mut self, account: &Account, at: SocketAddr, app: &str, before: &Wanted) {
        let number = NUMBERS.fetch_add(1, Relaxed);
        let begin = Instant::now();
        let reply = Visit::new(at, "127.0.0.1", &format!("/apps/{app}/visit?n={number}"))
            .patience(PATIENCE)
            .post("")
            .try_send();
        self.count += 1;
        let reason = match reply {
            Ok(reply) if reply.status == 200 && reply.text() == "noted" => {
                if account.app(app).incarnation == before.incarnation {
                    let key = (app.to_owned(), before.incarnation);
                    self.noted.entry(key).or_default().push(number);
                }
                return;
            }
            Ok(reply) => reason(&reply),
            Err(error) => format!("no answer: {:?}", error.kind()),
        };
        let near = account.fault_near(begin);
        let asked = account.operation_near(app, before, begin);
        if near.is_none() && !asked {
            self.unexplained
                .push(format!("{} {app}: {reason}", super::account::clock()));
        }
        let what = near.unwrap_or_else(|| "an operation on the app".to_owned());
        *self.failed.entry((what, reason)).or_default() += 1;
    }
}

fn reason(reply: &Reply) -> String {
    let code = reply.code();
    if !code.is_empty() {
        return format!("{} {code}", reply.status);
    }
    let text: String = reply.text().chars().take(60).collect();
    let whole = if reply.whole { "" } else { ", broken off" };
    format!("{} {text:?}{whole}", reply.status)
}
