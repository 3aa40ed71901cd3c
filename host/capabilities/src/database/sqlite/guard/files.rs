//! SQLite's temporary files (of sorts, of intermediate results), counted by connection: SQLite's own way to
//! files, but for their writes.

use super::memory;
use libsqlite3_sys as ffi;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::OnceLock;

/// The name of this way to files.
pub(in crate::database::sqlite) const VFS: &str = "lodge";
const VFS_NAME: &CStr = c"lodge";

type Open = unsafe extern "C" fn(
    *mut ffi::sqlite3_vfs,
    *const c_char,
    *mut ffi::sqlite3_file,
    c_int,
    *mut c_int,
) -> c_int;
type Write =
    unsafe extern "C" fn(*mut ffi::sqlite3_file, *const c_void, c_int, ffi::sqlite3_int64) -> c_int;

/// How SQLite itself opens files.
static OPEN: OnceLock<Open> = OnceLock::new();
/// What SQLite does with a temporary file, with its own write beside.
static TEMPORARY: OnceLock<(Methods, Write)> = OnceLock::new();

struct Methods(ffi::sqlite3_io_methods);

// SAFETY: it is a table of functions that nobody changes; SQLite uses its own from every thread.
unsafe impl Send for Methods {}
// SAFETY: as above.
unsafe impl Sync for Methods {}

/// Makes the way known to SQLite; again, it does nothing.
///
/// # Errors
/// SQLite has no files of its own.
pub(super) fn register() -> Result<(), String> {
    static DONE: OnceLock<bool> = OnceLock::new();
    let is_done = *DONE.get_or_init(|| {
        // SAFETY: null asks for the default, which lives as long as the process, as does the copy: nothing
        // frees it.
        unsafe {
            let Some(own) = ffi::sqlite3_vfs_find(std::ptr::null()).as_ref() else {
                return false;
            };
            let Some(own_open) = own.xOpen else {
                return false;
            };
            OPEN.get_or_init(|| own_open);
            let ours = Box::new(ffi::sqlite3_vfs {
                zName: VFS_NAME.as_ptr(),
                pNext: std::ptr::null_mut(),
                xOpen: Some(open),
                ..*own
            });
            ffi::sqlite3_vfs_register(Box::into_raw(ours), 0) == ffi::SQLITE_OK
        }
    });
    if is_done {
        Ok(())
    } else {
        Err("SQLite has no files of its own to build upon".into())
    }
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    const KINDS: c_int = ffi::SQLITE_OPEN_TEMP_DB
        | ffi::SQLITE_OPEN_TRANSIENT_DB
        | ffi::SQLITE_OPEN_TEMP_JOURNAL
        | ffi::SQLITE_OPEN_SUBJOURNAL;
    let Some(own_open) = OPEN.get() else {
        return ffi::SQLITE_CANTOPEN;
    };
    // SAFETY: it is SQLite's own function, with what SQLite called this one with.
    let status = unsafe { own_open(vfs, name, file, flags, out_flags) };
    if status != ffi::SQLITE_OK || flags & KINDS == 0 {
        return status;
    }
    // SAFETY: a file that was opened has its table of methods, which lives as long as the process. All
    // temporary files have the same: none is locked.
    unsafe {
        if let Some(methods) = (*file).pMethods.as_ref()
            && let Some(own_write) = methods.xWrite
        {
            let (temporary, _) = TEMPORARY.get_or_init(|| {
                let ours = ffi::sqlite3_io_methods {
                    xWrite: Some(write),
                    ..*methods
                };
                (Methods(ours), own_write)
            });
            (*file).pMethods = &raw const temporary.0;
        }
    }
    status
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    length: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    let count = u64::try_from(length).unwrap_or(0);
    if memory::watch().is_some_and(|watch| !watch.spill(count)) {
        return ffi::SQLITE_FULL;
    }
    let Some((_, own_write)) = TEMPORARY.get() else {
        return ffi::SQLITE_IOERR;
    };
    // SAFETY: it is SQLite's own function for this file, with what SQLite called this one with.
    unsafe { own_write(file, bytes, length, at) }
}
