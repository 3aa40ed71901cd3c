//! `lodge app clear-migration`: after a migration broke off where the engine cannot take it back.

use super::path;
use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::output;
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(super) struct ClearArgs {
    /// Its ID
    id: String,
    /// All of it was done by hand: it does not run again
    #[arg(long)]
    done: bool,
}

pub(super) fn run(client: &Client, args: &ClearArgs, json: bool) -> Result<(), Failure> {
    let body = json!({ "done": args.done });
    let path = format!("{}/database/clear-migration", path(&args.id));
    let cleared = client.post(&path, Some(&body))?;
    if json {
        output::json(&cleared);
        return Ok(());
    }
    let migration = cleared.get("migration").and_then(Value::as_str);
    output::line(format_args!(
        "cleared the mark of {}: {}; next: `lodge app start {}`",
        output::printable(migration.unwrap_or_default()),
        match args.done {
            true => "it counts as done",
            false => "it runs again at the next start",
        },
        args.id,
    ));
    Ok(())
}
