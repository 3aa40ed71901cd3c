//! Apps' logs, searched and followed, one JSON value a line.
//!
//! What bounds it: the store's own bounds of searches; so many followed logs at once as
//! [`Settings::followed_logs`](crate::Settings) say. Who follows too slowly misses lines and is told.

use super::{Query, Refusal, respond};
use crate::agent::Agent;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use lodge_model::{AppId, Followed, LogFilter, LogLine, ResponseBody};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Lines an answer has unless asked otherwise, and at most.
const LINES: (usize, usize) = (200, 5_000);
/// Characters of a text to be looked for.
const SEARCH_CHARACTERS: usize = 200;
const JSON_LINES: &str = "application/x-ndjson";

/// A line of a followed log.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Told<'a> {
    Line(&'a LogLine),
    Dropped(u64),
}

impl Agent {
    pub(super) async fn logs(
        &self,
        app: &AppId,
        query: Query,
    ) -> Result<Response<ResponseBody>, Refusal> {
        self.index.get(app).ok_or(Refusal::not_found("app"))?;
        let (mut filter, mut limit) = (LogFilter::default(), LINES.0);
        for (name, value) in query {
            match name.as_str() {
                "limit" => limit = number(&name, &value)?,
                "request" => filter.request = Some(value),
                "since" => filter.since = Some(number(&name, &value)?),
                "until" => filter.until = Some(number(&name, &value)?),
                _ => filter = narrow(filter, &name, &value)?,
            }
        }
        if limit == 0 || limit > LINES.1 {
            let message = format!("{limit} is out of range: 1 to {} lines", LINES.1);
            return Err(Refusal::invalid("limit", message));
        }
        let lines = self.logs.search(app, filter, limit).await?;
        let text: Vec<u8> = lines.iter().flat_map(|line| json_line(line)).collect();
        let body = Full::from(text).map_err(|never| match never {});
        Ok(respond(StatusCode::OK, JSON_LINES, body.boxed_unsync()))
    }

    pub(super) fn live_log(
        &self,
        app: &AppId,
        query: Query,
    ) -> Result<Response<ResponseBody>, Refusal> {
        self.index.get(app).ok_or(Refusal::not_found("app"))?;
        let mut filter = LogFilter::default();
        for (name, value) in query {
            filter = narrow(filter, &name, &value)?;
        }
        let Ok(place) = Arc::clone(&self.followers).try_acquire_owned() else {
            return Err(Refusal::unavailable(
                "logs_busy",
                "too many logs are being followed already: try again in a moment",
            ));
        };
        let followed = self.logs.follow(app, filter);
        let lines = told(followed, self.settings.follow_beat, self.stop.clone());
        let frames = lines.map(move |bytes| {
            // Until the body is dropped.
            let _ = &place;
            Ok(Frame::data(bytes))
        });
        let body = BodyExt::boxed_unsync(StreamBody::new(frames));
        Ok(respond(StatusCode::OK, JSON_LINES, body))
    }
}

/// The lines as bytes; an empty one after each `beat` without any.
fn told(
    followed: BoxStream<'static, Followed>,
    beat: Duration,
    stop: CancellationToken,
) -> impl Stream<Item = Bytes> + Send + 'static {
    let lines = stream::unfold(followed, move |mut followed| async move {
        let bytes = match timeout(beat, followed.next()).await {
            Err(_) => b"\n".to_vec(),
            Ok(None) => return None,
            Ok(Some(Followed::Line(line))) => json_line(&Told::Line(&line)),
            Ok(Some(Followed::Dropped(count))) => json_line(&Told::Dropped(count)),
        };
        Some((Bytes::from(bytes), followed))
    });
    lines.take_until(stop.cancelled_owned())
}

fn narrow(filter: LogFilter, name: &str, value: &str) -> Result<LogFilter, Refusal> {
    Ok(match name {
        "level" => LogFilter {
            level: word(name, value)?,
            ..filter
        },
        "source" => LogFilter {
            source: Some(word(name, value)?),
            ..filter
        },
        "search" if value.chars().nth(SEARCH_CHARACTERS).is_some() => {
            let message = format!("may have {SEARCH_CHARACTERS} characters at most");
            return Err(Refusal::invalid(name, message));
        }
        "search" => filter.with_text(value),
        _ => return Err(Refusal::invalid(name, "is no parameter of this")),
    })
}

/// One of a type's words, as its serialized form spells them.
fn word<T: DeserializeOwned>(name: &str, value: &str) -> Result<T, Refusal> {
    let found = serde_json::from_value(serde_json::Value::from(value));
    found.map_err(|_| Refusal::invalid(name, "is none of the words that it may be"))
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, Refusal> {
    let found = value.parse();
    found.map_err(|_| Refusal::invalid(name, "is not a whole number in range"))
}

fn json_line(value: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec(value).unwrap_or_else(|error| {
        tracing::error!(%error, "a log line could not be written");
        Vec::new()
    });
    text.push(b'\n');
    text
}
