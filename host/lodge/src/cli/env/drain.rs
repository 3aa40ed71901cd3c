//! `lodge env drain`: empties an environment and says what stays there, stopped.

use super::{path, say};
use crate::cli::app::AppAnswer;
use crate::cli::client::{Client, encode};
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::cli::progress::Progress;
use lodge_model::Status;
use lodge_supervisor::{EnvironmentInfo, EnvironmentStatus};
use serde_json::Value;
use std::time::Duration;

/// How often a drain is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Names that are said; of more, how many.
const NAMED: usize = 10;

/// What there is in an environment that is drained.
struct Look {
    value: Value,
    environment: EnvironmentInfo,
    /// Apps that stay placed there.
    stay: Vec<String>,
    /// How many are not at an end: they run, stop or move.
    busy: usize,
}

/// Asks for a drain and, unless told not to, waits until nothing runs there.
pub(super) fn run(client: &Client, name: &str, no_wait: bool, json: bool) -> Result<(), Failure> {
    let value = client.post(&format!("{}/drain", path(name)), None)?;
    if no_wait {
        say(&value, &format!("draining {name}"), json);
        return Ok(());
    }
    let progress = Progress::new(json);
    let mut look = Look::take(client, name)?;
    let mut told = look.title();
    let waiting = progress.wait(told.clone());
    while look.busy > 0 {
        std::thread::park_timeout(LOOK_EVERY);
        look = Look::take(client, name)?;
        if told != look.title() {
            told = look.title();
            waiting.now(told.clone());
        }
    }
    drop(waiting);
    say(&look.value, &look.outcome(), json);
    Ok(())
}

impl Look {
    /// How far it is.
    ///
    /// # Errors
    /// It will get no further.
    fn take(client: &Client, name: &str) -> Result<Self, Failure> {
        let value = client.get(&path(name))?;
        let environment: EnvironmentInfo = client.read(&value)?;
        if !environment.draining {
            let text = format!("{name} takes apps again: somebody ended the drain");
            return Err(Failure::Failed(text));
        }
        if environment.status != EnvironmentStatus::Online {
            let text = format!(
                "{name} does not answer, so nobody knows what runs there; it is emptied when it is back, \
                 and what may be elsewhere is moved already"
            );
            return Err(Failure::Failed(text));
        }
        let (mut stay, mut running) = (Vec::new(), 0);
        for item in client.list(&format!("/api/apps?environment={}", encode(name)))? {
            let AppAnswer { app, .. } = client.read(&item)?;
            let there = app.observed.iter().find(|o| o.environment.as_str() == name);
            running += usize::from(there.is_some_and(|seen| is_busy(seen.status)));
            stay.push(app.id.to_string());
        }
        let all = usize::try_from(environment.apps).unwrap_or(usize::MAX);
        Ok(Self {
            // Who moves away is counted there until nothing is left of it.
            busy: running + all.saturating_sub(stay.len()),
            value,
            environment,
            stay,
        })
    }

    fn title(&self) -> String {
        let waits = self.environment.message.as_deref().map(output::printable);
        format!(
            "draining {}: apps not stopped yet: {}{}",
            self.environment.name,
            self.busy,
            waits.map(|text| format!(", {text}")).unwrap_or_default()
        )
    }

    fn outcome(&self) -> String {
        let name = &self.environment.name;
        if self.stay.is_empty() {
            return format!("drained {name}");
        }
        let mut names = self.stay.iter().take(NAMED).cloned().collect::<Vec<_>>();
        if self.stay.len() > NAMED {
            names.push(format!("and {} more", self.stay.len() - NAMED));
        }
        format!(
            "drained {name}; stopped there until it is uncordoned or they are placed elsewhere: {}",
            names.join(" ")
        )
    }
}

fn is_busy(status: Status) -> bool {
    match status {
        Status::Preparing | Status::Starting | Status::Running | Status::Stopping => true,
        Status::Waiting | Status::Stopped | Status::Failed | Status::Unknown => false,
    }
}
