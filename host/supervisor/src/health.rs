//! Whether what the host stands on is as it should be: its database, its disk, its kernel.
//!
//! For people who look after the host, who ask: nothing depends on the answers, and readiness does
//! not. All checks run at once, each for 2 s at most, and an answer is good for 5 s: so however many
//! ask, each check runs once in that time. Messages hold no password.

use crate::figures::machine;
use crate::supervisor::Supervisor;
use lodge_db::Dialect;
use lodge_model::DatabaseEngine;
use rustix::fs::statvfs;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use utoipa::ToSchema;

/// A check that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long an answer is good for.
const FRESH: Duration = Duration::from_secs(5);
/// Less free space than this, in bytes, is worth a warning; so is less than a twentieth.
const SPACE: u64 = 1 << 30;

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// As it should be.
    Ok,
    /// It works, and somebody should look after it.
    Warning,
    /// It does not work.
    Failed,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HealthCheck {
    /// Stable, for programs: `control_database`, `apps_database`, `data_directory`, `pagemap_scan`,
    /// `max_map_count`; where there are workers also `redis` and `environments`, and `component_store` where
    /// there is one.
    pub name: String,
    /// How it ended.
    pub status: HealthStatus,
    /// What is the matter and what to do; null: nothing.
    #[schema(required)]
    pub message: Option<String>,
}

/// What the host is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostInfo {
    /// When the process began, in milliseconds since 1970.
    pub started_at: i64,
    /// Threads that run at once on this machine.
    pub cores: u64,
    /// Memory that the process may have, in bytes.
    pub memory_total_bytes: u64,
    /// What the control database is.
    pub control_database: Dialect,
    /// What apps' databases are unless asked otherwise.
    pub apps_database: DatabaseEngine,
}

/// The last answer, and when it was.
pub(crate) type LastHealth = tokio::sync::Mutex<Option<(Instant, Vec<HealthCheck>)>>;

/// What a check found: nothing, or how bad and what.
pub(crate) type Found = Option<(HealthStatus, String)>;

impl Supervisor {
    /// What the host is made of.
    pub fn host_info(&self) -> HostInfo {
        HostInfo {
            started_at: self.started_at,
            cores: machine::cores() as u64,
            memory_total_bytes: machine::memory_total(),
            control_database: self.db.dialect(),
            apps_database: self.settings.database_engine,
        }
    }

    /// Checks what the host stands on.
    pub async fn health(&self) -> Vec<HealthCheck> {
        // Whoever asks meanwhile waits for the same answer.
        let mut last = self.health.lock().await;
        if let Some((at, checks)) = &*last
            && at.elapsed() < FRESH
        {
            return checks.clone();
        }
        let facts = self.runtime.facts();
        let checks = tokio::join!(
            check("control_database", async {
                let answer = self.db.ping().await;
                answer.err().map(|error| failed(&error))
            }),
            check("apps_database", async {
                let answer = self.provider.check_service().await;
                answer.err().map(|error| failed(&error))
            }),
            check("data_directory", data_directory(self.data_dir.clone())),
            check("pagemap_scan", async { pagemap_scan(facts.pagemap_scan) }),
            check("max_map_count", async {
                let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count").ok();
                max_map_count(limit.as_deref(), facts.memory_mappings)
            }),
        );
        let mut checks: Vec<_> = <[_; 5]>::from(checks).into();
        if self.cluster.is_some() {
            checks.push(check("redis", async { self.redis() }).await);
            checks.push(check("environments", async { self.silent_workers() }).await);
        }
        if let Some(shelf) = &self.library.shelf {
            checks.push(check("component_store", shelf.check()).await);
        }
        *last = Some((Instant::now(), checks.clone()));
        checks
    }
}

impl Supervisor {
    fn redis(&self) -> Found {
        let reason = self.link_problem()?;
        let text = format!(
            "Redis cannot be reached: {reason}; apps are served on, and changes wait until it is back"
        );
        Some((HealthStatus::Failed, text))
    }

    fn silent_workers(&self) -> Found {
        let lost = self.lost_workers();
        (!lost.is_empty()).then(|| {
            let names: Vec<_> = lost.iter().map(|name| format!("`{name}`")).collect();
            let text = format!(
                "lost: {}; start them again, or move their apps and remove them",
                names.join(", ")
            );
            (HealthStatus::Warning, text)
        })
    }
}

async fn check(name: &str, found: impl Future<Output = Found>) -> HealthCheck {
    let (status, message) = match within(PATIENCE, found).await {
        None => (HealthStatus::Ok, None),
        Some((status, text)) => (status, Some(without_users(&text))),
    };
    HealthCheck {
        name: name.to_owned(),
        status,
        message,
    }
}

async fn within(patience: Duration, found: impl Future<Output = Found>) -> Found {
    timeout(patience, found).await.unwrap_or_else(|_| {
        let text = format!("no answer within {} s", patience.as_secs());
        Some((HealthStatus::Failed, text))
    })
}

fn failed(error: &dyn std::fmt::Display) -> (HealthStatus, String) {
    (HealthStatus::Failed, error.to_string())
}

/// Whether the data directory takes a file, and has room for more.
async fn data_directory(folder: PathBuf) -> Found {
    let looked = tokio::task::spawn_blocking(move || look_at(&folder)).await;
    looked.unwrap_or_else(|error| Some(failed(&error)))
}

fn look_at(folder: &Path) -> Found {
    let file = folder.join("health-check");
    let written = std::fs::write(&file, "may it be written?").and_then(|()| {
        // Its text is not worth a place on the disk.
        std::fs::remove_file(&file)
    });
    if let Err(error) = written {
        return Some(failed(&format_args!(
            "the data directory cannot be written: {error}"
        )));
    }
    match statvfs(folder) {
        Ok(disk) => space(
            disk.f_bavail.saturating_mul(disk.f_frsize),
            disk.f_blocks.saturating_mul(disk.f_frsize),
        ),
        Err(error) => Some((
            HealthStatus::Warning,
            format!("the free space of the data directory is not known: {error}"),
        )),
    }
}

/// What to say of so much free space of so much, in bytes.
fn space(free: u64, total: u64) -> Found {
    (free < SPACE || free < total / 20).then(|| {
        let text = format!(
            "{} MiB of {} MiB are free on the data directory's disk: make room",
            free >> 20,
            total >> 20
        );
        (HealthStatus::Warning, text)
    })
}

fn pagemap_scan(available: bool) -> Found {
    (!available).then(|| {
        let text = "the kernel does not tell which pages a guest wrote (PAGEMAP_SCAN, Linux 6.7 or \
                    newer): instances are cleaned up more slowly";
        (HealthStatus::Warning, text.to_owned())
    })
}

fn max_map_count(limit: Option<&str>, needed: u64) -> Found {
    let limit: u64 = limit?.trim().parse().ok()?;
    (limit < needed).then(|| {
        let text = format!(
            "the kernel allows {limit} memory mappings, and full instance slots may take {needed}: \
             raise it (sysctl -w vm.max_map_count={needed})"
        );
        (HealthStatus::Warning, text)
    })
}

/// The text without the user and password of a URL, should a driver have quoted one.
fn without_users(text: &str) -> String {
    let mut words = text.split_inclusive(char::is_whitespace).map(|word| {
        let Some((scheme, rest)) = word.split_once("://") else {
            return word.to_owned();
        };
        // A password may hold an `@` that should have been encoded.
        match rest.rsplit_once('@') {
            Some((_, place)) => format!("{scheme}://{place}"),
            None => word.to_owned(),
        }
    });
    words.by_ref().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_space_is_a_warning() {
        const GIB: u64 = 1 << 30;
        assert_eq!(space(2 * GIB, 20 * GIB), None);
        assert!(space(GIB - 1, 2 * GIB).is_some());
        assert!(space(4 * GIB, 100 * GIB).is_some());
    }

    #[test]
    fn few_mappings_are_a_warning() {
        assert_eq!(max_map_count(Some("65530\n"), 65_530), None);
        let (status, text) = max_map_count(Some("65530\n"), 70_000).unwrap();
        assert_eq!(status, HealthStatus::Warning);
        assert!(text.contains("vm.max_map_count=70000"));
        assert_eq!(max_map_count(None, 1), None);
    }

    #[test]
    fn urls_lose_their_users() {
        let text = "no answer from 'postgres://u:hun@ter2@db:5/x?y=1', or user@host";
        assert_eq!(
            without_users(text),
            "no answer from 'postgres://db:5/x?y=1', or user@host"
        );
    }

    #[test]
    fn a_folder_that_is_not_there_has_failed() {
        let (status, _) = look_at(Path::new("/nowhere/at/all")).unwrap();
        assert_eq!(status, HealthStatus::Failed);
    }

    #[tokio::test]
    async fn a_check_that_hangs_has_failed() {
        let checked = within(Duration::ZERO, std::future::pending()).await;
        assert_eq!(checked.unwrap().0, HealthStatus::Failed);
    }
}
