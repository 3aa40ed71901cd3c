//! Components from a component store, which may be away, lie, or not have them.

use super::bed::{BOOT, Bed};
use super::server::{Quirk, Server};
use super::specs::*;
use lodge_harness::s3::S3;
use lodge_model::*;
use lodge_store::{ComponentStore, StoreSettings};
use lodge_worker::{Components, FetchError};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A supervisor and a store that both have a component, and a worker that wants it.
struct Stored {
    bed: Bed,
    store: Server,
    components: Arc<Components>,
    reference: ComponentRef,
    bytes: Vec<u8>,
    tokio: tokio::runtime::Runtime,
}

fn open(url: &str, variables: Vec<(String, String)>) -> Arc<ComponentStore> {
    let variables: HashMap<_, _> = variables.into_iter().collect();
    let settings = StoreSettings::read(url, &|name| variables.get(name).cloned());
    settings.unwrap().open().unwrap()
}

/// The store at an address.
fn store_at(endpoint: &str) -> Arc<ComponentStore> {
    let variables = [
        ("AWS_ENDPOINT", endpoint),
        ("AWS_ACCESS_KEY_ID", "someone"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ALLOW_HTTP", "true"),
    ];
    let owned = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    open("s3://components/lodge", owned.to_vec())
}

impl Stored {
    fn new() -> Self {
        let store = Server::start();
        let components = store_at(&store.url);
        Self::with(store, components)
    }

    fn with(server: Server, store: Arc<ComponentStore>) -> Self {
        let (mut bed, bytes) = (Bed::new(), bytes("1.0.0"));
        bed.fetch.store = Some(store);
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let components = bed.components();
        components.set_supervisor(bed.server.url.clone(), BOOT);
        Self {
            reference: spec("a", 1, Goal::Running).component,
            store: server,
            bed,
            components,
            bytes,
            tokio,
        }
    }

    fn ensure(&self, components: &Arc<Components>) -> Result<PathBuf, FetchError> {
        let fetch = components.ensure(&self.reference, self.bytes.len() as u64);
        let limit = Duration::from_secs(20);
        let fetched = async { tokio::time::timeout(limit, fetch).await };
        self.tokio.block_on(fetched).expect("it never ended")
    }

    /// It must succeed, with the right bytes.
    #[track_caller]
    fn succeeds(&self) {
        let path = self.ensure(&self.components).unwrap();
        assert!(std::fs::read(path).unwrap() == self.bytes, "other bytes");
        let folder = std::fs::read_dir(self.bed.path("components")).unwrap();
        assert_eq!(folder.count(), 1, "something was left");
    }

    /// Where requests began: of the store, of the supervisor.
    fn begun_at(&self) -> (Vec<usize>, Vec<usize>) {
        let of = |server: &Server| {
            let asked = server.library.asked.lock();
            asked.iter().map(|(from, _)| *from).collect()
        };
        (of(&self.store), of(&self.bed.server))
    }
}

#[test]
fn the_store_is_asked_first() {
    let stored = Stored::new();
    stored.succeeds();
    stored.succeeds();
    assert_eq!(stored.begun_at(), (vec![0], vec![]));
}

#[test]
fn the_store_is_enough_while_no_supervisor_is_known() {
    let stored = Stored::new();
    stored.store.library.misbehave([Quirk::CutAfter(50_000)]);
    let components = stored.bed.components();
    stored.ensure(&components).unwrap();
    assert_eq!(stored.begun_at(), (vec![0, 50_000], vec![]));
}

#[test]
fn what_the_store_began_the_supervisor_ends() {
    for quirk in [Quirk::CutAfter(50_000), Quirk::SilentAfter(50_000)] {
        let stored = Stored::new();
        stored.store.library.misbehave([quirk]);
        stored.succeeds();
        assert_eq!(stored.begun_at(), (vec![0], vec![50_000]));
    }
}

#[test]
fn what_the_supervisor_began_the_store_ends() {
    let stored = Stored::new();
    stored.store.library.misbehave([Quirk::Status(404)]);
    let cut = Quirk::CutAfter(50_000);
    stored.bed.server.library.misbehave([cut]);
    stored.succeeds();
    assert_eq!(stored.begun_at(), (vec![0, 50_000], vec![0]));
}

#[test]
fn other_bytes_in_the_store_are_not_taken() {
    let mut other = bytes("1.0.0");
    other[77] ^= 1;
    // All of it, the beginning of it (which the supervisor goes on with), more than it is.
    for instead in [
        other.clone(),
        other[..50_000].to_vec(),
        [&other[..], b"more"].concat(),
    ] {
        let stored = Stored::new();
        stored.store.library.misbehave([Quirk::Instead(instead)]);
        stored.succeeds();
        assert_eq!(
            stored.begun_at().1.last(),
            Some(&0),
            "{:?}",
            stored.begun_at()
        );
    }
}

#[test]
fn wrong_bytes_of_the_supervisor_are_still_refused() {
    let stored = Stored::new();
    let mut other = stored.bytes.clone();
    other[77] ^= 1;
    let found = digest(&other);
    let lie = || vec![Quirk::Instead(other.clone()); 3];
    stored.store.library.misbehave(lie());
    stored.bed.server.library.misbehave(lie());
    let ended = stored.ensure(&stored.components);
    assert_eq!(ended, Err(FetchError::WrongBytes { found }));
}

#[test]
fn a_store_without_it_is_no_reason_to_wait() {
    let stored = Stored::new();
    stored.store.library.components.lock().clear();
    stored.succeeds();
    assert_eq!(stored.begun_at(), (vec![0], vec![0]));
    let stored = Stored::new();
    stored.store.library.components.lock().clear();
    stored.bed.server.library.components.lock().clear();
    let ended = stored.ensure(&stored.components);
    assert_eq!(ended, Err(FetchError::Missing(404)));
}

#[test]
fn a_store_that_is_away_or_refuses_is_no_reason_to_wait() {
    let stored = Stored::with(Server::start(), store_at("http://127.0.0.1:1"));
    stored.succeeds();
    for status in [401, 403, 500, 302] {
        let stored = Stored::new();
        let quirks = vec![Quirk::Status(status); 3];
        stored.store.library.misbehave(quirks);
        stored.succeeds();
        assert_eq!(stored.begun_at().1, [0], "{status}");
    }
}

#[test]
fn a_store_that_is_away_is_not_asked_for_each_component() {
    let mut stored = Stored::new();
    stored.bed.fetch.longest_retry = Duration::from_secs(60);
    let components = stored.bed.components();
    components.set_supervisor(stored.bed.server.url.clone(), BOOT);
    let refused = vec![Quirk::Status(403); 3];
    stored.store.library.misbehave(refused);
    stored.ensure(&components).unwrap();
    let other = spec_of("b", 1, Goal::Running, "2.0.0");
    let other = components.ensure(&other.component, other.component_size);
    stored.tokio.block_on(other).unwrap();
    assert_eq!(stored.begun_at(), (vec![0], vec![0, 0]));
}

#[test]
fn a_supervisor_without_it_is_no_end_while_the_store_is_away() {
    let stored = Stored::new();
    stored.bed.server.library.components.lock().clear();
    stored
        .store
        .library
        .misbehave([403, 403].map(Quirk::Status));
    stored.succeeds();
}

#[test]
fn a_real_server_gives_what_was_put() {
    let s3 = S3::start().unwrap();
    let store = open(&s3.url("lodge"), s3.variables());
    let stored = Stored::with(Server::start(), store.clone());
    let path = stored.bed.path("uploaded");
    std::fs::write(&path, &stored.bytes).unwrap();
    let put = store.put(&stored.reference.digest, &path);
    stored.tokio.block_on(put).unwrap();
    // What came of it before is gone on with.
    let part = format!("{}.part", stored.reference.digest);
    let part = stored.bed.path("components").join(part);
    std::fs::write(part, &stored.bytes[..50_000]).unwrap();
    stored.succeeds();
    assert_eq!(stored.begun_at(), (vec![], vec![]));
}
