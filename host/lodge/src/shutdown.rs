//! When to end: SIGINT or SIGTERM begins a graceful stop, a second one ends at once.

use tokio::signal::unix::{SignalKind, signal};

/// Resolves with the name of the signal that asks to stop.
pub(crate) async fn requested() -> &'static str {
    let wait = |kind: SignalKind, name: &'static str| async move {
        match signal(kind) {
            Ok(mut signals) => {
                signals.recv().await;
                name
            }
            Err(error) => {
                tracing::error!(%error, name, "the signal cannot be watched for");
                std::future::pending().await
            }
        }
    };
    tokio::select! {
        name = wait(SignalKind::interrupt(), "SIGINT") => name,
        name = wait(SignalKind::terminate(), "SIGTERM") => name,
    }
}

/// From now on a further signal ends the process without grace.
pub(crate) fn end_at_second_signal() {
    tokio::spawn(async {
        let name = requested().await;
        tracing::warn!(reason = name, "ended without grace");
        std::process::exit(130);
    });
}
