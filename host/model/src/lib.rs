//! Lodge's words as types: what an app is, what it may use, what happens to it, and the ports
//! between the crates that make it happen.
//!
//! Everything may depend on this crate; it depends on no other crate of ours and does no I/O.
//! The ports ([`Runtime`], [`Endpoint`], [`RouteSink`], [`Activator`], [`LogSink`], [`LogStore`], [`Provider`],
//! [`Sealer`], [`SupervisorLink`], [`WorkerLink`], [`Forwarding`], [`Control`]) are here so that the crates on their two sides do not know each other: only the
//! binary wires them.

mod app;
mod backoff;
mod capability;
mod causes;
mod cluster;
mod component;
mod endpoint;
mod failure;
mod ids;
mod invalid;
mod limits;
mod log;
mod meter;
mod operation;
mod outbound_host;
mod proxies;
mod routes;
mod runtime;
mod seal;
mod status;

pub use app::{
    App, ComponentRef, ConfigEntry, DatabaseEngine, DatabaseKind, DatabaseSpec, JwtSpec,
    LOCAL_ENVIRONMENT, PathAccess, Placement, StartMode,
};
pub use backoff::backoff;
pub use capability::{
    Account, CallDepth, Capabilities, Column, ConnectionReport, Constraint, ConstraintError,
    Cursor, DataSource, DataSources, DatabaseError, DatabaseReport, Element, ExecuteOutcome,
    Expectations, Grant, GrantError, InternalCalls, Isolation, JwtAlgorithm, JwtKey, KeyPage,
    KeyValue, KeyValueError, Migration, Outbound, OutboundError, OutboundOptions, Provider, Row,
    Rows, Secret, SignOptions, SlowStatement, SourceAccess, SourceGrant, SqlError, TokenError,
    Tokens, Transaction, Turn, Value, Version,
};
pub use causes::with_causes;
pub use cluster::{
    BootId, Capacity, Claim, ClusterKey, Control, Figures, Forwarding, FromWorkers, Goal,
    Heartbeat, LinkError, Load, OWN_FIELDS, Registration, Report, Revision, SIGNATURE_FIELD,
    SignatureError, Signed, Signer, Signing, Specification, SupervisorLink, Target, ToWorker,
    Verifier, WorkerLink,
};
pub use component::{Component, ComponentStatus, Inspection, Rejection, World};
pub use endpoint::{BodyError, Endpoint, RequestBody, RequestId, ResponseBody};
pub use failure::{Failure, FailureKind};
pub use ids::{AppId, Digest, EnvironmentName, OperationId};
pub use invalid::Invalid;
pub use limits::{Limits, LimitsPatch, MAX_INSTANCE_MEMORY_BYTES};
pub use log::{
    Followed, LOG_FIELDS, LOG_LINE_BYTES, LogError, LogFields, LogFilter, LogLevel, LogLine,
    LogSink, LogSource, LogStore, LogText,
};
pub use meter::{
    AppMeter, CrashLoop, CrashWatch, Latencies, Latency, LatencyCounts, MeterSnapshot, Outcome,
    Requests, Tally,
};
pub use operation::{DataPolicy, Operation, OperationKind, OperationStatus};
pub use outbound_host::{INTERNAL_DOMAIN, OutboundHost, ends_in_number};
pub use proxies::{TrustedProxies, parse_networks};
pub use routes::{Activator, Phase, Route, RouteSink};
pub use runtime::{CompileError, CompileProgress, Launch, Runtime, RuntimeFacts, StartError};
pub use seal::{SEALED, SealError, Sealer};
pub use status::{Desired, Observed, Status};
