//! What the targets share.

pub mod apps;
pub mod heap;
