//! Says what is being done and how far it is: `[2/5] what`, then `[2/5] what (1.2 s)`.
//! Steps that have steps of their own indent them.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::Result;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// A task of a known number of steps.
#[derive(Debug)]
pub(crate) struct Steps {
    done: usize,
    total: usize,
}

impl Steps {
    pub(crate) fn new(total: usize) -> Self {
        Self { done: 0, total }
    }

    /// Does one step, with its name before and its time after.
    pub(crate) fn step<T>(&mut self, what: &str, act: impl FnOnce() -> Result<T>) -> Result<T> {
        self.done += 1;
        let label = format!("[{}/{}] {what}", self.done, self.total);
        say(&label);
        let started = Instant::now();
        DEPTH.set(DEPTH.get() + 1);
        let result = act();
        DEPTH.set(DEPTH.get() - 1);
        let outcome = if result.is_ok() { "" } else { "failed, " };
        say(&format!("{label} ({outcome}{})", human(started.elapsed())));
        result
    }
}

/// A line at the present depth.
pub(crate) fn say(line: &str) {
    println!("{}{line}", "  ".repeat(DEPTH.get()));
}

pub(crate) fn human(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
