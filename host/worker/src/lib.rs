//! A worker: brings about what its supervisor says should be, and says what is.
//!
//! The way of a specification: `hear` takes it from the link and notes it if it is newer than what
//! is known; the app's own task (`task`) does the next step: `prepare` has the component fetched
//! ([`Components`]) and compiled, `start` has it run, `stop` has it stop or go; `observe` says
//! what came of it, and only then is the link told that it is done.
//!
//! What bounds it: an app has one task, which does one thing at a time; so many starts at once as
//! [`Settings`] say, of which visits and operations have places of their own; nothing an app does
//! holds up another, the link or a heartbeat (`pulse`). How it fails: with the link away, apps go on
//! as last told, through restarts of the worker too (`disk`); a failed start is reported and tried
//! again; what cannot be removed yet is tried until it can.

mod activate;
mod agent;
mod cell;
mod clock;
mod components;
mod control;
mod crashes;
mod disk;
mod hear;
mod index;
mod lanes;
mod machine;
mod observe;
mod prepare;
mod pulse;
mod settings;
mod start;
mod stop;
mod task;
mod usage;

pub use agent::{Agent, KeySet, OpenError, Parts};
pub use components::{Components, FetchError, FetchSettings, SignRequest};
pub use settings::Settings;
