//! `lodge login` and `lodge logout`.

use super::RemoteArgs;
use super::client::Client;
use super::credentials;
use super::failure::Failure;
use super::output;
use super::values;
use clap::Args;
use console::Term;
use serde::Deserialize;
use serde_json::json;
use std::io::IsTerminal as _;

#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// Who logs in; asked for if not given
    #[arg(long, value_name = "EMAIL")]
    email: Option<String>,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    /// Print the token instead of remembering it, for LODGE_TOKEN
    #[arg(long)]
    print_token: bool,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LogoutArgs {
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

#[derive(Deserialize)]
struct LoggedIn {
    token: String,
    expires_at: i64,
}

pub(crate) fn run(args: &LoginArgs) -> Result<(), Failure> {
    let client = Client::anonymous(&args.remote.url)?;
    if client.in_clear() {
        eprintln!(
            "lodge: {} has no TLS: the password can be read on the way",
            client.base()
        );
    }
    let email = match &args.email {
        Some(email) => email.clone(),
        None => ask("Email: ", false)?,
    };
    let password = if args.password_stdin {
        values::read("-")?
    } else {
        ask("Password: ", true)?
    };
    let answer = client.post(
        "/api/auth/login",
        Some(&json!({ "email": email, "password": password })),
    )?;
    let LoggedIn { token, expires_at } = client.read(&answer)?;
    if args.print_token {
        match args.remote.json {
            true => output::json(&answer),
            false => output::line(token),
        }
        return Ok(());
    }
    let login = credentials::Login {
        email: email.clone(),
        token,
        expires_at,
    };
    let path = credentials::store(client.base(), Some(login))?;
    if args.remote.json {
        output::json(&json!({ "url": client.base(), "email": email, "expires_at": expires_at }));
    } else {
        let (base, until) = (client.base(), output::time(expires_at));
        output::line(format_args!("logged in to {base} until {until}"));
        eprintln!("remembered in {}", path.display());
    }
    Ok(())
}

pub(crate) fn run_logout(args: &LogoutArgs) -> Result<(), Failure> {
    let client = Client::new(&args.remote)?;
    // The session may have ended by itself, or be an API token's: forgetting is what was asked.
    let ended = match client.post("/api/auth/logout", None) {
        Ok(_) => true,
        Err(failure) if matches!(failure.code(), Some("unauthorized" | "not_a_session")) => false,
        Err(failure) => return Err(failure),
    };
    credentials::store(client.base(), None)?;
    match args.remote.json {
        true => output::json(&json!({ "url": client.base(), "ended": ended })),
        false => output::line(format_args!("logged out of {}", client.base())),
    }
    Ok(())
}

/// Asks on the terminal; a secret is not shown while it is typed.
fn ask(question: &str, secret: bool) -> Result<String, Failure> {
    let terminal = Term::stderr();
    if !std::io::stdin().is_terminal() || !terminal.is_term() {
        return Err(Failure::Usage(
            "there is no terminal to ask on: give --email and --password-stdin".into(),
        ));
    }
    let asked = terminal.write_str(question).and_then(|()| match secret {
        true => terminal.read_secure_line(),
        false => terminal.read_line(),
    });
    asked
        .map(|answer| answer.trim_end_matches(['\r', '\n']).to_owned())
        .map_err(Failure::file("read", "the terminal"))
}
