//! The web console's page and files, and the headers that every answer of this listener carries.
//!
//! The files are part of the binary, compressed when they were built. Their names change with their
//! content, so browsers keep them for ever; the page that names them is asked for each time. Every
//! address that is no endpoint's is the page's: it finds its way by itself.

use crate::problem::Problem;
use axum::extract::Path;
use axum::response::{Html, IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

include!(concat!(env!("OUT_DIR"), "/ui.rs"));

/// A file of the console, named by its content.
struct File {
    name: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

/// Where the console is not part of the build.
const WITHOUT: &str = include_str!("page/root.html");
/// In `index.html`, where the nonce of its styles goes.
const NONCE: &str = "__LODGE_NONCE__";
/// Answers that are no pages need nothing at all.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// The console's page, at whatever address the person has it.
pub(crate) fn show() -> Response {
    present(PAGE)
}

fn present(page: Option<&str>) -> Response {
    let Some(page) = page else {
        let policy = policy("'unsafe-inline'");
        return ([(header::CONTENT_SECURITY_POLICY, policy)], Html(WITHOUT)).into_response();
    };
    let Some(nonce) = nonce() else {
        return Problem::internal(&"the system gives no random bytes").into_response();
    };
    let policy = policy(&format!("'self' 'nonce-{nonce}'"));
    let page = Html(page.replace(NONCE, &nonce));
    ([(header::CONTENT_SECURITY_POLICY, policy)], page).into_response()
}

/// `/`.
pub(crate) async fn root() -> Response {
    show()
}

/// Whether whoever sent these headers shows pages: a browser that was given an address.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// `/assets/{name}`.
pub(crate) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    file(FILES, &name, &headers)
}

fn file(files: &'static [File], name: &str, headers: &HeaderMap) -> Response {
    let Some(file) = files.iter().find(|file| file.name == name) else {
        return Problem::new(
            StatusCode::NOT_FOUND,
            "no_such_path",
            "this file is of another version of the console: load the page again",
        )
        .into_response();
    };
    let (bytes, coding) = match (file.brotli, file.gzip) {
        (Some(bytes), _) if accepts(headers, "br") => (bytes, Some("br")),
        (_, Some(bytes)) if accepts(headers, "gzip") => (bytes, Some("gzip")),
        _ => (file.plain, None),
    };
    let mut response = (
        [
            (header::CONTENT_TYPE, content_type(file.name)),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (header::VARY, "accept-encoding"),
        ],
        bytes,
    )
        .into_response();
    if let Some(coding) = coding {
        let coding = HeaderValue::from_static(coding);
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, coding);
    }
    response
}

/// Whether `coding` is accepted: named, and not with a weight of nought.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offer| {
            let (name, weight) = offer.split_once(';').unwrap_or((offer, ""));
            let weight = weight.trim().trim_start_matches("q=");
            name.trim() == coding
                && (weight.is_empty() || weight.parse::<f32>().is_ok_and(|q| q > 0.0))
        })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// Scripts only from files of ours; styles also from what our scripts write, proven by the nonce.
fn policy(styles: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src {styles}; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    )
}

fn nonce() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(hex::encode(bytes))
}

/// Adds the security headers, and `no-store` where a handler did not say what may be kept.
pub(crate) async fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
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
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, NOTHING),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    static FILES: &[File] = &[File {
        name: "index-1a2b.js",
        plain: b"plain",
        brotli: Some(b"brotli"),
        gzip: Some(b"gzip"),
    }];

    async fn text(response: Response) -> String {
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    fn policy_of(response: &Response) -> String {
        let policy = &response.headers()["content-security-policy"];
        policy.to_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn each_page_has_a_nonce_of_its_own() {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..3 {
            let response = present(Some("<meta content=\"__LODGE_NONCE__\">"));
            let policy = policy_of(&response);
            let body = text(response).await;
            let nonce = body.split('"').nth(1).unwrap().to_owned();
            assert!(
                policy.contains(&format!("style-src 'self' 'nonce-{nonce}';")),
                "{policy}"
            );
            assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"));
            assert!(seen.insert(nonce));
        }
    }

    #[tokio::test]
    async fn a_build_without_the_console_says_how_to_have_it() {
        let response = present(None);
        assert!(policy_of(&response).contains("script-src 'self'"));
        let body = text(response).await;
        assert!(body.contains("cargo xtask ui") && !body.contains("<script"));
    }

    #[tokio::test]
    async fn files_come_in_the_coding_that_the_browser_takes() {
        for (accept, coding, body) in [
            (Some("gzip, deflate, br"), Some("br"), "brotli"),
            (Some("br;q=0, gzip;q=0.5"), Some("gzip"), "gzip"),
            (Some("deflate"), None, "plain"),
            (None, None, "plain"),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert("accept-encoding", accept.parse().unwrap());
            }
            let response = file(FILES, "index-1a2b.js", &headers);
            let found = response.headers().get("content-encoding");
            assert_eq!(found.map(|v| v.to_str().unwrap()), coding, "{accept:?}");
            assert_eq!(
                response.headers()["content-type"],
                "text/javascript; charset=utf-8"
            );
            assert!(
                response.headers()["cache-control"]
                    .to_str()
                    .unwrap()
                    .contains("immutable")
            );
            assert_eq!(text(response).await, body);
        }
        let gone = file(FILES, "index-old.js", &HeaderMap::new());
        assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    }
}
