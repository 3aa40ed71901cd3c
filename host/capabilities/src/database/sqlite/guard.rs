//! Keeps a connection's statements in their room: SQLite's authorizer, its limits and its defensive
//! mode. The one place outside the runtime with `unsafe`: sqlx offers none of these.

use super::watch::Watch;
use libsqlite3_sys as ffi;
use sqlx::sqlite::LockedSqliteHandle;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Arc;

/// Pragmas that only tell, or change nothing but the app's own database.
const PRAGMAS: [&str; 16] = [
    "application_id",
    "collation_list",
    "compile_options",
    "data_version",
    "defer_foreign_keys",
    "encoding",
    "foreign_key_check",
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Sets a connection's bounds. `watch` must live as long as the connection: the caller keeps it in the
/// connection's progress handler too.
///
/// # Errors
/// SQLite refuses its defensive mode.
pub(super) fn install(
    handle: &mut LockedSqliteHandle<'_>,
    watch: &Arc<Watch>,
    value_bytes: u64,
) -> Result<(), String> {
    let db = handle.as_raw_handle().as_ptr();
    let value_bytes = c_int::try_from(value_bytes).unwrap_or(c_int::MAX);
    let limits = [
        (ffi::SQLITE_LIMIT_LENGTH, value_bytes),
        (ffi::SQLITE_LIMIT_SQL_LENGTH, 1 << 20),
        (ffi::SQLITE_LIMIT_EXPR_DEPTH, 200),
        (ffi::SQLITE_LIMIT_COMPOUND_SELECT, 100),
        (ffi::SQLITE_LIMIT_VDBE_OP, 1 << 20),
        (ffi::SQLITE_LIMIT_FUNCTION_ARG, 100),
        (ffi::SQLITE_LIMIT_ATTACHED, 0),
        (ffi::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
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
            std::ptr::null_mut::<c_int>(),
        )
    };
    if status != ffi::SQLITE_OK {
        return Err(format!("SQLite refuses its defensive mode ({status})"));
    }
    let watch = Arc::as_ptr(watch).cast_mut().cast::<c_void>();
    // SAFETY: as above; `authorize` casts the pointer back to a `Watch`, which the caller keeps alive
    // as long as the connection.
    unsafe { ffi::sqlite3_set_authorizer(db, Some(authorize), watch) };
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
    match refusal(action, &text(first), &text(second)) {
        None => ffi::SQLITE_OK,
        Some(why) => {
            watch.refuse(why);
            ffi::SQLITE_DENY
        }
    }
}

/// Why an action is refused; nothing if it is not.
fn refusal(action: c_int, first: &str, second: &str) -> Option<String> {
    match action {
        ffi::SQLITE_ATTACH => Some("ATTACH: an app has its own database only".into()),
        ffi::SQLITE_DETACH => Some("DETACH: an app has its own database only".into()),
        ffi::SQLITE_TRANSACTION | ffi::SQLITE_SAVEPOINT => Some(
            "transactions are the host's to begin and end: use `begin` of the data source".into(),
        ),
        ffi::SQLITE_PRAGMA => {
            let writes = !second.is_empty();
            let allowed = match first {
                "user_version" => true,
                // These take a table's or an index's name.
                name if PRAGMAS.contains(&name) => {
                    !writes || !matches!(name, "application_id" | "encoding")
                }
                _ => false,
            };
            (!allowed).then(|| format!("PRAGMA {first}: this pragma is the host's"))
        }
        ffi::SQLITE_FUNCTION if matches!(second, "load_extension" | "fts3_tokenizer" | "edit") => {
            Some(format!("{second}(): this function is not for apps"))
        }
        ffi::SQLITE_CREATE_VTABLE if is_internal(second) => {
            Some(format!("{second}: this virtual table is not for apps"))
        }
        ffi::SQLITE_READ if is_internal(first) => {
            Some(format!("{first}: this table is not for apps"))
        }
        _ => None,
    }
}

/// Tables that show the file's pages.
fn is_internal(name: &str) -> bool {
    matches!(name, "dbstat" | "sqlite_dbpage")
}
