//! What a guest can import: WASI 0.2 and 0.3, with nothing behind files, sockets, environment and
//! arguments, and what its host gives it ([`crate::host`]).
//!
//! The whole of WASI is linked, since standard libraries import parts of it that their programs
//! never call. [`OFFERED`] says the same by name, for checking components before they are compiled;
//! a test holds the two together.

use crate::engine::Flavor;
use crate::guest::Guest;
use wasmtime::Result;
use wasmtime::component::Linker;

/// What is offered: package, the line of its versions (or, for a draft, the one version), its
/// interfaces.
pub(crate) const OFFERED: &[(&str, &str, &[&str])] = &[
    (
        "lodge:host",
        "0.1",
        &["database", "database-async", "jwt", "sql"],
    ),
    ("wasi:cli", "0.2", CLI),
    ("wasi:cli", "0.3", CLI),
    ("wasi:cli", "0.3", &["types"]),
    ("wasi:clocks", "0.2", &["monotonic-clock", "wall-clock"]),
    (
        "wasi:clocks",
        "0.3",
        &["monotonic-clock", "system-clock", "types"],
    ),
    ("wasi:config", "0.2.0-rc.1", &["store"]),
    ("wasi:filesystem", "0.2", &["types", "preopens"]),
    ("wasi:filesystem", "0.3", &["types", "preopens"]),
    ("wasi:http", "0.2", &["types", "outgoing-handler"]),
    ("wasi:http", "0.3", &["types", "client"]),
    ("wasi:io", "0.2", &["error", "poll", "streams"]),
    (
        "wasi:keyvalue",
        "0.2.0-draft2",
        &["atomics", "batch", "store"],
    ),
    ("wasi:logging", "0.1.0-draft", &["logging"]),
    (
        "wasi:random",
        "0.2",
        &["random", "insecure", "insecure-seed"],
    ),
    (
        "wasi:random",
        "0.3",
        &["random", "insecure", "insecure-seed"],
    ),
    ("wasi:sockets", "0.2", SOCKETS),
    ("wasi:sockets", "0.3", &["types", "ip-name-lookup"]),
];

const CLI: &[&str] = &[
    "environment",
    "exit",
    "stdin",
    "stdout",
    "stderr",
    "terminal-input",
    "terminal-output",
    "terminal-stdin",
    "terminal-stdout",
    "terminal-stderr",
];

const SOCKETS: &[&str] = &[
    "instance-network",
    "ip-name-lookup",
    "network",
    "tcp",
    "tcp-create-socket",
    "udp",
    "udp-create-socket",
];

/// The imports for components of one flavor.
///
/// # Errors
/// Two of the parts define the same name.
pub(crate) fn linker(engine: &wasmtime::Engine, flavor: Flavor) -> Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    crate::host::add_to_linker(&mut linker, flavor)?;
    if flavor == Flavor::Async {
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    }
    Ok(linker)
}
