//! Apps by the thousand, beside the measured ones: made through the API on a few kept connections, since a process
//! of the command line for each of 10,000 would take minutes.

use anyhow::{Context, Result, bail};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

const ASKERS: usize = 4;

/// Where and as whom to ask.
pub(super) struct Api<'a> {
    /// `HOST:PORT`.
    pub(super) at: &'a str,
    pub(super) token: &'a str,
}

/// The name of one of the crowd.
pub(super) fn name(number: usize) -> String {
    format!("crowd-{number}")
}

impl Api<'_> {
    /// Creates so many apps of one component; they run.
    pub(super) fn create(&self, apps: usize, digest: &str) -> Result<()> {
        std::thread::scope(|scope| {
            let ask = |asker| move || self.create_some((asker..apps).step_by(ASKERS), digest);
            let asking: Vec<_> = (0..ASKERS).map(|asker| scope.spawn(ask(asker))).collect();
            for asker in asking {
                asker
                    .join()
                    .map_err(|_| anyhow::anyhow!("could not create the crowd"))??;
            }
            Ok(())
        })
    }

    fn create_some(&self, numbers: impl Iterator<Item = usize>, digest: &str) -> Result<()> {
        let mut connection = BufReader::new(TcpStream::connect(self.at)?);
        connection.get_ref().set_nodelay(true)?;
        for number in numbers {
            let app = serde_json::json!({
                "id": name(number),
                "component": { "digest": digest },
                "start_mode": "with_host",
                "desired": "running",
            });
            let (status, body) = self.post(&mut connection, "/api/apps", &app.to_string())?;
            if status != 201 {
                bail!("creating {} was answered {status}: {body}", name(number));
            }
        }
        Ok(())
    }

    fn post(
        &self,
        connection: &mut BufReader<TcpStream>,
        path: &str,
        body: &str,
    ) -> Result<(u16, String)> {
        let Self { at, token } = self;
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {at}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.get_mut().write_all(request.as_bytes())?;
        let (mut status, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            connection.read_line(&mut line)?;
            let line = line.trim().to_ascii_lowercase();
            if status.is_none() {
                let code = line.split(' ').nth(1);
                status = Some(
                    code.and_then(|code| code.parse().ok())
                        .context("not HTTP")?,
                );
            } else if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            } else if line.is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        connection.read_exact(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        Ok((status.context("not HTTP")?, answer))
    }
}
