//! The page at `/`, and the headers that every answer of this listener carries.

use axum::response::{Html, Response};
use http::{HeaderName, HeaderValue, header};

/// Until the web console is part of the build.
const PAGE: &str = include_str!("page/root.html");

/// Nothing is loaded from elsewhere, nothing frames us, forms go nowhere else. The hash-free
/// `style-src` is for the page's own `<style>`; scripts come only from files of ours.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// `/`.
pub(crate) async fn root() -> Html<&'static str> {
    Html(PAGE)
}

/// Adds the security headers, and `no-store` where a handler did not say what may be kept.
pub(crate) async fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
