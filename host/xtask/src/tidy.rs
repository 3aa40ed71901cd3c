//! `cargo xtask tidy`: the size budget and the arrows that must not be, as tables; an error if one is broken.

mod arrows;
mod functions;
mod size;

use anyhow::{Result, bail};

use crate::places::Places;

pub(crate) fn run(places: &Places) -> Result<()> {
    let mut broken = size::check(&places.root)?;
    broken.extend(arrows::check(&places.root)?);
    if broken.is_empty() {
        println!("tidy");
        return Ok(());
    }
    for rule in &broken {
        println!("broken: {rule}");
    }
    bail!("{} rules broken", broken.len());
}
