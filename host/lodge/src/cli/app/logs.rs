//! `lodge app logs`: the newest lines of an app's log, and with `--follow` those that come.
//!
//! The stream is opened before the newest lines are asked for, so that none is missed in between; what
//! came both ways is printed once. The API ends a stream after a quarter of an hour: another is opened
//! then. It fails when the app or the host is gone.

use super::{path, show};
use crate::cli::client::{Client, encode};
use crate::cli::failure::Failure;
use crate::cli::output;
use clap::Args;
use serde_json::Value;
use std::io::BufRead;
use std::time::{Duration, Instant};

/// A stream that ends sooner was not ended for its age.
const SHORT: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// Its ID
    id: String,
    /// Lines at most
    #[arg(long, short = 'n', default_value_t = 200, value_name = "COUNT")]
    lines: u32,
    /// At least as grave: debug, info, warn or error
    #[arg(long, default_value = "debug", value_name = "LEVEL")]
    level: String,
    /// Only those with this in the text or its fields (name=value), in whatever case
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Go on with the lines that come
    #[arg(long, short = 'f')]
    follow: bool,
}

pub(super) fn run(client: &Client, args: &LogArgs, json: bool) -> Result<(), Failure> {
    let mut query = format!("level={}", encode(&args.level));
    if let Some(text) = &args.search {
        query.push_str(&format!("&search={}", encode(text)));
    }
    let logs = format!("{}/logs", path(&args.id));
    let newest = format!("{logs}?limit={}&{query}", args.lines);
    if !args.follow {
        return show::logs(client, &client.get(&newest)?, json);
    }
    let live = format!("{logs}/live?{query}");
    let mut stream = client.events(&live)?;
    let page = client.get(&newest)?;
    let items = page.get("items").and_then(Value::as_array);
    let mut printed = items.cloned().unwrap_or_default();
    for item in &printed {
        line(client, item, json)?;
    }
    loop {
        let begun = Instant::now();
        each(stream, |event, data| match event {
            "line" => {
                if let Some(known) = printed.iter().position(|known| *known == data) {
                    printed.remove(known);
                    return Ok(());
                }
                line(client, &data, json)
            }
            "dropped" => {
                let count = data.get("count").and_then(Value::as_u64);
                eprintln!("{} lines missed: they come too fast", count.unwrap_or(1));
                Ok(())
            }
            _ => Ok(()),
        })?;
        if begun.elapsed() < SHORT {
            return Err(Failure::Failed("the host ended the log's stream".into()));
        }
        stream = client.events(&live)?;
    }
}

fn line(client: &Client, line: &Value, json: bool) -> Result<(), Failure> {
    if json {
        output::line(line);
        return Ok(());
    }
    show::log_line(client, line)
}

/// Every event of a stream until its end: its name, and its data, which is JSON.
fn each(
    stream: impl BufRead,
    mut act: impl FnMut(&str, Value) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut event, mut data) = (String::new(), String::new());
    // A connection that breaks is a stream that ended: the next one says why.
    for text in stream.lines().map_while(Result::ok) {
        match text.split_once(": ") {
            Some(("event", name)) => event = name.to_owned(),
            Some(("data", more)) => data.push_str(more),
            _ if text.is_empty() => {
                if let Ok(value) = serde_json::from_str(&data) {
                    act(&event, value)?;
                }
                event.clear();
                data.clear();
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_and_what_is_none_is_passed_over() {
        let text = ": keep\n\nevent: line\ndata: {\"a\": 1}\n\nevent: dropped\ndata: {\"count\":2}\n\nid: 1\nevent: line\ndata: half";
        let mut seen = Vec::new();
        each(text.as_bytes(), |event, data| {
            seen.push(format!("{event} {data}"));
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, ["line {\"a\":1}", "dropped {\"count\":2}"]);
    }
}
