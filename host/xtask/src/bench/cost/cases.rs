//! What is measured, in groups of which the first is what the others are compared with.

use anyhow::Result;
use std::thread::available_parallelism;

use super::{Case, Group};
use crate::bench::host::Prepared;
use crate::bench::servers::{BARE, Server, bare, spread};
use crate::bench::{CROWDS, scripts};
use crate::places::Places;

pub(super) const STAGES: &str = "stages";
pub(super) const EDGE: &str = "lodge, the edge's own answer";
pub(super) const REUSED: &str = "lodge, 0.2 reused";
pub(super) const SHARED: &str = "lodge, 0.3 shared";
pub(super) const FRESH: &str = "lodge, 0.2 fresh";

/// The measured ways to run a guest, with the app of each.
const WAYS: [(&str, &str); 3] = [(REUSED, "reused"), (SHARED, "async"), (FRESH, "fresh")];
/// Memory that a guest touches in a request, in MiB.
const TOUCHED: [u64; 4] = [0, 1, 4, 16];
/// Bodies, in KiB.
const BODIES: [usize; 3] = [1, 64, 1024];

/// The name of a way without the gate.
pub(super) fn ungated(way: &str) -> String {
    format!("{way}, no gate")
}

pub(super) fn all(places: &Places, prepared: &Prepared) -> Result<Vec<Group>> {
    let mut groups = vec![stages(places, prepared)];
    for way in WAYS {
        groups.push(apps(places, prepared, way)?);
    }
    groups.push(cores(places, prepared, None));
    let ways = WAYS.into_iter().map(Some);
    groups.extend(ways.map(|way| cores(places, prepared, way)));
    groups.push(instances(prepared));
    groups.push(touched(prepared));
    groups.extend(bodies(places, prepared)?);
    Ok(groups)
}

fn group(part: &'static str, title: &str, servers: impl IntoIterator<Item = Server>) -> Group {
    Group {
        part,
        title: title.to_owned(),
        cases: servers.into_iter().map(Case::from).collect(),
    }
}

fn stages(places: &Places, prepared: &Prepared) -> Group {
    // A redirect: the app is looked up, and none of its places is taken.
    let edge = Server::lodge(EDGE, prepared, "fresh", 0).at_edge("/apps/fresh");
    let mut servers = vec![bare(places), edge];
    for (way, app) in WAYS {
        servers.push(Server::lodge(way, prepared, app, 0));
    }
    for (way, app) in WAYS {
        let server = Server::lodge(&ungated(way), prepared, app, 0);
        servers.push(server.with_argument("--cpu-gate").with_argument("false"));
    }
    group(STAGES, "What a request costs", servers)
}

fn apps(places: &Places, prepared: &Prepared, (way, app): (&str, &str)) -> Result<Group> {
    let one = Server::lodge(&format!("{way}, 1 app"), prepared, app, 0);
    let mut servers = vec![one];
    for crowd in CROWDS {
        let name = format!("{way}, {crowd} apps");
        servers.push(Server::lodge(&name, prepared, app, crowd));
    }
    let [_, most] = CROWDS;
    if way == FRESH {
        let name = format!("{way}, each of {most} apps");
        servers.push(spread(&name, places, prepared, most)?);
    }
    Ok(group("apps", &format!("With apps: {way}"), servers))
}

/// On 1, 2, 4 … cores. The load has the machine's last core where the server leaves it.
fn cores(places: &Places, prepared: &Prepared, way: Option<(&str, &str)>) -> Group {
    let there = available_parallelism().map_or(1, usize::from);
    let counts = (0..)
        .map(|power| 1 << power)
        .take_while(|cores| *cores <= there);
    let last = (there - 1).to_string();
    let servers = counts.map(|cores: usize| {
        let apart = cores < there;
        let load = if apart {
            "load apart"
        } else {
            "load shares them"
        };
        let (name, server) = match way {
            None => (BARE, bare(places)),
            Some((way, app)) => (way, Server::lodge(way, prepared, app, 0)),
        };
        server
            .named(&format!("{name}, cores: {cores} ({load})"))
            .on_cores(&format!("0-{}", cores - 1), apart.then_some(last.as_str()))
    });
    let name = way.map_or(BARE, |(way, _)| way);
    group("cores", &format!("With cores: {name}"), servers)
}

fn instances(prepared: &Prepared) -> Group {
    let guests = [
        ("hello-p2, 70 KB", "fresh"),
        ("hello-js, 12.8 MB", "js"),
        ("hello-py, 18.4 MB", "py"),
    ];
    let servers = guests.map(|(name, app)| Server::lodge(name, prepared, app, 0));
    group(
        "instances",
        "With the component: a fresh instance each",
        servers,
    )
}

fn touched(prepared: &Prepared) -> Group {
    let servers = TOUCHED.map(|mib| {
        let name = format!("{mib} MiB touched");
        Server::lodge(&name, prepared, "allocate", 0).at(&format!("/grow?mib={mib}"))
    });
    group("instances", "With memory: a fresh instance each", servers)
}

fn bodies(places: &Places, prepared: &Prepared) -> Result<[Group; 2]> {
    let folder = places.target.join("bench");
    let base = || Server::lodge("no body", prepared, "echo", 0).at("/status/200");
    let (mut up, mut down) = (vec![base()], vec![base()]);
    for kib in BODIES {
        let name = format!("{kib} KiB");
        let echo = Server::lodge(&name, prepared, "echo", 0);
        up.push(echo.with_script(scripts::post(&folder, kib << 10)?));
        let bytes = Server::lodge(&name, prepared, "echo", 0);
        down.push(bytes.at(&format!("/bytes?kib={kib}")));
    }
    Ok([
        group("bodies", "With the body: up and back (an echo, fresh)", up),
        group("bodies", "With the body: down (fresh)", down),
    ])
}
