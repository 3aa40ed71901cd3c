//! Specifications, as a supervisor would write them.

use lodge_model::*;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

pub const ENVIRONMENT: &str = "w1";

/// The secret that is in every specification.
pub const SECRET: &str = "hunter2-hunter2";

pub fn id(name: &str) -> AppId {
    name.parse().unwrap()
}

/// The bytes of a component of this version.
pub fn bytes(version: &str) -> Vec<u8> {
    let mut bytes = format!("component {version}\n").into_bytes();
    bytes.extend((0..30_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()));
    bytes
}

pub fn digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

pub fn revision(generation: i64) -> Revision {
    Revision {
        generation,
        ..Revision::default()
    }
}

/// An app of component 1.0.0.
pub fn spec(name: &str, generation: i64, goal: Goal) -> Specification {
    spec_of(name, generation, goal, "1.0.0")
}

pub fn spec_of(name: &str, generation: i64, goal: Goal, version: &str) -> Specification {
    let bytes = bytes(version);
    let secrets = [
        ("generation".to_owned(), Secret(generation.to_string())),
        ("password".to_owned(), Secret(SECRET.into())),
    ];
    let limits = Limits::default();
    Specification {
        app: id(name),
        environment: ENVIRONMENT.parse().unwrap(),
        revision: revision(generation),
        goal,
        restart_before: 0,
        operation: None,
        component: ComponentRef {
            name: "hello".into(),
            version: version.into(),
            digest: digest(&bytes),
        },
        component_size: bytes.len() as u64,
        world: World::Http02,
        uses_async: false,
        domains: Vec::new(),
        path_access: PathAccess::Serve,
        grant: Grant {
            app: id(name),
            database: DatabaseSpec::default(),
            sources: BTreeMap::new(),
            source_databases: BTreeMap::new(),
            jwt_keys: Vec::new(),
            config: secrets.into(),
            outbound_hosts: Vec::new(),
            limits,
        },
    }
}

/// The same again, but for the revision.
pub fn again(spec: &Specification, generation: i64) -> Specification {
    Specification {
        revision: revision(generation),
        ..spec.clone()
    }
}
