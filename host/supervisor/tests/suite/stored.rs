//! Components reach the component store: a real S3 server that may be away.

use crate::bed::{Bed, Host, admin};
use crate::fake::component_bytes;
use lodge_harness::s3::S3;
use lodge_model::Digest;
use lodge_store::{ComponentStore, StoreSettings};
use lodge_supervisor::{HealthCheck, HealthStatus, NewComponent};
use std::collections::HashMap;
use std::sync::Arc;

struct Stored {
    s3: S3,
    store: Arc<ComponentStore>,
    bed: Bed,
}

impl Stored {
    fn new() -> Self {
        let s3 = S3::start().unwrap();
        let variables: HashMap<_, _> = s3.variables().into_iter().collect();
        let settings = StoreSettings::read(&s3.url("lodge"), &|name| variables.get(name).cloned());
        let store = settings.unwrap().open().unwrap();
        let mut bed = Bed::sqlite();
        bed.settings.component_store = Some(store.clone());
        Self { s3, store, bed }
    }

    fn listed(&self, host: &Host) -> HashMap<Digest, u64> {
        host.run(self.store.list()).unwrap()
    }

    /// Waits until the store has these and no other.
    fn has(&self, host: &Host, components: &[Digest]) {
        host.until("the store has what it should", || {
            let listed = self.listed(host);
            listed.len() == components.len() && components.iter().all(|d| listed.contains_key(d))
        });
    }
}

fn upload(host: &Host, name: &str) -> Digest {
    let bytes = component_bytes(name, "1.0.0", "");
    let (component, _) = host.upload_bytes(bytes, NewComponent::default()).unwrap();
    component.digest
}

fn health(host: &Host) -> HealthCheck {
    let mut checks = host.run(host.supervisor.health()).into_iter();
    checks.find(|c| c.name == "component_store").unwrap()
}

#[test]
fn what_is_uploaded_is_there_until_it_is_removed() {
    let stored = Stored::new();
    let host = stored.bed.open();
    let (one, two) = (upload(&host, "one"), upload(&host, "two"));
    stored.has(&host, &[one, two]);
    assert_eq!(health(&host).status, HealthStatus::Ok);
    host.run(host.supervisor.remove_component(one, &admin()))
        .unwrap();
    stored.has(&host, &[two]);
    // Again, at once.
    host.run(host.supervisor.remove_component(two, &admin()))
        .unwrap();
    assert_eq!(upload(&host, "two"), two);
    stored.has(&host, &[two]);
}

#[test]
fn what_is_not_there_is_put_at_start() {
    let mut stored = Stored::new();
    stored.bed.settings.component_store = None;
    let host = stored.bed.open();
    let (one, short) = (upload(&host, "one"), upload(&host, "short"));
    // One is there and too short; another is none of this supervisor's.
    let others = Digest::from_bytes([7; 32]);
    let file = stored.bed.path("others");
    std::fs::write(&file, "another cluster's").unwrap();
    for digest in [&short, &others] {
        host.run(stored.store.put(digest, &file)).unwrap();
    }
    host.crash();
    stored.bed.settings.component_store = Some(stored.store.clone());
    let host = stored.bed.open();
    stored.has(&host, &[one, short, others]);
    host.until("the short one is whole", || {
        stored.listed(&host)[&short] == component_bytes("short", "1.0.0", "").len() as u64
    });
}

#[test]
fn a_store_that_is_away_fails_no_upload() {
    let mut stored = Stored::new();
    let host = stored.bed.open();
    let before = upload(&host, "before");
    stored.has(&host, &[before]);
    stored.s3.kill();
    let meanwhile = upload(&host, "meanwhile");
    host.run(host.supervisor.remove_component(before, &admin()))
        .unwrap();
    let check = health(&host);
    assert_eq!(check.status, HealthStatus::Warning);
    let message = check.message.unwrap();
    assert!(
        message.starts_with("s3://components/lodge cannot be used"),
        "{message}"
    );
    assert!(
        message.contains("fetch components from the supervisor"),
        "{message}"
    );
    stored.s3.restart().unwrap();
    stored.has(&host, &[meanwhile]);
    // An answer is good for some seconds.
    host.until("it is well again", || {
        health(&host).status == HealthStatus::Ok
    });
}

#[test]
fn a_store_that_is_away_at_start_is_filled_when_it_is_back() {
    let mut stored = Stored::new();
    stored.s3.kill();
    let host = stored.bed.open();
    let one = upload(&host, "one");
    assert_eq!(health(&host).status, HealthStatus::Warning);
    stored.s3.restart().unwrap();
    stored.has(&host, &[one]);
}

#[test]
fn without_a_store_there_is_no_check_of_it() {
    let host = Bed::sqlite().open();
    let checks = host.run(host.supervisor.health());
    assert!(checks.iter().all(|check| check.name != "component_store"));
}
