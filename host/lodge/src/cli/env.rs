//! `lodge env`.

mod drain;

use super::RemoteArgs;
use super::client::{Client, encode};
use super::failure::Failure;
use super::output;
use clap::{Args, Subcommand};
use lodge_supervisor::{EnvironmentInfo, EnvironmentStatus};
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(crate) struct EnvArgs {
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    #[command(subcommand)]
    command: EnvCommand,
}

#[derive(Debug, Subcommand)]
enum EnvCommand {
    /// List environments
    List,
    /// Show an environment
    Show {
        /// Its name
        name: String,
    },
    /// Have an environment take no further apps; what runs there stays
    Cordon {
        /// Its name
        name: String,
    },
    /// Have an environment take apps again
    Uncordon {
        /// Its name
        name: String,
    },
    /// Empty an environment: its apps are moved where others can have them, or stopped
    Drain {
        /// Its name
        name: String,
        /// Do not wait until nothing runs there
        #[arg(long)]
        no_wait: bool,
    },
    /// Forget an environment that has ended and has no apps
    Rm {
        /// Its name
        name: String,
    },
}

pub(crate) fn run(args: &EnvArgs) -> Result<(), Failure> {
    let client = Client::new(&args.remote)?;
    let json = args.remote.json;
    match &args.command {
        EnvCommand::List => list(&client, json),
        EnvCommand::Show { name } => show(&client, &client.get(&path(name))?, json),
        EnvCommand::Cordon { name } => {
            let now = client.post(&format!("{}/cordon", path(name)), None)?;
            say(&now, &format!("{name} takes no further apps"), json);
            Ok(())
        }
        EnvCommand::Uncordon { name } => {
            let now = client.post(&format!("{}/uncordon", path(name)), None)?;
            say(&now, &format!("{name} takes apps again"), json);
            Ok(())
        }
        EnvCommand::Drain { name, no_wait } => drain::run(&client, name, *no_wait, json),
        EnvCommand::Rm { name } => {
            client.delete(&path(name))?;
            say(&json!({ "name": name }), &format!("removed {name}"), json);
            Ok(())
        }
    }
}

fn path(name: &str) -> String {
    format!("/api/environments/{}", encode(name))
}

fn say(value: &Value, text: &str, json: bool) {
    match json {
        true => output::json(value),
        false => output::line(text),
    }
}

fn list(client: &Client, json: bool) -> Result<(), Failure> {
    let items = client.list("/api/environments")?;
    if json {
        output::json_list(items);
        return Ok(());
    }
    let mut rows = Vec::new();
    for item in &items {
        let environment: EnvironmentInfo = client.read(item)?;
        rows.push(vec![
            environment.name.to_string(),
            status(&environment),
            environment.version.clone(),
            format!("{} of {}", environment.running, environment.apps),
            load(&environment),
            output::time(environment.last_heartbeat),
            environment.url.unwrap_or_default(),
        ]);
    }
    let header = [
        "NAME",
        "STATUS",
        "VERSION",
        "RUNNING APPS",
        "LOAD",
        "LAST SEEN",
        "URL",
    ];
    let none = "no environments yet: start a worker (APP_MODE=worker, ENVIRONMENT_NAME, …)";
    output::table(&header, rows, none);
    Ok(())
}

/// Whether it is there, and whether it takes apps.
fn status(environment: &EnvironmentInfo) -> String {
    let status = environment.status.as_str();
    if environment.draining {
        format!("{status}, draining")
    } else if environment.schedulable {
        status.to_owned()
    } else {
        format!("{status}, cordoned")
    }
}

/// How busy it is; nothing of one that does not report.
fn load(environment: &EnvironmentInfo) -> String {
    if environment.status != EnvironmentStatus::Online {
        return String::new();
    }
    format!(
        "{:.1} of {:.1} cores, {}",
        environment.cpu_load,
        environment.cpu_cores,
        output::bytes(environment.process_memory_bytes)
    )
}

fn show(client: &Client, value: &Value, json: bool) -> Result<(), Failure> {
    if json {
        output::json(value);
        return Ok(());
    }
    let environment: EnvironmentInfo = client.read(value)?;
    let heartbeats = match environment.heartbeat_ms {
        0 => String::new(),
        interval => format!("every {}", output::duration(interval)),
    };
    let of = |used: u64, all: u64| format!("{} of {}", output::bytes(used), output::bytes(all));
    output::pairs(vec![
        ("name", environment.name.to_string()),
        ("status", status(&environment)),
        ("message", environment.message.clone().unwrap_or_default()),
        ("version", environment.version.clone()),
        ("url", environment.url.clone().unwrap_or_default()),
        (
            "proxy url",
            environment.proxy_url.clone().unwrap_or_default(),
        ),
        ("last seen", output::time(environment.last_heartbeat)),
        ("heartbeats", heartbeats),
        ("started", output::time(environment.started_at)),
        ("apps", environment.apps.to_string()),
        ("  running", environment.running.to_string()),
        ("dead letters", environment.dead_letters.to_string()),
        (
            "cpu",
            format!(
                "{:.2} of {:.2} cores",
                environment.cpu_load, environment.cpu_cores
            ),
        ),
        (
            "memory",
            of(
                environment.process_memory_bytes,
                environment.memory_total_bytes,
            ),
        ),
        ("  of its apps", output::bytes(environment.app_memory_bytes)),
        (
            "instances",
            format!(
                "{} of {}",
                environment.instances, environment.instance_slots
            ),
        ),
    ]);
    Ok(())
}
