//! How far something is, on standard error: a bar or a spinner on a terminal, plain lines
//! elsewhere, nothing with `--json`.

use super::output;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal as _, Read};
use std::time::Duration;

/// Whether and how to show progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Moving.
    Terminal,
    /// A line a step.
    Lines,
    /// Not at all.
    Quiet,
}

impl Progress {
    /// What fits: `json` means that a program reads.
    pub(crate) fn new(json: bool) -> Self {
        match json {
            true => Self::Quiet,
            false if std::io::stderr().is_terminal() => Self::Terminal,
            false => Self::Lines,
        }
    }

    /// Says that a step is done.
    pub(crate) fn say(self, text: impl std::fmt::Display) {
        if self != Self::Quiet {
            eprintln!("{text}");
        }
    }

    /// Something that takes an unknown time: a spinner with the time that passed.
    pub(crate) fn wait(self, text: String) -> Waiting {
        if self != Self::Terminal {
            self.say(&text);
            return Waiting(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner().with_message(text);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Waiting(bar)
    }

    /// A reader of `length` bytes that shows how far it was read.
    pub(crate) fn read<R: Read>(self, text: &str, length: u64, reader: R) -> Reading<R> {
        if self != Self::Terminal {
            self.say(format_args!("{text} ({})", output::bytes(length)));
            return Reading {
                reader,
                bar: ProgressBar::hidden(),
            };
        }
        let bar = ProgressBar::new(length).with_message(text.to_owned());
        let template =
            "{msg} {bar:30} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Reading { reader, bar }
    }
}

/// A spinner; gone when dropped.
pub(crate) struct Waiting(ProgressBar);

impl Waiting {
    /// Says what is waited for now.
    pub(crate) fn now(&self, text: String) {
        self.0.set_message(text);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A reader with a bar; the bar is gone when dropped.
pub(crate) struct Reading<R> {
    reader: R,
    bar: ProgressBar,
}

impl<R: Read> Read for Reading<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.bar.inc(count as u64);
        Ok(count)
    }
}

impl<R> Drop for Reading<R> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
