//! Static files that are part of the component.
//!
//! ```
//! use lodge_sdk::assets::{Assets, assets};
//!
//! static PAGES: Assets = assets!("src");
//!
//! fn handle(request: &lodge_sdk::Request) -> lodge_sdk::Response {
//!     PAGES.serve(request)
//! }
//! ```
//!
//! Each file has a strong ETag, and a compressed form if that is smaller. It is a `tower` service too: in axum,
//! `Router::new().fallback_service(PAGES)`.

pub use lodge_sdk_macros::assets;

use crate::Response;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};
use tower_service::Service;

/// One file.
#[derive(Debug)]
#[doc(hidden)]
pub struct File {
    pub path: &'static str,
    pub content_type: &'static str,
    /// Of the plain form; the compressed one's has `-gz`.
    pub etag: &'static str,
    pub bytes: &'static [u8],
    pub gzip: Option<&'static [u8]>,
}

/// The files of a folder.
#[derive(Debug, Clone, Copy)]
pub struct Assets {
    files: &'static [File],
    cache_control: &'static str,
}

impl Assets {
    #[doc(hidden)]
    pub const fn new(files: &'static [File]) -> Self {
        Self {
            files,
            cache_control: "no-cache",
        }
    }

    /// With another `Cache-Control` than `no-cache`, with which browsers ask each time whether a file changed.
    #[must_use]
    pub const fn cache_control(mut self, value: &'static str) -> Self {
        self.cache_control = value;
        self
    }

    /// A file's bytes by its path in the folder.
    pub fn get(&self, path: &str) -> Option<&'static [u8]> {
        self.find(path).map(|file| file.bytes)
    }

    /// Answers a GET or HEAD of the file that the request's path names; `index.html` for a folder.
    pub fn serve<B>(&self, request: &Request<B>) -> Response {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED);
            let allow = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(header::ALLOW, allow);
            return response;
        }
        let path = request.uri().path().trim_start_matches('/');
        let file = match path.is_empty() || path.ends_with('/') {
            true => self.find(&format!("{path}index.html")),
            false => self.find(path),
        };
        match file {
            Some(file) => self.answer(file, request),
            None => plain(StatusCode::NOT_FOUND),
        }
    }

    fn find(&self, path: &str) -> Option<&'static File> {
        // Sorted by the macro.
        let index = self.files.binary_search_by(|file| file.path.cmp(path));
        index.ok().and_then(|index| self.files.get(index))
    }

    fn answer<B>(&self, file: &'static File, request: &Request<B>) -> Response {
        let gzip = file.gzip.filter(|_| takes_gzip(request.headers()));
        let etag = match gzip {
            Some(_) => format!("\"{}-gz\"", file.etag),
            None => format!("\"{}\"", file.etag),
        };
        let same = is_same(request.headers(), &etag);
        let bytes = gzip.unwrap_or(file.bytes);
        let head = *request.method() == Method::HEAD;
        let body = if same || head { &[][..] } else { bytes };
        let mut response = Response::new(body.into());
        let headers = response.headers_mut();
        if file.gzip.is_some() {
            let vary = HeaderValue::from_static("accept-encoding");
            headers.insert(header::VARY, vary);
        }
        if let Ok(etag) = HeaderValue::try_from(etag) {
            headers.insert(header::ETAG, etag);
        }
        let cache = HeaderValue::from_static(self.cache_control);
        headers.insert(header::CACHE_CONTROL, cache);
        if same {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        let content_type = HeaderValue::from_static(file.content_type);
        headers.insert(header::CONTENT_TYPE, content_type);
        let sniff = HeaderValue::from_static("nosniff");
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, sniff);
        if gzip.is_some() {
            let gzip = HeaderValue::from_static("gzip");
            headers.insert(header::CONTENT_ENCODING, gzip);
        }
        if head {
            headers.insert(header::CONTENT_LENGTH, bytes.len().into());
        }
        response
    }
}

impl<B> Service<Request<B>> for Assets {
    type Response = Response;
    type Error = Infallible;
    type Future = Ready<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.serve(&request)))
    }
}

fn plain(status: StatusCode) -> Response {
    let text = format!("{}\n", status.canonical_reason().unwrap_or_default());
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

/// RFC 9110, 12.5.3: named, and not with the weight 0.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut names = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    names.any(|entry| {
        let (name, weight) = entry.split_once(';').unwrap_or((entry, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        name.trim().eq_ignore_ascii_case("gzip") && weight.parse().is_ok_and(|q: f32| q > 0.0)
    })
}

/// RFC 9110, 13.1.2: weak comparison.
fn is_same(headers: &HeaderMap, etag: &str) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut tags = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    tags.any(|tag| {
        let tag = tag.trim();
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Body, assets as module, testing};

    static FILES: Assets = module::assets!("templates");

    fn ask(path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        FILES.serve(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn files_are_served_with_their_tags() {
        let response = ask("/http/README.md", &[]);
        assert_eq!(response.status(), StatusCode::OK);
        let etag = response.headers()[header::ETAG]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(etag.starts_with('"') && !etag.contains("gz"));
        let plain = testing::block_on(response.into_body().bytes(1 << 20)).unwrap();
        assert_eq!(FILES.get("http/README.md").unwrap(), plain);
        for tags in [etag.clone(), format!("\"x\", W/{etag}"), "*".into()] {
            let same = ask("/http/README.md", &[("if-none-match", &tags)]);
            assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
            assert_eq!(same.headers()[header::ETAG], etag);
        }
        let small = ask("/http/README.md", &[("accept-encoding", "br, gzip;q=0.5")]);
        assert_eq!(small.headers()[header::CONTENT_ENCODING], "gzip");
        assert_ne!(small.headers()[header::ETAG], etag);
        assert!(
            testing::block_on(small.into_body().bytes(1 << 20))
                .unwrap()
                .len()
                < plain.len()
        );
        let refused = ask("/http/README.md", &[("accept-encoding", "gzip;q=0")]);
        assert!(!refused.headers().contains_key(header::CONTENT_ENCODING));
        for none in ["/", "/nothing", "/../Cargo.toml", "/http"] {
            assert_eq!(ask(none, &[]).status(), StatusCode::NOT_FOUND, "{none}");
        }
    }
}
