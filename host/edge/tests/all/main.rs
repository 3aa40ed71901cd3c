//! The edge against real sockets, with apps that are closures.

mod access;
mod bodies;
mod connections;
mod http2;
mod phases;
mod support;
