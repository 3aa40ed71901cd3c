//! One fault at a time, each kind once before any comes again.

use super::WORKERS;
use super::account::Account;
use lodge_harness::{Cluster, Host, Party, Wire};
use lodge_integration::Dice;
use rustix::process::Signal;
use std::thread::sleep;
use std::time::Duration;

/// How many kinds there are: five for each of Redis, supervisor, control database and the workers, and
/// Redis emptied.
pub(super) const KINDS: usize = 5 * (3 + WORKERS.len()) + 1;
/// How long something is stopped.
const FROZEN: Duration = Duration::from_secs(5);
/// How much later everything comes in a slow network.
const SLOWNESS: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    Kill,
    Freeze,
    Cut,
    Silence,
    Slow,
    Empty,
}

/// The faults still to be made.
pub(super) struct Trouble {
    deck: Vec<(Party, Harm)>,
    dice: Dice,
    cut: Duration,
}

impl Trouble {
    /// `cut`: how long a network is cut or silent.
    pub(super) fn new(seed: u64, cut: Duration) -> Self {
        Self {
            deck: Vec::new(),
            dice: Dice::new(seed),
            cut,
        }
    }

    /// Waits a little, then makes a fault and ends it.
    pub(super) fn make_one(&mut self, cluster: &mut Cluster, account: &Account) {
        sleep(Duration::from_millis(self.dice.below(3000)));
        if self.deck.is_empty() {
            self.deck = all();
        }
        let which = self.dice.below(self.deck.len() as u64) as usize;
        let (party, harm) = self.deck.swap_remove(which);
        account.begin_fault(&format!("{party} {harm:?}"));
        let away = Duration::from_millis(self.dice.below(3000));
        match harm {
            Harm::Kill => kill(cluster, &party, away),
            Harm::Empty => {
                cluster.redis.kill();
                sleep(away);
                cluster.redis.restart_empty().unwrap();
            }
            Harm::Freeze => {
                signal(cluster, &party, Signal::STOP);
                sleep(FROZEN);
                signal(cluster, &party, Signal::CONT);
            }
            Harm::Cut => self.network(cluster, &party, Wire::Cut),
            Harm::Silence => self.network(cluster, &party, Wire::Silent),
            Harm::Slow => self.network(cluster, &party, Wire::Slow(SLOWNESS)),
        }
        account.end_fault();
    }

    fn network(&self, cluster: &Cluster, party: &Party, wire: Wire) {
        let network = cluster.network.as_ref().unwrap();
        network.set(party, wire);
        sleep(self.cut);
        network.set(party, Wire::Good);
    }
}

fn all() -> Vec<(Party, Harm)> {
    let workers = WORKERS.iter().map(|name| Party::Worker((*name).to_owned()));
    let parties = [Party::Redis, Party::Supervisor, Party::Control];
    let mut deck = vec![(Party::Redis, Harm::Empty)];
    for party in parties.into_iter().chain(workers) {
        for harm in [
            Harm::Kill,
            Harm::Freeze,
            Harm::Cut,
            Harm::Silence,
            Harm::Slow,
        ] {
            deck.push((party.clone(), harm));
        }
    }
    deck
}

fn kill(cluster: &mut Cluster, party: &Party, away: Duration) {
    match party {
        Party::Redis => {
            cluster.redis.kill();
            sleep(away);
            cluster.redis.restart().unwrap();
        }
        Party::Control | Party::Apps => {
            let postgres = cluster.postgres.as_mut().unwrap();
            postgres.kill();
            sleep(away);
            postgres.restart().unwrap();
        }
        Party::Supervisor | Party::Workers => again(&mut cluster.supervisor, away),
        Party::Worker(name) => again(cluster.at(name), away),
    }
}

fn again(host: &mut Host, away: Duration) {
    host.kill();
    sleep(away);
    host.start_again_here();
}

fn signal(cluster: &mut Cluster, party: &Party, signal: Signal) {
    let stops = signal == Signal::STOP;
    match party {
        Party::Redis if stops => cluster.redis.pause(),
        Party::Redis => cluster.redis.resume(),
        Party::Control | Party::Apps if stops => cluster.postgres.as_ref().unwrap().pause(),
        Party::Control | Party::Apps => cluster.postgres.as_ref().unwrap().resume(),
        Party::Supervisor | Party::Workers => cluster.supervisor.signal(signal),
        Party::Worker(name) => cluster.at(name).signal(signal),
    }
}
