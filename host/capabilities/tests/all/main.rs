//! Tests of the capabilities with real parts: servers, sockets, keys.

#![allow(clippy::disallowed_methods, reason = "a test may wait")]

mod tokens;
