//! Which counters of one sender have been seen: a ring of blocks of 24, without a lock.
//!
//! Each place of the ring is one word: the number of the block that has it (40 bits) and which of its
//! counters were seen (24 bits). A newer block takes the place of the older one, whose counters count as
//! seen from then on. Since a word changes in one step and its block only grows, no counter is ever
//! admitted twice, however many threads ask at once.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters in a block.
const BLOCK: u64 = 24;

/// Blocks in the ring: with it, 16 KiB for 49,152 counters.
const PLACES: usize = 2048;

/// The first block whose number has no room: after 2.6 × 10¹³ requests.
const TOO_MANY: u64 = 1 << 40;

/// The counters of one sender.
pub(super) struct Window(Box<[AtomicU64]>);

impl Window {
    pub(super) fn new() -> Self {
        Self((0..PLACES).map(|_| AtomicU64::new(0)).collect())
    }

    /// True the first time a counter comes; false if it came before, or may have.
    pub(super) fn admit(&self, counter: u64) -> bool {
        let (block, bit) = (counter / BLOCK, 1 << (counter % BLOCK));
        let place = usize::try_from(block % PLACES as u64).unwrap_or_default();
        let Some(place) = self.0.get(place).filter(|_| block < TOO_MANY) else {
            return false;
        };
        let seen = place.fetch_update(Relaxed, Relaxed, |word| {
            let newest = word >> BLOCK;
            if block > newest {
                return Some((block << BLOCK) | bit);
            }
            (block == newest && word & bit == 0).then_some(word | bit)
        });
        seen.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REACH: u64 = BLOCK * PLACES as u64;

    #[test]
    fn each_counter_counts_once_in_any_order() {
        let window = Window::new();
        for counter in (0..1000).rev().chain(1000..2000) {
            assert!(window.admit(counter), "{counter}");
        }
        for counter in 0..2000 {
            assert!(!window.admit(counter), "{counter}");
        }
    }

    #[test]
    fn what_lies_further_back_than_the_ring_counts_as_seen() {
        let window = Window::new();
        assert!(window.admit(REACH + 1));
        assert!(!window.admit(0) && !window.admit(1));
        assert!(window.admit(BLOCK) && window.admit(REACH));
        assert!(!window.admit(REACH + 1));
    }

    #[test]
    fn a_counter_without_room_is_refused() {
        let window = Window::new();
        assert!(window.admit(TOO_MANY * BLOCK - 1));
        assert!(!window.admit(TOO_MANY * BLOCK) && !window.admit(u64::MAX));
    }

    #[test]
    fn threads_agree_who_was_first() {
        let window = Window::new();
        let admitted: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..40_000).filter(|n| window.admit(*n)).count()))
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(admitted, 40_000);
    }
}
