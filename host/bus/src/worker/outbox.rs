//! What a worker has to say and has not got rid of.
//!
//! Bounded by the number of apps: of each the newest report is kept for as long as the process lives,
//! since a supervisor or a Redis that begins anew must hear all; figures are added up; of heartbeats only
//! the newest counts. What was sent and not confirmed is sent again with the same numbers, so that it
//! counts once, whether or not it had arrived.

use crate::envelope::Kind;
use crate::said::{Dead, Refusal};
use lodge_model::{AppId, Figures, Load, Report, Tally};
use serde::Serialize;
use serde_json::Value;
use std::collections::{HashMap, HashSet, VecDeque};

/// How many reports are sent in one round trip.
const REPORTS: usize = 256;
/// How many refusals and dead letters wait to be told; of more the oldest are not told.
const NOTICES: usize = 1_024;

/// One message with its number.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) sequence: u64,
    pub(super) kind: Kind,
    /// Of a report: whose.
    pub(super) app: Option<AppId>,
    pub(super) body: Value,
}

/// What is to be said.
#[derive(Default)]
pub(super) struct Outbox {
    sequence: u64,
    sent: Vec<Item>,
    register: bool,
    newest: HashMap<AppId, Report>,
    unsaid: HashSet<AppId>,
    figures: HashMap<AppId, Tally>,
    beat: Option<Load>,
    notices: VecDeque<(Kind, Value)>,
    acknowledged: Vec<String>,
    leave: bool,
}

impl Outbox {
    pub(super) fn report(&mut self, report: Report) {
        self.unsaid.insert(report.app.clone());
        self.newest.insert(report.app.clone(), report);
    }

    pub(super) fn figures(&mut self, figures: Figures) {
        for (app, tally) in figures.apps {
            self.figures.entry(app).or_default().add(&tally);
        }
    }

    pub(super) fn beat(&mut self, load: Load) {
        self.beat = Some(load);
    }

    pub(super) fn refused(&mut self, reason: String) {
        self.notice(Kind::Refused, &Refusal { reason });
    }

    pub(super) fn dead(&mut self, app: AppId, reason: String) {
        self.notice(Kind::DeadLetter, &Dead { app, reason });
    }

    pub(super) fn acknowledge(&mut self, commands: impl IntoIterator<Item = String>) {
        self.acknowledged.extend(commands);
    }

    pub(super) fn leave(&mut self) {
        self.leave = true;
    }

    /// The worker introduces itself, and says all that is, again.
    pub(super) fn say_everything(&mut self) {
        self.register = true;
        self.unsaid.extend(self.newest.keys().cloned());
    }

    /// A connection began: the commands of the one before are read again.
    pub(super) fn reconnected(&mut self) {
        self.acknowledged.clear();
        self.say_everything();
    }

    /// The supervisor forgot the apps that are gone: so does the worker.
    pub(super) fn forget_gone(&mut self, kept: &HashSet<AppId>) {
        self.newest
            .retain(|app, report| !report.gone || kept.contains(app));
        self.unsaid.retain(|app| self.newest.contains_key(app));
    }

    /// The commands to acknowledge.
    pub(super) fn acknowledgements(&mut self) -> Vec<String> {
        std::mem::take(&mut self.acknowledged)
    }

    /// What is sent next; the same until it is [confirmed](Self::confirmed). Empty: nothing.
    pub(super) fn batch(&mut self) -> Vec<Item> {
        if self.sent.is_empty() {
            self.fill();
        }
        self.sent.clone()
    }

    /// What was sent has arrived. True: the last of it was the goodbye.
    pub(super) fn confirmed(&mut self) -> bool {
        let left = self.sent.iter().any(|item| item.kind == Kind::Left);
        self.sent.clear();
        left
    }

    fn fill(&mut self) {
        if std::mem::take(&mut self.register) {
            self.push(Kind::Registration, None, Value::Null);
        }
        if let Some(load) = self.beat.take() {
            self.push(Kind::Beat, None, json(&load));
        }
        let apps: Vec<AppId> = self.unsaid.iter().take(REPORTS).cloned().collect();
        for app in apps {
            self.unsaid.remove(&app);
            if let Some(body) = self.newest.get(&app).map(json) {
                self.push(Kind::Report, Some(app), body);
            }
        }
        if !self.figures.is_empty() {
            let apps = std::mem::take(&mut self.figures).into_iter().collect();
            self.push(Kind::Figures, None, json(&Figures { apps }));
        }
        for (kind, body) in std::mem::take(&mut self.notices) {
            self.push(kind, None, body);
        }
        if self.leave && self.unsaid.is_empty() {
            self.leave = false;
            self.push(Kind::Left, None, Value::Null);
        }
    }

    fn push(&mut self, kind: Kind, app: Option<AppId>, body: Value) {
        self.sequence = self.sequence.saturating_add(1);
        self.sent.push(Item {
            sequence: self.sequence,
            kind,
            app,
            body,
        });
    }

    fn notice(&mut self, kind: Kind, body: &impl Serialize) {
        if self.notices.len() >= NOTICES {
            self.notices.pop_front();
        }
        self.notices.push_back((kind, json(body)));
    }
}

/// Types of ours all have a JSON form.
fn json(body: &impl Serialize) -> Value {
    serde_json::to_value(body).unwrap_or_default()
}
