//! Lodge: many WebAssembly applications in one process, each in its own locked room.

mod cli;
mod config;
mod serve;
mod shutdown;
mod size;
mod wiring;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The first word of the hidden command by which the host starts its compile children.
const CHILD: &str = "__child";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() == Some(CHILD) {
        return lodge_runtime::child::main(&words.collect::<Vec<_>>());
    }
    lodge_capabilities::database::prepare();
    match cli::run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lodge: {error:#}");
            ExitCode::FAILURE
        }
    }
}
