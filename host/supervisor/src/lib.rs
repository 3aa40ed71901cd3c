//! The control plane: what should be, and the work of bringing it about.
//!
//! Whoever asks for something (the API, the command line) has it written to the control database
//! first, with an operation and an audit entry in one transaction; then a reconciler closes the
//! difference through the [`Runtime`](lodge_model::Runtime) port, and what is observed is written
//! behind. So the process may end at any instant: the next start reads what should be and goes on.
//!
//! In reading order: `boot` from nothing to ready; `input`, `apps`, `desired` what is asked
//! for; `queue`, `reconcile` what is done about it; `activate` the first visit; `observed`,
//! `operations`, `events`, `live` what is told of it; `library` the uploaded components, `follow` the apps that take newer ones; `keys`,
//! `rotate`, `grant`, `trial`, `mark` what apps are given beside CPU and memory; `preferences` what is set for the whole
//! host; `figures` what they used; `health` what the host stands on.
//! `lead` which of several supervisors leads; `cluster`, `catch_up`, `environments`, `placement`, `remote`, `telling`: workers, and apps placed there; `asked` what
//! workers are asked for administrators.
//! `cell` and `index` are the apps in memory, so that visits and lists need no query.

mod activate;
mod apps;
mod asked;
mod boot;
mod catch_up;
mod cell;
mod clock;
mod cluster;
mod crashes;
mod desired;
mod environments;
mod error;
mod events;
mod figures;
mod follow;
#[cfg(fuzzing)]
pub mod fuzzing;
mod grant;
mod health;
mod index;
mod input;
mod keys;
mod lead;
mod library;
mod live;
mod logs;
mod mark;
mod observed;
mod operations;
mod page;
mod placement;
mod preferences;
mod queue;
mod reconcile;
mod remote;
mod report;
mod rotate;
mod settings;
mod supervisor;
mod telling;
mod trial;

pub use apps::AppFilter;
pub use cluster::Cluster;
pub use environments::{EnvironmentInfo, EnvironmentStatus};
pub use error::{Error, Fault};
pub use events::{ActivityFilter, AuditEvent};
pub use figures::AppUsage;
pub use figures::history::{HistoryRange, StatsHistory, StatsPoint};
pub use figures::machine::memory_total;
pub use health::{HealthCheck, HealthStatus, HostInfo};
pub use input::{AppPatch, ComponentChoice, ConfigChange, JwtPatch, NewApp, SourceChange};
pub use keys::{KeyMaker, KeySet};
pub use library::{ComponentFilter, NewComponent};
pub use live::LiveEvent;
pub use logs::LogQuery;
pub use mark::ClearedMigration;
pub use page::{Actor, Listing, Page};
pub use preferences::{Preferences, PreferencesPatch, ProxyList};
pub use rotate::{JwtInfo, KeyInfo, SharedRotation};
pub use settings::Settings;
pub use supervisor::{Parts, Supervisor};
pub use trial::DatabaseTest;
