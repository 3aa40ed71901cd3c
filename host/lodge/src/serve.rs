//! `lodge serve`: from the command line to a host that serves, and to its end.

use crate::config::{Config, ServeArgs};
use crate::{shutdown, wiring};
use anyhow::{Context, Result};
use std::io::IsTerminal as _;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Threads of the async runtime beside those that guests may hold.
const FREE_THREADS: usize = 1;

/// Tasks that a busy thread polls between two looks at what has arrived. A guest's task takes tens of microseconds, so
/// tokio's own 61 would have a quiet app's visitor wait for milliseconds.
const EVENT_INTERVAL: u32 = 16;

/// What is logged unless `RUST_LOG` says otherwise. What a database server remarks (that a table is there
/// already) names no app and asks for nothing.
const LOGGED: &str = "info,sqlx::postgres::notice=warn";

/// Serves until told to stop. Settings that make no sense end with code 2.
///
/// # Errors
/// The host could not start; the message names what and why.
pub(crate) fn run(args: ServeArgs) -> Result<ExitCode> {
    let config = match Config::decide(args) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("lodge: {error:#}");
            return Ok(ExitCode::from(2));
        }
    };
    start_log(config.json_log);
    for notice in &config.notices {
        tracing::warn!("{notice}");
    }
    raise_file_limit();
    check_map_limit(config.max_instances);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.guest_threads + FREE_THREADS)
        .event_interval(EVENT_INTERVAL)
        .on_thread_start(lodge_runtime::serve_in_short_slices)
        .enable_all()
        .build()
        .context("the async runtime cannot start")?;
    let served = runtime.block_on(async {
        let process = wiring::start(config).await?;
        process.announce()?;
        let failed = tokio::select! {
            reason = shutdown::requested() => {
                tracing::info!(%reason, "stopping");
                None
            }
            why = process.failed() => {
                tracing::error!(reason = why, "this worker was refused");
                Some(why)
            }
        };
        shutdown::end_at_second_signal();
        process.stop().await;
        match failed {
            None => anyhow::Ok(()),
            Some(why) => Err(anyhow::anyhow!(why)),
        }
    });
    runtime.shutdown_background();
    served.map(|()| ExitCode::SUCCESS)
}

fn start_log(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let log = log.with_ansi(std::io::stderr().is_terminal());
    if json {
        log.json().init()
    } else {
        log.with_target(false).init()
    }
}

/// Every connection is a file: takes as many as the system allows this process.
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit on open files stays as it is");
    }
}

/// Says so if the kernel may refuse memory mappings that the instances and components need.
fn check_map_limit(instances: u32) {
    let Ok(text) = std::fs::read_to_string("/proc/sys/vm/max_map_count") else {
        return;
    };
    let needed = lodge_runtime::memory_mappings(instances);
    if let Ok(limit) = text.trim().parse::<u64>()
        && limit < needed
    {
        tracing::warn!(
            limit,
            needed,
            "the kernel's limit on memory mappings may be too low for max_instances: raise it (sysctl -w vm.max_map_count={needed})"
        );
    }
}
