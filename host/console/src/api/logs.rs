//! Apps' logs: searched, followed, and taken home.
//!
//! What bounds it: a followed log is an event stream like those of [`super::events`], out of the same
//! places, and ends after the same time; a listener that is too slow is told how many lines it
//! missed. A download is read as the client takes it, and ends after the same time too.

use super::List;
use super::events;
use crate::extract::{PathApp, Query};
use crate::problem::Problem;
use crate::state::Console;
use axum::Json as Answer;
use axum::body::Body;
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use http::header;
use lodge_model::{Followed, LogLevel, LogLine, LogSource};
use lodge_supervisor::LogQuery;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::fmt::Write as _;
use utoipa::{IntoParams, ToSchema};

const TAG: &str = "apps";

/// Which log lines.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogParams {
    /// Lines at most, the newest ones: 1 to 5,000; 200 if not given.
    #[param(nullable = false)]
    limit: Option<usize>,
    /// At least as grave; `debug` if not given.
    #[param(nullable = false)]
    level: Option<LogLevel>,
    /// Only what this one wrote.
    #[param(nullable = false)]
    source: Option<LogSource>,
    /// Part of the message or its fields (`name=value`), in whatever case; 200 characters at most.
    #[param(nullable = false)]
    search: Option<String>,
    /// Only lines of this request: the reference that an error page shows.
    #[param(nullable = false)]
    request: Option<String>,
    /// Not older, in milliseconds since 1970.
    #[param(nullable = false)]
    since: Option<i64>,
    /// Not newer, in milliseconds since 1970.
    #[param(nullable = false)]
    until: Option<i64>,
}

/// Which log lines, of those to come.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LiveParams {
    /// At least as grave; `debug` if not given.
    #[param(nullable = false)]
    level: Option<LogLevel>,
    /// Only what this one wrote.
    #[param(nullable = false)]
    source: Option<LogSource>,
    /// Part of the message or its fields (`name=value`), in whatever case; 200 characters at most.
    #[param(nullable = false)]
    search: Option<String>,
}

/// Lines that a listener missed: the data of `dropped`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DroppedLines {
    /// How many, of any kind.
    count: u64,
}

/// Show the newest lines of an app's log, oldest first.
///
/// Out of all that is kept, in memory and in files.
#[utoipa::path(get, path = "/api/apps/{id}/logs", tag = TAG,
    params(("id" = String, Path, description = "the app's ID"), LogParams),
    responses((status = 200, description = "the lines", body = List<LogLine>)))]
pub(crate) async fn logs(
    State(console): State<Console>,
    PathApp(id): PathApp,
    Query(params): Query<LogParams>,
) -> Result<Answer<List<LogLine>>, Problem> {
    let query = LogQuery {
        level: params.level,
        source: params.source,
        search: params.search,
        request: params.request,
        since: params.since,
        until: params.until,
    };
    let lines = console.supervisor().logs(&id, query, params.limit).await?;
    Ok(Answer(List::whole(lines)))
}

/// Follow an app's log.
///
/// Server-sent events: each `line` is a new line of the log. `dropped` says how many lines the
/// listener missed, since it was too slow (its data: `DroppedLines`).
#[utoipa::path(get, path = "/api/apps/{id}/logs/live", tag = TAG,
    params(("id" = String, Path, description = "the app's ID"), LiveParams),
    responses((status = 200, description = "a stream that ends after 15 minutes, and when the app is \
        removed: connect again", content_type = "text/event-stream", body = LogLine)))]
pub(crate) async fn live(
    State(console): State<Console>,
    PathApp(id): PathApp,
    Query(params): Query<LiveParams>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let query = LogQuery {
        level: params.level,
        source: params.source,
        search: params.search,
        ..LogQuery::default()
    };
    let followed = console.supervisor().follow_log(&id, query)?;
    events::stream(console, followed.map(event))
}

fn event(followed: Followed) -> Event {
    let written = match followed {
        Followed::Line(line) => Event::default().event("line").json_data(&*line),
        Followed::Dropped(count) => Event::default()
            .event("dropped")
            .json_data(DroppedLines { count }),
    };
    written.unwrap_or_else(|error| {
        tracing::error!("a log line could not be written: {error}");
        Event::default().event("dropped").data(r#"{"count":1}"#)
    })
}

/// Download all that is kept of an app's log, as text.
///
/// One line each: time, level, source, the request in brackets if it belongs to one, the message,
/// and its fields as `name=value`, with control characters escaped.
#[utoipa::path(get, path = "/api/apps/{id}/logs/download", tag = TAG,
    params(("id" = String, Path, description = "the app's ID")),
    responses((status = 200, description = "the lines, oldest first", content_type = "text/plain",
        body = String)))]
pub(crate) async fn download(
    State(console): State<Console>,
    PathApp(id): PathApp,
) -> Result<Response, Problem> {
    let batches = console.supervisor().whole_log(&id).await?;
    let end = events::end(console);
    let text = batches
        .map_ok(|batch| batch.iter().map(text_of).collect::<String>())
        .inspect_err(|error| tracing::error!(%error, "a download of a log broke off"))
        .take_until(end);
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        // An app's ID has nothing in it that would have to be quoted.
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{id}.log\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(text)).into_response())
}

/// A line as text, with its line end.
fn text_of(line: &LogLine) -> String {
    let time = jiff::Timestamp::from_millisecond(line.time);
    let mut text = time.map_or_else(|_| line.time.to_string(), |time| format!("{time:.3}"));
    text.push_str(match line.level {
        LogLevel::Debug => " DEBUG",
        LogLevel::Info => " INFO",
        LogLevel::Warn => " WARN",
        LogLevel::Error => " ERROR",
    });
    text.push_str(match line.source {
        LogSource::Stdout => " stdout ",
        LogSource::Stderr => " stderr ",
        LogSource::App => " app ",
        LogSource::Host => " host ",
    });
    if let Some(request) = &line.request {
        text.push('[');
        escape(request, &mut text);
        text.push_str("] ");
    }
    escape(&line.text(), &mut text);
    text.push('\n');
    text
}

/// Adds a text in which one line stays one, and that no terminal obeys.
fn escape(text: &str, to: &mut String) {
    for c in text.chars() {
        // Beside the control characters: Unicode's line and paragraph separators.
        if (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}') {
            // Writing to a text does not fail.
            let _ = write!(to, "{}", c.escape_default());
        } else {
            to.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_stays_one() {
        let mut line = LogLine {
            time: 1_795_259_427_123,
            level: LogLevel::Warn,
            source: LogSource::Host,
            message: "a\nb\r\u{1b}[2J\u{85}\u{2028}\0ü\\".into(),
            fields: None,
            request: None,
        };
        assert_eq!(
            text_of(&line),
            "2026-11-21T11:10:27.123Z WARN host a\\nb\\r\\u{1b}[2J\\u{85}\\u{2028}\\u{0}ü\\\n"
        );
        line.request = Some("r1".into());
        line.message = "m".into();
        line.time = i64::MAX;
        assert_eq!(text_of(&line), format!("{} WARN host [r1] m\n", i64::MAX));
        line.source = LogSource::App;
        line.message = r#"{"message":"m","by":"a\nb","n":1}"#.into();
        let shown = format!("{} WARN app [r1] m by=\"a\\nb\" n=1\n", i64::MAX);
        assert_eq!(text_of(&line.structured()), shown);
    }
}
