//! Messages: who says what, in which order and to whom, under a MAC.
//!
//! Form: version, kind, sender's boot, sequence number, count of marks, marks, MAC, body. The MAC is of
//! everything else and of the environment, whose name is prefixed with its length: no two messages
//! have the same bytes under it. Each kind has a key of its own. What is in it can be read by
//! everybody; only specifications are secret ([`sealed`](crate::sealed)).

use crate::keys::{Keys, Mark};
use aws_lc_rs::hmac;
use lodge_model::{BootId, EnvironmentName};
use serde::Serialize;
use serde::de::DeserializeOwned;

const VERSION: u8 = 1;
const MAC: usize = 32;
/// The most marks that a message has: supervisors that a worker speaks to.
pub(crate) const MAX_MARKS: usize = 4;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Worker: how it introduces itself.
    Registration = 1,
    /// Worker: it is alive, and how busy.
    Beat = 2,
    /// Worker: it ends.
    Left = 3,
    /// Worker: what is of an app.
    Report = 4,
    /// Worker: what apps used.
    Figures = 5,
    /// Worker: another one wanted its name.
    Refused = 6,
    /// Worker: a command was put aside.
    DeadLetter = 7,
    /// Supervisor, to whoever has the name: look at an app's specification.
    Look = 16,
    /// Supervisor, to one run of a worker: a challenge, and where the supervisor is.
    Greeting = 17,
    /// Worker, to the run that has the name: another worker wants it.
    Claimed = 18,
    /// Worker: it has the name.
    Holder = 19,
}

/// All kinds, in the order of [`Kind::index`].
const KINDS: [Kind; 11] = [
    Kind::Registration,
    Kind::Beat,
    Kind::Left,
    Kind::Report,
    Kind::Figures,
    Kind::Refused,
    Kind::DeadLetter,
    Kind::Look,
    Kind::Greeting,
    Kind::Claimed,
    Kind::Holder,
];

impl Kind {
    /// The kind with this number.
    pub(crate) fn of(number: u8) -> Option<Self> {
        KINDS.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) kind: Kind,
    /// The sender's run.
    pub(crate) boot: BootId,
    /// Ascends with each message of one run and kind of receiver.
    pub(crate) sequence: u64,
    /// Of a worker: the challenges that it answers. To a worker's run: that run.
    pub(crate) marks: Vec<Mark>,
    /// JSON.
    pub(crate) body: Vec<u8>,
}

impl Envelope {
    pub(crate) fn new(
        kind: Kind,
        boot: BootId,
        sequence: u64,
        marks: &[Mark],
        body: &impl Serialize,
    ) -> Self {
        Self {
            kind,
            boot,
            sequence,
            marks: marks.iter().take(MAX_MARKS).copied().collect(),
            // Types of ours, which all have a JSON form; one that had none would say nothing.
            body: serde_json::to_vec(body).unwrap_or_default(),
        }
    }

    /// What it says; `None`: not what its kind says.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    fn head(&self) -> Vec<u8> {
        let mut head = vec![VERSION, self.kind as u8];
        head.extend_from_slice(&self.boot.0);
        head.extend_from_slice(&self.sequence.to_be_bytes());
        head.push(u8::try_from(self.marks.len()).unwrap_or_default());
        self.marks
            .iter()
            .for_each(|mark| head.extend_from_slice(mark));
        head
    }
}

/// Writes messages and reads genuine ones.
pub(crate) struct Post {
    keys: Vec<(Kind, hmac::Key)>,
}

impl Post {
    pub(crate) fn new(keys: &Keys) -> Self {
        let keys = KINDS.map(|kind| (kind, keys.message(kind as u8)));
        Self { keys: keys.into() }
    }

    /// The message's bytes, good for one environment.
    pub(crate) fn write(&self, environment: &EnvironmentName, message: &Envelope) -> Vec<u8> {
        let mut bytes = message.head();
        let tag = self
            .context(
                message.kind as u8,
                environment.as_str(),
                &bytes,
                &message.body,
            )
            .map(hmac::Context::sign);
        bytes.extend_from_slice(tag.as_ref().map(AsRef::as_ref).unwrap_or_default());
        bytes.extend_from_slice(&message.body);
        bytes
    }

    /// The message; `None`: it is none, or not genuine, or another environment's.
    pub(crate) fn read(&self, environment: &str, bytes: &[u8]) -> Option<Envelope> {
        let (&[version, number], rest) = bytes.split_first_chunk()?;
        let (&boot, rest) = rest.split_first_chunk()?;
        let (&sequence, rest) = rest.split_first_chunk()?;
        let (&count, rest) = rest.split_first()?;
        if version != VERSION || usize::from(count) > MAX_MARKS {
            return None;
        }
        let (marks, rest) = rest.split_at_checked(usize::from(count) * size_of::<Mark>())?;
        let (tag, body) = rest.split_at_checked(MAC)?;
        let head = bytes.get(..bytes.len().checked_sub(rest.len())?)?;
        let kind = Kind::of(number)?;
        let expected = self.context(number, environment, head, body)?.sign();
        aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_ref(), tag).ok()?;
        Some(Envelope {
            kind,
            boot: BootId(boot),
            sequence: u64::from_be_bytes(sequence),
            marks: marks
                .chunks_exact(size_of::<Mark>())
                .filter_map(|mark| mark.try_into().ok())
                .collect(),
            body: body.to_vec(),
        })
    }

    fn context(
        &self,
        kind: u8,
        environment: &str,
        head: &[u8],
        body: &[u8],
    ) -> Option<hmac::Context> {
        let (_, key) = self.keys.iter().find(|(own, _)| *own as u8 == kind)?;
        let mut context = hmac::Context::with_key(key);
        context.update(&u64::try_from(environment.len()).ok()?.to_be_bytes());
        context.update(environment.as_bytes());
        context.update(head);
        context.update(body);
        Some(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lodge_model::ClusterKey;

    fn post(letter: &str) -> Post {
        Post::new(&Keys::new(&ClusterKey::new(&letter.repeat(32)).unwrap()))
    }

    #[test]
    fn messages_read_back_unless_anything_is_altered() {
        let here = "here".parse().unwrap();
        let marks = [[1; 16], [2; 16]];
        let said = Envelope::new(Kind::Report, BootId([3; 16]), 4, &marks, &"body");
        let bytes = post("k").write(&here, &said);
        assert_eq!(post("k").read("here", &bytes), Some(said));
        assert_eq!(post("k").read("elsewhere", &bytes), None);
        assert_eq!(post("x").read("here", &bytes), None);
        for position in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[position] ^= 1;
            assert_eq!(post("k").read("here", &altered), None, "byte {position}");
        }
        for length in 0..bytes.len() {
            assert_eq!(
                post("k").read("here", &bytes[..length]),
                None,
                "{length} bytes"
            );
        }
    }

    #[test]
    fn more_marks_than_allowed_are_refused() {
        let here = "here".parse().unwrap();
        let mut said = Envelope::new(Kind::Beat, BootId([3; 16]), 4, &[[1; 16]; 9], &());
        assert_eq!(said.marks.len(), MAX_MARKS);
        said.marks.push([1; 16]);
        let bytes = post("k").write(&here, &said);
        assert_eq!(post("k").read("here", &bytes), None);
    }
}
