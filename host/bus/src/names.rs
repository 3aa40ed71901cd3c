//! What the link calls its things in Redis.
//!
//! | name | type | what |
//! | --- | --- | --- |
//! | `workers` | hash | environment → how its worker introduced itself |
//! | `holder:{environment}` | string, expires | which worker has the name |
//! | `spec:{environment}` | hash | app → encrypted specification |
//! | `status:{environment}` | hash | app → newest report |
//! | `mark` | string | random: it is another one, or none, after everything was lost |
//! | `cmd:{environment}` | stream, one group | what a worker should look at |
//! | `dead:{environment}` | stream | commands that could not be carried out |
//! | `events` | stream | what workers say |
//!
//! The first five are at `APP_SUPERVISOR_REDIS_URL`, the streams at `APP_COMMAND_REDIS_URL`.

use crate::keys::Keys;
use lodge_model::EnvironmentName;

/// The one consumer group of a command stream, and the one consumer in it: several would break order.
pub(crate) const GROUP: &str = "lodge";
pub(crate) const CONSUMER: &str = "worker";
/// The field of a stream's entry that holds the message.
pub(crate) const MESSAGE: &str = "m";
/// The field of an event that says whose it is.
pub(crate) const FROM: &str = "e";

/// About how many commands a stream keeps that nobody reads: whoever missed some reads all specifications.
pub(crate) const MAX_COMMANDS: usize = 10_000;
/// About how many events are kept: whoever missed some reads all reports.
pub(crate) const MAX_EVENTS: usize = 50_000;
/// About how many dead letters an environment keeps.
pub(crate) const MAX_DEAD: usize = 1_000;

impl Keys {
    pub(crate) fn workers(&self) -> String {
        format!("{}workers", self.prefix)
    }

    pub(crate) fn marker(&self) -> String {
        format!("{}mark", self.prefix)
    }

    pub(crate) fn events(&self) -> String {
        format!("{}events", self.prefix)
    }

    pub(crate) fn holder(&self, environment: &EnvironmentName) -> String {
        format!("{}holder:{environment}", self.prefix)
    }

    pub(crate) fn specifications(&self, environment: &EnvironmentName) -> String {
        format!("{}spec:{environment}", self.prefix)
    }

    pub(crate) fn statuses(&self, environment: &EnvironmentName) -> String {
        format!("{}status:{environment}", self.prefix)
    }

    pub(crate) fn commands(&self, environment: &EnvironmentName) -> String {
        format!("{}cmd:{environment}", self.prefix)
    }

    pub(crate) fn dead(&self, environment: &EnvironmentName) -> String {
        format!("{}dead:{environment}", self.prefix)
    }
}
