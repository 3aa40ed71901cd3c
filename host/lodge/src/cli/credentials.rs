//! Remembered logins: one file in the user's configuration directory, readable by nobody else.

use super::failure::Failure;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// One remembered login.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Login {
    /// Who logged in.
    pub(crate) email: String,
    /// The session's token.
    pub(crate) token: String,
    /// When it ends, in milliseconds since 1970.
    pub(crate) expires_at: i64,
}

type Logins = BTreeMap<String, Login>;

/// The token remembered for the API at `base`.
///
/// # Errors
/// The file cannot be read or understood.
pub(crate) fn load(base: &str) -> Result<Option<String>, Failure> {
    let Some(path) = path() else { return Ok(None) };
    Ok(read(&path)?.remove(base).map(|login| login.token))
}

/// Remembers a login for the API at `base`, or with none forgets it. Gives the file's path.
///
/// # Errors
/// The file cannot be read or written.
pub(crate) fn store(base: &str, login: Option<Login>) -> Result<PathBuf, Failure> {
    let path = path().ok_or_else(|| {
        Failure::Failed(
            "there is nowhere to remember the login: set HOME or XDG_CONFIG_HOME, or use \
             --print-token and LODGE_TOKEN"
                .into(),
        )
    })?;
    let mut logins = read(&path)?;
    match login {
        Some(login) => logins.insert(base.to_owned(), login),
        None => logins.remove(base),
    };
    write(&path, &logins)?;
    Ok(path)
}

/// `$XDG_CONFIG_HOME/lodge/credentials.json`, or under `~/.config`.
fn path() -> Option<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let config = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(config.join("lodge/credentials.json"))
}

fn read(path: &Path) -> Result<Logins, Failure> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| {
            // Not the parser's message: it may quote a token.
            Failure::Failed(format!(
                "{} is damaged: remove it and run `lodge login`",
                path.display()
            ))
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Logins::new()),
        Err(error) => Err(Failure::file("read", path)(error)),
    }
}

/// Written beside and renamed, so that a crash leaves the old file whole.
fn write(path: &Path, logins: &Logins) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(Failure::file("create", folder))?;
    let fresh = folder.join(format!(".credentials.{}.tmp", std::process::id()));
    let written = (|| {
        let mut options = fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(&serde_json::to_vec_pretty(logins).unwrap_or_default())?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    })();
    written.map_err(|error| {
        // Best effort: the error itself is what matters.
        let _ = fs::remove_file(&fresh);
        Failure::file("write", path)(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn logins_are_kept_private_and_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lodge/credentials.json");
        assert!(read(&path).unwrap().is_empty());
        let login = |token: &str| Login {
            email: "a@b.c".into(),
            token: token.into(),
            expires_at: 1,
        };
        let mut logins = Logins::new();
        logins.insert("http://one".into(), login("1"));
        logins.insert("http://two".into(), login("2"));
        write(&path, &logins).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(
            read(&path).unwrap().remove("http://two").unwrap().token,
            "2"
        );
        fs::write(&path, "{\"token\": \"secret").unwrap();
        let failure = read(&path).err().unwrap().to_string();
        assert!(
            failure.contains("damaged") && !failure.contains("secret"),
            "{failure}"
        );
    }
}
