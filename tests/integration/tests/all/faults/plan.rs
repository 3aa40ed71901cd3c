//! The administrator: asks for lifecycle operations at random, and again with the same key until it is answered.

use super::WORKERS;
use super::account::{Account, clock};
use lodge_harness::{Answer, Api};
use lodge_integration::Dice;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};
use ureq::http::Method;

/// Apps there may be.
const APPS: u64 = 12;
/// For one answer of the API.
const ANSWER: Duration = Duration::from_secs(10);
/// Until a request has an answer, sent again as often as it takes.
const PATIENCE: Duration = Duration::from_secs(150);
/// Before a request is sent again.
const AGAIN: Duration = Duration::from_millis(300);

/// What was accepted.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The operations' IDs, with what was asked of which app.
    pub(super) operations: Vec<(String, String)>,
    /// Changes that changed something: each is an operation that the answer does not name.
    pub(super) updates: u64,
    /// Apps that were created running: each is an operation, too.
    pub(super) created_running: u64,
    /// What was not to happen.
    pub(super) wrong: Vec<String>,
    /// Requests that were sent more than once, by kind of operation: of those, one before may have been carried
    /// out too, since its answer and what it did are not written in one transaction.
    pub(super) repeated: BTreeMap<&'static str, u64>,
    /// Apps that could not be created yet, since one of the same ID was still being deleted.
    pub(super) too_early: u64,
}

/// See the module.
pub(super) struct Plan {
    api: Api,
    digest: String,
    account: Arc<Account>,
    dice: Dice,
    outcome: Outcome,
    /// Part of every key.
    keys: u64,
}

/// How a request ended.
struct Answered {
    answer: Answer,
    /// True: one before it may have taken effect without an answer.
    again: bool,
}

impl Plan {
    pub(super) fn new(api: Api, digest: String, account: Arc<Account>, seed: u64) -> Self {
        Self {
            api,
            digest,
            account,
            dice: Dice::new(seed),
            outcome: Outcome::default(),
            keys: 0,
        }
    }

    /// Has so many operations accepted, in random succession.
    pub(super) fn carry_out(mut self, operations: usize, pause: Duration) -> Outcome {
        let mut done = 0;
        while done < operations && self.outcome.wrong.len() < 5 {
            let wait = self.dice.below(2 * pause.as_millis() as u64);
            sleep(Duration::from_millis(wait));
            let app = format!("app{:02}", self.dice.below(APPS));
            self.account.change(&app, |wanted| wanted.busy = true);
            let accepted = self.operate(&app);
            self.account.change(&app, |wanted| wanted.busy = false);
            done += usize::from(accepted);
        }
        if done < operations {
            self.account.give_up();
        }
        self.outcome
    }

    fn operate(&mut self, app: &str) -> bool {
        if !self.account.app(app).exists {
            return self.create(app);
        }
        match self.dice.below(20) {
            0..4 => self.act(app, "start", true),
            4..7 => self.act(app, "stop", false),
            7..11 => self.act(app, "restart", true),
            11..15 => self.mark(app),
            15..18 => self.move_away(app),
            _ => self.delete(app),
        }
    }

    fn create(&mut self, app: &str) -> bool {
        let environments = self.some_environments();
        let mark = self.dice.below(1 << 40);
        let with_host = self.dice.below(2) == 0;
        let mode = if with_host {
            "with_host"
        } else {
            "on_first_visit"
        };
        let new = json!({
            "id": app, "component": {"digest": self.digest}, "environments": environments,
            "database": {"kind": "new_database", "engine": "postgres"},
            "start_mode": mode, "desired": "running",
            "config": {"mark": {"value": mark.to_string()}},
        });
        let Some(answered) = self.ask("create", Method::POST, "/api/apps", Some(&new)) else {
            return false;
        };
        let Answered { answer, again } = answered;
        match (answer.status, answer.code()) {
            (201, _) => {}
            (409, "app_deleting") => {
                self.outcome.too_early += 1;
                return false;
            }
            // The one before was carried out, and its answer was not kept.
            (409, _) if again && self.has_mark(app, mark) => {}
            (409, _) if self.is_being_deleted(app) => {
                self.outcome.too_early += 1;
                return false;
            }
            _ => return self.wrong(app, "create", &answer),
        }
        self.outcome.created_running += u64::from(with_host);
        self.account.change(app, |wanted| {
            wanted.exists = true;
            wanted.running = true;
            wanted.environments = environments;
            wanted.mark = mark;
            wanted.incarnation += 1;
        });
        true
    }

    fn act(&mut self, app: &str, act: &'static str, running: bool) -> bool {
        if !running {
            // Visits fail from now on, not only when it is answered.
            self.account.change(app, |wanted| wanted.running = false);
        }
        let path = format!("/api/apps/{app}/{act}");
        let Some(Answered { answer, .. }) = self.ask(act, Method::POST, &path, None) else {
            return false;
        };
        if answer.status != 202 {
            return self.wrong(app, act, &answer);
        }
        self.note(app, act, &answer.body);
        self.account.change(app, |wanted| {
            wanted.running = running;
        });
        true
    }

    fn mark(&mut self, app: &str) -> bool {
        let mark = self.dice.below(1 << 40);
        let change = json!({"config": {"mark": {"value": mark.to_string()}}});
        let accepted = self.patch(app, "mark", &change);
        if accepted {
            self.account.change(app, |wanted| wanted.mark = mark);
        }
        accepted
    }

    fn move_away(&mut self, app: &str) -> bool {
        let before = self.account.app(app).environments;
        let mut environments = self.some_environments();
        while environments == before {
            environments = self.some_environments();
        }
        let change = json!({"environments": environments});
        let accepted = self.patch(app, "move", &change);
        if accepted {
            self.account
                .change(app, |wanted| wanted.environments = environments);
        }
        accepted
    }

    fn patch(&mut self, app: &str, what: &str, change: &Value) -> bool {
        let path = format!("/api/apps/{app}");
        let Some(Answered { answer, .. }) = self.ask("update", Method::PATCH, &path, Some(change))
        else {
            return false;
        };
        if answer.status != 200 {
            return self.wrong(app, what, &answer);
        }
        self.outcome.updates += 1;
        true
    }

    fn delete(&mut self, app: &str) -> bool {
        self.account.change(app, |wanted| {
            wanted.exists = false;
            wanted.incarnation += 1;
        });
        let path = format!("/api/apps/{app}?data=drop");
        let Some(Answered { answer, again }) = self.ask("delete", Method::DELETE, &path, None)
        else {
            return false;
        };
        match (answer.status, answer.code()) {
            (202, _) => self.note(app, "delete", &answer.body),
            (404, _) | (409, "app_deleting") if again => {
                // Which operation it was is not known.
                self.outcome
                    .operations
                    .push((String::new(), format!("delete {app}")));
            }
            _ => return self.wrong(app, "delete", &answer),
        }
        true
    }

    /// One or two environments, in some order.
    fn some_environments(&mut self) -> Vec<String> {
        let first = self.dice.below(3) as usize;
        let mut names = vec![WORKERS[first].to_owned()];
        if self.dice.below(3) == 0 {
            let second = (first + 1 + self.dice.below(2) as usize) % 3;
            names.push(WORKERS[second].to_owned());
        }
        names
    }

    fn note(&mut self, app: &str, act: &str, body: &Value) {
        let id = body["operation"]["id"].as_str().unwrap_or_default();
        let known = self.outcome.operations.iter().any(|(other, _)| other == id);
        if id.is_empty() || known {
            self.outcome
                .wrong
                .push(format!("{act} {app}: no operation of its own: {body}"));
        }
        self.outcome
            .operations
            .push((id.to_owned(), format!("{act} {app}")));
    }

    fn wrong(&mut self, app: &str, act: &str, answer: &Answer) -> bool {
        let what = format!("{} {act} {app}: {} {}", clock(), answer.status, answer.body);
        println!("{what}");
        self.outcome.wrong.push(what);
        false
    }

    fn has_mark(&mut self, app: &str, mark: u64) -> bool {
        let shown = self.ask("look", Method::GET, &format!("/api/apps/{app}"), None);
        shown.is_some_and(|shown| {
            shown.answer.body["config"]["mark"]["value"] == mark.to_string().as_str()
        })
    }

    fn is_being_deleted(&mut self, app: &str) -> bool {
        let path = format!("/api/apps/{app}/stop");
        let stop = self.ask("stop", Method::POST, &path, None);
        stop.is_some_and(|stop| stop.answer.status == 404 || stop.answer.code() == "app_deleting")
    }

    fn next_key(&mut self) -> String {
        self.keys += 1;
        format!("fault-{}", self.keys)
    }

    /// Sends a request until it is answered by something that may be remembered.
    fn ask(
        &mut self,
        kind: &'static str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Option<Answered> {
        let mut key = self.next_key();
        let begun = Instant::now();
        let mut again = false;
        println!("{} {method} {path}", clock());
        loop {
            let sent = self.api.try_once(method.clone(), path, body, &key, ANSWER);
            let why = match sent {
                Ok(answer) if answer.status >= 500 => answer.body.to_string(),
                Ok(answer) if answer.code() == "idempotency_key_in_progress" => {
                    answer.body.to_string()
                }
                // A write of which nobody knew whether it happened: whoever asks is to look, then ask anew.
                Ok(answer) if again && answer.code() == "changed_meanwhile" => {
                    key = self.next_key();
                    answer.body.to_string()
                }
                Ok(answer) => return Some(Answered { answer, again }),
                Err(error) => error.to_string(),
            };
            if !again {
                println!("{} {method} {path} again: {why}", clock());
                *self.outcome.repeated.entry(kind).or_default() += 1;
            }
            again = true;
            if begun.elapsed() > PATIENCE {
                let what = format!("{} {method} {path}: never answered: {why}", clock());
                println!("{what}");
                self.outcome.wrong.push(what);
                return None;
            }
            sleep(AGAIN);
        }
    }
}
