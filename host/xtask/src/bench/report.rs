//! What the benchmark found, as medians and ratios.

use anyhow::Result;
use serde::Serialize;
use std::fs;
use std::path::Path;

use super::load::Measured;

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
            .find(|(name, _)| name == "bare hyper")
            .map(|(_, all)| rate(all));
        println!(
            "\n| server | req/s | of bare hyper | of its peer | p50 ms | p99 ms |\n| --- | --- | --- | --- | --- | --- |"
        );
        let mut peer = None;
        for (name, all) in &self.servers {
            let here = rate(all);
            if name.starts_with("wasmtime serve") {
                peer = Some(here);
            }
            let of_bare = bare.map_or("-".to_owned(), |bare| format!("{:.2}", here / bare));
            let of_peer = match peer {
                Some(peer) if name.starts_with("lodge") => format!("{:.2}", here / peer),
                _ => "-".to_owned(),
            };
            println!(
                "| {name} | {here:.0} | {of_bare} | {of_peer} | {:.2} | {:.2} |",
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
