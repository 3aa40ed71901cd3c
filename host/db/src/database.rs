//! Opens the control database and hands out connections.

use crate::{Error, migrate};
use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Transaction};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// SQLite readers at once, beside the one writer.
const SQLITE_READERS: u32 = 4;
/// Connections to PostgreSQL.
const POSTGRES_CONNECTIONS: u32 = 10;
/// How long a query waits for a connection: on SQLite for the writes before it, on PostgreSQL also
/// for a server that is gone.
const SQLITE_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(15);
const POSTGRES_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a server that does not answer yet is waited for, and how often it is asked.
const SERVER_PATIENCE: Duration = Duration::from_secs(15);
const SERVER_PULSE: Duration = Duration::from_millis(500);

/// WAL: readers never wait for the writer. FULL: a commit is on the disk when it is acknowledged,
/// through a power cut too. The timeout is for a second process (a backup, a migration). What is
/// deleted is overwritten, since it may be a secret.
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; \
     PRAGMA secure_delete = ON;";

/// A write transaction. Dropped without `commit`, it is rolled back.
pub type Tx = Transaction<'static, Any>;

/// What speaks SQL at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// A file, in this process.
    Sqlite,
    /// A server.
    Postgres,
}

/// The control database. Clones share its connections.
#[derive(Clone)]
pub struct Database {
    dialect: Dialect,
    /// On SQLite.
    file: Option<PathBuf>,
    writer: AnyPool,
    reader: AnyPool,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the pools: they hold the URL and so the password.
        f.debug_struct("Database")
            .field("dialect", &self.dialect)
            .finish_non_exhaustive()
    }
}

impl Database {
    /// Opens the database at `url` (`sqlite:path`, `sqlite:///path`, `postgres://…`), makes an
    /// SQLite file that is missing (readable by its owner only), and migrates it.
    ///
    /// A server that does not answer yet, since it starts beside this process, is waited for.
    ///
    /// # Errors
    /// It cannot be reached, has a newer schema, or could not be migrated. No error shows the
    /// URL's password.
    pub async fn open(url: &str) -> Result<Self, Error> {
        Self::open_within(url, SERVER_PATIENCE).await
    }

    /// As [`Database::open`], waiting so long for a server that does not answer yet.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub async fn open_within(url: &str, patience: Duration) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let database = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Self::connect_sqlite(url).await?,
            Some("postgres" | "postgresql") => Self::connect_postgres(url, patience).await?,
            _ => {
                return Err(Error::Open {
                    target: shown(url),
                    reason: "the URL must start with `sqlite:` or `postgres:`".into(),
                });
            }
        };
        migrate::run(&database).await?;
        Ok(database)
    }

    /// Opens the SQLite file at `path`, whatever characters it has.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub async fn open_file(path: &Path) -> Result<Self, Error> {
        let text = path.to_str().ok_or_else(|| Error::Open {
            target: path.display().to_string(),
            reason: "the path is not valid UTF-8: choose another data directory".into(),
        })?;
        Self::open(&format!("sqlite:{}", encode(text))).await
    }

    /// What speaks SQL at the other end.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The file, on SQLite.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Connections for reading.
    #[must_use]
    pub fn reader(&self) -> &AnyPool {
        &self.reader
    }

    /// Begins a write transaction. On SQLite it takes the write lock at once: one that began by
    /// reading and wanted it later would fail at once, not wait, if another process had it.
    ///
    /// # Errors
    /// No connection became free in time, or the database does not answer.
    pub async fn begin(&self) -> Result<Tx, Error> {
        Ok(match self.dialect {
            Dialect::Sqlite => self.writer.begin_with("BEGIN IMMEDIATE").await?,
            Dialect::Postgres => self.writer.begin().await?,
        })
    }

    /// Asks the database for an answer, for readiness.
    ///
    /// # Errors
    /// There was none.
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1").execute(&self.reader).await?;
        Ok(())
    }

    /// Closes every connection once its query is done. Later queries fail.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    async fn connect_sqlite(url: &str) -> Result<Self, Error> {
        let failed = |reason: String| Error::Open {
            target: shown(url),
            reason,
        };
        let path = sqlite_path(url);
        if path.as_os_str().is_empty() || path == Path::new(":memory:") {
            return Err(failed(
                "it needs a file: write `sqlite:path/to/lodge.db`".into(),
            ));
        }
        make_private_file(&path).map_err(|e| failed(format!("{}: {e}", path.display())))?;
        let pool = |connections: u32| {
            AnyPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(SQLITE_ACQUIRE_TIMEOUT)
                .idle_timeout(None)
                .max_lifetime(None)
                // The file is ours: a connection cannot go stale as one over a network can.
                .test_before_acquire(false)
                .after_connect(|connection, _| {
                    Box::pin(async move {
                        sqlx::raw_sql(SQLITE_SETTINGS)
                            .execute(connection)
                            .await
                            .map(drop)
                    })
                })
        };
        let writer = pool(1)
            .connect(url)
            .await
            .map_err(|e| failed(e.to_string()))?;
        let reader = pool(SQLITE_READERS)
            .connect_lazy(url)
            .map_err(|e| failed(e.to_string()))?;
        Ok(Self {
            dialect: Dialect::Sqlite,
            file: Some(path),
            writer,
            reader,
        })
    }

    async fn connect_postgres(url: &str, patience: Duration) -> Result<Self, Error> {
        let failed = |e: sqlx::Error| Error::Open {
            target: shown(url),
            reason: e.to_string(),
        };
        // By hand first: the pool would say only that it waited, not for what.
        await_server(url, patience).await.map_err(failed)?;
        let pool = AnyPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(POSTGRES_ACQUIRE_TIMEOUT)
            .connect(url)
            .await
            .map_err(failed)?;
        Ok(Self {
            dialect: Dialect::Postgres,
            file: None,
            writer: pool.clone(),
            reader: pool,
        })
    }
}

/// Returns once a server answers, or does not within `patience`.
async fn await_server(url: &str, patience: Duration) -> Result<(), sqlx::Error> {
    let deadline = Instant::now() + patience;
    loop {
        match AnyConnection::connect(url).await {
            Ok(connection) => return connection.close().await,
            Err(error @ sqlx::Error::Io(_)) if Instant::now() < deadline => {
                tracing::info!(target = shown(url), %error, "waiting for the control database");
                sleep(SERVER_PULSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// The file that an SQLite URL names.
fn sqlite_path(url: &str) -> PathBuf {
    let rest = url.strip_prefix("sqlite:").unwrap_or(url);
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    PathBuf::from(decode(rest.split_once('?').map_or(rest, |(path, _)| path)))
}

/// Makes the file if it is missing; either way only its owner may read it, since it holds password
/// hashes and apps' secrets. SQLite gives its journals the mode of the file.
fn make_private_file(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

/// A URL as it may be shown: scheme, host and path, without user, password and parameters.
fn shown(url: &str) -> String {
    let url = url.split_once('?').map_or(url, |(before, _)| before);
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
            format!("{scheme}://{place}")
        }
        None => url.to_owned(),
    }
}

/// Percent-encodes what would end or change a URL's path.
fn encode(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Undoes percent-encoding.
fn decode(path: &str) -> String {
    let mut out = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|d| std::str::from_utf8(d).ok());
        match digits.and_then(|d| u8::from_str_radix(d, 16).ok()) {
            Some(decoded) if byte == b'%' => {
                out.push(decoded);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_shown_without_secrets() {
        let url = "postgres://lodge:se@cret@db.example:5432/lodge?password=x";
        assert_eq!(shown(url), "postgres://db.example:5432/lodge");
        assert_eq!(
            shown("sqlite:data/lodge.db?mode=rw"),
            "sqlite:data/lodge.db"
        );
    }

    #[test]
    fn paths_survive_the_url() {
        for path in ["data/lodge.db", "/tmp/a b/%41?#ü.db"] {
            assert_eq!(
                sqlite_path(&format!("sqlite:{}", encode(path))),
                Path::new(path)
            );
        }
        assert_eq!(
            sqlite_path("sqlite:///var/l.db?mode=rwc"),
            Path::new("/var/l.db")
        );
        assert_eq!(sqlite_path("sqlite://data/l.db"), Path::new("data/l.db"));
    }
}
