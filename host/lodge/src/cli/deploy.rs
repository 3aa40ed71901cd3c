//! `lodge deploy`: from a file to an address, in one command.

use super::RemoteArgs;
use super::app::{self, AppAnswer};
use super::app_fields::AppFields;
use super::client::Client;
use super::failure::Failure;
use super::output;
use super::progress::Progress;
use super::upload::{self, Listed};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct DeployArgs {
    /// The component: a .wasm file
    file: PathBuf,
    /// The app that shall run it; made if it is not there
    #[arg(long, value_name = "ID")]
    app: String,
    #[command(flatten)]
    listed: Listed,
    #[command(flatten)]
    fields: AppFields,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

pub(crate) fn run(args: &DeployArgs) -> Result<(), Failure> {
    let client = Client::new(&args.remote)?;
    let progress = Progress::new(args.remote.json);
    let fields = args.fields.to_json()?;
    let uploaded = match upload::file(&client, progress, &args.file, &args.listed) {
        // Not every language's tools write a name into a component: then it is the app's.
        Err(failure) if failure.field() == Some("name") && args.listed.name.is_none() => {
            let name = Some(args.app.clone());
            let listed = Listed {
                name,
                ..args.listed.clone()
            };
            upload::file(&client, progress, &args.file, &listed)?
        }
        other => other?,
    };
    let uploaded = upload::wait_compiled(&client, progress, uploaded)?;
    let mut fields = fields;
    fields.insert(
        "component".to_owned(),
        json!({ "digest": uploaded.component.digest }),
    );
    let deployed = start(&client, progress, &args.app, fields)?;
    if args.remote.json {
        output::json(&deployed);
        return Ok(());
    }
    let AppAnswer { app, urls } = client.read(&deployed)?;
    progress.say(format_args!(
        "{} runs {}@{}",
        app.id, app.component.name, app.component.version
    ));
    if urls.is_empty() {
        progress.say("it has no address: give it a --domain, or --path-access serve");
    }
    urls.iter().for_each(output::line);
    Ok(())
}

/// Creates or updates the app, starts it, and gives it as it is then. An app that was told to be
/// stopped stays so.
///
/// # Errors
/// The API refused, or the app does not start.
pub(crate) fn start(
    client: &Client,
    progress: Progress,
    id: &str,
    fields: serde_json::Map<String, Value>,
) -> Result<Value, Failure> {
    let stay_stopped = fields
        .get("desired")
        .is_some_and(|desired| desired == "stopped");
    let (_, created) = app::ensure(client, id, fields)?;
    progress.say(format_args!(
        "{} {id}",
        if created { "created" } else { "updated" }
    ));
    if !stay_stopped {
        app::start(client, progress, id)?;
    }
    client.get(&app::path(id))
}
