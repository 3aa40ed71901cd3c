//! The command line: what there is to type, and who does it.
//!
//! The client commands are programs of the admin API like any other: they know its JSON and
//! nothing of the host's inside, run without tokio, and end with 0, 1 (failed) or 2 (usage).

mod app;
mod app_fields;
mod client;
mod completions;
mod component;
mod credentials;
mod deploy;
mod dev;
mod env;
mod failure;
mod login;
mod new;
mod output;
mod progress;
mod token;
mod upload;
mod values;

use crate::config::ServeArgs;
use clap::{Args, Parser, Subcommand};
use failure::Failure;
use std::process::ExitCode;

/// Many WebAssembly apps under one roof, each in its own locked room.
///
/// Without a command, `lodge` serves: apps on http://127.0.0.1:13000, the admin API on
/// http://127.0.0.1:13001. The other commands talk to a running Lodge.
#[derive(Debug, Parser)]
#[command(name = "lodge", version, args_conflicts_with_subcommands = true)]
#[command(max_term_width = 100, after_help = EXAMPLES, next_help_heading = "Serving")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

const EXAMPLES: &str = "\
Examples:
  lodge                                  host apps; everything is kept in ./data
  lodge login                            remember who you are
  lodge deploy shop.wasm --app shop      from a file to an address
  lodge app logs shop                    see what it says";

#[derive(Debug, Subcommand)]
enum Command {
    /// Host apps in this process (what `lodge` alone does)
    Serve(Box<ServeArgs>),
    /// Upload a component, run it as an app, and print where it is
    Deploy(Box<deploy::DeployArgs>),
    /// Create, change, start, stop and look into apps
    App(app::AppArgs),
    /// Upload, list and remove components
    Component(component::ComponentArgs),
    /// Show, cordon, drain and remove the environments in which apps run
    Env(env::EnvArgs),
    /// Log in and remember it for this user
    Login(login::LoginArgs),
    /// End the remembered login
    Logout(login::LogoutArgs),
    /// Make and revoke API tokens for programs
    Token(token::TokenArgs),
    /// Begin a project from a template
    New(new::NewArgs),
    /// Build this project and deploy it, again on every save
    Dev(Box<dev::DevArgs>),
    /// Print a shell's completions
    Completions(completions::CompletionsArgs),
}

/// Which Lodge to talk to, and how to answer.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
struct RemoteArgs {
    /// The admin API's address; LODGE_TOKEN, or else `lodge login`, gives the credential
    #[arg(long, global = true, env = "LODGE_URL", value_name = "URL", default_value = client::DEFAULT_URL)]
    url: String,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    json: bool,
}

/// Parses the command line and does what it says. Usage errors end the process with 2.
///
/// # Errors
/// Only `serve` returns one; the client commands print theirs.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    let (json, done) = match cli.command {
        None => return crate::serve::run(cli.serve),
        Some(Command::Serve(args)) => return crate::serve::run(*args),
        Some(Command::Deploy(args)) => (args.remote.json, deploy::run(&args)),
        Some(Command::App(args)) => (args.remote.json, app::run(&args)),
        Some(Command::Component(args)) => (args.remote.json, component::run(&args)),
        Some(Command::Env(args)) => (args.remote.json, env::run(&args)),
        Some(Command::Login(args)) => (args.remote.json, login::run(&args)),
        Some(Command::Logout(args)) => (args.remote.json, login::run_logout(&args)),
        Some(Command::Token(args)) => (args.remote.json, token::run(&args)),
        Some(Command::New(args)) => (args.json, new::run(&args)),
        Some(Command::Dev(args)) => (args.remote.json, dev::run(&args)),
        Some(Command::Completions(args)) => (false, completions::run(&args)),
    };
    Ok(match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure, json),
    })
}

fn report(failure: &Failure, json: bool) -> ExitCode {
    if json {
        eprintln!("{}", failure.to_json());
    } else {
        eprintln!("lodge: {failure}");
    }
    ExitCode::from(failure.exit_code())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_does() {
        fn check(command: &clap::Command) {
            assert!(
                command.get_about().is_some(),
                "{} has no help",
                command.get_name()
            );
            for argument in command.get_arguments() {
                let id = argument.get_id();
                assert!(
                    argument.get_help().is_some(),
                    "{} {id} has no help",
                    command.get_name()
                );
            }
            command.get_subcommands().for_each(check);
        }
        let mut command = Cli::command();
        command.build();
        command
            .get_subcommands()
            .filter(|c| c.get_name() != "help")
            .for_each(|command| {
                if !matches!(command.get_name(), "serve") {
                    check(command);
                }
            });
    }

    #[test]
    fn wrong_usage_is_refused() {
        for line in [
            "lodge app create a --limit memory_bytes",
            "lodge app create a --start-mode never",
            "lodge app start",
            "lodge deploy",
            "lodge nonsense",
            "lodge app create a --component c --database-url-file x",
        ] {
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
