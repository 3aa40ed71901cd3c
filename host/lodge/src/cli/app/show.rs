//! What `lodge app` prints.

use crate::cli::client::{Client, encode};
use crate::cli::component::{short, word};
use crate::cli::failure::Failure;
use crate::cli::output;
use lodge_model::{App, LOCAL_ENVIRONMENT, LogLine, MeterSnapshot, Placement, SourceAccess};
use serde::Deserialize;
use serde_json::{Value, json};

/// An app as the API gives it.
#[derive(Debug, Deserialize)]
pub(crate) struct AppAnswer {
    /// The app.
    #[serde(flatten)]
    pub(crate) app: App,
    /// Where it is reached, the most isolated way first.
    #[serde(default)]
    pub(crate) urls: Vec<String>,
}

pub(crate) fn list(client: &Client, search: Option<&str>, json: bool) -> Result<(), Failure> {
    let path = match search {
        Some(text) => format!("/api/apps?limit=1000&search={}", encode(text)),
        None => "/api/apps?limit=1000".to_owned(),
    };
    let items = client.list(&path)?;
    if json {
        output::json_list(items);
        return Ok(());
    }
    let mut rows = Vec::new();
    for item in &items {
        let AppAnswer { app, urls } = client.read(item)?;
        rows.push(vec![
            app.id.to_string(),
            statuses(&app),
            word(&json!(app.desired)),
            format!("{}@{}", app.component.name, app.component.version),
            word(&json!(app.start_mode)),
            urls.into_iter().next().unwrap_or_default(),
        ]);
    }
    let header = ["ID", "STATUS", "DESIRED", "COMPONENT", "START", "URL"];
    output::table(
        &header,
        rows,
        "no apps yet: `lodge deploy FILE --app ID` makes one",
    );
    Ok(())
}

/// How it is, in each of its environments; without their names where there is only this process.
fn statuses(app: &App) -> String {
    match (app.environments.as_slice(), app.observed.as_slice()) {
        ([], []) => "not placed yet".to_owned(),
        (_, []) => "unknown".to_owned(),
        (_, [only]) if only.environment.as_str() == LOCAL_ENVIRONMENT => {
            only.status.as_str().to_owned()
        }
        (_, several) => join(
            several
                .iter()
                .map(|o| format!("{}={}", o.environment, o.status.as_str())),
        ),
    }
}

/// Where it runs, and who chose that where there is a choice.
fn environments(app: &App) -> String {
    let names = join(app.environments.iter());
    match app.placement {
        Placement::Automatic if names != LOCAL_ENVIRONMENT => {
            format!("{names} (chosen by Lodge)").trim_start().to_owned()
        }
        Placement::Automatic | Placement::Named => names,
    }
}

/// What its environments say of it; with their names where there are several.
fn messages(app: &App) -> impl Iterator<Item = String> {
    let several = app.observed.len() > 1;
    app.observed.iter().filter_map(move |observed| {
        let message = observed.message.clone()?;
        Some(match several {
            true => format!("{}: {message}", observed.environment),
            false => message,
        })
    })
}

pub(crate) fn app(client: &Client, value: &Value, json: bool) -> Result<(), Failure> {
    if json {
        output::json(value);
        return Ok(());
    }
    let AppAnswer { app, urls } = client.read(value)?;
    let config = app.config.iter().map(|(key, entry)| match &entry.value {
        Some(value) if !entry.secret => format!("{key}={value}"),
        _ => format!("{key}=(secret)"),
    });
    let component = &app.component;
    let mut pairs = vec![
        ("id", app.id.to_string()),
        ("name", app.display_name.clone()),
        ("status", statuses(&app)),
        ("desired", word(&json!(app.desired))),
        ("start mode", word(&json!(app.start_mode))),
        (
            "component",
            format!(
                "{}@{} ({})",
                component.name,
                component.version,
                short(component.digest)
            ),
        ),
        ("environments", environments(&app)),
        ("failover", if app.failover { "on" } else { "" }.to_owned()),
        ("domains", app.domains.join(" ")),
        ("path access", word(&json!(app.path_access))),
        ("database", database(&app)),
        ("data sources", data_sources(&app)),
        ("jwt", jwt(&app)),
        ("outbound hosts", app.outbound_hosts.join(" ")),
        ("config", config.collect::<Vec<_>>().join(" ")),
        ("created", output::time(app.created_at)),
        ("changed", output::time(app.updated_at)),
    ];
    pairs.extend(messages(&app).map(|message| ("message", message)));
    pairs.extend(urls.into_iter().map(|url| ("url", url)));
    let limits = json!(app.limits);
    pairs.extend(
        limits
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| ("limit", limit(name, value))),
    );
    output::pairs(pairs);
    Ok(())
}

/// The kind of its database and, if it was said, the make.
fn database(app: &App) -> String {
    let kind = word(&json!(app.database.kind));
    match app.database.engine {
        Some(engine) => format!("{kind} ({})", word(&json!(engine))),
        None => kind,
    }
}

fn data_sources(app: &App) -> String {
    join(app.data_sources.iter().map(|(name, source)| {
        let place = match &source.app {
            Some(owner) => format!("app:{owner}"),
            None => "(url)".to_owned(),
        };
        match source.access {
            SourceAccess::ReadWrite => format!("{name}={place}:rw"),
            SourceAccess::ReadOnly => format!("{name}={place}"),
        }
    }))
}

fn jwt(app: &App) -> String {
    let algorithm = word(&json!(app.jwt.algorithm));
    match app.jwt.independent {
        true => format!("{algorithm}, a key of its own"),
        false => format!("{algorithm}, the host-wide key"),
    }
}

/// A limit as `--limit` takes it; nothing for one that is not set.
fn limit(name: &str, value: &Value) -> String {
    if value.is_null() {
        return String::new();
    }
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let count = value
        .as_u64()
        .filter(|count| *count > 0 && name.contains("_bytes"));
    let whole = count.and_then(|count| {
        let (unit, size) = units.into_iter().find(|(_, size)| count % size == 0)?;
        Some(format!("{name}={}{unit}", count / size))
    });
    whole.unwrap_or_else(|| format!("{name}={value}"))
}

fn join(items: impl Iterator<Item = impl std::fmt::Display>) -> String {
    items
        .map(|item| item.to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

pub(crate) fn logs(client: &Client, page: &Value, json: bool) -> Result<(), Failure> {
    let items = page
        .get("items")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if json {
        output::json_list(items);
        return Ok(());
    }
    if items.is_empty() {
        eprintln!("nothing in the log");
    }
    for item in &items {
        log_line(client, item)?;
    }
    Ok(())
}

pub(crate) fn log_line(client: &Client, item: &Value) -> Result<(), Failure> {
    let line: LogLine = client.read(item)?;
    let request = line
        .request
        .as_ref()
        .map(|request| format!(" [{}]", output::printable(request)));
    output::line(format_args!(
        "{} {:5} {:6} {}{}",
        output::exact_time(line.time),
        word(&json!(line.level)),
        word(&json!(line.source)),
        output::printable(&line.text()),
        request.unwrap_or_default(),
    ));
    Ok(())
}

pub(crate) fn stats(client: &Client, value: &Value, json: bool) -> Result<(), Failure> {
    if json {
        output::json(value);
        return Ok(());
    }
    let stats: MeterSnapshot = client.read(value)?;
    let reasons = stats.reasons.iter();
    let reasons: Vec<_> = reasons
        .map(|(reason, count)| format!("{reason} {count}"))
        .collect();
    let latency = stats.latency.map_or_else(String::new, |latency| {
        format!(
            "half within {:.1} ms, 95 % within {:.1} ms, 99 % within {:.1} ms",
            latency.p50_ms, latency.p95_ms, latency.p99_ms
        )
    });
    output::pairs(vec![
        ("answered", stats.answered.to_string()),
        ("  of those 5xx", stats.server_errors.to_string()),
        ("refused", stats.refused.to_string()),
        ("timed out", stats.timed_out.to_string()),
        ("trapped", stats.trapped.to_string()),
        ("out of memory", stats.out_of_memory.to_string()),
        ("over cpu limit", stats.cpu_limited.to_string()),
        ("cancelled", stats.cancelled.to_string()),
        ("reasons", reasons.join(", ")),
        ("last minute", latency),
        ("in flight", stats.in_flight.to_string()),
        ("queued", stats.queued.to_string()),
        ("cpu time", output::duration(stats.cpu_ms)),
        ("waited for cpu", output::duration(stats.throttled_ms)),
        ("  of that its cap", output::duration(stats.capped_ms)),
        ("memory", output::bytes(stats.memory_bytes)),
        ("memory peak", output::bytes(stats.memory_peak_bytes)),
        ("instances", stats.instances.to_string()),
        ("instances made", stats.instantiations.to_string()),
    ]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_shown_as_they_are_set() {
        assert_eq!(
            limit("memory_bytes", &json!(128 << 20)),
            "memory_bytes=128MiB"
        );
        assert_eq!(
            limit("memory_bytes", &json!(1_600_000)),
            "memory_bytes=1600000"
        );
        assert_eq!(
            limit("log_bytes_per_second", &json!(65536)),
            "log_bytes_per_second=64KiB"
        );
        assert_eq!(limit("queue", &json!(1024)), "queue=1024");
        assert_eq!(limit("cpu_cores", &json!(0.5)), "cpu_cores=0.5");
        assert_eq!(limit("cpu_cores", &Value::Null), "");
    }
}
