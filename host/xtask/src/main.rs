//! The one build tool: `cargo xtask <command>`, one file a command.

mod bench;
mod fuzz;
mod guests;
mod places;
mod progress;
mod run;
mod setup;
mod shell;
mod system;
mod test;
mod tidy;
mod toolchain;
mod ui;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Sets up, builds, runs and checks Lodge",
    max_term_width = 100
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Do all set-up, start a host on ports 13000 and 13001 with the sample apps, say where to go
    Run(run::Options),
    /// Do all set-up and run every test
    Test(test::Options),
    /// Install or name what is missing, and build all guests
    Setup,
    /// Build the sample apps and the test guests into target/guests
    Guests(guests::Options),
    /// Build the web console, which the next build of the host embeds
    Ui,
    /// Measure Lodge against bare hyper and `wasmtime serve`
    Bench(bench::Options),
    /// Fuzz what strangers can send, each target for some seconds
    Fuzz(fuzz::Options),
    /// Check the size budget and the forbidden arrows between crates
    Tidy,
}

fn main() -> std::process::ExitCode {
    let result = places::Places::find().and_then(|places| match Arguments::parse().command {
        Command::Run(options) => run::run(&places, &options),
        Command::Test(options) => test::run(&places, &options),
        Command::Setup => setup::run(&places),
        Command::Guests(options) => guests::run(&places, &options),
        Command::Ui => ui::run(&places),
        Command::Bench(options) => bench::run(&places, &options),
        Command::Fuzz(options) => fuzz::run(&places, &options),
        Command::Tidy => tidy::run(&places),
    });
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
