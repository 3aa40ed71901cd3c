//! Uploaded components: what they are, and what is known of them.

use crate::{Digest, Invalid};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The HTTP world that a component speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum World {
    /// WASI 0.2: exports `wasi:http/incoming-handler@0.2.x`.
    #[serde(rename = "wasi:http/proxy@0.2")]
    Http02,
    /// WASI 0.3: exports `wasi:http/handler@0.3.x`.
    #[serde(rename = "wasi:http/service@0.3")]
    Http03,
}

/// How far a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComponentStatus {
    /// Waits for a compile slot.
    Queued,
    /// Is being compiled, in a process of its own.
    Compiling,
    /// Apps can run it.
    Ready,
    /// Could not be compiled; `error` says why.
    Failed,
}

/// What the checking child found in a component's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// The world it speaks.
    pub world: World,
    /// True: it uses the component model's async features and needs the engine that has them.
    pub uses_async: bool,
    /// Interfaces it imports, such as `wasi:clocks/monotonic-clock@0.2.6`.
    pub imports: Vec<String>,
    /// Interfaces it exports.
    pub exports: Vec<String>,
    /// Name from its own metadata.
    pub name: Option<String>,
    /// Version from its own metadata.
    pub version: Option<String>,
    /// Further metadata: description, authors, licenses, source, homepage, revision.
    pub metadata: std::collections::BTreeMap<String, String>,
}

/// Why bytes were refused as a component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct Rejection {
    /// Stable, for programs: `not_wasm`, `core_module`, `truncated`, `invalid_component`,
    /// `unknown_imports`, `unknown_exports`, `no_http_export`, `too_large`, `too_complex`, `check_failed`.
    pub code: String,
    /// What it is, what was expected and what to do.
    pub message: String,
    /// The imports that Lodge does not offer, by name.
    #[serde(default)]
    pub unknown_imports: Vec<String>,
}

/// One uploaded component version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Component {
    /// SHA-256 of its bytes.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// The name it is listed under.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its size, in bytes.
    pub size: u64,
    /// The world it speaks.
    pub world: World,
    /// Interfaces it imports.
    pub imports: Vec<String>,
    /// Interfaces it exports.
    pub exports: Vec<String>,
    /// Metadata found in it: description, authors, licenses, source, homepage, revision.
    pub metadata: std::collections::BTreeMap<String, String>,
    /// How far it is.
    pub status: ComponentStatus,
    /// Why it failed.
    pub error: Option<String>,
    /// How long compiling took, in milliseconds.
    pub compile_ms: Option<u64>,
    /// When it was uploaded, in milliseconds since 1970.
    pub created_at: i64,
}

impl Component {
    /// Checks a component's listed name or version (`field` says which).
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn check_label(field: &str, text: &str) -> Result<(), Invalid> {
        let allowed = |b: u8| {
            b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+' | b':' | b'/' | b'@')
        };
        let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !starts_well || text.len() > 128 || !text.bytes().all(allowed) {
            return Err(Invalid::new(
                field,
                "has 1 to 128 letters, digits or `-_.+:/@` and starts with a letter or digit",
            ));
        }
        Ok(())
    }
}
