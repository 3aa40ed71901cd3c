//! `cargo xtask setup`: everything that `run` and `test` do before they build.

use anyhow::Result;

use crate::guests;
use crate::places::Places;
use crate::progress::Steps;
use crate::system::{self, Need};
use crate::ui;

pub(crate) fn run(places: &Places) -> Result<()> {
    let mut steps = Steps::new(3);
    steps.step("system packages", || system::ensure(&Need::ALL))?;
    steps.step("guests", || guests::all(places))?;
    steps.step("web console", || ui::run_if_possible(places))
}
