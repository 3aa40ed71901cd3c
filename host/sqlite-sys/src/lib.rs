//! SQLite 3.54 under the name and number that sqlx 0.9 asks for (`libsqlite3-sys` before 0.38, whose
//! SQLite is 3.51).
//!
//! SQLite runs inside the host and its statements are strangers'. Up to 3.51 its JSON functions go as
//! deep as a path or a binary JSON value says, on the thread's stack:
//! `json_set('{}', '$' || replace(hex(zeroblob(20000)), '00', '.a'), 1)` ended the process. Later ones
//! stop at a depth of 1,000. To be removed as soon as sqlx takes `libsqlite3-sys` 0.39.

#![no_std]

pub use newer::*;
