//! The child process that reads and compiles components.
//!
//! Compiling is not covered by Wasmtime's promises: a hostile component may take hours or all
//! memory. So it happens in a process of its own, started by [`crate::compile`], that binds itself
//! before it reads a byte: address space, CPU time, file size, no core dump, a low priority, and an
//! end with its parent. The parent adds a wall-clock limit and a cleared environment.
//!
//! It prints one JSON object: `{"Ok": …}` or `{"Err": …}`. Anything else, or an exit other than 0,
//! means that it was ended.

use crate::engine::{self, Flavor};
use crate::inspect;
use crate::linker::linker;
use lodge_model::Rejection;
use rustix::process::{self, Resource, Rlimit, Signal};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

/// Address space, in bytes. Cranelift takes about 20 times a component's size; 4 GiB compile the
/// largest that may be uploaded and leave the host its memory.
const ADDRESS_SPACE_BYTES: u64 = 4 << 30;
/// CPU time for a compile, in seconds.
pub(crate) const COMPILE_CPU_SECONDS: u64 = 600;
/// CPU time for a check, in seconds: ten times what the largest honest component takes.
const CHECK_CPU_SECONDS: u64 = 20;
/// The lowest priority: compiles take what nobody else wants.
const COMPILE_NICE: i32 = 19;
/// An uploader waits for the check: where guests keep every core busy it has a tenth of one, not a hundredth.
const CHECK_NICE: i32 = 10;
/// Size of the compiled form, in bytes.
const OUTPUT_BYTES: u64 = 2 << 30;
/// Threads that compile at once.
const MAX_THREADS: usize = 4;

/// Runs the child: `inspect FILE`, or `compile sync|async FILE OUTPUT`.
pub fn main(arguments: &[String]) -> ExitCode {
    match run(arguments) {
        Ok(json) => match io::stdout().write_all(json.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(message) => {
            // The parent reads it; nobody else does.
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<String, String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["inspect", file] => {
            bind_to_limits(CHECK_CPU_SECONDS, CHECK_NICE).map_err(|e| e.to_string())?;
            json(&inspect_file(Path::new(file)))
        }
        ["compile", flavor, file, output] => {
            bind_to_limits(COMPILE_CPU_SECONDS, COMPILE_NICE).map_err(|e| e.to_string())?;
            let flavor = Flavor::of(*flavor == "async");
            json(&compile(flavor, Path::new(file), Path::new(output)))
        }
        _ => Err("usage: inspect FILE | compile sync|async FILE OUTPUT".to_owned()),
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, String> {
    serde_json::to_string(value).map_err(|e| e.to_string())
}

fn inspect_file(file: &Path) -> Result<lodge_model::Inspection, Rejection> {
    let failed = |e: io::Error| Rejection {
        code: "check_failed".into(),
        message: format!("the uploaded file cannot be read: {e}"),
        unknown_imports: Vec::new(),
    };
    if std::fs::metadata(file).map_err(failed)?.len() > inspect::MAX_COMPONENT_BYTES {
        return Err(Rejection {
            code: "too_large".into(),
            message: "a component has at most 100 MiB: strip its debug information or split it"
                .into(),
            unknown_imports: Vec::new(),
        });
    }
    inspect::inspect(&std::fs::read(file).map_err(failed)?)
}

/// Compiles and checks that the imports resolve. The error is the component's fault and for its
/// uploader.
fn compile(flavor: Flavor, file: &Path, output: &Path) -> Result<(), String> {
    let bytes =
        std::fs::read(file).map_err(|e| format!("the component's file cannot be read: {e}"))?;
    let engine = engine::compiling(flavor).map_err(|e| format!("{e:#}"))?;
    let code = engine
        .precompile_component(&bytes)
        .map_err(|e| format!("it does not compile: {e:#}"))?;
    #[expect(
        unsafe_code,
        reason = "the only way to look at a compiled component's imports"
    )]
    // SAFETY: these bytes are this engine's own output of a moment ago.
    let component = unsafe { wasmtime::component::Component::deserialize(&engine, &code) };
    let component = component.map_err(|e| format!("{e:#}"))?;
    let linker = linker(&engine, flavor).map_err(|e| format!("{e:#}"))?;
    linker
        .instantiate_pre(&component)
        .map_err(|e| format!("what it imports is not what this host offers: {e:#}"))?;
    std::fs::write(output, &code).map_err(|e| format!("the compiled form cannot be written: {e}"))
}

/// Binds this process to its limits, before it reads anything.
fn bind_to_limits(cpu_seconds: u64, nice: i32) -> io::Result<()> {
    process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let limit = |resource, most: u64| {
        process::setrlimit(
            resource,
            Rlimit {
                current: Some(most),
                maximum: Some(most),
            },
        )
    };
    limit(Resource::As, ADDRESS_SPACE_BYTES)?;
    limit(Resource::Cpu, cpu_seconds)?;
    limit(Resource::Fsize, OUTPUT_BYTES)?;
    limit(Resource::Core, 0)?;
    // Where memory runs out after all, this is what the kernel ends, not the host with all its apps.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    // Where a priority is refused, the other limits still hold.
    let _ = process::nice(nice);
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MAX_THREADS);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(io::Error::other)
}
