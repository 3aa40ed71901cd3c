//! `lodge env`.

use super::RemoteArgs;
use super::client::Client;
use super::failure::Failure;
use super::output;
use clap::{Args, Subcommand};
use lodge_supervisor::EnvironmentInfo;

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
}

pub(crate) fn run(args: &EnvArgs) -> Result<(), Failure> {
    let EnvCommand::List = args.command;
    let client = Client::new(&args.remote)?;
    let items = client.list("/api/environments")?;
    if args.remote.json {
        output::json_list(items);
        return Ok(());
    }
    let mut rows = Vec::new();
    for item in &items {
        let environment: EnvironmentInfo = client.read(item)?;
        rows.push(vec![
            environment.name.to_string(),
            environment.status.as_str().to_owned(),
            environment.version,
            format!("{} of {}", environment.running, environment.apps),
            output::time(environment.last_heartbeat),
            environment.url.unwrap_or_default(),
        ]);
    }
    let header = [
        "NAME",
        "STATUS",
        "VERSION",
        "RUNNING APPS",
        "LAST SEEN",
        "URL",
    ];
    output::table(&header, rows, "no environments");
    Ok(())
}
