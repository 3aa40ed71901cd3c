//! Brings a component to the host and follows its compile.

use super::client::{Client, encode};
use super::failure::Failure;
use super::output;
use super::progress::Progress;
use lodge_model::{Component, ComponentStatus};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _};
use std::path::Path;

/// A component as the API gave it, and as we read it.
pub(crate) struct Uploaded {
    /// As the API gave it.
    pub(crate) json: Value,
    /// The same, read.
    pub(crate) component: Component,
    /// False: the host had it already.
    pub(crate) created: bool,
}

/// How a component is to be listed; none: as its metadata says.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Listed {
    /// The name to list the component under; by default that in its metadata
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Its version; by default that in its metadata
    #[arg(long = "component-version", value_name = "VERSION")]
    pub(crate) version: Option<String>,
}

/// Uploads the file at `path`, unless the host has the same bytes already.
///
/// # Errors
/// The file cannot be read, or the host refuses it.
pub(crate) fn file(
    client: &Client,
    progress: Progress,
    path: &Path,
    listed: &Listed,
) -> Result<Uploaded, Failure> {
    let read = || Failure::file("read", path);
    let mut file = File::open(path).map_err(read())?;
    let metadata = file.metadata().map_err(read())?;
    if !metadata.is_file() {
        return Err(Failure::Failed(format!(
            "{} is not a file: name a .wasm file",
            path.display()
        )));
    }
    let digest = digest(&mut file).map_err(read())?;
    if let Some(found) = there_already(client, &digest, listed)? {
        progress.say(format_args!(
            "{} is on the host already",
            found.component.name
        ));
        return Ok(found);
    }
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    let reader = progress.read(
        &format!("uploading {name}"),
        metadata.len(),
        BufReader::new(file),
    );
    let json = client.upload(&upload_path(listed), metadata.len(), reader)?;
    Ok(Uploaded {
        component: client.read(&json)?,
        json,
        created: true,
    })
}

/// The component with these bytes, if it is there and listed as wanted; otherwise the upload's
/// own answer says how it is listed.
fn there_already(
    client: &Client,
    digest: &str,
    listed: &Listed,
) -> Result<Option<Uploaded>, Failure> {
    let json = match client.get(&format!("/api/components/{digest}")) {
        Ok(json) => json,
        Err(failure) if failure.code() == Some("component_not_found") => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let component: Component = client.read(&json)?;
    let same = |wanted: &Option<String>, has: &str| wanted.as_deref().is_none_or(|w| w == has);
    let as_wanted =
        same(&listed.name, &component.name) && same(&listed.version, &component.version);
    Ok(as_wanted.then_some(Uploaded {
        json,
        component,
        created: false,
    }))
}

fn upload_path(listed: &Listed) -> String {
    let given = [("name", &listed.name), ("version", &listed.version)];
    let query: Vec<String> = given
        .iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", encode(value.as_deref()?))))
        .collect();
    match query.is_empty() {
        true => "/api/components".to_owned(),
        false => format!("/api/components?{}", query.join("&")),
    }
}

/// The SHA-256 of the file at `path`.
///
/// # Errors
/// It cannot be read.
pub(crate) fn digest_of(path: &Path) -> std::io::Result<String> {
    digest(&mut File::open(path)?)
}

/// The SHA-256 of a file, which is then at its beginning again.
fn digest(file: &mut File) -> std::io::Result<String> {
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 64 * 1024]);
    loop {
        let count = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        hasher.update(bytes);
    }
    file.rewind()?;
    Ok(hex::encode(hasher.finalize()))
}

/// Waits until the component's compile has ended.
///
/// # Errors
/// It failed; says why.
pub(crate) fn wait_compiled(
    client: &Client,
    progress: Progress,
    uploaded: Uploaded,
) -> Result<Uploaded, Failure> {
    let Uploaded {
        mut json,
        mut component,
        created,
    } = uploaded;
    let title = |component: &Component| match component.status {
        ComponentStatus::Queued => format!("compiling {} (waits for its turn)", component.name),
        _ => format!("compiling {}", component.name),
    };
    let waited = !ended(&component);
    if waited {
        let waiting = progress.wait(title(&component));
        while !ended(&component) {
            waiting.now(title(&component));
            json = client.get(&format!(
                "/api/components/{}?wait_ms=2000",
                component.digest
            ))?;
            component = client.read(&json)?;
        }
    }
    if component.status == ComponentStatus::Failed {
        let why = component.error.as_deref().unwrap_or("no reason given");
        return Err(Failure::Failed(format!(
            "{} cannot be compiled: {why}",
            component.name
        )));
    }
    if let Some(time) = component.compile_ms.filter(|_| waited) {
        progress.say(format_args!(
            "compiled {} in {}",
            component.name,
            output::duration(time)
        ));
    }
    Ok(Uploaded {
        json,
        component,
        created,
    })
}

fn ended(component: &Component) -> bool {
    matches!(
        component.status,
        ComponentStatus::Ready | ComponentStatus::Failed
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upload_paths() {
        let listed = |name: Option<&str>, version: Option<&str>| {
            upload_path(&Listed {
                name: name.map(str::to_owned),
                version: version.map(str::to_owned),
            })
        };
        assert_eq!(listed(None, None), "/api/components");
        assert_eq!(
            listed(Some("a b"), Some("1+2")),
            "/api/components?name=a%20b&version=1%2B2"
        );
    }

    #[test]
    fn digests_leave_the_file_at_its_beginning() {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, b"abc").unwrap();
        file.rewind().unwrap();
        let found = digest(&mut file).unwrap();
        assert!(found.starts_with("ba7816bf") && found.ends_with("15ad"));
        assert_eq!(file.stream_position().unwrap(), 0);
    }
}
