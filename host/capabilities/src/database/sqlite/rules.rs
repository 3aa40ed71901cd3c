//! What a statement may touch: SQLite asks of each action when it prepares one (the authorizer,
//! [`super::guard`]).

use libsqlite3_sys as ffi;
use std::ffi::c_int;

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

/// Why an action is refused; nothing if it is not.
pub(super) fn refusal(action: c_int, first: &str, second: &str) -> Option<String> {
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
        // Every name of the patch is looked for among all names of the document.
        ffi::SQLITE_FUNCTION if matches!(second, "json_patch" | "jsonb_patch") => Some(format!(
            "{second}(): this function is not for apps, since its time can grow with the square of its arguments: \
             use json_set and json_remove"
        )),
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
