//! `lodge component`.

use super::RemoteArgs;
use super::client::{Client, encode};
use super::failure::Failure;
use super::output;
use super::progress::Progress;
use super::upload::{self, Listed};
use clap::{Args, Subcommand};
use lodge_model::{Component, Digest};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct ComponentArgs {
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    #[command(subcommand)]
    command: ComponentCommand,
}

#[derive(Debug, Subcommand)]
enum ComponentCommand {
    /// Upload a component and wait until it is compiled
    Push {
        /// The .wasm file
        file: PathBuf,
        #[command(flatten)]
        listed: Listed,
        /// Do not wait for the compile
        #[arg(long)]
        no_wait: bool,
    },
    /// List components, newest first
    List {
        /// Only those with this text in name, version or digest
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Show a component
    Show {
        /// Its digest or the first digits of it, NAME@VERSION, or NAME for the newest
        component: String,
    },
    /// Remove a component that no app uses
    Rm {
        /// Its digest or the first digits of it, or NAME@VERSION
        component: String,
    },
}

pub(crate) fn run(args: &ComponentArgs) -> Result<(), Failure> {
    let client = Client::new(&args.remote)?;
    let json = args.remote.json;
    match &args.command {
        ComponentCommand::Push {
            file,
            listed,
            no_wait,
        } => {
            let progress = Progress::new(json);
            let mut uploaded = upload::file(&client, progress, file, listed)?;
            if !no_wait {
                uploaded = upload::wait_compiled(&client, progress, uploaded)?;
            }
            show(&uploaded.json, &uploaded.component, json);
            Ok(())
        }
        ComponentCommand::List { search } => list(&client, search.as_deref(), json),
        ComponentCommand::Show { component } => {
            let (value, component) = find(&client, component)?;
            show(&value, &component, json);
            Ok(())
        }
        ComponentCommand::Rm { component } => {
            let (value, found) = find(&client, component)?;
            if *component == found.name {
                // The newest of a name may be another one by now: too vague for a removal.
                return Err(Failure::Usage(format!(
                    "name what to remove by digest or NAME@VERSION, such as {}@{}",
                    found.name, found.version
                )));
            }
            client.delete(&format!("/api/components/{}", found.digest))?;
            match json {
                true => output::json(&value),
                false => output::line(format_args!("removed {}@{}", found.name, found.version)),
            }
            Ok(())
        }
    }
}

fn list(client: &Client, search: Option<&str>, json: bool) -> Result<(), Failure> {
    let path = match search {
        Some(text) => format!("/api/components?limit=1000&search={}", encode(text)),
        None => "/api/components?limit=1000".to_owned(),
    };
    let items = client.list(&path)?;
    if json {
        output::json_list(items);
        return Ok(());
    }
    let mut rows = Vec::new();
    for item in &items {
        let component: Component = client.read(item)?;
        rows.push(vec![
            component.name.clone(),
            component.version.clone(),
            word(&json!(component.status)),
            output::bytes(component.size),
            world(&component),
            short(component.digest),
            output::time(component.created_at),
        ]);
    }
    let header = [
        "NAME", "VERSION", "STATUS", "SIZE", "WORLD", "DIGEST", "UPLOADED",
    ];
    output::table(
        &header,
        rows,
        "no components yet: `lodge component push FILE` uploads one",
    );
    Ok(())
}

fn show(value: &Value, component: &Component, json: bool) {
    if json {
        output::json(value);
        return;
    }
    let mut pairs = vec![
        ("name", component.name.clone()),
        ("version", component.version.clone()),
        ("digest", component.digest.to_hex()),
        ("status", word(&json!(component.status))),
        ("error", component.error.clone().unwrap_or_default()),
        ("size", output::bytes(component.size)),
        ("world", world(component)),
        (
            "compiled in",
            component
                .compile_ms
                .map(output::duration)
                .unwrap_or_default(),
        ),
        ("uploaded", output::time(component.created_at)),
        ("imports", component.imports.join(" ")),
        ("exports", component.exports.join(" ")),
    ];
    pairs.extend(
        component
            .metadata
            .iter()
            .map(|(key, value)| (key.as_str(), value.clone())),
    );
    output::pairs(pairs);
}

/// The component that a text names: a digest, NAME@VERSION, or NAME for the newest.
///
/// # Errors
/// There is none, or the API failed.
pub(crate) fn find(client: &Client, text: &str) -> Result<(Value, Component), Failure> {
    if let Ok(digest) = text.parse::<Digest>() {
        let value = client.get(&format!("/api/components/{digest}"))?;
        let component = client.read(&value)?;
        return Ok((value, component));
    }
    if let Some(found) = by_prefix(client, text)? {
        return Ok(found);
    }
    let reference = reference(text);
    let (name, version) = (
        reference.get("name"),
        reference.get("version").and_then(Value::as_str),
    );
    let name = name.and_then(Value::as_str).unwrap_or(text);
    for item in client.list(&format!("/api/components?limit=1000&name={}", encode(name)))? {
        let component: Component = client.read(&item)?;
        if version.is_none_or(|version| version == component.version) {
            return Ok((item, component));
        }
    }
    Err(Failure::Failed(format!(
        "there is no component `{text}`: `lodge component list` shows them"
    )))
}

/// The one component whose digest begins with `text`, if `text` may begin one.
fn by_prefix(client: &Client, text: &str) -> Result<Option<(Value, Component)>, Failure> {
    if text.len() < 6 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(None);
    }
    let mut found = Vec::new();
    for item in client.list(&format!("/api/components?limit=1000&search={text}"))? {
        let component: Component = client.read(&item)?;
        if component.digest.to_hex().starts_with(&text.to_lowercase()) {
            found.push((item, component));
        }
    }
    match found.len() {
        0 | 1 => Ok(found.pop()),
        many => Err(Failure::Failed(format!(
            "{many} components begin with `{text}`: give more digits"
        ))),
    }
}

/// A component as an app names it: uploads a file, takes a digest, NAME@VERSION or NAME.
///
/// # Errors
/// The file cannot be uploaded.
pub(crate) fn choose(client: &Client, progress: Progress, text: &str) -> Result<Value, Failure> {
    let is_file = Path::new(text).extension().is_some_and(|e| e == "wasm") || text.contains('/');
    if is_file && Path::new(text).exists() {
        let uploaded = upload::file(client, progress, Path::new(text), &Listed::default())?;
        return Ok(json!({ "digest": uploaded.component.digest }));
    }
    Ok(reference(text))
}

fn reference(text: &str) -> Value {
    if let Ok(digest) = text.parse::<Digest>() {
        return json!({ "digest": digest });
    }
    // A name may hold an `@` too: the version is what follows the last one.
    match text.rsplit_once('@') {
        Some((name, version)) if !name.is_empty() && !version.is_empty() => {
            json!({ "name": name, "version": version })
        }
        _ => json!({ "name": text }),
    }
}

fn world(component: &Component) -> String {
    word(&json!(component.world))
}

/// The first digits of a digest: enough to tell a few thousand apart.
pub(crate) fn short(digest: Digest) -> String {
    digest.to_hex().chars().take(12).collect()
}

/// An enum's name as the API spells it.
pub(crate) fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_named_in_three_ways() {
        let digest = "ab".repeat(32);
        assert_eq!(reference(&digest), json!({ "digest": digest }));
        assert_eq!(
            reference("hello@1.0"),
            json!({ "name": "hello", "version": "1.0" })
        );
        assert_eq!(
            reference("@acme/hello@1.0"),
            json!({ "name": "@acme/hello", "version": "1.0" })
        );
        assert_eq!(reference("hello"), json!({ "name": "hello" }));
    }
}
