//! `lodge app test-database`.

use super::path;
use crate::cli::app_fields::DatabaseFields;
use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::output;
use clap::Args;
use lodge_model::ConnectionReport;
use serde_json::json;

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// The app's ID; without --database, its own database is tried
    id: String,
    #[command(flatten)]
    database: DatabaseFields,
}

pub(super) fn run(client: &Client, args: &TestArgs, json: bool) -> Result<(), Failure> {
    let database = match args.database.to_json()? {
        Some(database) => database,
        // Its URL, which nobody is shown, is filled in by the host.
        None => client
            .get(&path(&args.id))?
            .get("database")
            .cloned()
            .unwrap_or_default(),
    };
    let body = json!({ "app": args.id, "database": database });
    let report = client.post("/api/databases/test", Some(&body))?;
    if json {
        output::json(&report);
        return Ok(());
    }
    let report: ConnectionReport = client.read(&report)?;
    output::line(format_args!(
        "{} can use it: {} {}, {} ms",
        args.id,
        json!(report.engine).as_str().unwrap_or_default(),
        output::printable(&report.version),
        report.elapsed_ms
    ));
    Ok(())
}
