//! `/metrics`: Prometheus text, small: a few series an app that was ever visited.
//!
//! A supervisor has its visitors' requests, a worker those that it served, wherever they came from: of an
//! app on workers the sum over workers is the work done, the supervisor's figure what visitors met.

use crate::auth;
use crate::problem::Problem;
use crate::state::Console;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use lodge_model::{AppId, MeterSnapshot, Status};
use lodge_supervisor::{AppFilter, Page};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// Apps read at once; between pages other tasks have their turn.
const PAGE: u32 = 500;

/// One metric: its name, type, help, and how to read it.
type Series = (&'static str, &'static str, &'static str, Count);

/// Reads one counter.
type Count = fn(&MeterSnapshot) -> u64;

const SERIES: &[Series] = &[
    (
        "lodge_app_requests_in_flight",
        "gauge",
        "Requests being served.",
        |m| m.in_flight,
    ),
    (
        "lodge_app_requests_queued",
        "gauge",
        "Requests that wait for their turn.",
        |m| m.queued,
    ),
    (
        "lodge_app_cpu_milliseconds_total",
        "counter",
        "CPU time of the app's guests.",
        |m| m.cpu_ms,
    ),
    (
        "lodge_app_throttled_milliseconds_total",
        "counter",
        "Time the app's guests were ready and waited for a turn.",
        |m| m.throttled_ms,
    ),
    (
        "lodge_app_capped_milliseconds_total",
        "counter",
        "The part of that time that was due to the app's own cap on CPU.",
        |m| m.capped_ms,
    ),
    (
        "lodge_app_memory_bytes",
        "gauge",
        "Memory charged to the app.",
        |m| m.memory_bytes,
    ),
    (
        "lodge_app_memory_peak_bytes",
        "gauge",
        "The most memory ever charged to the app.",
        |m| m.memory_peak_bytes,
    ),
    (
        "lodge_app_instances",
        "gauge",
        "Instances the app holds.",
        |m| m.instances,
    ),
    (
        "lodge_app_instantiations_total",
        "counter",
        "Instances made.",
        |m| m.instantiations,
    ),
    (
        "lodge_app_server_errors_total",
        "counter",
        "Answers of the app with a status of 500 or more.",
        |m| m.server_errors,
    ),
];

/// How a request ended, by label.
const OUTCOMES: &[(&str, Count)] = &[
    ("answered", |m| m.answered),
    ("cancelled", |m| m.cancelled),
    ("refused", |m| m.refused),
    ("timed_out", |m| m.timed_out),
    ("trapped", |m| m.trapped),
    ("out_of_memory", |m| m.out_of_memory),
    ("cpu_limited", |m| m.cpu_limited),
];

/// `/metrics`.
///
/// # Errors
/// 401 without a credential, unless a setting opens it.
pub(crate) async fn show(
    State(console): State<Console>,
    request: Request,
) -> Result<Response, Problem> {
    if !console.settings().open_metrics {
        auth::identify(&console, request.extensions(), request.headers()).await?;
    }
    Ok(read(&console).await?.answer())
}

/// A worker's `/metrics`. It has no users, so nobody can show a token: it is open or closed.
///
/// # Errors
/// 403 unless a setting opens it.
pub(crate) async fn show_worker(figures: Option<WorkerFigures>) -> Result<Response, Problem> {
    let Some(figures) = figures else {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "metrics_closed",
            "this worker's metrics are closed: set LODGE_OPEN_METRICS=true on it, and let only your \
             monitoring reach this port",
        ));
    };
    let mut metrics = Metrics::default();
    for (app, status, stats) in figures() {
        metrics.add(app, status, stats);
    }
    Ok(metrics.answer())
}

/// Reads what a worker's apps are and used.
pub type WorkerFigures = Arc<dyn Fn() -> Vec<(AppId, Status, MeterSnapshot)> + Send + Sync>;

/// What is shown.
#[derive(Default)]
struct Metrics {
    /// Apps that were ever visited.
    apps: Vec<(AppId, MeterSnapshot)>,
    /// How many apps are of each status.
    statuses: BTreeMap<&'static str, u64>,
}

impl Metrics {
    fn add(&mut self, app: AppId, status: Status, stats: MeterSnapshot) {
        *self.statuses.entry(status.as_str()).or_default() += 1;
        if stats != MeterSnapshot::default() {
            self.apps.push((app, stats));
        }
    }

    fn answer(&self) -> Response {
        let kind = "text/plain; version=0.0.4; charset=utf-8";
        ([(header::CONTENT_TYPE, kind)], self.text()).into_response()
    }

    fn text(&self) -> String {
        let Self { apps, statuses } = self;
        let mut text = String::new();
        head(
            &mut text,
            "lodge_apps",
            "gauge",
            "Apps, by observed status.",
        );
        for (status, count) in statuses {
            line(
                &mut text,
                format_args!("lodge_apps{{status=\"{status}\"}} {count}"),
            );
        }
        head(
            &mut text,
            "lodge_app_requests_total",
            "counter",
            "Requests, by how they ended.",
        );
        for (app, stats) in apps {
            for (outcome, value) in OUTCOMES {
                let labels = format_args!("app=\"{app}\",outcome=\"{outcome}\"");
                line(
                    &mut text,
                    format_args!("lodge_app_requests_total{{{labels}}} {}", value(stats)),
                );
            }
        }
        head(
            &mut text,
            "lodge_app_failures_total",
            "counter",
            "Requests that failed, by the code of their error page.",
        );
        for (app, stats) in apps {
            for (reason, count) in &stats.reasons {
                let labels = format_args!("app=\"{app}\",reason=\"{reason}\"");
                line(
                    &mut text,
                    format_args!("lodge_app_failures_total{{{labels}}} {count}"),
                );
            }
        }
        write_latency(&mut text, apps);
        for (name, kind, help, value) in SERIES {
            head(&mut text, name, kind, help);
            for (app, stats) in apps {
                line(
                    &mut text,
                    format_args!("{name}{{app=\"{app}\"}} {}", value(stats)),
                );
            }
        }
        text
    }
}

async fn read(console: &Console) -> Result<Metrics, Problem> {
    let mut metrics = Metrics::default();
    let mut page = Page {
        cursor: None,
        limit: Some(PAGE),
    };
    loop {
        let listing = console.supervisor().apps(&AppFilter::default(), &page)?;
        for app in listing.items {
            let status = app
                .observed
                .first()
                .map_or(Status::Unknown, |observed| observed.status);
            // An app that is removed at this moment has no stats any more: leave it out.
            if let Ok(stats) = console.supervisor().stats(&app.id) {
                metrics.add(app.id, status, stats);
            }
        }
        if listing.next_cursor.is_none() {
            return Ok(metrics);
        }
        page.cursor = listing.next_cursor;
        tokio::task::yield_now().await;
    }
}

fn write_latency(text: &mut String, apps: &[(AppId, MeterSnapshot)]) {
    head(
        text,
        "lodge_app_latency_milliseconds",
        "gauge",
        "Time to the beginning of an answer, of the requests of the last minute.",
    );
    for (app, stats) in apps {
        let Some(latency) = stats.latency else {
            continue;
        };
        for (quantile, value) in [
            ("0.5", latency.p50_ms),
            ("0.95", latency.p95_ms),
            ("0.99", latency.p99_ms),
        ] {
            let labels = format_args!("app=\"{app}\",quantile=\"{quantile}\"");
            line(
                text,
                format_args!("lodge_app_latency_milliseconds{{{labels}}} {value}"),
            );
        }
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    line(text, format_args!("# HELP {name} {help}"));
    line(text, format_args!("# TYPE {name} {kind}"));
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing into a String cannot fail.
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let stats = MeterSnapshot {
            answered: 3,
            memory_bytes: 42,
            reasons: BTreeMap::from([("queue_full".to_owned(), 2)]),
            latency: Some(lodge_model::Latency {
                p50_ms: 1.5,
                p95_ms: 2.0,
                p99_ms: 3.0,
            }),
            ..MeterSnapshot::default()
        };
        let mut metrics = Metrics::default();
        metrics.add("shop".parse().unwrap(), Status::Running, stats);
        let text = metrics.text();
        for line in [
            "lodge_apps{status=\"running\"} 1",
            "lodge_app_requests_total{app=\"shop\",outcome=\"answered\"} 3",
            "lodge_app_failures_total{app=\"shop\",reason=\"queue_full\"} 2",
            "lodge_app_latency_milliseconds{app=\"shop\",quantile=\"0.5\"} 1.5",
            "# TYPE lodge_app_memory_bytes gauge",
            "lodge_app_memory_bytes{app=\"shop\"} 42",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} not in\n{text}");
        }
    }
}
