//! What tests share: real servers, started and ended by the tests themselves.

pub mod postgres;
