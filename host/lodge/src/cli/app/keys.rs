//! `lodge app keys` and `lodge app rotate-key`.

use super::path;
use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::output;
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    /// Its ID
    #[arg(required_unless_present = "shared", conflicts_with = "shared")]
    id: Option<String>,
    /// The host-wide key, of all apps that share it
    #[arg(long)]
    shared: bool,
    /// How long tokens of the old keys verify; 0 logs everyone out [default: a day]
    #[arg(long, value_name = "SECONDS")]
    overlap_seconds: Option<u64>,
    /// Do not wait until it is done
    #[arg(long)]
    no_wait: bool,
}

pub(super) fn rotate(client: &Client, args: &RotateArgs, json: bool) -> Result<(), Failure> {
    let body = match args.overlap_seconds {
        Some(seconds) => json!({ "overlap_seconds": seconds }),
        None => json!({}),
    };
    if let Some(id) = &args.id {
        let accepted = client.post(&format!("{}/jwt/rotate", path(id)), Some(&body))?;
        return super::finish(client, &accepted, args.no_wait, json);
    }
    let rotated = client.post("/api/jwt/rotate", Some(&body))?;
    match json {
        true => output::json(&rotated),
        false => output::line(format_args!(
            "rotated the host-wide key; apps that share it: {}",
            rotated.get("apps").and_then(Value::as_u64).unwrap_or(0)
        )),
    }
    Ok(())
}

pub(super) fn show(client: &Client, id: &str, json: bool) -> Result<(), Failure> {
    let shown = client.get(&format!("{}/jwt", path(id)))?;
    if json {
        output::json(&shown);
        return Ok(());
    }
    let keys = shown.get("keys").and_then(Value::as_array);
    let rows = keys.into_iter().flatten().map(row).collect();
    let header = ["KEY", "ALGORITHM", "MADE", "VERIFIES UNTIL", "WHOSE"];
    output::table(&header, rows, "no key yet: its first start makes one");
    Ok(())
}

fn row(key: &Value) -> Vec<String> {
    let text = |name: &str| key.get(name).and_then(Value::as_str).map(str::to_owned);
    let time = |name: &str| key.get(name).and_then(Value::as_i64).map(output::time);
    let shared = key.get("shared").and_then(Value::as_bool) == Some(true);
    vec![
        text("kid").unwrap_or_default(),
        text("algorithm").unwrap_or_default(),
        time("created_at").unwrap_or_default(),
        time("retired_at").unwrap_or_else(|| "(signs)".to_owned()),
        if shared { "the host's" } else { "its own" }.to_owned(),
    ]
}
