//! One time that a worker is connected after another.

use super::Desk;
use super::holder::{Hold, Holder, interval, lifetime};
use super::{reading, writing};
use crate::envelope::{Envelope, Kind};
use crate::names::{MAX_COMMANDS, MESSAGE};
use crate::said::{Claimed, Holding};
use crate::stream;
use crate::wire::{Backoff, Wire};
use lodge_model::{BootId, LinkError, ToWorker};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::sync::mpsc::Sender;

/// How long it may take until a supervisor greets …
const LONELY: Duration = Duration::from_secs(30);
/// … and how often it is said that none did.
const STILL_LONELY: Duration = Duration::from_secs(300);

/// Why a connection ended.
pub(super) enum Ended {
    /// It carries nothing any more.
    Away(LinkError),
    /// Another worker has the name.
    Refused(BootId, Holding),
    /// The goodbye was said.
    Left,
}

impl From<LinkError> for Ended {
    fn from(error: LinkError) -> Self {
        Self::Away(error)
    }
}

/// Connects, and connects again, until refused or left.
pub(super) async fn run(desk: Arc<Desk>, sender: Sender<ToWorker>) {
    let mut line = Line {
        desk,
        sender,
        holder: Mutex::default(),
        told_away: false,
        backoff: Backoff::default(),
    };
    loop {
        let Err(ended) = Box::pin(line.session()).await;
        match ended {
            Ended::Away(LinkError(reason)) => {
                if !line.told_away {
                    line.told_away = true;
                    tracing::warn!(reason, "the link to the supervisor is down");
                    line.say(ToWorker::Disconnected { reason }).await;
                }
                line.backoff.pause().await;
            }
            Ended::Refused(_, other) => {
                let reason = line.refusal(&other);
                tracing::error!(reason, "refused");
                line.desk.left.send_replace(true);
                return line.say(ToWorker::Refused { reason }).await;
            }
            Ended::Left => {
                line.desk.left.send_replace(true);
                return;
            }
        }
    }
}

/// What outlives a connection.
struct Line {
    desk: Arc<Desk>,
    sender: Sender<ToWorker>,
    holder: Mutex<Holder>,
    told_away: bool,
    backoff: Backoff,
}

impl Line {
    async fn session(&mut self) -> Result<Infallible, Ended> {
        let desk = self.desk.clone();
        let wire = Wire::connect(&desk.settings).await?;
        if let Err(ended) = hold(&self.holder, &desk, &wire).await {
            // Not having it told is no reason to try again.
            if let Ended::Refused(boot, _) = &ended {
                let _ = complain(&desk, &wire, *boot).await;
            }
            return Err(ended);
        }
        reading::make_group(&desk, &wire).await?;
        desk.commands.lock().begin();
        desk.outbox.lock().reconnected();
        desk.wake.notify_one();
        self.backoff.connected();
        self.told_away = false;
        tracing::info!(environment = %desk.registration.environment, "the link to the supervisor is up");
        let mut reader = reading::Reader::new(&desk, &wire, &self.sender);
        tokio::select! {
            outcome = reader.run() => outcome,
            outcome = writing::run(&desk, &wire, &self.holder) => outcome,
            outcome = keep(&self.holder, &desk, &wire) => outcome,
            outcome = tend(&wire) => outcome,
            never = warn_if_lonely(&desk) => Ok(never),
            error = wire.broken() => Err(error.into()),
        }
    }

    fn refusal(&self, other: &Holding) -> String {
        let own = &self.desk.registration;
        if other.worker_id == own.worker_id {
            return format!(
                "another process began as environment `{}` with this data directory or a copy of it: \
                 give each worker a data directory of its own",
                own.environment
            );
        }
        format!(
            "another worker has the name `{}`: give each worker an ENVIRONMENT_NAME of its own; if that \
             worker is gone for good, its name is free {} s after it went",
            own.environment,
            lifetime(own).as_secs()
        )
    }

    async fn say(&self, what: ToWorker) {
        // Nobody hears it only when the process ends.
        let _ = self.sender.send(what).await;
    }
}

async fn hold(holder: &Mutex<Holder>, desk: &Desk, wire: &Wire) -> Result<(), Ended> {
    match holder.lock().await.hold(desk, wire).await? {
        Hold::Held => Ok(()),
        Hold::By(boot, other) => Err(Ended::Refused(boot, other)),
    }
}

/// Renews the name as long as the connection lasts.
async fn keep(holder: &Mutex<Holder>, desk: &Desk, wire: &Wire) -> Result<Infallible, Ended> {
    loop {
        tokio::time::sleep(interval(&desk.registration)).await;
        hold(holder, desk, wire).await?;
    }
}

/// Tells the worker that has the name that this one wanted it; it tells the supervisor.
async fn complain(desk: &Desk, wire: &Wire, holder: BootId) -> Result<(), LinkError> {
    let own = &desk.registration;
    let claimed = Claimed {
        worker_id: own.worker_id.clone(),
        url: own.proxy_url.clone(),
    };
    let message = Envelope::new(Kind::Claimed, own.boot, 0, &[holder.0], &claimed);
    let message = desk.post.write(&own.environment, &message);
    let commands = desk.keys.commands(&own.environment);
    let command = stream::add(&commands, MAX_COMMANDS, &[(MESSAGE, &message)]);
    wire.streams(redis::pipe().add_command(command).ignore())
        .await
}

/// Asks the second server, if there is one, whether it is there: the first is read from all the time.
async fn tend(wire: &Wire) -> Result<Infallible, Ended> {
    loop {
        tokio::time::sleep(crate::wire::WAIT).await;
        if !wire.one_server {
            wire.cache::<()>(redis::pipe().cmd("PING").ignore()).await?;
        }
    }
}

/// A supervisor with another key looks like none: it uses other names in Redis.
async fn warn_if_lonely(desk: &Desk) -> Infallible {
    tokio::time::sleep(LONELY).await;
    loop {
        if desk.acquaintance.lock().is_empty() {
            tracing::warn!(
                "Redis is there, but no supervisor has greeted this worker: does one run, with the same \
                 LODGE_CLUSTER_KEY and the same Redis?"
            );
        }
        tokio::time::sleep(STILL_LONELY).await;
    }
}
