//! Reads what workers say, tells it on, and greets those that are not believed yet.

use super::Office;
use crate::envelope::{Envelope, Kind};
use crate::names::{MAX_COMMANDS, MESSAGE};
use crate::said::Greeting;
use crate::stream::{self, Entry};
use crate::wire::{WAIT, Wire};
use lodge_model::{BootId, EnvironmentName, FromWorkers, LinkError};
use redis::Value;
use std::collections::{BTreeSet, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::mpsc::Sender;

/// How many events are read at once.
const BATCH: usize = 512;
/// How many greetings go in one round trip.
const GREETINGS: usize = 256;

/// How far events were read: outlives a connection, so that nothing that counted as heard is lost with it.
#[derive(Default)]
pub(super) struct Place {
    /// The last event that was read; `None` before the first connection.
    last: Option<String>,
    /// Heard and not told on.
    untold: VecDeque<FromWorkers>,
    /// Whose kept reports are to be read, since messages are missing.
    incomplete: BTreeSet<EnvironmentName>,
}

impl Place {
    /// Tells on what was heard. Dropped at any time it loses nothing.
    pub(super) async fn tell(&mut self, sender: &Sender<FromWorkers>) {
        while !self.untold.is_empty() {
            // Nobody hears it only when the process ends.
            let Ok(permit) = sender.reserve().await else {
                return;
            };
            if let Some(told) = self.untold.pop_front() {
                permit.send(told);
            }
        }
    }
}

/// Reads events in order.
pub(super) struct Reader<'a> {
    office: &'a Arc<Office>,
    wire: &'a Wire,
    place: &'a mut Place,
}

impl<'a> Reader<'a> {
    /// Reads on after `place`, if the stream still has that place; all of it, if it is another stream. At
    /// first only what comes from now on: nothing before can answer this process.
    pub(super) async fn new(
        office: &'a Arc<Office>,
        wire: &'a Wire,
        place: &'a mut Place,
    ) -> Result<Self, LinkError> {
        let mut asked = redis::pipe();
        asked.xrevrange_count(office.keys.events(), "+", "-", 1);
        let (newest,): (Value,) = wire.streams(&asked).await?;
        let newest = stream::range(newest).pop().map(|entry| entry.id);
        let last = match (place.last.as_deref(), newest) {
            (_, None) => "0-0".to_owned(),
            (None, Some(newest)) => newest,
            (Some(last), Some(newest)) => match stream::is_before(&newest, last) {
                Some(false) => last.to_owned(),
                _ => "0-0".to_owned(),
            },
        };
        place.last = Some(last);
        Ok(Self {
            office,
            wire,
            place,
        })
    }

    pub(super) async fn run(
        &mut self,
        sender: &Sender<FromWorkers>,
    ) -> Result<Infallible, LinkError> {
        let events = self.office.keys.events();
        loop {
            let mut asked = redis::cmd("XREAD");
            asked.arg("COUNT").arg(BATCH).arg("BLOCK");
            asked.arg(u64::try_from(WAIT.as_millis()).unwrap_or(1));
            asked.arg("STREAMS").arg(&events).arg(&self.place.last);
            let answer: Value = self.wire.read(&asked).await?;
            self.take(stream::entries(answer), sender).await?;
        }
    }

    async fn take(
        &mut self,
        entries: Vec<Entry>,
        sender: &Sender<FromWorkers>,
    ) -> Result<(), LinkError> {
        let mut strangers = BTreeSet::new();
        for entry in entries {
            let hearing = self.hear(&entry);
            self.place.last = Some(entry.id);
            let Some((environment, hearing)) = hearing else {
                self.office.complaint.of_forgery("an event");
                continue;
            };
            if let Some(boot) = hearing.greet {
                strangers.insert((environment.clone(), boot));
            }
            if hearing.gap {
                self.place.incomplete.insert(environment);
            }
            self.place.untold.extend(hearing.told);
        }
        self.place.tell(sender).await;
        self.office.greet(self.wire, strangers).await?;
        while let Some(environment) = self.place.incomplete.first().cloned() {
            let reports = self.office.reports(self.wire, &environment).await?;
            self.place.incomplete.remove(&environment);
            let reports = reports.into_iter().map(FromWorkers::Report);
            self.place.untold.extend(reports);
            self.place.tell(sender).await;
        }
        Ok(())
    }

    fn hear(&self, entry: &Entry) -> Option<(EnvironmentName, super::peers::Hearing)> {
        let office = &self.office;
        let message = office.post.read(&entry.from, &entry.message)?;
        let environment: EnvironmentName = entry.from.parse().ok()?;
        let mut peers = office.peers.lock();
        let hearing = peers.hear(&office.keys, office.boot, &environment, &message);
        Some((environment, hearing))
    }
}

impl Office {
    /// Greets runs of workers: with the challenge, and with where this supervisor is.
    pub(super) async fn greet(
        &self,
        wire: &Wire,
        runs: impl IntoIterator<Item = (EnvironmentName, BootId)>,
    ) -> Result<(), LinkError> {
        let runs: Vec<_> = runs.into_iter().collect();
        for part in runs.chunks(GREETINGS) {
            let mut asked = redis::pipe();
            for (environment, boot) in part {
                let message = self.greeting(environment, *boot);
                let commands = self.keys.commands(environment);
                let command = stream::add(&commands, MAX_COMMANDS, &[(MESSAGE, &message)]);
                asked.add_command(command).ignore();
            }
            wire.streams::<()>(&asked).await?;
        }
        Ok(())
    }

    fn greeting(&self, environment: &EnvironmentName, boot: BootId) -> Vec<u8> {
        let peers = self.peers.lock();
        let challenge = peers.challenge(&self.keys, self.boot, environment, boot);
        let greeting = Greeting {
            challenge: hex::encode(challenge),
            term: self.term.load(Relaxed),
            url: self.url.lock().clone(),
            answer: !peers.has_joined(environment, boot),
        };
        drop(peers);
        let sequence = self.next_sequence();
        let message = Envelope::new(Kind::Greeting, self.boot, sequence, &[boot.0], &greeting);
        self.post.write(environment, &message)
    }
}
