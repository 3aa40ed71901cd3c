//! Keeps a connection's statements in their room: SQLite's authorizer ([`super::rules`]), its limits, its
//! defensive mode, functions in place of some of its own ([`super::functions`]), a bound to the memory
//! that its thread takes ([`memory`]) and one to its temporary files ([`files`]). The one place outside the
//! runtime with `unsafe`: sqlx offers none of these.

mod files;
mod memory;

use super::functions::{self, Answer, Argument, Bounds, Failure, Function};
use super::rules;
use super::watch::Watch;
pub(super) use files::VFS;
use libsqlite3_sys as ffi;
pub(super) use memory::count_this_thread;
use sqlx::sqlite::LockedSqliteHandle;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::sync::Arc;

/// Bounds the memory and the temporary files of connections to come, once for the process.
///
/// # Errors
/// SQLite was in use already.
pub(in crate::database) fn prepare() -> Result<(), String> {
    memory::bound()?;
    files::register()
}

/// Columns of a table or a result, each of which may have a value of `limits.result_bytes`.
const COLUMNS: c_int = 200;

/// Sets a connection's bounds. `watch` must live as long as the connection: the caller keeps it in the
/// connection's progress handler too.
///
/// # Errors
/// SQLite refuses its defensive mode, or a function.
pub(super) fn install(
    handle: &mut LockedSqliteHandle<'_>,
    watch: &Arc<Watch>,
    value_bytes: u64,
) -> Result<(), String> {
    let db = handle.as_raw_handle().as_ptr();
    let limits = [
        (
            ffi::SQLITE_LIMIT_LENGTH,
            c_int::try_from(value_bytes).unwrap_or(c_int::MAX),
        ),
        (ffi::SQLITE_LIMIT_SQL_LENGTH, 1 << 20),
        (ffi::SQLITE_LIMIT_COLUMN, COLUMNS),
        (ffi::SQLITE_LIMIT_EXPR_DEPTH, 200),
        (ffi::SQLITE_LIMIT_COMPOUND_SELECT, 100),
        (ffi::SQLITE_LIMIT_VDBE_OP, 1 << 20),
        (ffi::SQLITE_LIMIT_FUNCTION_ARG, 100),
        (ffi::SQLITE_LIMIT_ATTACHED, 0),
        (ffi::SQLITE_LIMIT_TRIGGER_DEPTH, 50),
        (ffi::SQLITE_LIMIT_WORKER_THREADS, 0),
    ];
    for (limit, value) in limits {
        // SAFETY: `db` is an open connection, and locked: its worker thread waits.
        unsafe { ffi::sqlite3_limit(db, limit, value) };
    }
    // SAFETY: as above; this option takes an int and a pointer that may be null.
    let status = unsafe {
        ffi::sqlite3_db_config(
            db,
            ffi::SQLITE_DBCONFIG_DEFENSIVE,
            1 as c_int,
            null_mut::<c_int>(),
        )
    };
    if status != ffi::SQLITE_OK {
        return Err(format!("SQLite refuses its defensive mode ({status})"));
    }
    for (name, count, function) in functions::ALL {
        let bound = Box::new(Bound {
            function,
            bounds: Bounds {
                watch: watch.clone(),
                value_bytes,
            },
        });
        // SAFETY: as above; `name` ends with 0, and `bound` is of the type that `call` and `forget` cast
        // it back to. SQLite calls `forget` with it once, also if this fails.
        let status = unsafe {
            ffi::sqlite3_create_function_v2(
                db,
                name.as_ptr(),
                count,
                ffi::SQLITE_UTF8 | ffi::SQLITE_DETERMINISTIC | ffi::SQLITE_INNOCUOUS,
                Box::into_raw(bound).cast(),
                Some(call),
                None,
                None,
                Some(forget),
            )
        };
        if status != ffi::SQLITE_OK {
            return Err(format!(
                "SQLite refuses a function of the host's ({status})"
            ));
        }
    }
    let watch = Arc::as_ptr(watch).cast_mut().cast::<c_void>();
    // SAFETY: as above; `authorize` casts the pointer back to a `Watch`, which the caller keeps alive
    // as long as the connection.
    unsafe { ffi::sqlite3_set_authorizer(db, Some(authorize), watch) };
    let events = (ffi::SQLITE_TRACE_STMT | ffi::SQLITE_TRACE_ROW) as _;
    // SAFETY: as above, for `traced`.
    unsafe { ffi::sqlite3_trace_v2(db, events, Some(traced), watch) };
    Ok(())
}

/// Called by SQLite for every action of a statement that is being prepared.
unsafe extern "C" fn authorize(
    watch: *mut c_void,
    action: c_int,
    first: *const c_char,
    second: *const c_char,
    _database: *const c_char,
    _trigger: *const c_char,
) -> c_int {
    // SAFETY: it is the pointer that `install` gave, to a `Watch` that lives.
    let watch = unsafe { &*watch.cast::<Watch>() };
    if watch.is_hosts() {
        return ffi::SQLITE_OK;
    }
    let text = |pointer: *const c_char| {
        if pointer.is_null() {
            return String::new();
        }
        // SAFETY: SQLite gives null or a string that ends with 0 and outlives this call.
        let text = unsafe { CStr::from_ptr(pointer) };
        text.to_string_lossy().to_lowercase()
    };
    match rules::refusal(action, &text(first), &text(second)) {
        None => ffi::SQLITE_OK,
        Some(why) => {
            watch.refuse(why);
            ffi::SQLITE_DENY
        }
    }
}

/// Called by SQLite when a statement begins to run, and for every row of a result before sqlx copies it.
unsafe extern "C" fn traced(
    event: c_uint,
    watch: *mut c_void,
    statement: *mut c_void,
    _: *mut c_void,
) -> c_int {
    // SAFETY: it is the pointer that `install` gave, to a `Watch` that lives.
    let watch = unsafe { &*watch.cast::<Watch>() };
    if event == ffi::SQLITE_TRACE_ROW as c_uint {
        watch.reads_ahead(statement.addr());
    } else {
        watch.runs(statement.addr());
    }
    0
}

/// A function of the host's, as SQLite keeps it for a connection.
struct Bound {
    function: Function,
    bounds: Bounds,
}

/// Called by SQLite when a function goes, with its connection.
unsafe extern "C" fn forget(bound: *mut c_void) {
    // SAFETY: it is the box that `install` gave away, and this is the one call.
    drop(unsafe { Box::from_raw(bound.cast::<Bound>()) });
}

/// Called by SQLite for each use of a function of the host's.
unsafe extern "C" fn call(
    context: *mut ffi::sqlite3_context,
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
) {
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: `context` is SQLite's own and carries what `install` gave; `values` are as many as `count`
    // says, and live until this returns.
    let (bound, values) = unsafe {
        let bound = ffi::sqlite3_user_data(context).cast::<Bound>();
        (&*bound, std::slice::from_raw_parts(values, count))
    };
    let arguments: Vec<_> = values
        .iter()
        // SAFETY: each is a value of this call.
        .map(|value| unsafe { argument(*value) })
        .collect();
    // A panic must not run into SQLite's frames.
    let work = AssertUnwindSafe(|| (bound.function)(&arguments, &bound.bounds));
    let done = catch_unwind(work).unwrap_or(Err(Failure::Text("the function failed")));
    // SAFETY: SQLite copies what it is given (TRANSIENT) before these return; lengths are those of slices.
    unsafe {
        match done {
            Ok(Answer::Null) => ffi::sqlite3_result_null(context),
            Ok(Answer::Int(value)) => ffi::sqlite3_result_int64(context, value),
            Ok(Answer::Text(text)) => ffi::sqlite3_result_text64(
                context,
                text.as_ptr().cast(),
                text.len() as u64,
                ffi::SQLITE_TRANSIENT(),
                ffi::SQLITE_UTF8 as u8,
            ),
            Ok(Answer::Blob(blob)) => ffi::sqlite3_result_blob64(
                context,
                blob.as_ptr().cast(),
                blob.len() as u64,
                ffi::SQLITE_TRANSIENT(),
            ),
            Err(Failure::TooBig) => ffi::sqlite3_result_error_toobig(context),
            Err(Failure::Ended) => {
                ffi::sqlite3_result_error_code(context, ffi::SQLITE_INTERRUPT);
            }
            Err(Failure::Text(why)) => ffi::sqlite3_result_error(
                context,
                why.as_ptr().cast(),
                c_int::try_from(why.len()).unwrap_or(0),
            ),
        }
    }
}

/// A value's bytes; those of a number are its text. None: it is null, or there was no memory for its text.
///
/// # Safety
/// `value` is an argument of the function that SQLite calls now; what this gives must not outlive that call.
unsafe fn argument<'a>(value: *mut ffi::sqlite3_value) -> Option<Argument<'a>> {
    // SAFETY: the caller's promise. Each value is read here only, so no later reading moves its bytes.
    unsafe {
        let kind = ffi::sqlite3_value_type(value);
        if kind == ffi::SQLITE_NULL {
            return None;
        }
        let is_blob = kind == ffi::SQLITE_BLOB;
        let start = if is_blob {
            ffi::sqlite3_value_blob(value).cast::<u8>()
        } else {
            ffi::sqlite3_value_text(value)
        };
        let length = usize::try_from(ffi::sqlite3_value_bytes(value)).unwrap_or(0);
        let bytes = match (start.is_null(), length) {
            // An empty blob has no address.
            (_, 0) => &[],
            (true, _) => return None,
            (false, length) => std::slice::from_raw_parts(start, length),
        };
        Some(Argument { bytes, is_blob })
    }
}
