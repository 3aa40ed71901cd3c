//! `lodge app`.

mod keys;
mod logs;
mod mark;
mod show;
mod trial;

use super::RemoteArgs;
use super::app_fields::AppFields;
use super::client::{Client, encode};
use super::component;
use super::failure::Failure;
use super::output;
use super::progress::Progress;
use clap::{Args, Subcommand, ValueEnum};
use lodge_model::{Operation, OperationKind, OperationStatus};
use serde_json::{Map, Value, json};
pub(crate) use show::AppAnswer;

#[derive(Debug, Args)]
pub(crate) struct AppArgs {
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    #[command(subcommand)]
    command: AppCommand,
}

#[derive(Debug, Subcommand)]
enum AppCommand {
    /// Create an app
    Create(Box<CreateArgs>),
    /// List apps
    List {
        /// Only those with this text in ID, name or domain
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Show an app
    Show {
        /// Its ID
        id: String,
    },
    /// Change an app
    Update(Box<UpdateArgs>),
    /// Start an app now, whatever its start mode
    Start(ActArgs),
    /// Stop an app; it stays stopped until it is started
    Stop(ActArgs),
    /// Stop an app and start it
    Restart(ActArgs),
    /// Remove an app
    Rm(RemoveArgs),
    /// Show the keys of an app's tokens, without their secrets
    Keys {
        /// Its ID
        id: String,
    },
    /// Have an app, or all apps that share the host-wide key, sign tokens with a new key
    RotateKey(keys::RotateArgs),
    /// Try a database for an app, without changing anything
    TestDatabase(trial::TestArgs),
    /// Clear the mark of a migration that broke off, once its database (MySQL, MariaDB) was mended
    ClearMigration(mark::ClearArgs),
    /// Show the newest lines of an app's log, and follow it
    Logs(logs::LogArgs),
    /// Show what an app used and how its requests ended
    Stats {
        /// Its ID
        id: String,
    },
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// Its ID, in paths and host names; generated if not given
    id: Option<String>,
    /// NAME, NAME@VERSION, a digest, or a .wasm file, which is uploaded
    #[arg(long, value_name = "COMPONENT")]
    component: String,
    #[command(flatten)]
    fields: AppFields,
}

#[derive(Debug, Args)]
struct UpdateArgs {
    /// Its ID
    id: String,
    /// NAME, NAME@VERSION, a digest, or a .wasm file, which is uploaded
    #[arg(long, value_name = "COMPONENT")]
    component: Option<String>,
    #[command(flatten)]
    fields: AppFields,
}

#[derive(Debug, Args)]
struct ActArgs {
    /// Its ID
    id: String,
    /// Do not wait until it is done
    #[arg(long)]
    no_wait: bool,
}

#[derive(Debug, Args)]
struct RemoveArgs {
    /// Its ID
    id: String,
    /// What becomes of its data
    #[arg(long, value_enum, default_value = "keep")]
    data: Data,
    /// Do not wait until it is done
    #[arg(long)]
    no_wait: bool,
}

/// What becomes of a removed app's data.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Data {
    /// Its database stays
    Keep,
    /// Its database is removed too
    Drop,
}

pub(crate) fn run(args: &AppArgs) -> Result<(), Failure> {
    let client = Client::new(&args.remote)?;
    let json = args.remote.json;
    match &args.command {
        AppCommand::Create(create) => {
            let component = component::choose(&client, Progress::new(json), &create.component)?;
            let mut fields = create.fields.to_json()?;
            fields.insert("component".to_owned(), component);
            if let Some(id) = &create.id {
                fields.insert("id".to_owned(), json!(id));
            }
            let app = client.post("/api/apps", Some(&Value::Object(fields)))?;
            show::app(&client, &app, json)
        }
        AppCommand::Update(update) => self::update(&client, update, json),
        AppCommand::List { search } => show::list(&client, search.as_deref(), json),
        AppCommand::Show { id } => show::app(&client, &client.get(&path(id))?, json),
        AppCommand::Start(act) => self::act(&client, act, "start", json),
        AppCommand::Stop(act) => self::act(&client, act, "stop", json),
        AppCommand::Restart(act) => self::act(&client, act, "restart", json),
        AppCommand::Rm(remove) => {
            let data = match remove.data {
                Data::Keep => "keep",
                Data::Drop => "drop",
            };
            let accepted = client.delete(&format!("{}?data={data}", path(&remove.id)))?;
            finish(&client, &accepted, remove.no_wait, json)?;
            if matches!(remove.data, Data::Keep) && !json {
                eprintln!("its data were kept; --data drop would have removed them");
            }
            Ok(())
        }
        AppCommand::Keys { id } => keys::show(&client, id, json),
        AppCommand::RotateKey(rotate) => keys::rotate(&client, rotate, json),
        AppCommand::TestDatabase(test) => trial::run(&client, test, json),
        AppCommand::ClearMigration(clear) => mark::run(&client, clear, json),
        AppCommand::Logs(args) => logs::run(&client, args, json),
        AppCommand::Stats { id } => {
            show::stats(&client, &client.get(&format!("{}/stats", path(id)))?, json)
        }
    }
}

fn update(client: &Client, update: &UpdateArgs, json: bool) -> Result<(), Failure> {
    let mut fields = update.fields.to_json()?;
    if let Some(component) = &update.component {
        let component = component::choose(client, Progress::new(json), component)?;
        fields.insert("component".to_owned(), component);
    }
    if fields.is_empty() {
        return Err(Failure::Usage(
            "nothing to change: give a setting, such as --limit concurrency=16".into(),
        ));
    }
    let app = client.patch(&path(&update.id), &Value::Object(fields))?;
    show::app(client, &app, json)
}

fn act(client: &Client, act: &ActArgs, verb: &str, json: bool) -> Result<(), Failure> {
    let accepted = client.post(&format!("{}/{verb}", path(&act.id)), None)?;
    finish(client, &accepted, act.no_wait, json)
}

/// Follows an accepted operation to its end and says how it ended.
fn finish(client: &Client, accepted: &Value, no_wait: bool, json: bool) -> Result<(), Failure> {
    let begun = accepted.get("operation").cloned().unwrap_or_default();
    let operation = match no_wait {
        true => begun,
        false => follow(client, Progress::new(json), begun)?,
    };
    if json {
        output::json(&operation);
        return Ok(());
    }
    let operation: Operation = client.read(&operation)?;
    output::line(match operation.status {
        OperationStatus::Succeeded => format!("{} {}", done(operation.kind), operation.app),
        _ => format!(
            "{} {} ({})",
            doing(operation.kind),
            operation.app,
            operation.id
        ),
    });
    Ok(())
}

fn doing(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Start => "starting",
        OperationKind::Stop => "stopping",
        OperationKind::Restart => "restarting",
        OperationKind::Update => "updating",
        OperationKind::RotateKey => "rotating the key of",
        OperationKind::Delete => "removing",
    }
}

fn done(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Start => "started",
        OperationKind::Stop => "stopped",
        OperationKind::Restart => "restarted",
        OperationKind::Update => "updated",
        OperationKind::RotateKey => "rotated the key of",
        OperationKind::Delete => "removed",
    }
}

/// Follows an operation until it has ended.
///
/// # Errors
/// It failed, or a later one took its place; says why.
pub(crate) fn follow(
    client: &Client,
    progress: Progress,
    mut value: Value,
) -> Result<Value, Failure> {
    let mut operation: Operation = client.read(&value)?;
    let title = |operation: &Operation| {
        let more = operation
            .progress
            .as_deref()
            .map(|text| format!(": {text}"));
        format!(
            "{} {}{}",
            doing(operation.kind),
            operation.app,
            more.unwrap_or_default()
        )
    };
    let waiting = progress.wait(title(&operation));
    while operation.status == OperationStatus::Running {
        waiting.now(title(&operation));
        value = client.get(&format!("/api/operations/{}?wait_ms=5000", operation.id))?;
        operation = client.read(&value)?;
    }
    drop(waiting);
    match operation.status {
        OperationStatus::Failed => {
            let why = operation.error.as_deref().unwrap_or("no reason given");
            Err(Failure::Failed(format!(
                "{}: {}",
                operation.app,
                output::printable(why)
            )))
        }
        OperationStatus::Superseded => {
            let id = &operation.app;
            Err(Failure::Failed(format!(
                "{id}: a later request took this one's place: see `lodge app show {id}`"
            )))
        }
        OperationStatus::Running | OperationStatus::Succeeded => Ok(value),
    }
}

/// Creates the app, or lays the fields over the one that is there. Gives it, and whether it was
/// created.
///
/// # Errors
/// The API refused.
pub(crate) fn ensure(
    client: &Client,
    id: &str,
    mut fields: Map<String, Value>,
) -> Result<(Value, bool), Failure> {
    match client.get(&path(id)) {
        Ok(_) => Ok((client.patch(&path(id), &Value::Object(fields))?, false)),
        Err(failure) if failure.code() == Some("app_not_found") => {
            fields.insert("id".to_owned(), json!(id));
            Ok((
                client.post("/api/apps", Some(&Value::Object(fields)))?,
                true,
            ))
        }
        Err(failure) => Err(failure),
    }
}

/// Starts an app and waits until it runs.
///
/// # Errors
/// It does not; says why.
pub(crate) fn start(client: &Client, progress: Progress, id: &str) -> Result<Value, Failure> {
    let accepted = client.post(&format!("{}/start", path(id)), None)?;
    follow(
        client,
        progress,
        accepted.get("operation").cloned().unwrap_or_default(),
    )
}

/// An app's path in the API.
pub(crate) fn path(id: &str) -> String {
    format!("/api/apps/{}", encode(id))
}
