//! Reads what a worker is told: first every specification that there is, then the commands that an
//! earlier connection left open, then what comes.

use super::Desk;
use super::judge::{self, Found};
use super::session::Ended;
use crate::envelope::Kind;
use crate::names::{CONSUMER, GROUP};
use crate::said::{Claimed, Greeting, Look};
use crate::stream::{self, Entry};
use crate::wire::{MAX_PARTS, WAIT, Wire};
use lodge_model::{AppId, BootId, LinkError, ToWorker};
use redis::Value;
use std::collections::HashSet;
use std::convert::Infallible;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Sender;

/// How many commands are read at once, and how many specifications looked for.
const BATCH: usize = 256;
/// How many other workers that wanted the name are told of in one connection.
const CLAIMANTS: usize = 64;

/// Makes sure that there is a stream with its group.
pub(super) async fn make_group(desk: &Desk, wire: &Wire) -> Result<(), LinkError> {
    let commands = desk.keys.commands(&desk.registration.environment);
    let mut asked = redis::pipe();
    asked.xgroup_create_mkstream(commands, GROUP, "0").ignore();
    match wire.streams::<()>(&asked).await {
        Err(LinkError(reason)) if !reason.contains("BUSYGROUP") => Err(LinkError(reason)),
        _ => Ok(()),
    }
}

/// Reads for one connection.
pub(super) struct Reader<'a> {
    desk: &'a Desk,
    wire: &'a Wire,
    sender: &'a Sender<ToWorker>,
    claimants: HashSet<BootId>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(desk: &'a Desk, wire: &'a Wire, sender: &'a Sender<ToWorker>) -> Self {
        Self {
            desk,
            wire,
            sender,
            claimants: HashSet::new(),
        }
    }

    pub(super) async fn run(&mut self) -> Result<Infallible, Ended> {
        self.say(ToWorker::Connected).await;
        // Again: it may have got lost with the connection before.
        let told = self.desk.acquaintance.lock().told();
        if let Some((url, boot)) = told {
            self.say(ToWorker::Supervisor { url, boot }).await;
        }
        self.catch_up().await?;
        let mut after = "0".to_owned();
        loop {
            let open = self.read(&after, None).await?;
            let Some(last) = open.last() else {
                break;
            };
            after.clone_from(&last.id);
            self.take(open).await?;
        }
        loop {
            let next = self.desk.commands.lock().next_due();
            let wait = next.map_or(WAIT, |due| due.saturating_duration_since(Instant::now()));
            let wait = wait.clamp(Duration::from_millis(1), WAIT);
            let entries = self.read(">", Some(wait)).await?;
            self.take(entries).await?;
        }
    }

    /// Reads all specifications, some at a time, so that Redis answers others meanwhile.
    async fn catch_up(&mut self) -> Result<(), LinkError> {
        let environment = &self.desk.registration.environment;
        let hash = self.desk.keys.specifications(environment);
        let mut kept = HashSet::new();
        let mut cursor = 0;
        for _ in 0..MAX_PARTS {
            let (next, part) = self.wire.scan(&hash, cursor).await?;
            let found: Vec<Found> = part
                .into_iter()
                .filter_map(|(app, bytes)| Some((app.parse().ok()?, Some(bytes))))
                .collect();
            kept.extend(found.iter().map(|(app, _)| app.clone()));
            judge::take(self.desk, self.wire, self.sender, found).await?;
            cursor = next;
            if cursor == 0 {
                self.desk.outbox.lock().forget_gone(&kept);
                break;
            }
        }
        Ok(())
    }

    /// Reads commands: new ones (`>`), waiting for them, or the open ones after an entry.
    async fn read(&self, after: &str, wait: Option<Duration>) -> Result<Vec<Entry>, LinkError> {
        let mut asked = redis::cmd("XREADGROUP");
        asked.arg("GROUP").arg(GROUP).arg(CONSUMER);
        asked.arg("COUNT").arg(BATCH);
        if let Some(wait) = wait {
            let millis = u64::try_from(wait.as_millis()).unwrap_or(1);
            asked.arg("BLOCK").arg(millis.max(1));
        }
        let environment = &self.desk.registration.environment;
        asked
            .arg("STREAMS")
            .arg(self.desk.keys.commands(environment));
        asked.arg(after);
        let answer: Value = self.wire.read(&asked).await?;
        Ok(stream::entries(answer))
    }

    /// Takes commands, and hands out all that is to be looked for by now.
    async fn take(&mut self, entries: Vec<Entry>) -> Result<(), LinkError> {
        let mut finished = Vec::new();
        for entry in entries {
            finished.extend(self.order(entry).await);
        }
        if !finished.is_empty() {
            self.desk.outbox.lock().acknowledge(finished);
            self.desk.wake.notify_one();
        }
        loop {
            let due = self.desk.commands.lock().due(BATCH);
            if due.is_empty() {
                return Ok(());
            }
            self.fetch(due).await?;
        }
    }

    async fn fetch(&self, apps: Vec<AppId>) -> Result<(), LinkError> {
        let environment = &self.desk.registration.environment;
        let mut asked = redis::pipe();
        asked.cmd("HMGET");
        asked.arg(self.desk.keys.specifications(environment));
        for app in &apps {
            asked.arg(app.as_str());
        }
        let (found,): (Vec<Option<Vec<u8>>>,) = self.wire.cache(&asked).await?;
        // An answer that is too short has nothing of the rest.
        let found = apps
            .into_iter()
            .zip(found.into_iter().chain(std::iter::repeat(None)));
        judge::take(self.desk, self.wire, self.sender, found.collect()).await
    }

    /// Takes one command; gives its entry back when it is finished with.
    async fn order(&mut self, entry: Entry) -> Option<String> {
        let Entry { id, message, .. } = entry;
        if message.is_empty() {
            return Some(id);
        }
        let own = &self.desk.registration;
        let Some(message) = self.desk.post.read(own.environment.as_str(), &message) else {
            self.desk.complaint.of_forgery("a command");
            return Some(id);
        };
        let for_this_run = message.marks.contains(&own.boot.0);
        match message.kind {
            Kind::Look => {
                if let Some(Look { app, revision }) = message.read() {
                    return self.desk.commands.lock().ordered(app, revision, id);
                }
            }
            Kind::Greeting if for_this_run => {
                if let Some(greeting) = message.read() {
                    self.greeted(message.boot, message.sequence, greeting).await;
                }
            }
            Kind::Claimed if for_this_run => {
                if let Some(claimed) = message.read() {
                    self.claimed(message.boot, &claimed);
                }
            }
            _ => {}
        }
        Some(id)
    }

    async fn greeted(&self, boot: BootId, sequence: u64, greeting: Greeting) {
        let consequence = self
            .desk
            .acquaintance
            .lock()
            .greeted(boot, sequence, greeting);
        if consequence.answer {
            self.desk.outbox.lock().say_everything();
            self.desk.wake.notify_one();
        }
        if let Some((url, boot)) = consequence.supervisor {
            self.say(ToWorker::Supervisor { url, boot }).await;
        }
    }

    fn claimed(&mut self, boot: BootId, claimed: &Claimed) {
        if self.claimants.len() >= CLAIMANTS || !self.claimants.insert(boot) {
            return;
        }
        let own = &self.desk.registration;
        let reason = format!(
            "a second worker (ID {}, {}) has ENVIRONMENT_NAME `{}` and was refused; the first (ID {}, {}) \
             keeps it: give each a name of its own",
            claimed.worker_id, claimed.url, own.environment, own.worker_id, own.proxy_url
        );
        tracing::warn!(reason, "another worker was refused");
        self.desk.outbox.lock().refused(reason);
        self.desk.wake.notify_one();
    }

    async fn say(&self, what: ToWorker) {
        // Nobody hears it only when the process ends.
        let _ = self.sender.send(what).await;
    }
}
