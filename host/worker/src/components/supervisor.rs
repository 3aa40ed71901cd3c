//! The supervisor as a source: HTTP, each request signed.

use super::source::{Answer, Source, Stopped, again};
use super::{Address, Components, FetchError};
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body as _, Incoming};
use lodge_model::{Digest, with_causes};
use tokio::time::timeout;

/// The supervisor at an address.
pub(super) struct FromSupervisor<'a> {
    pub(super) components: &'a Components,
    pub(super) address: &'a Address,
}

#[async_trait]
impl Source for FromSupervisor<'_> {
    fn name(&self) -> &'static str {
        "the supervisor"
    }

    async fn read(&self, digest: Digest, from: u64) -> Result<Answer, Stopped> {
        let response = self.ask(digest, from).await?;
        let begin = match response.status() {
            StatusCode::OK => Some(0),
            StatusCode::PARTIAL_CONTENT => begin_of(&response),
            StatusCode::RANGE_NOT_SATISFIABLE => None,
            status @ (StatusCode::NOT_FOUND | StatusCode::GONE) => {
                return Err(FetchError::Missing(status.as_u16()).into());
            }
            // 401 and 403 too: the supervisor may just have begun anew, and its new run be announced
            // in a moment.
            status => return Err(again(format!("the supervisor answered with {status}"))),
        };
        let body = response.into_body();
        Ok(Answer {
            begin,
            len: body.size_hint().lower(),
            bytes: body
                .into_data_stream()
                .map(|data| {
                    data.map_err(|error| format!("the connection broke: {}", with_causes(&error)))
                })
                .boxed(),
        })
    }
}

impl FromSupervisor<'_> {
    async fn ask(&self, digest: Digest, from: u64) -> Result<Response<Incoming>, Stopped> {
        let base = self.address.url.trim_end_matches('/');
        let url = format!("{base}/cluster/components/{digest}");
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
        self.components.signer.sign(&mut request, self.address.boot);
        let answer = self
            .components
            .client
            .request(request.map(|()| Empty::<Bytes>::new()));
        let limit = self.components.settings.head;
        match timeout(limit, answer).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(again(format!(
                "the supervisor cannot be reached: {}",
                with_causes(&error)
            ))),
            Err(_) => Err(again(format!(
                "the supervisor did not answer within {limit:?}"
            ))),
        }
    }
}

/// Where the bytes of a partial answer begin: `content-range: bytes 5-9/10`.
fn begin_of(response: &Response<Incoming>) -> Option<u64> {
    let range = response.headers().get(header::CONTENT_RANGE)?;
    let range = range.to_str().ok()?.strip_prefix("bytes ")?;
    range.split_once('-')?.0.trim().parse().ok()
}
