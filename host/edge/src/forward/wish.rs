//! What travels between the edge and a way to workers, beside request and answer: as extensions of them,
//! which never leave the process.

use crate::headers::Scan;
use http::Response;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use lodge_model::ResponseBody;
use std::time::Duration;

/// The field by which a program chooses an environment.
const ENVIRONMENT: HeaderName = HeaderName::from_static("x-lodge-environment");

/// What a request's way must know that the app must not see.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// The app's limit of time for an answer to begin, and for silence within it.
    pub(super) timeout: Duration,
    /// The environment that a header field names.
    pub(super) environment: Option<HeaderValue>,
    /// The visitor's cookies, if some are Lodge's.
    pub(super) cookies: Vec<HeaderValue>,
    /// Who asks seems to be a browser, which keeps cookies.
    pub(super) browser: bool,
}

impl Wish {
    /// Reads it off a request's header.
    pub(crate) fn of(headers: &HeaderMap, scan: &Scan, timeout_ms: u64) -> Self {
        let cookies = headers.get_all(header::COOKIE).iter();
        Self {
            timeout: Duration::from_millis(timeout_ms),
            environment: match scan.own_fields {
                true => headers.get(ENVIRONMENT).cloned(),
                false => None,
            },
            cookies: match scan.own_cookies {
                true => cookies.cloned().collect(),
                false => Vec::new(),
            },
            browser: scan.wants_html,
        }
    }

    /// The value of a cookie of Lodge's.
    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        let fields = self.cookies.iter().filter_map(|field| field.to_str().ok());
        let mut pairs = fields.flat_map(|field| field.split(';'));
        pairs.find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key.trim() == name).then_some(value.trim())
        })
    }
}

impl Default for Wish {
    /// Of a request that did not come from a visitor: a call of another app.
    fn default() -> Self {
        Self {
            timeout: Duration::from_millis(lodge_model::Limits::default().request_timeout_ms),
            environment: None,
            cookies: Vec::new(),
            browser: false,
        }
    }
}

/// A cookie of Lodge's on an answer: apps may set none of that name, so it is added after their cookies
/// were looked at.
#[derive(Clone)]
pub(super) struct OwnCookie(pub(super) HeaderValue);

/// Adds the cookie of Lodge's, if an answer brings one.
pub(crate) fn set_cookie(response: &mut Response<ResponseBody>) {
    if let Some(OwnCookie(cookie)) = response.extensions_mut().remove() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
