//! One time that a supervisor is connected after another.
//!
//! It reads on where it stopped, so that a short outage loses nothing; of a Redis that came back empty
//! (its stream ends before that place) it reads all. A mark in Redis tells of one that was emptied
//! while the connection held: then it is as if it had just connected.

use super::Office;
use super::hearing::{Place, Reader};
use crate::wire::{Backoff, WAIT, Wire, local_address};
use lodge_model::{EnvironmentName, FromWorkers, LinkError};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::mpsc::Sender;

/// Connects, and connects again, for ever.
pub(super) async fn run(office: Arc<Office>, sender: Sender<FromWorkers>) {
    let mut line = Line {
        office,
        sender,
        place: Place::default(),
        told_away: false,
        backoff: Backoff::default(),
    };
    loop {
        let Err(LinkError(reason)) = Box::pin(line.session()).await;
        line.office.wire.store(None);
        if !line.told_away {
            line.told_away = true;
            tracing::warn!(reason, "the link to the workers is down");
            line.place.tell(&line.sender).await;
            let _ = line.sender.send(FromWorkers::Disconnected { reason }).await;
        }
        line.backoff.pause().await;
    }
}

/// What outlives a connection.
struct Line {
    office: Arc<Office>,
    sender: Sender<FromWorkers>,
    place: Place,
    told_away: bool,
    backoff: Backoff,
}

impl Line {
    async fn session(&mut self) -> Result<Infallible, LinkError> {
        let office = self.office.clone();
        let wire = Wire::connect(&office.settings).await?;
        let address = local_address(&office.settings).await;
        *office.local_address.lock() = address;
        look_at_mark(&office, &wire).await?;
        let mut reader = Reader::new(&office, &wire, &mut self.place).await?;
        office.wire.store(Some(Arc::new(wire.clone())));
        self.backoff.connected();
        self.told_away = false;
        tracing::info!("the link to the workers is up");
        // Nobody hears it only when the process ends.
        let _ = self.sender.send(FromWorkers::Connected).await;
        greet_known(&office, &wire).await?;
        tokio::select! {
            outcome = reader.run(&self.sender) => outcome,
            outcome = tend(&office, &wire, &self.sender) => outcome,
            outcome = announce(&office, &wire) => outcome,
            error = wire.broken() => Err(error),
        }
    }
}

/// Asks every few seconds whether the connections carry and whether the mark is still there.
async fn tend(
    office: &Office,
    wire: &Wire,
    sender: &Sender<FromWorkers>,
) -> Result<Infallible, LinkError> {
    loop {
        tokio::time::sleep(WAIT).await;
        if !look_at_mark(office, wire).await? {
            tracing::warn!("Redis lost what it had: everything is said again");
            let _ = sender.send(FromWorkers::Connected).await;
        }
        if !wire.one_server {
            wire.streams::<()>(redis::pipe().cmd("PING").ignore())
                .await?;
        }
    }
}

/// Makes sure that the mark is there; false: it was not.
async fn look_at_mark(office: &Office, wire: &Wire) -> Result<bool, LinkError> {
    let mut asked = redis::pipe();
    asked.set_nx(office.keys.marker(), office.boot.to_string());
    let (made,): (bool,) = wire.cache(&asked).await?;
    Ok(!made)
}

/// Greets every run that introduced itself, whoever it is: who is alive answers.
async fn greet_known(office: &Office, wire: &Wire) -> Result<(), LinkError> {
    let known = wire.all(&office.keys.workers()).await?;
    let mut runs = office.peers.lock().joined();
    for (name, bytes) in known {
        let message = office.post.read(&name, &bytes);
        let environment = name.parse::<EnvironmentName>().ok();
        match environment.zip(message) {
            Some((environment, message)) => runs.push((environment, message.boot)),
            None => office.complaint.of_forgery("a registration"),
        }
    }
    runs.sort();
    runs.dedup();
    office.greet(wire, runs).await
}

/// Tells those that joined of a new address or term.
async fn announce(office: &Office, wire: &Wire) -> Result<Infallible, LinkError> {
    loop {
        office.announced.notified().await;
        let joined = office.peers.lock().joined();
        office.greet(wire, joined).await?;
    }
}
