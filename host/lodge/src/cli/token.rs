//! `lodge token`.

use super::RemoteArgs;
use super::client::{Client, encode};
use super::failure::Failure;
use super::output;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token and print it, once
    Create {
        /// What it is for
        name: String,
        /// After how many days it ends; by default never
        #[arg(long, value_name = "DAYS")]
        expires_in_days: Option<u32>,
    },
    /// List one's tokens
    List,
    /// Revoke a token
    Rm {
        /// Its ID
        id: String,
    },
}

pub(crate) fn run(args: &TokenArgs) -> Result<(), Failure> {
    let client = Client::new(&args.remote)?;
    match &args.command {
        TokenCommand::Create {
            name,
            expires_in_days,
        } => {
            let body = json!({ "name": name, "expires_in_days": expires_in_days });
            let made = client.post("/api/tokens", Some(&body))?;
            if args.remote.json {
                output::json(&made);
                return Ok(());
            }
            eprintln!(
                "made {} ({}); this is the only time that it is shown",
                name,
                text(&made, "id")
            );
            output::line(text(&made, "token"));
        }
        TokenCommand::List => {
            let items = client.list("/api/tokens")?;
            if args.remote.json {
                output::json_list(items);
                return Ok(());
            }
            let rows = items.iter().map(row).collect();
            output::table(
                &["ID", "NAME", "CREATED", "ENDS", "LAST USED"],
                rows,
                "no tokens",
            );
        }
        TokenCommand::Rm { id } => {
            client.delete(&format!("/api/tokens/{}", encode(id)))?;
            match args.remote.json {
                true => output::json(&json!({ "id": id })),
                false => output::line(format_args!("revoked {id}")),
            }
        }
    }
    Ok(())
}

fn row(token: &Value) -> Vec<String> {
    let time = |key: &str| token.get(key).and_then(Value::as_i64).map(output::time);
    vec![
        text(token, "id"),
        text(token, "name"),
        time("created_at").unwrap_or_default(),
        time("expires_at").unwrap_or_else(|| "never".to_owned()),
        time("last_used").unwrap_or_else(|| "never".to_owned()),
    ]
}

fn text(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
