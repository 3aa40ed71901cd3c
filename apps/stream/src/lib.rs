//! Answers that take their time: live events, and a download made while it is sent. Neither is ever
//! whole in memory, and both end when the visitor leaves.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Query;
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use bytes::Bytes;
use futures_util::{Stream, stream};
use lodge_sdk::{header, time};
use serde::Deserialize;

/// The longest download, in MiB: enough to watch, too little to fill a disk by accident.
const MOST_MIB: u32 = 1024;

#[lodge_sdk::http]
fn app() -> Router {
    Router::new()
        .route("/", get(Html(include_str!("../pages/index.html"))))
        .route("/events", get(async || Sse::new(ticks())))
        .route("/download", get(download))
}

/// One event a second, counting from 1, for as long as somebody listens.
fn ticks() -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(1u64, async |n| {
        if n > 1 {
            time::sleep(Duration::from_secs(1)).await;
        }
        Some((
            Ok(Event::default().id(n.to_string()).data(n.to_string())),
            n + 1,
        ))
    })
}

#[derive(Deserialize)]
struct Size {
    mib: Option<u32>,
}

/// `mib` MiB of numbered lines, 64 bytes each.
async fn download(Query(size): Query<Size>) -> impl IntoResponse {
    let mib = size.mib.unwrap_or(16).min(MOST_MIB);
    let chunks =
        (0..u64::from(mib) * CHUNKS_PER_MIB).map(|chunk| Ok::<_, Infallible>(lines(chunk)));
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_LENGTH, (u64::from(mib) << 20).to_string()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"lines-{mib}-mib.txt\""),
        ),
    ];
    (headers, Body::from_stream(stream::iter(chunks)))
}

const LINE: u64 = 64;
const LINES_PER_CHUNK: u64 = 256;
const CHUNKS_PER_MIB: u64 = (1 << 20) / (LINE * LINES_PER_CHUNK);

fn lines(chunk: u64) -> Bytes {
    let first = chunk * LINES_PER_CHUNK;
    (first..first + LINES_PER_CHUNK)
        .map(|n| format!("{n:>9}  made while it was being sent, never stored anywhere.\n"))
        .collect::<String>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_has_the_length_that_is_announced() {
        assert_eq!(lines(0).len() as u64, LINE * LINES_PER_CHUNK);
        // The last chunk of the longest download.
        let last = u64::from(MOST_MIB) * CHUNKS_PER_MIB - 1;
        assert_eq!(lines(last).len() as u64, LINE * LINES_PER_CHUNK);
    }
}
