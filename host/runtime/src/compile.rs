//! Runs the children that read and compile components: a bounded number at once, each with an end.

use crate::child::COMPILE_CPU_SECONDS;
use lodge_model::{CompileError, Inspection, Rejection};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::Semaphore;

/// How long a child may check a component: wall time, far above its own limit on CPU time, which a busy host gives it
/// slowly, and below what an uploader waits.
const CHECK_TIME: Duration = Duration::from_secs(240);
/// How long a child may compile one: wall time, above the child's own limit on CPU time.
const COMPILE_TIME: Duration = Duration::from_secs(COMPILE_CPU_SECONDS + 300);
/// After this long a compile no longer counts as one of the usual.
const LONG: Duration = Duration::from_secs(10);
/// Bytes of a child's complaint that are kept.
const COMPLAINT_BYTES: usize = 2_000;

/// Starts children.
pub(crate) struct Compiler {
    /// The program and its first arguments; the child's own come after.
    command: (PathBuf, Vec<String>),
    compiling: Semaphore,
    /// Compiles that take long, beside those.
    overstaying: Semaphore,
    inspecting: Semaphore,
}

/// How a child ended, when not with an answer.
#[derive(Debug, thiserror::Error)]
enum ChildError {
    #[error("it took longer than {} s", .0.as_secs())]
    TooLong(Duration),
    #[error("it met its limit on {0}")]
    Limit(&'static str),
    #[error("it ended without an answer: {0}")]
    Silent(String),
    #[error("it could not be started: {0}")]
    Start(std::io::Error),
}

impl Compiler {
    /// `command` runs [`crate::child::main`]; at most `slots` compile at once, and as many more of
    /// those that take long.
    pub(crate) fn new(command: (PathBuf, Vec<String>), slots: usize) -> Self {
        Self {
            command,
            compiling: Semaphore::new(slots),
            overstaying: Semaphore::new(slots),
            // Checking is short; a few may go on beside the compiles.
            inspecting: Semaphore::new(slots + 1),
        }
    }

    /// Checks a component's bytes.
    ///
    /// # Errors
    /// What it is instead of a component that Lodge can run.
    pub(crate) async fn inspect(&self, wasm: &Path) -> Result<Inspection, Rejection> {
        let _slot = self.inspecting.acquire().await;
        let words = ["inspect".as_ref(), wasm.as_os_str()];
        let answer = self.run(&words, CHECK_TIME).await;
        answer.unwrap_or_else(|e| Err(unchecked(&e)))
    }

    /// Compiles `wasm` into `output`; `started` is called once a slot is had.
    ///
    /// # Errors
    /// Why there is no output.
    pub(crate) async fn compile(
        &self,
        is_async: bool,
        wasm: &Path,
        output: &Path,
        started: impl FnOnce(),
    ) -> Result<(), CompileError> {
        let slot = self.compiling.acquire().await;
        started();
        let flavor = if is_async { "async" } else { "sync" };
        let words = [
            "compile".as_ref(),
            flavor.as_ref(),
            wasm.as_os_str(),
            output.as_os_str(),
        ];
        let compiled = self.run(&words, COMPILE_TIME);
        let answer: Result<Result<(), String>, _> = self.not_delaying(slot, compiled).await;
        match answer {
            Ok(Ok(())) => Ok(()),
            Ok(Err(message)) => Err(CompileError::Component(message)),
            Err(e @ (ChildError::TooLong(_) | ChildError::Limit(_))) => {
                Err(CompileError::Component(format!(
                    "compiling was ended: {e}. Make the component smaller, or split it"
                )))
            }
            Err(e) => Err(CompileError::Host(format!(
                "the compiler process failed: {e}"
            ))),
        }
    }

    /// Waits for a compile. One that takes long gives its slot to the next: of a few such components nobody else's
    /// uploads are delayed.
    async fn not_delaying<T, S>(&self, slot: S, compiled: impl Future<Output = T>) -> T {
        let mut compiled = std::pin::pin!(compiled);
        if let Ok(answer) = tokio::time::timeout(LONG, &mut compiled).await {
            return answer;
        }
        let _place = tokio::select! {
            answer = &mut compiled => return answer,
            place = self.overstaying.acquire() => place,
        };
        drop(slot);
        compiled.await
    }

    async fn run<T: DeserializeOwned>(
        &self,
        words: &[&std::ffi::OsStr],
        time: Duration,
    ) -> Result<T, ChildError> {
        let (program, first) = &self.command;
        let child = Command::new(program)
            .args(first)
            .args(words)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(ChildError::Start)?;
        let Ok(output) = tokio::time::timeout(time, child.wait_with_output()).await else {
            return Err(ChildError::TooLong(time));
        };
        let output = output.map_err(ChildError::Start)?;
        if let Ok(answer) = serde_json::from_slice(&output.stdout) {
            return Ok(answer);
        }
        Err(ended(output.status, &output.stderr))
    }
}

/// Why there is no verdict on a component: its own fault, or that of a host to be asked again.
fn unchecked(ended: &ChildError) -> Rejection {
    let (code, remedy) = match ended {
        ChildError::Limit(_) => (
            "too_complex",
            "It is made so that reading it takes more than the host gives: build it again, make it smaller, or split it",
        ),
        ChildError::TooLong(_) | ChildError::Silent(_) | ChildError::Start(_) => (
            "check_failed",
            "The host is short of something, or too busy: upload it again later",
        ),
    };
    Rejection {
        code: code.into(),
        message: format!("the component could not be checked: {ended}. {remedy}"),
        unknown_imports: Vec::new(),
    }
}

/// Reads a child's end.
fn ended(status: std::process::ExitStatus, stderr: &[u8]) -> ChildError {
    use std::os::unix::process::ExitStatusExt;
    const SIGXCPU: i32 = 24;
    const SIGXFSZ: i32 = 25;
    const SIGKILL: i32 = 9;
    let complaint = String::from_utf8_lossy(stderr.get(..COMPLAINT_BYTES).unwrap_or(stderr));
    if complaint.contains("memory allocation") || complaint.contains("Cannot allocate memory") {
        return ChildError::Limit("memory");
    }
    match status.signal() {
        Some(SIGXCPU) => ChildError::Limit("CPU time"),
        // At the hard limit the kernel kills.
        Some(SIGKILL) => ChildError::Limit("CPU time or memory"),
        Some(SIGXFSZ) => ChildError::Limit("the size of the compiled form"),
        _ => ChildError::Silent(format!("{status}; {}", complaint.trim())),
    }
}

#[cfg(test)]
mod tests {
    use super::Compiler;
    use std::path::Path;

    async fn code_where_the_child(does: &str) -> String {
        let command = ("/bin/sh".into(), vec!["-c".into(), does.into()]);
        let refused = Compiler::new(command, 1).inspect(Path::new("/")).await;
        refused.unwrap_err().code
    }

    #[tokio::test]
    async fn a_component_is_told_from_a_host_in_trouble() {
        assert_eq!(code_where_the_child("kill -XCPU $$").await, "too_complex");
        assert_eq!(code_where_the_child("kill -KILL $$").await, "too_complex");
        assert_eq!(code_where_the_child("exit 1").await, "check_failed");
    }
}
