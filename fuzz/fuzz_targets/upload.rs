//! The check of an uploaded component's bytes. In the host it runs in a child process; here the very file
//! is compiled into the target, so that it needs no Wasmtime.
//!
//! The names that the host offers stand in the file that links them; of those a few are enough here.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../host/runtime/src/inspect.rs"]
#[allow(dead_code, unreachable_pub)]
mod inspect;

mod linker {
    pub(crate) const OFFERED: &[(&str, &str, &[&str])] = &[
        ("wasi:http", "0.2", &["types", "outgoing-handler"]),
        ("wasi:http", "0.3", &["types", "client"]),
        ("wasi:io", "0.2", &["error", "poll", "streams"]),
        ("wasi:config", "0.2.0-rc.1", &["store"]),
    ];
}

/// A refusal's text says what the bytes are, names what is unknown, and may quote all of those names twice.
const MOST_TEXT: usize = 2048;

fuzz_target!(|data: &[u8]| {
    match inspect::inspect(data) {
        Ok(found) => {
            let again = inspect::inspect(data).expect("the same bytes are the same component");
            assert_eq!(found, again);
            let json = serde_json::to_vec(&found).expect("it has a JSON form");
            let read: lodge_model::Inspection =
                serde_json::from_slice(&json).expect("it reads back");
            assert_eq!(found, read);
            let named = found
                .exports
                .iter()
                .any(|name| name.starts_with("wasi:http/"));
            assert!(named, "{found:?} answers no HTTP");
        }
        Err(refused) => {
            assert!(!refused.code.is_empty() && !refused.message.is_empty());
            assert!(
                refused.message.len() <= MOST_TEXT + 2 * data.len(),
                "{}",
                refused.message.len()
            );
        }
    }
});
