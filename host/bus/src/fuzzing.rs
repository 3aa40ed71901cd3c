//! What `fuzz/` calls directly; compiled only there. [`Ends`] writes and reads what lies in Redis as the two
//! ends do, without Redis.

use crate::envelope::{Envelope, Kind, Post};
use crate::keys::Keys;
use crate::said::{Claimed, Dead, Greeting, Holding, Look, Refusal};
use crate::supervisor::peers::Peers;
use crate::{sealed, stream};
use lodge_model::{
    AppId, BootId, ClusterKey, EnvironmentName, Figures, FromWorkers, LinkError, Load,
    Registration, Report, Specification,
};

/// What a message holds, in its own type.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// A worker introduces itself.
    Registration(Registration),
    /// It is alive.
    Beat(Load),
    /// It ends.
    Left,
    /// What is of an app.
    Report(Report),
    /// What apps used.
    Figures(Figures),
    /// Of any other kind: its JSON form, written again.
    Other(Vec<u8>),
}

/// Both ends of the link, and what the supervisor's has heard.
pub struct Ends {
    keys: Keys,
    post: Post,
    peers: Peers,
    own: BootId,
}

impl Ends {
    /// With a cluster's key; `own` is the supervisor.
    pub fn new(key: &ClusterKey, own: BootId) -> Self {
        let keys = Keys::new(key);
        Self {
            post: Post::new(&keys),
            keys,
            peers: Peers::default(),
            own,
        }
    }

    /// A message with any body, as a process with the key would write it; nothing: there is no such kind.
    pub fn write(
        &self,
        environment: &EnvironmentName,
        kind: u8,
        boot: BootId,
        sequence: u64,
        marks: &[[u8; 16]],
        body: &[u8],
    ) -> Option<Vec<u8>> {
        let mut message = Envelope::new(Kind::of(kind)?, boot, sequence, marks, &());
        message.body = body.to_vec();
        Some(self.post.write(environment, &message))
    }

    /// Whether a message is genuine.
    pub fn is_genuine(&self, environment: &str, bytes: &[u8]) -> bool {
        self.post.read(environment, bytes).is_some()
    }

    /// What a message says; nothing: it is not genuine, or not what its kind says.
    pub fn read(&self, environment: &str, bytes: &[u8]) -> Option<Said> {
        let message = self.post.read(environment, bytes)?;
        let other = |json: Result<Vec<u8>, serde_json::Error>| json.ok().map(Said::Other);
        match message.kind {
            Kind::Registration => message.read().map(Said::Registration),
            Kind::Beat => message.read().map(Said::Beat),
            Kind::Left => Some(Said::Left),
            Kind::Report => message.read().map(Said::Report),
            Kind::Figures => message.read().map(Said::Figures),
            Kind::Refused => other(serde_json::to_vec(&message.read::<Refusal>()?)),
            Kind::DeadLetter => other(serde_json::to_vec(&message.read::<Dead>()?)),
            Kind::Look => other(serde_json::to_vec(&message.read::<Look>()?)),
            Kind::Greeting => other(serde_json::to_vec(&message.read::<Greeting>()?)),
            Kind::Claimed => other(serde_json::to_vec(&message.read::<Claimed>()?)),
            Kind::Holder => {
                let mut holding: Holding = message.read()?;
                other(serde_json::to_vec(holding.until_now(0)))
            }
        }
    }

    /// What a run of a worker must answer before the supervisor believes it.
    pub fn challenge(&self, environment: &EnvironmentName, boot: BootId) -> [u8; 16] {
        self.peers
            .challenge(&self.keys, self.own, environment, boot)
    }

    /// What the supervisor tells on of a message.
    pub fn hear(&mut self, environment: &EnvironmentName, bytes: &[u8]) -> Option<FromWorkers> {
        let message = self.post.read(environment.as_str(), bytes)?;
        let heard = self.peers.hear(&self.keys, self.own, environment, &message);
        heard.told
    }

    /// A specification's form in Redis.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn seal(&self, specification: &Specification) -> Result<Vec<u8>, LinkError> {
        sealed::seal(&self.keys, specification)
    }

    /// The specification of an app in an environment; nothing: it is not genuine, or another's.
    pub fn open(
        &self,
        environment: &EnvironmentName,
        app: &AppId,
        bytes: &[u8],
    ) -> Option<Specification> {
        sealed::open(&self.keys, environment, app, bytes)
    }
}

/// The messages in an answer of Redis (RESP), each with whose it says it is, as both ends read them.
pub fn entries(answer: &[u8]) -> Vec<(String, Vec<u8>)> {
    let Ok(value) = redis::parse_redis_value(answer) else {
        return Vec::new();
    };
    let read = stream::entries(value.clone());
    let all = read.into_iter().chain(stream::range(value));
    all.map(|entry| {
        let _ = stream::is_before(&entry.id, "0-0");
        (entry.from, entry.message)
    })
    .collect()
}
