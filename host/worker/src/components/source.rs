//! Where a component's bytes come from: something that gives them from an offset on.

use super::FetchError;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use lodge_model::Digest;

/// Why a try ended without the component.
pub(super) enum Stopped {
    /// Another one may do better.
    Again(Again),
    /// It is not there (yet), and may be elsewhere.
    Absent,
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

/// A try of which nothing came.
pub(super) fn again(reason: impl Into<String>) -> Stopped {
    Stopped::Again(Again {
        reason: reason.into(),
        received: 0,
    })
}

/// The bytes that a source gives.
pub(super) struct Answer {
    /// Where they begin; none: somewhere that was not asked for.
    pub(super) begin: Option<u64>,
    /// How many will come at least.
    pub(super) len: u64,
    /// What comes; an error says why it ended.
    pub(super) bytes: BoxStream<'static, Result<Bytes, String>>,
}

/// Something that has components. It is believed nothing: what comes is counted and verified.
#[async_trait]
pub(super) trait Source: Send + Sync {
    /// What it is called in texts.
    fn name(&self) -> &'static str;

    /// A component's bytes from `from` on, or all of them.
    async fn read(&self, digest: Digest, from: u64) -> Result<Answer, Stopped>;
}
