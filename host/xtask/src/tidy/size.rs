//! The size budget: how long files and functions may be.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::functions::{Function, functions};

/// Lines a file: the median, nine of ten, every one.
const FILES: [(&str, usize); 3] = [("median", 150), ("p90", 400), ("longest", 600)];
/// A function past the first is reported; past the second it is an error, unless a comment above it says
/// `// long because: …`.
const FUNCTION: (usize, usize) = (60, 100);

/// Folders that hold no source of ours, or guests that are strange on purpose.
const SKIPPED: [&str; 5] = ["target", "node_modules", ".git", "data", "tests/guests"];

/// The rules that are broken.
pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    let mut long = Vec::new();
    for file in sources(root)? {
        let text = fs::read_to_string(&file)?;
        let name = file.strip_prefix(root)?.display().to_string();
        long.extend(
            functions(&text)
                .into_iter()
                .filter(|function| function.lines > FUNCTION.0)
                .map(|function| (function, name.clone())),
        );
        files.push((text.lines().count(), name));
    }
    files.sort();
    long.sort_by_key(|(function, _)| std::cmp::Reverse(function.lines));
    let mut broken = check_files(&files)?;
    broken.extend(check_functions(&long));
    Ok(broken)
}

fn check_files(files: &[(usize, String)]) -> Result<Vec<String>> {
    let last = files.len().checked_sub(1).context("no sources found")?;
    let mut broken = Vec::new();
    println!("{} files of Rust; lines a file:", files.len());
    for ((what, most), place) in FILES.iter().zip([last / 2, last * 9 / 10, last]) {
        let (lines, name) = files.get(place).context("the place is within the list")?;
        println!("  {what:<8} {lines:>4} of {most:>3}  {name}");
        if lines > most && *what != "longest" {
            broken.push(format!(
                "the {what} file has {lines} lines, the budget is {most}"
            ));
        }
    }
    let most = FILES
        .map(|(_, most)| most)
        .into_iter()
        .max()
        .unwrap_or_default();
    let too_long = files.iter().filter(|(lines, _)| *lines > most);
    broken.extend(
        too_long.map(|(lines, name)| format!("{name} has {lines} lines, the most is {most}")),
    );
    Ok(broken)
}

fn check_functions(long: &[(Function, String)]) -> Vec<String> {
    println!("{} functions longer than {} lines:", long.len(), FUNCTION.0);
    for (function, file) in long {
        println!(
            "  {:>4}  {} ({file}:{})",
            function.lines, function.name, function.line
        );
    }
    long.iter()
        .filter(|(function, _)| function.lines > FUNCTION.1 && !function.has_reason)
        .map(|(function, file)| {
            format!(
                "{file}:{}: {} has {} lines, more than {} need a comment `// long because: …`",
                function.line, function.name, function.lines, FUNCTION.1
            )
        })
        .collect()
}

fn sources(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if SKIPPED.iter().any(|skipped| path.ends_with(skipped)) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    Ok(found)
}
