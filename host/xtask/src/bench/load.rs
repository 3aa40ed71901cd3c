//! One measurement: `wrk` with one thread and 32 connections.

use anyhow::{Context, Result};
use serde::Serialize;
use std::path::Path;
use std::process::Command;

use super::process::confined;
use crate::shell::output;

const CONNECTIONS: u32 = 32;

/// A load to be put on one address.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load<'a> {
    pub(super) url: &'a str,
    /// The host name asked for, if not the URL's.
    pub(super) host: Option<&'a str>,
    /// Lua that says what is sent, if not one GET again and again.
    pub(super) script: Option<&'a Path>,
    /// The core that it is made on; none: any.
    pub(super) core: Option<&'a str>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Measured {
    /// All requests.
    pub(super) requests: f64,
    pub(super) per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    /// Answers other than 2xx and 3xx, and broken connections.
    pub(super) errors: u64,
}

impl Load<'_> {
    /// Puts it on for so many seconds.
    pub(super) fn run(&self, seconds: u64) -> Result<Measured> {
        let mut wrk = Command::new("wrk");
        wrk.args(["--threads", "1", "--latency", "--connections"])
            .arg(CONNECTIONS.to_string())
            .arg(format!("--duration={seconds}s"))
            .args(self.host.map(|host| format!("--header=Host: {host}")));
        if let Some(script) = self.script {
            wrk.arg("--script").arg(script);
        }
        wrk.arg(self.url);
        if let Some(core) = self.core {
            wrk = confined(&wrk, core);
        }
        let text = output(&mut wrk)?;
        read(&text).with_context(|| format!("could not read what wrk printed:\n{text}"))
    }
}

fn read(text: &str) -> Option<Measured> {
    let after = |label: &str| {
        text.lines()
            .find_map(|line| line.trim().strip_prefix(label).map(str::trim))
    };
    let count = |line: Option<&str>| -> u64 {
        let words = line.unwrap_or_default().split([' ', ',']);
        words.filter_map(|word| word.parse::<u64>().ok()).sum()
    };
    let total = text.lines().find(|line| line.contains(" requests in "))?;
    Some(Measured {
        requests: total.trim().split(' ').next()?.parse().ok()?,
        per_second: after("Requests/sec:")?.parse().ok()?,
        p50_ms: milliseconds(after("50%")?)?,
        p99_ms: milliseconds(after("99%")?)?,
        errors: count(after("Non-2xx or 3xx responses:")) + count(after("Socket errors:")),
    })
}

fn milliseconds(text: &str) -> Option<f64> {
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(at)?;
    let number: f64 = number.parse().ok()?;
    match unit {
        "us" => Some(number / 1_000.0),
        "ms" => Some(number),
        "s" => Some(number * 1_000.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_wrk_prints() {
        let text = "  Latency Distribution\n     50%  812.00us\n     99%    1.20ms\n  100 requests in 1s\n  \
                    Socket errors: connect 0, read 2, write 0, timeout 1\n  Non-2xx or 3xx responses: 4\n\
                    Requests/sec:  38123.45\n";
        let read = read(text).unwrap();
        assert_eq!((read.p50_ms, read.p99_ms, read.errors), (0.812, 1.2, 7));
        assert!((read.requests - 100.0).abs() < 0.01);
        assert!((read.per_second - 38123.45).abs() < 0.01);
    }
}
