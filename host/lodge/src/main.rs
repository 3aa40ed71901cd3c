//! Lodge: many WebAssembly applications in one process, each in its own locked room.

mod cli;

// Until the files config.rs and serve.rs are there.
mod config {
    /// How to serve.
    #[derive(Debug, clap::Args)]
    pub(crate) struct ServeArgs {}
}
mod serve {
    pub(crate) fn run(_args: crate::config::ServeArgs) -> anyhow::Result<std::process::ExitCode> {
        anyhow::bail!("not yet")
    }
}

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lodge: {error:#}");
            ExitCode::FAILURE
        }
    }
}
