//! `lodge dev`: builds the project in this folder and deploys it, again on every save.
//!
//! A build or a deployment that fails says so and waits for the next save. Each build is listed
//! under a version made from its own digest, and the one before it is removed from the host, so
//! that a day's work does not leave a hundred components there.

mod build;
mod watch;

use super::RemoteArgs;
use super::app::AppAnswer;
use super::app_fields::AppFields;
use super::client::Client;
use super::deploy;
use super::failure::Failure;
use super::output;
use super::progress::Progress;
use super::upload::{self, Listed};
use clap::Args;
use lodge_model::Digest;
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(after_help = "LODGE_GUEST_CARGO names another cargo to build with.")]
pub(crate) struct DevArgs {
    /// The app to run it as; by default the package's name
    #[arg(long, value_name = "ID")]
    app: Option<String>,
    /// The project's folder
    #[arg(long, value_name = "DIR", default_value = ".")]
    path: PathBuf,
    /// Build and deploy once, then end
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    fields: AppFields,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

pub(crate) fn run(args: &DevArgs) -> Result<(), Failure> {
    let client = Client::new(&args.remote)?;
    let progress = Progress::new(args.remote.json);
    let project = build::Project::find(&args.path)?;
    let app = args.app.clone().unwrap_or_else(|| project.package.clone());
    let mut session = Session {
        client,
        progress,
        project,
        app,
        before: None,
    };
    if args.once {
        return session.deploy(args);
    }
    // Watched before the first build, so that a save during it is not missed.
    let changes = watch::Changes::of(&session.project.folder)?;
    loop {
        if let Err(failure) = session.deploy(args) {
            eprintln!("lodge: {failure}");
        }
        progress.say("waiting for changes (Ctrl-C ends)");
        let changed = changes.wait()?;
        progress.say(format_args!(
            "{} changed",
            shown(&changed, &session.project.folder)
        ));
    }
}

struct Session {
    client: Client,
    progress: Progress,
    project: build::Project,
    app: String,
    /// What was deployed last, if this session uploaded it.
    before: Option<Digest>,
}

impl Session {
    fn deploy(&mut self, args: &DevArgs) -> Result<(), Failure> {
        let mut fields = args.fields.to_json()?;
        let wasm = self.project.build()?;
        let listed = Listed {
            name: Some(self.app.clone()),
            version: Some(version(&wasm)?),
        };
        let uploaded = match upload::file(&self.client, self.progress, &wasm, &listed) {
            // The same bytes under another name, say from `lodge deploy`, do as well.
            Err(failure) if failure.code() == Some("component_exists") => {
                upload::file(&self.client, self.progress, &wasm, &Listed::default())?
            }
            other => other?,
        };
        let uploaded = upload::wait_compiled(&self.client, self.progress, uploaded)?;
        let digest = uploaded.component.digest;
        fields.insert("component".to_owned(), json!({ "digest": digest }));
        let deployed = deploy::start(&self.client, self.progress, &self.app, fields)?;
        match args.remote.json {
            true => output::json(&deployed),
            false => {
                let AppAnswer { urls, .. } = self.client.read(&deployed)?;
                urls.iter().for_each(output::line);
            }
        }
        let own = uploaded.created.then_some(digest);
        if let Some(before) = self.before.take().filter(|before| *before != digest) {
            // Best effort: another app may have taken it up meanwhile.
            let _ = self.client.delete(&format!("/api/components/{before}"));
        }
        self.before = own;
        Ok(())
    }
}

/// A version that is the content's own: the same bytes have the same.
fn version(wasm: &Path) -> Result<String, Failure> {
    let digest = upload::digest_of(wasm).map_err(Failure::file("read", wasm))?;
    Ok(format!(
        "dev-{}",
        digest.chars().take(12).collect::<String>()
    ))
}

fn shown(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder)
        .unwrap_or(path)
        .display()
        .to_string()
}
