//! A worker: brings about what its supervisor says should be, and says what is.
