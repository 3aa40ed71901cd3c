//! `lodge completions`.

use super::Cli;
use super::failure::Failure;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use std::io::Write as _;

/// Prints a script that makes the shell complete `lodge`'s commands and flags. For bash:
/// `lodge completions bash > ~/.local/share/bash-completion/completions/lodge`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    // Into memory first: the generator panics where the reader of a pipe has gone away.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "lodge", &mut script);
    let _ = std::io::stdout().write_all(&script);
    Ok(())
}
