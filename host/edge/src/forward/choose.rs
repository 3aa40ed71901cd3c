//! Which of an app's workers a request goes to.
//!
//! 1. The one that the visitor named: by the query `lodge-environment=NAME` (once: it leads to the same
//!    address without it, with a cookie), the field `x-lodge-environment`, or that cookie. It alone is asked.
//!    A name that is none of the app's is told so; a cookie that became none is passed over, since its
//!    visitor could not get rid of it.
//! 2. The one that this browser had before, by a cookie; a new one gets the worker with the fewest requests.
//! 3. For programs, which keep no cookies, one by the client's address, the same each time.
//!
//! Workers that could not be reached lately come last, whoever had them.

use super::way::Way;
use super::wish::Wish;
use super::worker::Worker;
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use lodge_model::{FailureKind, RequestBody};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::Ordering::Relaxed;

/// The query that chooses an environment. Without a name, it takes the choice back.
const QUERY: &str = "lodge-environment";

/// The cookie that remembers a choice.
const CHOSEN: &str = "lodge_environment";

/// The cookie that remembers where a browser was served.
const STICKY: &str = "lodge_affinity";

/// Where a request goes.
pub(super) enum Choice {
    /// To the same address without the query, with this cookie.
    Redirect {
        /// Relative to the request's own.
        location: HeaderValue,
        cookie: HeaderValue,
    },
    /// To these workers in this order, until one is reached.
    Workers {
        /// Places in the way's list.
        order: Vec<usize>,
        /// The browser is to be told which it was.
        sticky: bool,
    },
}

/// Chooses.
///
/// # Errors
/// The visitor named what is none of the app's environments.
pub(super) fn choose(
    way: &Way,
    wish: &Wish,
    request: &Request<RequestBody>,
) -> Result<Choice, FailureKind> {
    let none = FailureKind::EnvironmentNotFound;
    if matches!(*request.method(), Method::GET | Method::HEAD)
        && let Some(name) = named_by_query(request.uri())
    {
        if !name.is_empty() {
            way.place_of(name).ok_or(none)?;
        }
        let location = without_choice(request.uri()).ok_or(FailureKind::BadRequest)?;
        let cookie = cookie(CHOSEN, name, request.headers()).ok_or(none)?;
        return Ok(Choice::Redirect { location, cookie });
    }
    let by_field = match &wish.environment {
        Some(name) => {
            let name = name.to_str().map_err(|_| none)?;
            Some(way.place_of(name).ok_or(none)?)
        }
        None => None,
    };
    let chosen = by_field.or_else(|| way.place_of(wish.cookie(CHOSEN)?));
    Ok(match chosen {
        Some(place) => Choice::Workers {
            order: vec![place],
            sticky: false,
        },
        None => balanced(way, wish, request.headers()),
    })
}

fn balanced(way: &Way, wish: &Wish, headers: &HeaderMap) -> Choice {
    let workers = way.workers();
    if workers.len() < 2 {
        return Choice::Workers {
            order: vec![0],
            sticky: false,
        };
    }
    let before = wish.cookie(STICKY).and_then(|name| way.place_of(name));
    let client = client(headers);
    let turn = way.turn.fetch_add(1, Relaxed);
    let mut order: Vec<usize> = (0..workers.len()).collect();
    order.sort_by_cached_key(|&place| {
        let Some(worker) = workers.get(place) else {
            return (true, true, u64::MAX, usize::MAX);
        };
        let rank = if wish.browser {
            worker.in_flight() as u64
        } else {
            score(client, worker)
        };
        // Among equals each is first in turn.
        let among_equals = (place + turn) % workers.len();
        (worker.is_down(), before != Some(place), rank, among_equals)
    });
    Choice::Workers {
        order,
        sticky: wish.browser,
    }
}

/// The cookie by which a browser comes back to a worker, unless it has it.
pub(super) fn sticky_cookie(wish: &Wish, worker: &Worker, headers: &Seen) -> Option<HeaderValue> {
    let name = worker.environment.as_str();
    if wish.cookie(STICKY) == Some(name) {
        return None;
    }
    headers.cookie(STICKY, name)
}

/// How the visitor sees the app.
#[derive(Clone)]
pub(super) struct Seen {
    /// Its path's beginning, without a slash at the end.
    prefix: Option<HeaderValue>,
    https: bool,
}

impl Seen {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self {
            prefix: headers.get("x-forwarded-prefix").cloned(),
            https: headers
                .get("x-forwarded-proto")
                .is_some_and(|p| p == "https"),
        }
    }

    /// A cookie for the app's path or host, for this session of the browser; without a value, none.
    fn cookie(&self, name: &str, value: &str) -> Option<HeaderValue> {
        let prefix = self.prefix.as_ref().and_then(|prefix| prefix.to_str().ok());
        let prefix = prefix.filter(|prefix| !prefix.contains(';')).unwrap_or("");
        let secure = if self.https { "; Secure" } else { "" };
        let over = if value.is_empty() { "; Max-Age=0" } else { "" };
        let text = format!("{name}={value}; Path={prefix}/; HttpOnly; SameSite=Lax{secure}{over}");
        HeaderValue::try_from(text).ok()
    }
}

fn cookie(name: &str, value: &str, headers: &HeaderMap) -> Option<HeaderValue> {
    Seen::of(headers).cookie(name, value)
}

/// Who asks: the first address that the edge believes.
fn client(headers: &HeaderMap) -> &[u8] {
    let chain = headers.get("x-forwarded-for").map(HeaderValue::as_bytes);
    let first = chain.and_then(|chain| chain.split(|byte| *byte == b',').next());
    first.unwrap_or_default().trim_ascii()
}

/// Rendezvous hashing: each client has an order of all workers, which a worker more or less does not mix up.
fn score(client: &[u8], worker: &Worker) -> u64 {
    let mut hasher = DefaultHasher::new();
    client.hash(&mut hasher);
    worker.environment.as_str().hash(&mut hasher);
    hasher.finish()
}

fn named_by_query(uri: &Uri) -> Option<&str> {
    let mut pairs = uri.query()?.split('&');
    pairs.find_map(|pair| value_of(pair))
}

fn value_of(pair: &str) -> Option<&str> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    (name == QUERY).then_some(value)
}

/// The same address without the choice, relative to itself: whatever a proxy put before the path stays,
/// and no path leads to another host.
fn without_choice(uri: &Uri) -> Option<HeaderValue> {
    let last = uri.path().rsplit('/').next().unwrap_or_default();
    let pairs = uri.query().unwrap_or_default().split('&');
    let rest: Vec<&str> = pairs.filter(|pair| value_of(pair).is_none()).collect();
    let mark = if rest.is_empty() { "" } else { "?" };
    HeaderValue::try_from(format!("./{last}{mark}{}", rest.join("&"))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_leaves_the_rest_of_the_address_as_it_is() {
        for (from, name, to) in [
            ("/?lodge-environment=eu", Some("eu"), "./"),
            ("/a/b?lodge-environment=eu", Some("eu"), "./b"),
            (
                "/a/?x=1&lodge-environment=eu&y=%20",
                Some("eu"),
                "./?x=1&y=%20",
            ),
            ("//evil.example/x?lodge-environment=", Some(""), "./x"),
            (
                "//evil.example?lodge-environment",
                Some(""),
                "./evil.example",
            ),
            (
                "/a:b?lodge-environment=a&lodge-environment=b",
                Some("a"),
                "./a:b",
            ),
            ("/?xlodge-environment=eu", None, "./?xlodge-environment=eu"),
        ] {
            let uri: Uri = from.parse().unwrap();
            assert_eq!(named_by_query(&uri), name, "{from}");
            assert_eq!(without_choice(&uri).unwrap(), to, "{from}");
        }
    }

    #[test]
    fn cookies_belong_to_the_app_alone() {
        let mut headers = HeaderMap::new();
        let host = cookie(CHOSEN, "eu", &headers).unwrap();
        assert_eq!(host, "lodge_environment=eu; Path=/; HttpOnly; SameSite=Lax");
        headers.insert("x-forwarded-prefix", HeaderValue::from_static("/apps/shop"));
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        let path = cookie(CHOSEN, "", &headers).unwrap();
        assert_eq!(
            path,
            "lodge_environment=; Path=/apps/shop/; HttpOnly; SameSite=Lax; Secure; Max-Age=0"
        );
    }
}
