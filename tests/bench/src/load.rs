//! A load by `wrk`, which has one thread.

use std::process::Command;

/// A load to be put on one address.
#[derive(Debug, Clone)]
pub struct Load {
    /// Where.
    pub url: String,
    /// The host name asked for.
    pub host: String,
    /// Connections, each with one request at a time.
    pub connections: u32,
    /// The core that the load is made on; none: any.
    pub core: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Requests a second.
    pub per_second: f64,
    /// All requests.
    pub requests: f64,
    /// Half of them took less, in milliseconds.
    pub p50_ms: f64,
    /// 99 of a hundred took less, in milliseconds.
    pub p99_ms: f64,
}

impl Load {
    /// Puts it on for so many seconds.
    pub fn run(&self, seconds: u64) -> Measured {
        let mut command = match &self.core {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["--cpu-list", core, "wrk"]);
                command
            }
            None => Command::new("wrk"),
        };
        let output = command
            .args(["--threads", "1", "--latency", "--connections"])
            .arg(self.connections.to_string())
            .arg(format!("--duration={seconds}s"))
            .arg(format!("--header=Host: {}", self.host))
            .arg(&self.url)
            .output()
            .expect("wrk is not installed");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let failed = text.contains("Non-2xx") || text.contains("Socket errors");
        assert!(!failed, "{}: {text}", self.url);
        read(&text).unwrap_or_else(|| panic!("{}: {text}", self.url))
    }
}

fn read(text: &str) -> Option<Measured> {
    let lines = || text.lines().map(str::trim);
    let total = lines().find(|line| line.contains(" requests in "))?;
    let after = |label: &str| lines().find_map(|line| line.strip_prefix(label));
    Some(Measured {
        requests: total.split(' ').next()?.parse().ok()?,
        per_second: after("Requests/sec:")?.trim().parse().ok()?,
        p50_ms: milliseconds(after("50%")?.trim())?,
        p99_ms: milliseconds(after("99%")?.trim())?,
    })
}

fn milliseconds(text: &str) -> Option<f64> {
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let number: f64 = text[..at].parse().ok()?;
    match &text[at..] {
        "us" => Some(number / 1e3),
        "ms" => Some(number),
        "s" => Some(number * 1e3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_wrk_prints() {
        let text = "  Latency Distribution\n     50%  812.00us\n     99%    1.20ms\n  \
                    114300 requests in 3.00s, 15.81MB read\nRequests/sec:  38123.45\n";
        let read = read(text).unwrap();
        assert_eq!(
            (read.p50_ms, read.p99_ms, read.requests),
            (0.812, 1.2, 114_300.0)
        );
    }
}
