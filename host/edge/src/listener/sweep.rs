//! Judges connections by their counters, once a second: one pass over all of them instead of
//! timers in each, so that time limits cost the request path nothing. Limits are therefore kept to
//! within a second.

use super::connection::Conn;
use crate::Settings;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// A peer that takes fewer bytes than this within the stall limit counts as not reading at all.
const LEAST_PROGRESS: u64 = 1024;

/// How long a connection may lie idle while others wait to be accepted.
const IDLE_WHEN_CROWDED: Duration = Duration::from_secs(1);

/// How long a supervisor's connection may lie idle, whether others wait or not: longer than its pool keeps
/// one, so that it is never closed under a request that is just being sent.
const IDLE_TRUNK: Duration = Duration::from_secs(120);

/// How much longer a supervisor may take nothing. It judges its visitors itself, and one that reads slowly
/// may fill what lies between the two machines for minutes.
const PATIENCE_WITH_TRUNKS: u32 = 10;

/// What the last look found.
pub(super) struct Seen {
    state: State,
    requests: u64,
    /// Since when the socket takes no more, and the bytes written until then.
    blocked: Option<(Instant, u64)>,
}

#[derive(Clone, Copy)]
enum State {
    /// A request's head is arriving, since.
    Head(Instant),
    /// Requests are under way.
    Busy,
    /// Nothing has come since the last request, with so many bytes read by then.
    Idle(Instant, u64),
}

impl Seen {
    /// A new connection: its first head is due.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            state: State::Head(now),
            requests: 0,
            blocked: None,
        }
    }

    /// Compares a connection with what was seen last, and ends it if its peer takes too long.
    pub(super) fn look(&mut self, conn: &Conn, settings: &Settings, crowded: bool, now: Instant) {
        let trunk = conn.trunk.load(Relaxed);
        let patience = if trunk { PATIENCE_WITH_TRUNKS } else { 1 };
        if self.writing_stalls(conn, settings.stall_timeout * patience, now) {
            return conn.cut();
        }
        self.state = self.next_state(conn, now);
        match self.state {
            State::Head(since) if now - since > settings.head_timeout => conn.cut(),
            State::Idle(since, _) => {
                let limit = match (trunk, crowded) {
                    (true, _) => IDLE_TRUNK,
                    (false, true) => IDLE_WHEN_CROWDED.min(settings.idle_timeout),
                    (false, false) => settings.idle_timeout,
                };
                if now - since > limit {
                    conn.finish();
                }
            }
            State::Head(_) | State::Busy => {}
        }
    }

    fn next_state(&mut self, conn: &Conn, now: Instant) -> State {
        let requests = conn.requests.load(Relaxed);
        let read = conn.read.load(Relaxed);
        let moved_on = std::mem::replace(&mut self.requests, requests) != requests;
        if conn.in_flight.load(Relaxed) > 0 {
            return State::Busy;
        }
        match self.state {
            _ if moved_on => State::Idle(now, read),
            State::Busy => State::Idle(now, read),
            // On HTTP/2 bytes need not be a head: pings and window updates come between requests.
            State::Idle(_, before) if before != read && !conn.multiplexed.load(Relaxed) => {
                State::Head(now)
            }
            state => state,
        }
    }

    fn writing_stalls(&mut self, conn: &Conn, limit: Duration, now: Instant) -> bool {
        if !conn.write_blocked.load(Relaxed) {
            self.blocked = None;
            return false;
        }
        let written = conn.written.load(Relaxed);
        match self.blocked {
            Some((since, before)) if written < before + LEAST_PROGRESS => now - since > limit,
            _ => {
                self.blocked = Some((now, written));
                false
            }
        }
    }
}
