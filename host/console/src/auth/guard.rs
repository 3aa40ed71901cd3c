//! Slows down who guesses passwords: a bounded number of attempts per address and per account.
//!
//! An attempt is charged before its password is checked and refunded when it was right, so that
//! attempts made at the same time count too. Both tables are bounded; a full one forgets the entry
//! with the fewest attempts, so that filling it with names or addresses does not clear the counter
//! of one that is under attack. Everything is forgotten on a restart, which an attacker cannot
//! cause.

use lodge_model::Invalid;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Entries a table holds.
const CAPACITY: usize = 4096;

/// How many attempts are free, and for how long one counts.
#[derive(Debug, Clone, Copy)]
pub struct LoginLimits {
    /// Wrong attempts from one address within the window.
    pub per_address: u32,
    /// Wrong attempts on one account within the window, from all addresses.
    pub per_account: u32,
    /// The window, from the first attempt on.
    pub window: Duration,
}

impl Default for LoginLimits {
    fn default() -> Self {
        Self {
            per_address: 10,
            per_account: 30,
            window: Duration::from_secs(300),
        }
    }
}

impl LoginLimits {
    /// Checks that some attempt is possible.
    ///
    /// # Errors
    /// The field that is zero.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.per_address == 0 || self.per_account == 0 {
            return Err(Invalid::new(
                "login_limits",
                "must allow at least one attempt",
            ));
        }
        Ok(())
    }
}

/// Counts login attempts.
#[derive(Debug)]
pub(crate) struct LoginGuard {
    limits: LoginLimits,
    addresses: Mutex<Table<IpAddr>>,
    accounts: Mutex<Table<String>>,
}

impl LoginGuard {
    pub(crate) fn new(limits: LoginLimits) -> Self {
        Self {
            limits,
            addresses: Mutex::default(),
            accounts: Mutex::default(),
        }
    }

    /// Charges one attempt.
    ///
    /// # Errors
    /// After how long the next one is possible.
    pub(crate) fn charge(&self, address: IpAddr, account: &str) -> Result<(), Duration> {
        let now = Instant::now();
        let LoginLimits {
            per_address,
            per_account,
            window,
        } = self.limits;
        let address = network(address);
        self.addresses
            .lock()
            .charge(address, per_address, window, now)?;
        let charged = self
            .accounts
            .lock()
            .charge(account.to_owned(), per_account, window, now);
        if charged.is_err() {
            self.addresses.lock().refund(&address);
        }
        charged
    }

    /// Takes an attempt back that was right, and forgets the account's wrong ones.
    pub(crate) fn succeeded(&self, address: IpAddr, account: &str) {
        self.addresses.lock().refund(&network(address));
        self.accounts.lock().entries.remove(account);
    }
}

/// An IPv6 customer has a /64 at least: its addresses count as one.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    attempts: u32,
    since: Instant,
}

#[derive(Debug)]
struct Table<K> {
    entries: HashMap<K, Entry>,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
        }
    }
}

impl<K: Eq + Hash + Clone> Table<K> {
    fn charge(
        &mut self,
        key: K,
        limit: u32,
        window: Duration,
        now: Instant,
    ) -> Result<(), Duration> {
        if !self.entries.contains_key(&key) {
            self.make_room(window, now);
        }
        let entry = self.entries.entry(key).or_insert(Entry {
            attempts: 0,
            since: now,
        });
        let age = now.saturating_duration_since(entry.since);
        if age >= window {
            *entry = Entry {
                attempts: 0,
                since: now,
            };
        } else if entry.attempts >= limit {
            return Err(window.saturating_sub(age));
        }
        entry.attempts += 1;
        Ok(())
    }

    fn refund(&mut self, key: &K) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.attempts = entry.attempts.saturating_sub(1);
            if entry.attempts == 0 {
                self.entries.remove(key);
            }
        }
    }

    fn make_room(&mut self, window: Duration, now: Instant) {
        if self.entries.len() < CAPACITY {
            return;
        }
        self.entries
            .retain(|_, entry| now.saturating_duration_since(entry.since) < window);
        if self.entries.len() < CAPACITY {
            return;
        }
        let least = self
            .entries
            .iter()
            .min_by_key(|(_, entry)| (entry.attempts, entry.since));
        if let Some(key) = least.map(|(key, _)| key.clone()) {
            self.entries.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(per_address: u32, per_account: u32) -> LoginGuard {
        LoginGuard::new(LoginLimits {
            per_address,
            per_account,
            window: Duration::from_secs(60),
        })
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn attempts_per_address_are_bounded() {
        let guard = guard(3, 100);
        for account in ["a", "b", "c"] {
            guard.charge(address(1), account).unwrap();
        }
        let wait = guard.charge(address(1), "d").unwrap_err();
        assert!(wait > Duration::from_secs(50) && wait <= Duration::from_secs(60));
        guard.charge(address(2), "d").unwrap();
    }

    #[test]
    fn attempts_per_account_are_bounded_over_all_addresses() {
        let guard = guard(100, 3);
        for last in 0..3 {
            guard.charge(address(last), "root").unwrap();
        }
        assert!(guard.charge(address(9), "root").is_err());
        guard.charge(address(9), "other").unwrap();
    }

    #[test]
    fn a_right_password_costs_nothing() {
        let guard = guard(2, 2);
        for _ in 0..10 {
            guard.charge(address(1), "root").unwrap();
            guard.succeeded(address(1), "root");
        }
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        let guard = guard(1, 100);
        guard.charge("2001:db8::1".parse().unwrap(), "a").unwrap();
        assert!(guard.charge("2001:db8::2".parse().unwrap(), "b").is_err());
        guard
            .charge("2001:db8:0:1::1".parse().unwrap(), "c")
            .unwrap();
    }

    #[test]
    fn a_full_table_forgets_the_least_grave_entry() {
        let guard = guard(u32::MAX, 3);
        for _ in 0..3 {
            guard.charge(address(1), "root").unwrap();
        }
        for index in 0..CAPACITY * 2 {
            guard
                .charge(address(1), &format!("made-up-{index}"))
                .unwrap();
        }
        assert_eq!(guard.accounts.lock().entries.len(), CAPACITY);
        assert!(
            guard.charge(address(1), "root").is_err(),
            "the flood cleared root's counter"
        );
    }
}
