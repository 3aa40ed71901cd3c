//! The link between a supervisor and its workers, over Redis.
//!
//! [`SupervisorEnd`] and [`WorkerEnd`] are the two ends. Either connects, and connects again, by
//! itself; whoever uses it is told, and goes on with what is known.
//!
//! **Redis is not trusted.** Specifications are encrypted and bound to environment, app and revision
//! (`sealed`); everything else has a MAC (`envelope`). All keys come from the cluster's (`keys`). What
//! is genuine may still be old: a worker keeps the highest revision of every app that it took, on disk
//! (`worker/fence`), and takes no lower one; a supervisor believes a run of a worker only after it has
//! answered a challenge of this very process (`supervisor/peers`), and takes each of its messages once,
//! in order. Clocks of different machines are never compared. Who can write to Redis can lose and
//! delay messages, and so stop the talk or keep a worker's name from it; not more.
//!
//! **Streams are messengers, hashes the truth.** A command says no more than "look at this app": the
//! specification is read from its hash, and after each connection a worker reads them all. So a stream
//! may be trimmed, lost or repeated without harm. Reports go into a hash and a stream: a supervisor that
//! notices a gap in a worker's sequence reads the hash.
//!
//! **What it costs** (counted by Redis itself; `tests/link/capacity`). A worker that nothing happens to: 30
//! waiting reads, 6 heartbeats and 6 renewals of its name a minute, in all 42 operations (with two
//! servers 30 pings more), so 140 a second for 200 workers. A supervisor: 30 waiting reads and 30 looks at
//! its mark a minute, however many workers and apps there are. One change of an app: 4 operations to
//! publish (one transaction), 1 waiting read, 1 look at the specification, 2 for each report, 2 to
//! acknowledge; what comes together is read, asked for and reported together. Figures: one operation each
//! time they are said. No task, timer or poll is any single app's.
//!
//! **Bounds.** Streams keep about 10,000 commands an environment, 50,000 events, 1,000 dead letters. In
//! memory: the newest report of each app at the worker, a number for each app at the supervisor.

mod complaint;
mod envelope;
#[cfg(fuzzing)]
pub mod fuzzing;
mod keys;
mod names;
mod said;
mod sealed;
mod settings;
mod stream;
mod supervisor;
mod wire;
mod worker;

pub use settings::{MalformedUrl, NoAuthority, Settings};
pub use supervisor::SupervisorEnd;
pub use worker::WorkerEnd;
