//! Both ends of the link, over a real Redis.

mod capacity;
mod failures;
mod forgeries;
mod names;
mod roundtrip;
mod support;
