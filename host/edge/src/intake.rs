//! What a worker's edge needs to take in the requests of its supervisor.

use lodge_model::{Control, Verifier};
use std::fmt;
use std::sync::Arc;

/// Takes in requests that are signed for this run of a worker, and nobody else's.
#[derive(Clone)]
pub struct Intake {
    /// Says whose they are.
    pub verifier: Arc<Verifier>,
    /// Answers those for the worker itself.
    pub control: Arc<dyn Control>,
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Intake({:?})", self.verifier)
    }
}
