//! Tests of an application that run natively, without a host.
//!
//! What an application asks of its host is answered in this thread: configuration and key-value from maps, tokens by
//! a key of the test's, outgoing requests by a function, the log into a list, and, with the feature `testing`, the
//! database by SQLite in memory. Each test has its own, since each runs in a thread of its own.
//!
//! ```
//! use lodge_sdk::testing;
//!
//! testing::set_config("GREETING", "Good day");
//! assert_eq!(lodge_sdk::config::get("GREETING").as_deref(), Some("Good day"));
//! ```

use crate::log::Level;
use crate::sys::native::{self, STATE};
use crate::{Body, Error, Request, Response};
use http::StatusCode;
use http_body::Body as HttpBody;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use tower_service::Service;

/// Sets a key of the configuration.
pub fn set_config(key: &str, value: &str) {
    STATE.with_borrow_mut(|state| state.config.insert(key.into(), value.into()));
}

/// Answers outgoing requests from now on. Until then they fail as requests to hosts that were not granted.
pub fn answer_requests(answer: impl Fn(Request) -> Response + 'static) {
    STATE.with_borrow_mut(|state| state.answer = Some(std::rc::Rc::new(answer)));
}

/// What was logged so far; of a line with fields its JSON.
pub fn logs() -> Vec<(Level, String)> {
    STATE.with_borrow(|state| state.lines.clone())
}

/// Runs an application's migrations on the test's database: `migrate(migrations::list)`.
///
/// # Panics
/// One fails.
#[cfg(feature = "testing")]
pub fn migrate(list: impl Fn(&str) -> Vec<(&'static str, &'static str)>) {
    for (id, sql) in list("sqlite") {
        if let Err(error) = native::sql::script(sql) {
            panic!("migration {id}: {error}");
        }
    }
}

/// Runs a future that waits for nothing but what this module answers.
///
/// # Panics
/// It waits for something else.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    // Some give way to others once or twice.
    for _ in 0..1_000 {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            native::run_spawned();
            return done;
        }
    }
    panic!("it waits for something that no test answers");
}

/// A service's answer to a request: its status and its body as text.
///
/// # Panics
/// The service fails, or the body is no text.
pub fn call<S, B>(service: &S, request: Request) -> (StatusCode, String)
where
    S: Service<Request, Response = http::Response<B>> + Clone,
    S::Error: std::fmt::Debug,
    B: HttpBody<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<Error>,
{
    let response = respond(service, request);
    let status = response.status();
    let bytes = block_on(response.into_body().bytes(64 << 20)).expect("the body is whole");
    let text = String::from_utf8(bytes.to_vec()).expect("the body is text");
    (status, text)
}

/// A service's answer to a request.
///
/// # Panics
/// The service fails.
pub fn respond<S, B>(service: &S, request: Request) -> Response
where
    S: Service<Request, Response = http::Response<B>> + Clone,
    S::Error: std::fmt::Debug,
    B: HttpBody<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<Error>,
{
    let mut service = service.clone();
    let answer = block_on(async {
        poll_fn(|context| service.poll_ready(context))
            .await
            .expect("the service is ready");
        service.call(request).await.expect("the service answers")
    });
    answer.map(Body::new)
}
