//! Sees that a session whose statement was given up ends on its server.
//!
//! A guest can do much to stay: tell its session to take its time, catch that it was cancelled, change
//! the password of its own role. So whoever ends it is not that role where the host made the room, and
//! the places that the connection takes (of the app, of the server) are only given back once the server
//! does not know the session any more: what runs there is never more than was allowed.
//!
//! How it fails: what cannot be ended is tried again, less and less often, and said once in the app's log
//! and the host's. A server at whose address nobody listens has no sessions; one that was not reached for
//! [`AWAY`] is taken for gone.

use super::address::Address;
use super::pool::Service;
use super::relay;
use super::session::{self, SessionId};
use lodge_model::{Account, LogLevel, SqlError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Between two attempts: at first, and in the end.
const WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// What takes longer is said: a server that restarts needs no mention.
const NOTABLE: Duration = Duration::from_secs(1);
/// How long one attempt may take: others wait for their turn.
const ATTEMPT: Duration = Duration::from_secs(30);
/// How long a server may not be reached before it is taken for gone.
const AWAY: Duration = Duration::from_secs(600);

/// One session that is to end.
pub(super) struct Ending {
    /// Through whom.
    pub(super) by: Address,
    pub(super) id: SessionId,
    /// Of the app whose session it is.
    pub(super) account: Arc<dyn Account>,
    pub(super) service: Arc<Service>,
}

impl Ending {
    /// Returns once the session is gone.
    pub(super) async fn see_to_it(self) {
        let begun = Instant::now();
        let (mut reached, mut told) = (begun, false);
        let mut wait = WAIT;
        loop {
            let ended = {
                let _one_of_few = self.service.endings.acquire().await;
                let ended = session::end_on_server(&self.by, &self.id, self.account.clone());
                timeout(ATTEMPT, ended).await.unwrap_or_else(|_| {
                    let text = format!("no answer within {} s", ATTEMPT.as_secs());
                    Err(SqlError::Unavailable(text))
                })
            };
            let why = match ended {
                Ok(true) => return,
                Ok(false) => {
                    reached = Instant::now();
                    "it was told to, and runs yet".to_owned()
                }
                Err(error) => {
                    if relay::is_gone(&self.by).await {
                        return;
                    }
                    // Also one that lets its ender in no more: that may be the session's own role, which an app
                    // can lock out, and places are not to be lost for good.
                    if reached.elapsed() > AWAY {
                        return;
                    }
                    error.to_string()
                }
            };
            if begun.elapsed() > NOTABLE && !std::mem::replace(&mut told, true) {
                self.tell(&why);
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    fn tell(&self, why: &str) {
        let server = self.by.server();
        tracing::warn!(%server, %why, "cannot end a session, whose place stays taken");
        self.account.log(
            LogLevel::Warn,
            format!(
                "a statement that was given up cannot be ended on the database server: {why}; its connection counts \
                 (limits.database_connections) until it has ended"
            ),
        );
    }
}
