//! What happens, as it happens, as server-sent events.
//!
//! Each event's name is its `type`, its data the [`LiveEvent`] in JSON. A listener that lags
//! behind gets one `lagged` event and then what is newer: it reads the lists again. A stream ends
//! after [`STREAM_LIFETIME`], so that a credential that was taken back does not listen for ever;
//! browsers connect again by themselves.

use crate::problem::Problem;
use crate::state::{Console, MAX_EVENT_STREAMS};
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::future::BoxFuture;
use futures::{Stream, StreamExt as _};
use http::StatusCode;
use lodge_supervisor::LiveEvent;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

const TAG: &str = "events";
/// How long one stream lasts.
const STREAM_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// A comment is sent after so much silence, so that proxies keep the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Follow what happens.
///
/// Server-sent events: components that are uploaded and compiled, apps and environments that
/// change, operations that go on. `lagged` says that some were missed.
#[utoipa::path(get, path = "/api/events", tag = TAG,
    responses((status = 200, description = "a stream that ends after 15 minutes: connect again",
        content_type = "text/event-stream", body = LiveEvent)))]
pub(crate) async fn follow(
    State(console): State<Console>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let live = BroadcastStream::new(console.supervisor().subscribe());
    stream(console, live.map(event))
}

/// Events as an answer, if there is a place for one more stream; they end as all of them do.
///
/// # Errors
/// 503: there is none.
pub(super) fn stream<S>(
    console: Console,
    events: S,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>> + use<S>>, Problem>
where
    S: Stream<Item = Event> + Send + 'static,
{
    let place = Arc::clone(console.event_streams())
        .try_acquire_owned()
        .map_err(|_| {
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too_many_streams",
                format!("{MAX_EVENT_STREAMS} event streams are open: close one"),
            )
            .retry_after(5)
        })?;
    let events = events.take_until(end(console)).map(move |event| {
        let _held = &place;
        Ok(event)
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// When a stream ends, whatever it still has: after its time, or with the host.
pub(super) fn end(console: Console) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        tokio::select! {
            () = console.stopped() => {}
            () = tokio::time::sleep(STREAM_LIFETIME) => {}
        }
    })
}

fn event(item: Result<LiveEvent, BroadcastStreamRecvError>) -> Event {
    match item {
        Ok(live) => {
            let event = Event::default().event(name(&live));
            event.json_data(&live).unwrap_or_else(|error| {
                tracing::error!("an event could not be written: {error}");
                lagged()
            })
        }
        Err(BroadcastStreamRecvError::Lagged(_)) => lagged(),
    }
}

fn lagged() -> Event {
    Event::default().event("lagged").data("{}")
}

fn name(event: &LiveEvent) -> &'static str {
    match event {
        LiveEvent::Component { .. } => "component",
        LiveEvent::ComponentRemoved { .. } => "component_removed",
        LiveEvent::AppChanged { .. } => "app_changed",
        LiveEvent::AppRemoved { .. } => "app_removed",
        LiveEvent::Observed { .. } => "observed",
        LiveEvent::Environment { .. } => "environment",
        LiveEvent::EnvironmentRemoved { .. } => "environment_removed",
        LiveEvent::Operation { .. } => "operation",
    }
}
