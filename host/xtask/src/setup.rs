//! `cargo xtask setup`: everything that `run` and `test` do before they build.

use anyhow::Result;

use crate::guests;
use crate::places::Places;
use crate::progress::Steps;
use crate::system::{self, Need};
use crate::toolchain::Choice;

pub(crate) fn run(places: &Places) -> Result<()> {
    let mut steps = Steps::new(2);
    steps.step("system packages", || system::ensure(&Need::ALL))?;
    steps.step("guests", || {
        guests::run(
            places,
            &guests::Options {
                all: true,
                toolchain: Choice::Auto,
            },
        )
    })
}
