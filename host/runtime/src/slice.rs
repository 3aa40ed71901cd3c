//! The kernel's time slices of the host's own threads.
//!
//! A guest's turn lasts a millisecond, yet on a busy core the kernel lets a thread go on until its slice is over, which it
//! looks at only every few milliseconds, before another runs that has become ready meanwhile: the clock that is to
//! end the turn, or the thread that has a visitor's request to read. Since Linux 6.12 a thread may ask for a shorter
//! slice, which needs no rights, and takes the core at once from one with a longer one. Older kernels take no notice.

use std::time::Duration;

/// Of a thread that must run on time, and is done in microseconds.
pub(crate) const PUNCTUAL: Duration = Duration::from_micros(100);

/// Of a thread that serves connections and runs guests.
const SERVING: Duration = Duration::from_micros(500);

/// `sched_attr` of sched_setattr(2), as far as every kernel has it.
#[repr(C)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    /// The slice, in nanoseconds, where the policy is the usual one.
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// Has this thread's time slices as short as one that serves connections needs them. To be called on each when it
/// starts; a thread that an administrator gave another policy keeps it.
pub fn serve_in_short_slices() {
    set(SERVING);
}

pub(crate) fn set(slice: Duration) {
    let Ok(nice) = rustix::process::getpriority_process(None) else {
        return;
    };
    let attributes = Attributes {
        size: size_of::<Attributes>() as u32,
        policy: libc::SCHED_OTHER as u32,
        // What this thread begins, SQLite's threads and compiles, has the usual slices.
        flags: libc::SCHED_FLAG_RESET_ON_FORK as u64,
        nice,
        priority: 0,
        runtime: u64::try_from(slice.as_nanos()).unwrap_or(u64::MAX),
        deadline: 0,
        period: 0,
    };
    #[expect(unsafe_code, reason = "the system call has no safe wrapper")]
    // SAFETY: both calls are about this thread; the second reads as many bytes as `size` says, which are there.
    unsafe {
        if libc::sched_getscheduler(0) == libc::SCHED_OTHER {
            // Refused or unknown: slices stay as they are.
            let _ = libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This thread's slice, in nanoseconds. Kernels before 6.12 have none of a thread's own.
    fn slice_now() -> Option<u64> {
        let sched = std::fs::read_to_string("/proc/thread-self/sched").ok()?;
        let told = sched.lines().find(|line| line.starts_with("se.slice"))?;
        told.rsplit(' ').next()?.parse().ok()
    }

    #[test]
    fn a_thread_has_the_slice_it_asks_for_and_keeps_its_priority() {
        let thread = std::thread::spawn(|| {
            rustix::process::nice(3).unwrap();
            let usual = slice_now();
            set(PUNCTUAL);
            assert_eq!(rustix::process::getpriority_process(None).unwrap(), 3);
            let begun_by_it = std::thread::spawn(slice_now).join().unwrap();
            (usual, slice_now(), begun_by_it)
        });
        let (usual, asked, begun_by_it) = thread.join().unwrap();
        if usual.is_some() {
            assert_eq!(asked, Some(100_000));
            assert_eq!(begun_by_it, usual);
        }
    }
}
