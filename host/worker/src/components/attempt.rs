//! One try to fetch a component, from where the last one ended.

use super::part::Part;
use super::source::{Again, Answer, Source, Stopped, again};
use super::{Components, FetchError};
use futures::StreamExt as _;
use lodge_model::Digest;
use tokio::time::timeout;

/// Bytes that are gathered before they are written.
const GATHER: usize = 256 * 1024;

/// One try.
pub(super) struct Attempt<'a> {
    pub(super) components: &'a Components,
    pub(super) source: &'a dyn Source,
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
            let answer = self.source.read(self.digest, part.len()).await?;
            part = self.place_at(part, answer.begin, answer.len).await?;
            part = self.receive(part, answer).await?;
        }
        Ok(part.finish(self.digest, place).await?)
    }

    /// Sets the part to where the answer begins.
    async fn place_at(&self, part: Part, begin: Option<u64>, len: u64) -> Result<Part, Stopped> {
        let part = match begin {
            Some(begin) if begin == part.len() => part,
            Some(0) => part.clear().await?,
            _ => {
                part.clear().await?;
                let name = self.source.name();
                return Err(again(format!(
                    "{name} sent another part than was asked for"
                )));
            }
        };
        if part.len().saturating_add(len) > self.size {
            part.remove().await?;
            return Err(FetchError::TooLarge(self.size).into());
        }
        Ok(part)
    }

    /// Writes what comes. What came before a cut is kept.
    async fn receive(&self, mut part: Part, mut answer: Answer) -> Result<Part, Stopped> {
        let begun_at = part.len();
        let silence = self.components.settings.silence;
        let mut gathered = Vec::new();
        let cut = loop {
            let data = match timeout(silence, answer.bytes.next()).await {
                Err(_) => break Some(format!("nothing came for {silence:?}")),
                Ok(Some(Err(reason))) => break Some(reason),
                Ok(None) => break None,
                Ok(Some(Ok(data))) => data,
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
