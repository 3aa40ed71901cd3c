//! The control database: what Lodge must not forget.
//!
//! One SQL text serves SQLite (a file in the data directory) and PostgreSQL, so that every query is
//! written and tested once: `$1` placeholders, BIGINT milliseconds since 1970, JSON as TEXT. There
//! is one file of queries a noun. Queries that belong together take a [`Tx`], so that their caller
//! decides what is one step; reads take the [`Database`].
//!
//! Secrets of apps are sealed before they reach it ([`sealing`]): the functions that read and write
//! them take the [`Sealer`](lodge_model::Sealer), so that none can forget it.
//!
//! What bounds it: one writer at a time on SQLite, a handful of connections on PostgreSQL, and
//! [`events::prune`], [`operations::prune`], [`keys::prune`] and [`history::prune`] for what would grow for ever.
//! How it fails: an [`Error`] that names no value of a row, since rows hold secrets.

pub mod apps;
mod claim;
pub mod components;
mod database;
pub mod environments;
mod error;
pub mod events;
pub mod history;
pub mod idempotency;
pub mod keys;
mod migrate;
pub mod observed;
pub mod operations;
pub mod sealing;
pub mod sessions;
pub mod settings;
mod text;
pub mod tokens;
pub mod users;

pub use claim::Claim;
pub use database::{Database, Dialect, Tx};
pub use error::Error;
