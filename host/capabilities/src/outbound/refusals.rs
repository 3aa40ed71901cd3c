//! What an app's log says about refused calls: enough to find the cause, and not as often as a guest
//! tries.

use lodge_model::{Account, LogLevel};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Lines within [`WINDOW`]; what is more is counted.
const LINES: u32 = 10;

const WINDOW: Duration = Duration::from_secs(10);

/// The way into one app's log.
#[derive(Clone)]
pub(super) struct Refusals(Arc<Inner>);

struct Inner {
    account: Arc<dyn Account>,
    window: Mutex<Window>,
}

#[derive(Default)]
struct Window {
    since: Option<Instant>,
    told: u32,
    untold: u64,
}

impl Refusals {
    pub(super) fn new(account: Arc<dyn Account>) -> Self {
        let window = Mutex::default();
        Self(Arc::new(Inner { account, window }))
    }

    /// Tells it, if there is room for a line.
    pub(super) fn tell(&self, line: impl FnOnce() -> String) {
        let untold = {
            let mut window = self.0.window.lock();
            if window.since.is_none_or(|since| since.elapsed() >= WINDOW) {
                window.since = Some(Instant::now());
                window.told = 0;
            }
            if window.told == LINES {
                window.untold += 1;
                return;
            }
            window.told += 1;
            std::mem::take(&mut window.untold)
        };
        let mut text = line();
        if untold > 0 {
            text.push_str(&format!(" (and {untold} more since the last such line)"));
        }
        self.0.account.log(LogLevel::Warn, text);
    }
}
