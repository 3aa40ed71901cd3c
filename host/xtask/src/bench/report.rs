//! What the benchmark found, as medians and ratios.

use anyhow::Result;
use serde::Serialize;
use std::fs;
use std::path::Path;

use super::load::Measured;
use super::servers::BARE;

/// All measurements of one run.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    servers: Vec<(String, Vec<Measured>)>,
    notes: Vec<(String, f64)>,
}

impl Report {
    pub(super) fn add(&mut self, server: &str, measured: Measured) {
        match self.servers.iter_mut().find(|(name, _)| name == server) {
            Some((_, all)) => all.push(measured),
            None => self.servers.push((server.to_owned(), vec![measured])),
        }
    }

    pub(super) fn note(&mut self, what: &str, figure: f64) {
        self.notes.push((what.to_owned(), figure));
    }

    pub(super) fn print(&self) {
        let rate = |all: &[Measured]| median(all, |m| m.per_second);
        let bare = self
            .servers
            .iter()
            .find(|(name, _)| name == BARE)
            .map(|(_, all)| rate(all));
        println!(
            "\n| server | req/s | lowest–highest | of bare hyper | of its peer | of one app | p50 ms | p99 ms |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- |"
        );
        let (mut peer, mut one_app) = (None, None);
        let of = |here: f64, other: Option<f64>| {
            other.map_or("–".to_owned(), |other| format!("{:.2}", here / other))
        };
        for (name, all) in &self.servers {
            let here = rate(all);
            let ours = name.starts_with("lodge");
            match name {
                name if name.starts_with("wasmtime serve") => peer = Some(here),
                name if name.ends_with(", 1 app") => one_app = Some(here),
                _ => {}
            }
            let crowded = ours && name.ends_with(" apps");
            println!(
                "| {name} | {here:.0} | {} | {} | {} | {} | {:.2} | {:.2} |",
                spread(all),
                of(here, bare),
                of(here, peer.filter(|_| ours)),
                of(here, one_app.filter(|_| crowded)),
                median(all, |m| m.p50_ms),
                median(all, |m| m.p99_ms)
            );
        }
        println!();
        for (what, figure) in &self.notes {
            println!("{what}: {figure:.2}");
        }
    }

    pub(super) fn save(&self, file: &Path) -> Result<()> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, serde_json::to_string_pretty(self)?)?;
        println!("\nevery measurement: {}", file.display());
        Ok(())
    }
}

fn median(all: &[Measured], of: impl Fn(&Measured) -> f64) -> f64 {
    let mut values: Vec<f64> = all.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn spread(all: &[Measured]) -> String {
    let rates = || all.iter().map(|measured| measured.per_second);
    let (lowest, highest) = (rates().reduce(f64::min), rates().reduce(f64::max));
    format!(
        "{:.0}–{:.0}",
        lowest.unwrap_or_default(),
        highest.unwrap_or_default()
    )
}
