//! The stages of a request: each a difference between two servers, of which one does a thing more.

use super::Group;
use super::cases::{EDGE, FRESH, REUSED, SHARED, ungated};
use crate::bench::servers::BARE;

pub(super) fn print(group: &Group) {
    let gate = |way: &str| group.cost(way) - group.cost(&ungated(way));
    let between = |more: &str, less: &str| group.cost(more) - group.cost(less);
    let rows = [
        ("connection and HTTP", "bare hyper", group.cost(BARE)),
        (
            "the edge: address, app, headers",
            "the edge's own answer − bare hyper",
            between(EDGE, BARE),
        ),
        (
            "admission, and calling a guest (0.2)",
            "0.2 reused − the edge's own answer",
            between(REUSED, EDGE),
        ),
        (
            "making and dropping an instance",
            "0.2 fresh − 0.2 reused",
            between(FRESH, REUSED),
        ),
        (
            "admission, and calling a guest of many requests at once (0.3)",
            "0.3 shared − the edge's own answer",
            between(SHARED, EDGE),
        ),
        (
            "of these, the gate: 0.2 reused",
            "with − without it",
            gate(REUSED),
        ),
        (
            "of these, the gate: 0.2 fresh",
            "with − without it",
            gate(FRESH),
        ),
        (
            "of these, the gate: 0.3 shared",
            "with − without it",
            gate(SHARED),
        ),
    ];
    println!("\n| stage | found as | CPU, µs | of a fresh request |\n| --- | --- | --- | --- |");
    for (stage, found, cost) in rows {
        let share = cost / group.cost(FRESH) * 100.0;
        println!("| {stage} | {found} | {cost:.1} | {share:.0} % |");
    }
}
