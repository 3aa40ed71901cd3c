//! Request IDs: unique within a process, unguessable in sequence, and nearly free.
//!
//! Each thread takes numbers from a shared counter in blocks, and a number becomes an ID through a
//! mixing function that maps 64 bits onto 64 bits one to one, keyed by the process's start. They
//! identify, they do not authorize: nothing secret may hang on one.

use lodge_model::RequestId;
use std::cell::Cell;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const BLOCK: u64 = 1 << 12;

static NEXT_BLOCK: AtomicU64 = AtomicU64::new(0);

static KEY: LazyLock<u64> = LazyLock::new(|| {
    getrandom::u64().unwrap_or_else(|_| {
        // Without the system's randomness, IDs only become guessable: that harms nobody.
        let since_epoch = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        since_epoch.as_nanos() as u64
    })
});

thread_local! {
    /// The next number of this thread's block.
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

/// A fresh ID.
pub(crate) fn next() -> RequestId {
    let number = NEXT.with(|next| {
        let mut number = next.get();
        if number.is_multiple_of(BLOCK) {
            number = NEXT_BLOCK.fetch_add(1, Relaxed) * BLOCK + 1;
        }
        next.set(number + 1);
        number
    });
    RequestId(mix(number.wrapping_add(*KEY)))
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): one to one.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_of_several_threads_never_meet() {
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..20_000).map(|_| next().0).collect::<Vec<_>>()))
            .collect();
        let ids: Vec<u64> = threads
            .into_iter()
            .flat_map(|t| t.join().unwrap())
            .collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    }
}
