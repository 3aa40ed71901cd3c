//! A visitor that writes its own bytes: no client library decides what is sent.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// One request to be sent.
#[derive(Clone)]
pub struct Visit {
    at: SocketAddr,
    host: String,
    path: String,
    method: String,
    headers: String,
    body: Vec<u8>,
    patience: Duration,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its head, names in lower case.
    pub head: String,
    /// Its body, taken out of its chunks.
    pub body: Vec<u8>,
    /// The trailers, as `name: value` lines.
    pub trailers: String,
    /// False if the connection broke before the end of the body.
    pub whole: bool,
}

impl Visit {
    /// A GET of `path` from the host at `at`, with this `Host`.
    pub fn new(at: SocketAddr, host: &str, path: &str) -> Self {
        Self {
            at,
            host: host.to_owned(),
            path: path.to_owned(),
            method: "GET".to_owned(),
            headers: String::new(),
            body: Vec::new(),
            patience: Duration::from_secs(90),
        }
    }

    /// With another method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    /// With a further header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers += &format!("{name}: {value}\r\n");
        self
    }

    /// With so much time for each silence of the host's; else 90 s.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// As a POST with a body of declared length.
    #[must_use]
    pub fn post(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.method("POST").header("content-length", &length)
    }

    /// As a POST with a body in one chunk and trailers (`name: value` lines).
    #[must_use]
    pub fn post_chunked(mut self, body: &[u8], trailers: &str) -> Self {
        self.body = format!("{:x}\r\n", body.len()).into_bytes();
        self.body.extend_from_slice(body);
        self.body
            .extend_from_slice(format!("\r\n0\r\n{trailers}\r\n").as_bytes());
        self.method("POST").header("transfer-encoding", "chunked")
    }

    /// Sends it and leaves the answer to be read from the connection.
    ///
    /// # Errors
    /// The host cannot be reached.
    pub fn begin(&self) -> std::io::Result<TcpStream> {
        let mut socket = TcpStream::connect(self.at)?;
        socket.set_read_timeout(Some(self.patience))?;
        let Self {
            method,
            path,
            host,
            headers,
            ..
        } = self;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\r\n"
        );
        socket.write_all(head.as_bytes())?;
        // A host that refuses a body may close before it was sent: its answer counts all the same.
        let _ = socket.write_all(&self.body);
        Ok(socket)
    }

    /// Sends it and reads the answer.
    ///
    /// # Errors
    /// There was none.
    pub fn try_send(&self) -> std::io::Result<Reply> {
        let mut answer = Vec::new();
        if let Err(error) = self.begin()?.read_to_end(&mut answer)
            && answer.is_empty()
        {
            return Err(error);
        }
        Reply::parse(&answer, self.method == "HEAD").ok_or_else(|| {
            let text = String::from_utf8_lossy(&answer).into_owned();
            std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                format!("no answer: {text:?}"),
            )
        })
    }

    /// As [`try_send`](Self::try_send), for hosts that must answer.
    #[track_caller]
    pub fn send(&self) -> Reply {
        self.try_send()
            .unwrap_or_else(|error| panic!("{} {}{}: {error}", self.method, self.host, self.path))
    }
}

impl Reply {
    /// Takes a whole answer apart; nothing if it is none. `is_head`: it has no body, whatever its
    /// head says.
    pub fn parse(answer: &[u8], is_head: bool) -> Option<Self> {
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
        let text = std::str::from_utf8(&answer[..end]).ok()?;
        let status = text.get(9..12)?.parse().ok()?;
        let rest = &answer[end + 4..];
        if status == 100 {
            return Self::parse(rest, is_head);
        }
        let lower_names = text.split("\r\n").map(|line| match line.split_once(": ") {
            Some((name, value)) => format!("{}: {value}\n", name.to_ascii_lowercase()),
            None => format!("{line}\n"),
        });
        let head: String = lower_names.collect();
        let mut reply = Self {
            status,
            head,
            body: rest.to_vec(),
            trailers: String::new(),
            whole: true,
        };
        let length = reply
            .header("content-length")
            .and_then(|length| length.parse::<usize>().ok());
        if is_head {
            reply.whole = rest.is_empty();
        } else if reply.header("transfer-encoding") == Some("chunked") {
            (reply.body, reply.trailers, reply.whole) = dechunk(rest);
        } else if let Some(length) = length {
            reply.whole = rest.len() == length;
        }
        Some(reply)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The code of a failure.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// The body, the trailers, and whether the end was there.
fn dechunk(mut rest: &[u8]) -> (Vec<u8>, String, bool) {
    let mut body = Vec::new();
    loop {
        let Some(line) = rest.windows(2).position(|window| window == b"\r\n") else {
            return (body, String::new(), false);
        };
        let size = std::str::from_utf8(&rest[..line])
            .ok()
            .and_then(|size| usize::from_str_radix(size, 16).ok());
        let Some(size) = size else {
            return (body, String::new(), false);
        };
        rest = &rest[line + 2..];
        if size == 0 {
            let trailers = String::from_utf8_lossy(rest).replace("\r\n", "\n");
            let whole = trailers.ends_with('\n');
            return (body, trailers.trim().to_owned(), whole);
        }
        if rest.len() < size + 2 {
            body.extend_from_slice(rest);
            return (body, String::new(), false);
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}
