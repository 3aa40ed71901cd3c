//! What apps notice of each other: a quiet app's visits while a neighbour does its worst, what greedy apps get of the
//! CPU, and whether what is charged adds up. Prints tables; docs/benchmarks.md quotes them.
//!
//! `isolation [ROUNDS] [SECONDS] [LETTERS]`, where `0ab` stands for the first three rows alone; needs `lodge`
//! (`LODGE_PROGRAM`) and the guests. `cargo xtask bench --only isolation` runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a measuring tool: what goes wrong ends it"
)]

#[path = "isolation/neighbours.rs"]
mod neighbours;
#[path = "isolation/shares.rs"]
mod shares;
#[path = "isolation/visitors.rs"]
mod visitors;

fn main() {
    let number = |at: usize, default: u64| {
        let given = std::env::args().nth(at);
        given.map_or(default, |text| text.parse().expect("a number"))
    };
    let (rounds, seconds) = (number(1, 5), number(2, 5));
    match std::env::args().nth(3) {
        Some(letters) => neighbours::measure(rounds, seconds, &letters),
        None => {
            neighbours::measure(rounds, seconds, "0abcdef");
            shares::measure(seconds);
        }
    }
}
