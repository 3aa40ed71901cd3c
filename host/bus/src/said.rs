//! The bodies of messages.

use lodge_model::{AppId, Revision};
use serde::{Deserialize, Serialize};

/// A supervisor to whoever has an environment's name: look at an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Look {
    pub(crate) app: AppId,
    /// What is to be found there, at least.
    pub(crate) revision: Revision,
}

/// A supervisor to one run of a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Greeting {
    /// What that run's messages must carry from now on, in hexadecimal digits.
    pub(crate) challenge: String,
    /// The supervisor's term: of several supervisors the highest is the one to ask.
    pub(crate) term: i64,
    /// Where it is reached, if it knows.
    pub(crate) url: Option<String>,
    /// Whether the worker is to introduce itself and to say everything again.
    pub(crate) answer: bool,
}

/// A worker to the one that has its name: it wanted it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claimed {
    pub(crate) worker_id: String,
    pub(crate) url: String,
}

/// A worker that has a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holding {
    pub(crate) worker_id: String,
    /// How many times a worker ran on this data directory.
    pub(crate) run: u64,
    /// How long this run has had the name, in milliseconds by its own clock.
    pub(crate) held_ms: u64,
    /// How long what is written stays, in milliseconds.
    pub(crate) lifetime_ms: u64,
}

impl Holding {
    /// As it is now, if what was written stays for `remaining` milliseconds more.
    pub(crate) fn until_now(&mut self, remaining: i64) -> &Self {
        let remaining = u64::try_from(remaining).unwrap_or(0);
        let since = self.lifetime_ms.saturating_sub(remaining);
        self.held_ms = self.held_ms.saturating_add(since);
        self
    }
}

/// A worker of itself: another one was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) reason: String,
}

/// A worker of a command that was put aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dead {
    pub(crate) app: AppId,
    pub(crate) reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_worker_says_of_its_hold_can_be_added_to() {
        let mut other = Holding {
            worker_id: "w".to_owned(),
            run: 1,
            held_ms: u64::MAX,
            lifetime_ms: 30_000,
        };
        assert_eq!(other.until_now(0).held_ms, u64::MAX);
    }
}
