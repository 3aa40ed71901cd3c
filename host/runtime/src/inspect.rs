//! Reads a component's bytes: is it one that Lodge can run, and what does it say of itself?
//!
//! Runs in a child process (see [`crate::child`]), since the bytes are anybody's. Every refusal
//! says what the bytes are, what was expected and what to do.

use crate::linker::OFFERED;
use lodge_model::{Inspection, Rejection, World};
use std::collections::BTreeMap;
use wasmparser::{Parser, Payload, Validator, WasmFeatures};

/// Components are this large at most, in bytes.
pub(crate) const MAX_COMPONENT_BYTES: u64 = 100 << 20;

const HOW: &str = "Build a component with `cargo build --target wasm32-wasip2`, componentize-js or componentize-py";

/// Checks a component's bytes.
///
/// # Errors
/// What it is instead, and what to do.
pub(crate) fn inspect(bytes: &[u8]) -> Result<Inspection, Rejection> {
    check_kind(bytes)?;
    let uses_async = validate(bytes)?;
    let (imports, exports) = surface(bytes)?;
    check_imports(&imports)?;
    check_exports(&exports)?;
    let world = world(&exports)?;
    let mut inspection = Inspection {
        world,
        uses_async,
        imports,
        exports,
        name: None,
        version: None,
        metadata: BTreeMap::new(),
    };
    read_metadata(bytes, &mut inspection);
    Ok(inspection)
}

fn reject(code: &str, message: impl Into<String>) -> Rejection {
    Rejection {
        code: code.into(),
        message: message.into(),
        unknown_imports: Vec::new(),
    }
}

fn check_kind(bytes: &[u8]) -> Result<(), Rejection> {
    if !bytes.starts_with(b"\0asm") {
        let what = match bytes {
            [] => "an empty file".to_owned(),
            _ if bytes.starts_with(b"\x7fELF") => {
                "an ELF file (native or precompiled code)".to_owned()
            }
            _ if bytes.starts_with(b"\x1f\x8b") => "a gzip archive".to_owned(),
            _ if bytes.starts_with(b"PK") => "a zip archive".to_owned(),
            _ if bytes.starts_with(b"(module") || bytes.starts_with(b"(component") => {
                "WebAssembly in text form".to_owned()
            }
            _ if std::str::from_utf8(bytes.get(..512).unwrap_or(bytes)).is_ok() => {
                "a text file".to_owned()
            }
            _ => "not WebAssembly".to_owned(),
        };
        return Err(reject(
            "not_wasm",
            format!(
                "this is {what}; a binary WebAssembly component was expected. {HOW}, and upload the .wasm file"
            ),
        ));
    }
    if Parser::is_core_wasm(bytes) {
        return Err(reject(
            "core_module",
            format!(
                "this is a core WebAssembly module; a component was expected. {HOW}, or wrap the module with \
                 `wasm-tools component new`"
            ),
        ));
    }
    if !Parser::is_component(bytes) {
        return Err(reject(
            "invalid_component",
            format!(
                "this WebAssembly file has an unknown version; a component was expected. {HOW}"
            ),
        ));
    }
    Ok(())
}

/// Validates; true: it uses the component model's async features.
fn validate(bytes: &[u8]) -> Result<bool, Rejection> {
    // The engines run no threads: what needs them is to be refused here, not when it is compiled.
    let all = WasmFeatures::default().difference(WasmFeatures::THREADS);
    let mut without_async = all;
    without_async.remove(WasmFeatures::CM_ASYNC);
    if Validator::new_with_features(without_async)
        .validate_all(bytes)
        .is_ok()
    {
        return Ok(false);
    }
    match Validator::new_with_features(all).validate_all(bytes) {
        Ok(_) => Ok(true),
        Err(e) if e.message().contains("unexpected end") => Err(reject(
            "truncated",
            format!(
                "this component ends in the middle ({} bytes, and more were announced): upload the whole file again",
                bytes.len()
            ),
        )),
        Err(e) => Err(reject(
            "invalid_component",
            format!(
                "this is not a valid component: {} (at byte {}). It may be damaged, or use a WebAssembly proposal \
                 that this host does not run: build it again with current tools",
                e.message(),
                e.offset()
            ),
        )),
    }
}

/// Names of what the outermost component imports and exports.
fn surface(bytes: &[u8]) -> Result<(Vec<String>, Vec<String>), Rejection> {
    let broken = |e: wasmparser::BinaryReaderError| reject("invalid_component", e.to_string());
    let (mut imports, mut exports, mut depth) = (Vec::new(), Vec::new(), 0_u32);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(broken)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.map_err(broken)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.map_err(broken)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}

fn check_imports(imports: &[String]) -> Result<(), Rejection> {
    let unknown: Vec<String> = imports
        .iter()
        .filter(|name| !is_offered(name))
        .cloned()
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Rejection {
        code: "unknown_imports".into(),
        message: format!(
            "this component imports what Lodge does not offer: {}. Lodge offers WASI 0.2 and 0.3 (cli, clocks, \
             filesystem, http, io, random, sockets), wasi:config/store@0.2.0-rc.1, wasi:keyvalue@0.2.0-draft2 \
             (atomics, batch, store), wasi:logging/logging@0.1.0-draft and lodge:host@0.1 (database, \
             database-async, jwt, sql): remove these imports, or compose the component with one that provides \
             them",
            unknown.join(", ")
        ),
        unknown_imports: unknown,
    })
}

/// Refuses exports of Lodge's that this host would not call: migrations that never ran would show
/// only later.
fn check_exports(exports: &[String]) -> Result<(), Rejection> {
    let calls = |name: &str| name.starts_with("lodge:host/migrations@0.1.");
    let unknown = exports
        .iter()
        .find(|name| name.starts_with("lodge:host/") && !calls(name));
    match unknown {
        None => Ok(()),
        Some(name) => Err(reject(
            "unknown_exports",
            format!(
                "this component exports {name}, which this host does not call; it calls \
                 lodge:host/migrations@0.1: build the component against that version, or without this export"
            ),
        )),
    }
}

/// Whether the host offers `package:name/interface@version`; a patch version is free, as Wasmtime
/// resolves them, but a draft is that draft.
fn is_offered(import: &str) -> bool {
    let Some((path, version)) = import.split_once('@') else {
        return false;
    };
    let Some((package, interface)) = path.split_once('/') else {
        return false;
    };
    OFFERED.iter().any(|(name, line, interfaces)| {
        *name == package
            && match version.strip_prefix(line) {
                Some("") => line.contains('-'),
                Some(patch) => patch.starts_with('.') && !version.contains('-'),
                None => false,
            }
            && interfaces.contains(&interface)
    })
}

fn world(exports: &[String]) -> Result<World, Rejection> {
    let has = |prefix: &str| exports.iter().any(|name| name.starts_with(prefix));
    if has("wasi:http/handler@0.3.") {
        return Ok(World::Http03);
    }
    if has("wasi:http/incoming-handler@0.2.") {
        return Ok(World::Http02);
    }
    let why = if has("wasi:cli/run@") {
        "it is a command (it exports wasi:cli/run), which runs once and answers no requests"
            .to_owned()
    } else if exports.is_empty() {
        "it exports nothing".to_owned()
    } else {
        format!("it exports {}", exports.join(", "))
    };
    Err(reject(
        "no_http_export",
        format!(
            "this component answers no HTTP: {why}. Export wasi:http/incoming-handler@0.2 (world wasi:http/proxy) \
             or wasi:http/handler@0.3 (world wasi:http/service)"
        ),
    ))
}

/// Fills in what the component says of itself. Metadata that cannot be read is left out: it is
/// for people, and no reason to refuse.
fn read_metadata(bytes: &[u8], inspection: &mut Inspection) {
    let Ok(wasm_metadata::Payload::Component { metadata, children }) =
        wasm_metadata::Payload::from_binary(bytes)
    else {
        return;
    };
    let text = |value: &dyn ToString| value.to_string();
    let fields = [
        (
            "description",
            metadata.description.as_ref().map(|v| text(v)),
        ),
        ("authors", metadata.authors.as_ref().map(|v| text(v))),
        ("licenses", metadata.licenses.as_ref().map(|v| text(v))),
        ("source", metadata.source.as_ref().map(|v| text(v))),
        ("homepage", metadata.homepage.as_ref().map(|v| text(v))),
        ("revision", metadata.revision.as_ref().map(|v| text(v))),
    ];
    for (key, value) in fields {
        if let Some(value) = value.filter(|v| v.len() <= 4096) {
            inspection.metadata.insert(key.to_owned(), value);
        }
    }
    inspection.version = metadata.version.as_ref().map(|v| text(v));
    // Rust's tools name the module inside, not the component around it.
    inspection.name = metadata
        .name
        .clone()
        .or_else(|| only_module_name(&children));
}

fn only_module_name(children: &[wasm_metadata::Payload]) -> Option<String> {
    let names: Vec<&String> = children
        .iter()
        .filter_map(|child| match child {
            wasm_metadata::Payload::Module(metadata) => metadata.name.as_ref(),
            wasm_metadata::Payload::Component { .. } => None,
        })
        .filter(|name| !name.starts_with("wit-component:"))
        .collect();
    match names.as_slice() {
        [name] => Some(name.trim_end_matches(".wasm").to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_what_it_is() {
        assert_eq!(inspect(b"").unwrap_err().code, "not_wasm");
        assert!(
            inspect(b"hello")
                .unwrap_err()
                .message
                .contains("a text file")
        );
        assert_eq!(inspect(b"\0asm\x01\0\0\0").unwrap_err().code, "core_module");
        assert_eq!(
            inspect(b"\0asm\x0d\0\x01\0").unwrap_err().code,
            "no_http_export"
        );
        assert_eq!(
            inspect(b"\0asm\x0d\0\x01\0\x04\x7f").unwrap_err().code,
            "truncated"
        );
    }

    #[test]
    fn shared_memories_are_refused_before_they_are_compiled() {
        let with_shared_memory =
            b"\0asm\x0d\0\x01\0\x01\x0e\0asm\x01\0\0\0\x05\x04\x01\x03\x01\x01";
        let refused = inspect(with_shared_memory).unwrap_err();
        assert_eq!(refused.code, "invalid_component");
        assert!(
            refused.message.contains("threads must be enabled"),
            "{refused}"
        );
    }

    #[test]
    fn exports_of_ours_are_those_that_are_called() {
        let exports = |name: &str| [name.to_owned()];
        check_exports(&exports("lodge:host/migrations@0.1.3")).unwrap();
        check_exports(&exports("other:host/thing@9.0.0")).unwrap();
        let refused = check_exports(&exports("lodge:host/migrations@0.2.0")).unwrap_err();
        assert_eq!(refused.code, "unknown_exports");
    }

    #[test]
    fn imports_match_by_interface_and_minor_version() {
        assert!(is_offered("wasi:http/types@0.2.10"));
        assert!(is_offered("wasi:http/client@0.3.2"));
        assert!(is_offered("lodge:host/database-async@0.1.0"));
        assert!(is_offered("wasi:config/store@0.2.0-rc.1"));
        assert!(is_offered("wasi:keyvalue/batch@0.2.0-draft2"));
        for unknown in [
            "wasi:http/types@0.20.1",
            "wasi:nn/graph@0.2.0",
            "wasi:http/types",
            "x",
            "wasi:io/fire@0.2.0",
            "wasi:http/types@0.2.0-rc-2023-11-10",
            "wasi:keyvalue/store@0.2.0-draft",
            "wasi:config/store@0.2.0-rc.2",
            "lodge:host/database@0.2.0",
        ] {
            assert!(!is_offered(unknown), "{unknown}");
        }
    }
}
