//! The link between a supervisor and its workers, over Redis.
