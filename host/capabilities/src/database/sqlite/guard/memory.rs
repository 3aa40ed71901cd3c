//! SQLite's memory, counted by connection: each has a thread of its own.

use super::Watch;
use libsqlite3_sys as ffi;
use std::alloc::{Layout, alloc, dealloc, realloc};
use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;
use std::sync::{Arc, OnceLock};

thread_local! {
    /// Whose memory SQLite takes on this thread.
    static WATCH: RefCell<Option<Arc<Watch>>> = const { RefCell::new(None) };
}

/// The memory that SQLite takes on the thread that calls this is counted for `watch` from now on, wherever
/// it is given back.
pub(in crate::database::sqlite) fn count_this_thread(watch: &Arc<Watch>) {
    // Not where the thread is about to end.
    let _ = WATCH.try_with(|current| *current.borrow_mut() = Some(watch.clone()));
}

/// Has SQLite ask [`Watch::take_memory`] for its memory: a bound for each connection, which SQLite itself
/// has for the whole process only. To be called before anything else of SQLite's in this process.
///
/// # Errors
/// SQLite was in use already.
pub(super) fn bound() -> Result<(), String> {
    static DONE: OnceLock<c_int> = OnceLock::new();
    let status = *DONE.get_or_init(|| {
        let methods = ffi::sqlite3_mem_methods {
            xMalloc: Some(take),
            xFree: Some(give),
            xRealloc: Some(resize),
            xSize: Some(size),
            xRoundup: Some(round_up),
            xInit: Some(begin),
            xShutdown: Some(end),
            pAppData: null_mut(),
        };
        // SAFETY: the first option takes a pointer to such a table, and copies it; the second an int: SQLite
        // does not count by itself, which takes a lock that all connections share.
        unsafe {
            let status = ffi::sqlite3_config(ffi::SQLITE_CONFIG_MALLOC, &raw const methods);
            ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, 0 as c_int);
            status
        }
    });
    match status {
        ffi::SQLITE_OK => Ok(()),
        status => Err(format!(
            "SQLite was used before its memory was bounded ({status}): \
             lodge_capabilities::database::prepare is to be called first"
        )),
    }
}

/// Stands before each piece of memory; as long as a piece's alignment, so that this keeps it.
#[repr(C, align(16))]
struct Header {
    /// An `Arc`'s, or null.
    watch: *const Watch,
    bytes: usize,
}

/// Header and piece.
fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(
        bytes.checked_add(size_of::<Header>())?,
        align_of::<Header>(),
    )
    .ok()
}

/// Whom this thread works for.
pub(super) fn watch() -> Option<Arc<Watch>> {
    let watch = WATCH.try_with(|watch| watch.borrow().clone());
    watch.ok().flatten()
}

unsafe extern "C" fn take(bytes: c_int) -> *mut c_void {
    let bytes = usize::try_from(bytes).unwrap_or(0);
    let Some(layout) = layout(bytes) else {
        return null_mut();
    };
    let watch = watch();
    if watch
        .as_ref()
        .is_some_and(|watch| !watch.take_memory(bytes as u64))
    {
        return null_mut();
    }
    // SAFETY: a header's size is not 0.
    let start = unsafe { alloc(layout) }.cast::<Header>();
    if start.is_null() {
        if let Some(watch) = watch {
            watch.give_memory(bytes as u64);
        }
        return null_mut();
    }
    let watch = watch.map_or(std::ptr::null(), Arc::into_raw);
    // SAFETY: the layout has room for a header, aligned as one, and then for the piece.
    unsafe {
        start.write(Header { watch, bytes });
        start.add(1).cast()
    }
}

unsafe extern "C" fn give(piece: *mut c_void) {
    if piece.is_null() {
        return;
    }
    // SAFETY: SQLite gives what `take` or `resize` gave it, once; the header before it has the `Arc` that
    // `take` let go, and the size that its layout was made of.
    unsafe {
        let start = piece.cast::<Header>().sub(1);
        let Header { watch, bytes } = start.read();
        if !watch.is_null() {
            Arc::from_raw(watch).give_memory(bytes as u64);
        }
        if let Some(layout) = layout(bytes) {
            dealloc(start.cast(), layout);
        }
    }
}

unsafe extern "C" fn resize(piece: *mut c_void, bytes: c_int) -> *mut c_void {
    let bytes = usize::try_from(bytes).unwrap_or(0);
    // SAFETY: as in `give`, but the header stays, and the `Arc` in it.
    unsafe {
        let start = piece.cast::<Header>().sub(1);
        let before = (*start).bytes;
        let watch = (*start).watch.as_ref();
        let (Some(old), Some(new)) = (layout(before), layout(bytes)) else {
            return null_mut();
        };
        let more = bytes.saturating_sub(before) as u64;
        if watch.is_some_and(|watch| more > 0 && !watch.take_memory(more)) {
            return null_mut();
        }
        let moved = realloc(start.cast(), old, new.size()).cast::<Header>();
        let less = if moved.is_null() {
            more
        } else {
            (*moved).bytes = bytes;
            before.saturating_sub(bytes) as u64
        };
        if let Some(watch) = watch {
            watch.give_memory(less);
        }
        if moved.is_null() {
            return null_mut();
        }
        moved.add(1).cast()
    }
}

unsafe extern "C" fn size(piece: *mut c_void) -> c_int {
    if piece.is_null() {
        return 0;
    }
    // SAFETY: as in `give`; it is only read.
    let bytes = unsafe { (*piece.cast::<Header>().sub(1)).bytes };
    c_int::try_from(bytes).unwrap_or(c_int::MAX)
}

unsafe extern "C" fn round_up(bytes: c_int) -> c_int {
    bytes.saturating_add(7) & !7
}

unsafe extern "C" fn begin(_: *mut c_void) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn end(_: *mut c_void) {}
