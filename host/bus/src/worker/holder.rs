//! Who has an environment's name: one worker at a time.
//!
//! A key that expires holds the worker's ID, the count of its runs, its boot and how long it has held the
//! name, under a MAC. It is written only over what was read before (compare and set). The rules, none of
//! which compares two machines' clocks:
//!
//! - Nobody has it, or what is there is not genuine: take it.
//! - A worker with the same ID has it, that is, this data directory's: the later run has it, at once.
//! - Another has it: the newcomer is refused. A worker that renewed its hold so lately that it cannot
//!   have expired, and finds another there, meets one that came in when Redis was emptied: who has held
//!   the name longer keeps it. How old what the other wrote is, is told by how long it will still stay.

use crate::envelope::{Envelope, Kind};
use crate::said::Holding;
use crate::wire::Wire;
use lodge_model::{BootId, LinkError, Registration};
use redis::Script;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// The shortest that a name is kept for a worker that does not renew it.
const SHORTEST: Duration = Duration::from_secs(30);
/// How many times the name may change hands while one worker looks.
const ATTEMPTS: usize = 16;

/// Sets the key if it has the value that was read before (empty: none); else answers with what it has,
/// and for how many milliseconds more.
static SET_IF: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local found = redis.call('GET', KEYS[1]) or '' \
         if found == ARGV[1] then \
           if ARGV[2] == '' then redis.call('DEL', KEYS[1]) \
           else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end \
           return false \
         end \
         return {found, redis.call('PTTL', KEYS[1])}",
    )
});

/// A key's value, and how long it stays, in milliseconds.
type Found = (Vec<u8>, i64);

/// What came of wanting a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// This worker has it.
    Held,
    /// This one has it.
    By(BootId, Holding),
}

/// This worker's hold.
#[derive(Default)]
pub(super) struct Holder {
    /// The value that was written last.
    written: Vec<u8>,
    since: Option<Instant>,
    renewed: Option<Instant>,
}

/// How long the name is kept for a worker.
pub(super) fn lifetime(registration: &Registration) -> Duration {
    let misses = Duration::from_millis(registration.heartbeat_ms).saturating_mul(3);
    misses.max(SHORTEST)
}

/// How often the hold is renewed.
pub(super) fn interval(registration: &Registration) -> Duration {
    lifetime(registration) / 3
}

impl Holder {
    /// Takes or renews the name.
    pub(super) async fn hold(
        &mut self,
        desk: &super::Desk,
        wire: &Wire,
    ) -> Result<Hold, LinkError> {
        let name = desk.keys.holder(&desk.registration.environment);
        let own = self.own(desk);
        let mine = self.value(desk, &own);
        let lifetime = lifetime(&desk.registration);
        let mut expected = self.written.clone();
        for _ in 0..ATTEMPTS {
            let mut asked = SET_IF.key(&name);
            asked.arg(&expected).arg(&mine).arg(millis(lifetime));
            let found: Option<Found> = wire.script(&asked).await?;
            let Some((found, remaining)) = found else {
                let now = Instant::now();
                self.written = mine;
                self.since.get_or_insert(now);
                self.renewed = Some(now);
                return Ok(Hold::Held);
            };
            if let Some((boot, mut other)) = read(desk, &found)
                && !self.prevails(desk, &own, boot, other.until_now(remaining))
            {
                return Ok(Hold::By(boot, other));
            }
            expected = found;
        }
        Err(LinkError(
            "the environment's name keeps changing hands".to_owned(),
        ))
    }

    /// Gives the name up, if it is this worker's.
    pub(super) async fn release(&self, desk: &super::Desk, wire: &Wire) -> Result<(), LinkError> {
        let name = desk.keys.holder(&desk.registration.environment);
        let mut asked = SET_IF.key(&name);
        asked.arg(&self.written).arg("").arg(0);
        wire.script::<Option<Found>>(&asked).await.map(|_| ())
    }

    fn own(&self, desk: &super::Desk) -> Holding {
        Holding {
            worker_id: desk.registration.worker_id.clone(),
            run: desk.run,
            held_ms: self.since.map_or(0, |since| millis(since.elapsed())),
            lifetime_ms: millis(lifetime(&desk.registration)),
        }
    }

    fn value(&self, desk: &super::Desk, own: &Holding) -> Vec<u8> {
        let boot = desk.registration.boot;
        let message = Envelope::new(Kind::Holder, boot, 0, &[], own);
        desk.post.write(&desk.registration.environment, &message)
    }

    fn prevails(&self, desk: &super::Desk, own: &Holding, boot: BootId, other: &Holding) -> bool {
        if boot == desk.registration.boot {
            return true;
        }
        if other.worker_id == own.worker_id && other.run != own.run {
            return own.run > other.run;
        }
        let lifetime = lifetime(&desk.registration);
        let still = self.renewed.is_some_and(|at| at.elapsed() < lifetime);
        still && own.held_ms > other.held_ms
    }
}

/// Who has the name by a value; `None`: it is not genuine.
fn read(desk: &super::Desk, value: &[u8]) -> Option<(BootId, Holding)> {
    let message = desk
        .post
        .read(desk.registration.environment.as_str(), value)?;
    let holding = (message.kind == Kind::Holder).then(|| message.read())??;
    Some((message.boot, holding))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
