//! One try to fetch a component, from where the last one ended.

use super::part::Part;
use super::{Components, FetchError, Source};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use lodge_model::Digest;
use tokio::time::timeout;

/// Bytes that are gathered before they are written.
const GATHER: usize = 256 * 1024;

/// Why a try ended without the component.
pub(super) enum Stopped {
    /// Another one may do better.
    Again(Again),
    /// None will.
    Never(FetchError),
}

/// A try that broke off.
pub(super) struct Again {
    pub(super) reason: String,
    /// Bytes that it brought.
    pub(super) received: u64,
}

impl From<FetchError> for Stopped {
    fn from(error: FetchError) -> Self {
        Self::Never(error)
    }
}

/// One try.
pub(super) struct Attempt<'a> {
    pub(super) components: &'a Components,
    pub(super) source: &'a Source,
    pub(super) digest: Digest,
    pub(super) size: u64,
}

impl Attempt<'_> {
    /// Fetches what is missing; whole and verified, it gets its name.
    pub(super) async fn run(&self) -> Result<(), Stopped> {
        let (path, place) = (
            self.components.part(&self.digest),
            self.components.path(&self.digest),
        );
        let mut part = Part::open(path, self.size).await?;
        if part.len() < self.size {
            let response = self.ask(part.len()).await?;
            part = self.place_at(part, &response).await?;
            part = self.receive(part, response.into_body()).await?;
        }
        Ok(part.finish(self.digest, place).await?)
    }

    async fn ask(&self, from: u64) -> Result<Response<Incoming>, Stopped> {
        let base = self.source.url.trim_end_matches('/');
        let url = format!("{base}/cluster/components/{}", self.digest);
        let request = || -> Result<Request<()>, http::Error> {
            let mut request = Request::get(&url).body(())?;
            let host = request.uri().authority().map(|host| host.as_str());
            let host = HeaderValue::try_from(host.unwrap_or_default())?;
            let headers = request.headers_mut();
            headers.insert(header::HOST, host);
            if from > 0 {
                let range = HeaderValue::try_from(format!("bytes={from}-"))?;
                headers.insert(header::RANGE, range);
            }
            Ok(request)
        };
        let mut request = request().map_err(|_| again("the supervisor's address is malformed"))?;
        self.components.signer.sign(&mut request, self.source.boot);
        let answer = self
            .components
            .client
            .request(request.map(|()| Empty::<Bytes>::new()));
        let limit = self.components.settings.head;
        match timeout(limit, answer).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(again(format!(
                "the supervisor cannot be reached: {}",
                cause(&error)
            ))),
            Err(_) => Err(again(format!(
                "the supervisor did not answer within {limit:?}"
            ))),
        }
    }

    /// Sets the part to where the answer begins.
    async fn place_at(&self, part: Part, response: &Response<Incoming>) -> Result<Part, Stopped> {
        let part = match response.status() {
            StatusCode::OK if part.len() == 0 => part,
            StatusCode::OK => part.clear().await?,
            StatusCode::PARTIAL_CONTENT if begin_of(response) == Some(part.len()) => part,
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                part.clear().await?;
                return Err(again("the supervisor sent another part than was asked for"));
            }
            status @ (StatusCode::NOT_FOUND | StatusCode::GONE) => {
                return Err(FetchError::Missing(status.as_u16()).into());
            }
            // 401 and 403 too: the supervisor may just have begun anew, and its new run be announced
            // in a moment.
            status => return Err(again(format!("the supervisor answered with {status}"))),
        };
        let declared = http_body::Body::size_hint(response.body()).lower();
        if part.len().saturating_add(declared) > self.size {
            part.remove().await?;
            return Err(FetchError::TooLarge(self.size).into());
        }
        Ok(part)
    }

    /// Writes what comes. What came before a cut is kept.
    async fn receive(&self, mut part: Part, mut body: Incoming) -> Result<Part, Stopped> {
        let begun_at = part.len();
        let silence = self.components.settings.silence;
        let mut gathered = Vec::new();
        let cut = loop {
            let frame = match timeout(silence, body.frame()).await {
                Err(_) => break Some(format!("nothing came for {silence:?}")),
                Ok(Some(Err(error))) => {
                    break Some(format!("the connection broke: {}", cause(&error)));
                }
                Ok(None) => break None,
                Ok(Some(Ok(frame))) => frame,
            };
            let Ok(data) = frame.into_data() else {
                continue;
            };
            let come = part.len() + (gathered.len() + data.len()) as u64;
            if come > self.size {
                part.remove().await?;
                return Err(FetchError::TooLarge(self.size).into());
            }
            gathered.extend_from_slice(&data);
            if gathered.len() >= GATHER {
                part = part.write(std::mem::take(&mut gathered)).await?;
            }
        };
        part = part.write(gathered).await?;
        let received = part.len() - begun_at;
        let ended = || format!("it ended after {} of {} bytes", part.len(), self.size);
        if part.len() == self.size {
            return Ok(part);
        }
        Err(Stopped::Again(Again {
            reason: cut.unwrap_or_else(ended),
            received,
        }))
    }
}

/// Where the bytes of a partial answer begin: `content-range: bytes 5-9/10`.
fn begin_of(response: &Response<Incoming>) -> Option<u64> {
    let range = response.headers().get(header::CONTENT_RANGE)?;
    let range = range.to_str().ok()?.strip_prefix("bytes ")?;
    range.split_once('-')?.0.trim().parse().ok()
}

fn again(reason: impl Into<String>) -> Stopped {
    Stopped::Again(Again {
        reason: reason.into(),
        received: 0,
    })
}

/// An error with what caused it: hyper's own text says little.
fn cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}
