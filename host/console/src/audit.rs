//! What the console itself does, written down: sign-ins and sign-outs, passwords, API tokens. What is
//! done to apps and components the supervisor writes, in the same step.
//!
//! Who guesses passwords must not fill the table: of refused attempts there is one entry a minute for
//! one address and account, and at most [`REFUSALS_A_MINUTE`] in all; what is left out is counted in
//! the next. Attempts beyond the free ones count by their address alone, since they may name any
//! account. The memory of that is bounded, and gone with the process.

use crate::problem::Problem;
use crate::state::{Console, now_ms};
use lodge_db::events::{self, NewEvent};
use lodge_supervisor::Actor;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Entries about refused attempts within a minute, from all addresses.
const REFUSALS_A_MINUTE: u32 = 60;
/// Addresses and accounts that are remembered.
const CAPACITY: usize = 4096;
const MINUTE: Duration = Duration::from_secs(60);

/// Adds an entry about what succeeded.
///
/// # Errors
/// The database failed.
pub(crate) async fn record(
    console: &Console,
    actor: &Actor,
    action: &str,
    subject: Option<&str>,
) -> Result<(), Problem> {
    let entry = actor.entry(now_ms(), action);
    write(console, &NewEvent { subject, ..entry }).await?;
    Ok(())
}

/// An attempt to prove who one is that was refused.
pub(crate) struct Refused<'a> {
    /// Who it said it was.
    pub(crate) account: &'a str,
    /// From where.
    pub(crate) address: IpAddr,
    /// To do what, such as `session.create`.
    pub(crate) action: &'a str,
    /// Why not.
    pub(crate) why: &'a str,
    /// It was beyond the free attempts, or named no account that could be.
    pub(crate) beyond: bool,
}

/// Adds an entry about a refused attempt, unless there are too many. The attempt stays refused
/// whatever the database says.
pub(crate) async fn refused(console: &Console, attempt: &Refused<'_>) {
    let account = if attempt.beyond { "" } else { attempt.account };
    let admitted = console
        .refusals()
        .admit(attempt.address, account, Instant::now());
    let Some(left_out) = admitted else { return };
    let message = match left_out {
        0 => attempt.why.to_owned(),
        more => format!("{} ({more} more since the last such entry)", attempt.why),
    };
    let actor = Actor::new(shown(attempt.account)).at(attempt.address);
    let entry = NewEvent {
        result: "refused",
        message: Some(&message),
        ..actor.entry(now_ms(), attempt.action)
    };
    if let Err(error) = write(console, &entry).await {
        tracing::error!(%error, "cannot write down a refused attempt to log in");
    }
}

/// What somebody unknown called themselves, as it can be kept and shown.
fn shown(account: &str) -> String {
    let text: String = account.chars().take(254).collect();
    text.replace(char::is_control, "\u{fffd}")
}

async fn write(console: &Console, entry: &NewEvent<'_>) -> Result<(), lodge_db::Error> {
    let mut tx = console.db().begin().await?;
    events::insert(&mut tx, entry).await?;
    Ok(tx.commit().await?)
}

/// Which refused attempts were written down.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<Written>);

#[derive(Debug, Default)]
struct Written {
    /// When one was written last, and how many were left out since.
    last: HashMap<(IpAddr, String), (Instant, u64)>,
    /// In all, since when.
    window: Option<(Instant, u32)>,
}

impl Refusals {
    /// Whether an attempt is written down, and how many like it were left out before.
    fn admit(&self, address: IpAddr, account: &str, now: Instant) -> Option<u64> {
        let mut written = self.0.lock();
        let key = (crate::auth::guard::network(address), account.to_owned());
        let left_out = match written.last.get_mut(&key) {
            Some((at, left_out)) if now.duration_since(*at) < MINUTE => {
                *left_out += 1;
                return None;
            }
            Some((_, left_out)) => *left_out,
            None => 0,
        };
        let (since, count) = match written.window {
            Some((since, count)) if now.duration_since(since) < MINUTE => (since, count),
            _ => (now, 0),
        };
        if count >= REFUSALS_A_MINUTE {
            return None;
        }
        if written.last.len() >= CAPACITY {
            // As many as are written in a minute stay, no more.
            written
                .last
                .retain(|_, (at, _)| now.duration_since(*at) < MINUTE);
        }
        written.window = Some((since, count + 1));
        written.last.insert(key, (now, 0));
        Some(left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_a_minute_for_one_address_and_account_and_few_in_all() {
        let refusals = Refusals::default();
        let begin = Instant::now();
        let one = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(refusals.admit(one, "a", begin), Some(0));
        for _ in 0..5 {
            assert_eq!(refusals.admit(one, "a", begin), None);
        }
        assert_eq!(refusals.admit(one, "b", begin), Some(0));
        let written = (0..10_000_u32)
            .filter_map(|n| refusals.admit(IpAddr::from(n.to_be_bytes()), "a", begin))
            .count();
        assert_eq!(written, REFUSALS_A_MINUTE as usize - 2);
        assert!(refusals.0.lock().last.len() <= CAPACITY);
        assert_eq!(refusals.admit(one, "a", begin + MINUTE), Some(5));
    }

    #[test]
    fn names_are_kept_short_and_plain() {
        assert_eq!(shown("a\u{1b}b"), "a\u{fffd}b");
        assert_eq!(shown(&"ä".repeat(1000)).chars().count(), 254);
    }
}
