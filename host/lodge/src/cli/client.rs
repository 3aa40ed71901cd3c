//! The admin API, spoken over blocking HTTP.

use super::RemoteArgs;
use super::credentials;
use super::failure::{Failure, Problem};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::time::Duration;
use ureq::http::{Response, StatusCode, Uri};
use ureq::{Agent, Body, SendBody};

/// Where a Lodge with default settings has its admin API.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:13001";
/// The longest answer that is read, in bytes: a page of 1,000 apps with their configuration.
const MAX_ANSWER_BYTES: u64 = 256 * 1024 * 1024;
const CONNECT: Duration = Duration::from_secs(10);
/// An upload is checked before it is answered, in a process that may have to wait for a slot.
const ANSWER: Duration = Duration::from_secs(300);

/// A connection to one Lodge.
pub(crate) struct Client {
    agent: Agent,
    base: String,
    token: Option<String>,
}

impl Client {
    /// A client for the Lodge at `--url`, with LODGE_TOKEN or the remembered login.
    pub(crate) fn new(remote: &RemoteArgs) -> Result<Self, Failure> {
        let mut client = Self::anonymous(&remote.url)?;
        client.token = match std::env::var("LODGE_TOKEN") {
            Ok(token) if !token.is_empty() => Some(token),
            _ => credentials::load(&client.base)?,
        };
        Ok(client)
    }

    /// A client without a credential.
    pub(crate) fn anonymous(url: &str) -> Result<Self, Failure> {
        let base = url.trim_end_matches('/').to_owned();
        let uri: Uri = base.parse().map_err(|_| bad_url(url))?;
        let scheme = uri.scheme_str().unwrap_or_default();
        let host = uri
            .host()
            .filter(|_| matches!(scheme, "http" | "https"))
            .ok_or_else(|| bad_url(url))?;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER))
            .user_agent(concat!("lodge/", env!("CARGO_PKG_VERSION")));
        if is_loopback(host) {
            // No proxy can reach this machine's own addresses.
            config = config.proxy(None);
        }
        Ok(Self {
            agent: config.build().into(),
            base,
            token: None,
        })
    }

    /// The API's address, without a slash at the end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Whether what is sent can be read on the way.
    pub(crate) fn in_clear(&self) -> bool {
        let uri: Option<Uri> = self.base.parse().ok();
        uri.is_some_and(|uri| {
            uri.scheme_str() == Some("http") && !uri.host().is_some_and(is_loopback)
        })
    }

    /// GET.
    pub(crate) fn get(&self, path: &str) -> Result<Value, Failure> {
        let mut request = self.agent.get(self.url(path));
        if let Some(value) = self.authorization() {
            request = request.header("authorization", value);
        }
        self.answer(request.call())
    }

    /// GET of a stream of server-sent events, which lasts as long as the API lets it.
    pub(crate) fn events(&self, path: &str) -> Result<impl BufRead + use<>, Failure> {
        let mut request = self.agent.get(self.url(path));
        if let Some(value) = self.authorization() {
            request = request.header("authorization", value);
        }
        match request.call() {
            Ok(response) if response.status().is_success() => {
                Ok(BufReader::new(response.into_body().into_reader()))
            }
            // What refuses has an end.
            refused => match self.answer(refused) {
                Ok(_) => Err(self.not_lodge("a stream that is none")),
                Err(failure) => Err(failure),
            },
        }
    }

    /// POST with a JSON body, or none.
    pub(crate) fn post(&self, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let mut request = self.agent.post(self.url(path));
        if let Some(value) = self.authorization() {
            request = request.header("authorization", value);
        }
        self.answer(match body {
            Some(body) => request.send_json(body),
            None => request.send_empty(),
        })
    }

    /// PATCH with a JSON body.
    pub(crate) fn patch(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let mut request = self.agent.patch(self.url(path));
        if let Some(value) = self.authorization() {
            request = request.header("authorization", value);
        }
        self.answer(request.send_json(body))
    }

    /// DELETE.
    pub(crate) fn delete(&self, path: &str) -> Result<Value, Failure> {
        let mut request = self.agent.delete(self.url(path));
        if let Some(value) = self.authorization() {
            request = request.header("authorization", value);
        }
        self.answer(request.call())
    }

    /// POST of `length` bytes from a reader. They are sent only once the API has agreed to take
    /// them, so that a refusal is read and not lost in a broken connection.
    pub(crate) fn upload(
        &self,
        path: &str,
        length: u64,
        mut reader: impl Read,
    ) -> Result<Value, Failure> {
        let mut request = self
            .agent
            .post(self.url(path))
            .header("content-type", "application/wasm")
            .header("content-length", length)
            .header("expect", "100-continue");
        if let Some(value) = self.authorization() {
            request = request.header("authorization", value);
        }
        self.answer(request.send(SendBody::from_reader(&mut reader)))
    }

    /// Every item of a list, page by page.
    pub(crate) fn list(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = match &cursor {
                Some(cursor) => self.get(&format!("{path}{separator}cursor={}", encode(cursor)))?,
                None => self.get(path)?,
            };
            let Some(Value::Array(more)) = page.get("items").cloned() else {
                return Err(self.not_lodge("a list without items"));
            };
            items.extend(more);
            match page.get("next_cursor").and_then(Value::as_str) {
                Some(next) if cursor.as_deref() != Some(next) => cursor = Some(next.to_owned()),
                _ => return Ok(items),
            }
        }
    }

    /// An answer as what it should be.
    pub(crate) fn read<T: DeserializeOwned>(&self, value: &Value) -> Result<T, Failure> {
        T::deserialize(value).map_err(|error| self.not_lodge(&error.to_string()))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn authorization(&self) -> Option<String> {
        self.token.as_ref().map(|token| format!("Bearer {token}"))
    }

    fn answer(&self, result: Result<Response<Body>, ureq::Error>) -> Result<Value, Failure> {
        let mut response = result.map_err(|error| Failure::Unreachable {
            url: self.base.clone(),
            reason: error.to_string(),
        })?;
        let status = response.status();
        let text = response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER_BYTES)
            .read_to_string();
        let text = text.map_err(|error| self.not_lodge(&error.to_string()))?;
        if status.is_success() {
            return match text.is_empty() {
                true => Ok(json!({})),
                false => serde_json::from_str(&text).map_err(|_| self.not_lodge("no JSON")),
            };
        }
        Err(self.problem(status, &text))
    }

    fn problem(&self, status: StatusCode, text: &str) -> Failure {
        match serde_json::from_str::<Problem>(text) {
            Ok(problem) if !problem.code.is_empty() => Failure::Api(problem),
            _ => self.not_lodge(&format!("it answered {status}")),
        }
    }

    fn not_lodge(&self, reason: &str) -> Failure {
        Failure::NotLodge {
            url: self.base.clone(),
            reason: reason.to_owned(),
        }
    }
}

fn bad_url(url: &str) -> Failure {
    Failure::Usage(format!(
        "`{url}` is not an address: write one such as {DEFAULT_URL}"
    ))
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Percent-encodes a value for a path or a query.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["http://127.0.0.1:13001", "https://lodge.example/admin/"] {
            assert!(Client::anonymous(good).is_ok(), "{good}");
        }
        for bad in ["", "127.0.0.1:13001", "ftp://x", "http://"] {
            assert!(
                Client::anonymous(bad).is_err_and(|e| e.exit_code() == 2),
                "{bad}"
            );
        }
        assert!(
            Client::anonymous("http://lodge.example")
                .unwrap()
                .in_clear()
        );
        assert!(
            !Client::anonymous("https://lodge.example")
                .unwrap()
                .in_clear()
        );
        assert!(!Client::anonymous("http://[::1]:1").unwrap().in_clear());
    }

    #[test]
    fn values_are_encoded() {
        assert_eq!(encode("a b/ü&=@1.0-x"), "a%20b%2F%C3%BC%26%3D%401.0-x");
    }
}
