//! What goes back to the visitor: an app's answer made safe for the origin it is served on, or one
//! of the edge's own. Failures become responses here and nowhere else.

mod page;

use crate::cookies;
use crate::dispatch::Answer;
use crate::headers::{any_hop_by_hop, remove_hop_by_hop};
use crate::resolve::Host;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use lodge_model::{AppMeter, FailureKind, RequestId, Requests, ResponseBody};

/// On a worker's answers to its supervisor: why a request failed, by the failure's code.
pub(crate) const FAILURE: HeaderName = HeaderName::from_static("x-lodge-failure");

/// The code of a request whose signature does not count.
pub(crate) const SIGNATURE_INVALID: HeaderValue = HeaderValue::from_static("signature_invalid");

/// Who reads a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A person: gets a page.
    Person,
    /// A program: gets problem+json.
    Program,
    /// A supervisor, which makes the answer itself: gets the code.
    Supervisor,
}

impl Reader {
    /// Where a request of this one's is counted: a supervisor counts its own itself.
    pub(crate) fn requests(self, meter: &AppMeter) -> &Requests {
        meter.requests(self == Self::Supervisor)
    }
}

/// Where the visitor sees the app.
pub(crate) enum Origin {
    /// At a supervisor, which makes the answer safe itself.
    Supervisor,
    /// On a host name of the app's own, as the `Host` field has it.
    Host(Option<HeaderValue>),
    /// Below this path of a host name that apps share.
    Path(HeaderValue),
}

/// What an app may not say on a host name that it shares: it would speak for its neighbours, too.
const NOT_BY_PATH: [HeaderName; 4] = [
    HeaderName::from_static("service-worker-allowed"),
    HeaderName::from_static("clear-site-data"),
    HeaderName::from_static("alt-svc"),
    header::STRICT_TRANSPORT_SECURITY,
];

const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
const KEY_SET: HeaderValue = HeaderValue::from_static("application/jwk-set+json");
const FIVE_MINUTES: HeaderValue = HeaderValue::from_static("max-age=300");
const ANYONE: HeaderValue = HeaderValue::from_static("*");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
);

/// Makes an app's answer what its visitor may have.
pub(crate) fn sanitize(response: &mut Response<ResponseBody>, origin: &Origin) {
    let headers = response.headers_mut();
    if any_hop_by_hop(headers) {
        remove_hop_by_hop(headers);
    }
    if let Origin::Supervisor = origin {
        // An app may not speak for its worker.
        headers.remove(FAILURE);
        return;
    }
    if headers.contains_key(header::SET_COOKIE) {
        admit_cookies(headers, origin);
    }
    if let Origin::Path(prefix) = origin {
        for name in NOT_BY_PATH {
            headers.remove(name);
        }
        if let Some(location) = headers
            .get(header::LOCATION)
            .and_then(|at| below(prefix, at))
        {
            headers.insert(header::LOCATION, location);
        }
    }
}

fn admit_cookies(headers: &mut HeaderMap, origin: &Origin) {
    let header::Entry::Occupied(cookies) = headers.entry(header::SET_COOKIE) else {
        return;
    };
    let cookies: Vec<HeaderValue> = cookies.remove_entry_mult().1.collect();
    let (host, prefix) = match origin {
        Origin::Host(host) => (
            host.as_ref()
                .and_then(|host| Host::parse(host.to_str().ok()?)),
            None,
        ),
        Origin::Path(prefix) => (None, prefix.to_str().ok()),
        Origin::Supervisor => (None, None),
    };
    for cookie in cookies {
        if let Some(cookie) = cookies::admitted(&cookie, host.as_ref().map(Host::name), prefix) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}

/// A root-relative location below the app's path; nothing if it is of another form.
fn below(prefix: &HeaderValue, location: &HeaderValue) -> Option<HeaderValue> {
    let to = location.as_bytes();
    // `//host` leads elsewhere, and so does `/\host` in a browser.
    if !to.starts_with(b"/") || to.starts_with(b"//") || to.starts_with(b"/\\") {
        return None;
    }
    HeaderValue::from_bytes(&[prefix.as_bytes(), to].concat()).ok()
}

/// A failure as its reader sees it: status, code and reference, never the cause.
pub(crate) fn failure(kind: FailureKind, id: RequestId, reader: Reader) -> Response<Answer> {
    let html = reader == Reader::Person;
    let (kind_of_text, text) = match reader {
        Reader::Person => (HTML, page::html(kind, id)),
        Reader::Program => (PROBLEM, page::json(kind, id)),
        Reader::Supervisor => return failed(kind.status(), HeaderValue::from_static(kind.code())),
    };
    let mut response = own(kind.status(), kind_of_text, text.into());
    let headers = response.headers_mut();
    if let Some(seconds) = kind.retry_after() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if html {
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    }
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// The answer to a request whose signature does not count: nothing else is told.
pub(crate) fn forged() -> Response<Answer> {
    failed(StatusCode::FORBIDDEN, SIGNATURE_INVALID)
}

fn failed(status: StatusCode, code: HeaderValue) -> Response<Answer> {
    let mut response = Response::new(Answer::Own(None));
    *response.status_mut() = status;
    response.headers_mut().insert(FAILURE, code);
    response
}

/// The page at `/`.
pub(crate) fn welcome() -> Response<Answer> {
    own(
        StatusCode::OK,
        PLAIN,
        Bytes::from_static(page::WELCOME.as_bytes()),
    )
}

/// The public keys of an app's tokens. Anyone may read them, from scripts too.
pub(crate) fn key_set(keys: String) -> Response<Answer> {
    let mut response = own(StatusCode::OK, KEY_SET, keys.into());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, FIVE_MINUTES);
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYONE);
    response
}

/// The answer to `OPTIONS *`.
pub(crate) fn options() -> Response<Answer> {
    let mut response = Response::new(Answer::Own(None));
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(header::ALLOW, METHODS);
    response
}

/// `/apps/{id}` is `/apps/{id}/`, for good.
pub(crate) fn moved(location: HeaderValue) -> Response<Answer> {
    redirect(StatusCode::PERMANENT_REDIRECT, location)
}

/// The same page on the app's own host name, where it has an origin to itself.
pub(crate) fn own_host(location: HeaderValue) -> Response<Answer> {
    let mut response = redirect(StatusCode::TEMPORARY_REDIRECT, location);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, NO_STORE);
    response
}

fn redirect(status: StatusCode, location: HeaderValue) -> Response<Answer> {
    let mut response = Response::new(Answer::Own(None));
    *response.status_mut() = status;
    response.headers_mut().insert(header::LOCATION, location);
    response
}

fn own(status: StatusCode, kind: HeaderValue, text: Bytes) -> Response<Answer> {
    let mut response = Response::new(Answer::Own(Some(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
        .headers_mut()
        .insert(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_relative_locations_get_the_prefix() {
        let prefix = HeaderValue::from_static("/apps/shop");
        for (from, to) in [
            ("/", Some("/apps/shop/")),
            ("/a?b=/c", Some("/apps/shop/a?b=/c")),
            ("a/b", None),
            ("//elsewhere/a", None),
            ("/\\elsewhere/a", None),
            ("http://elsewhere/a", None),
            ("", None),
        ] {
            let below = below(&prefix, &HeaderValue::from_static(from));
            assert_eq!(below, to.map(HeaderValue::from_static), "{from}");
        }
    }
}
