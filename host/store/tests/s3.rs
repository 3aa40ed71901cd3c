//! The store over a real S3 server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: to fail is to panic"
)]

use futures::TryStreamExt as _;
use lodge_harness::s3::S3;
use lodge_model::Digest;
use lodge_store::{ComponentStore, StoreError, StoreSettings};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

fn open(url: &str, variables: Vec<(String, String)>) -> Arc<ComponentStore> {
    let variables: HashMap<_, _> = variables.into_iter().collect();
    let settings = StoreSettings::read(url, &|name| variables.get(name).cloned());
    settings.unwrap().open().unwrap()
}

/// A file of so many bytes, none of them like its neighbours.
fn file(folder: &TempDir, len: usize) -> (Digest, PathBuf, Vec<u8>) {
    let bytes: Vec<u8> = (0..len).map(|n| (n * 31 + n / 251 + len) as u8).collect();
    let digest = Digest::from_bytes(Sha256::digest(&bytes).into());
    let path = folder.path().join(digest.to_string());
    std::fs::write(&path, &bytes).unwrap();
    (digest, path, bytes)
}

async fn read(store: &ComponentStore, digest: &Digest, from: u64) -> (u64, u64, Vec<u8>) {
    let found = store.get(digest, from).await.unwrap();
    let (begin, len) = (found.begin, found.len);
    let parts: Vec<_> = found.bytes.try_collect().await.unwrap();
    (begin, len, parts.concat())
}

#[tokio::test]
async fn components_are_put_read_listed_and_removed() {
    let (s3, folder) = (S3::start().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&s3.url("one/cluster"), s3.variables());
    let beside = open(&s3.url("one"), s3.variables());
    store.check().await.unwrap();
    assert_eq!(store.list().await, Ok(HashMap::new()));

    // One is of a single request, the other of three parts.
    let files = [file(&folder, 70_001), file(&folder, 20_000_003)];
    for (digest, path, bytes) in &files {
        assert_eq!(store.get(digest, 0).await.err(), Some(StoreError::Missing));
        store.put(digest, path).await.unwrap();
        // Again is fine.
        store.put(digest, path).await.unwrap();
        let len = bytes.len() as u64;
        assert!(read(&store, digest, 0).await == (0, len, bytes.clone()));
        let rest = bytes[60_000..].to_vec();
        assert!(read(&store, digest, 60_000).await == (60_000, len - 60_000, rest));
    }
    let listed: HashMap<_, _> = files.iter().map(|(d, _, b)| (*d, b.len() as u64)).collect();
    assert_eq!(store.list().await, Ok(listed));
    // Another prefix is another store.
    assert_eq!(beside.list().await, Ok(HashMap::new()));

    for (digest, ..) in &files {
        store.remove(digest).await.unwrap();
        store.remove(digest).await.unwrap();
    }
    assert_eq!(store.list().await, Ok(HashMap::new()));
}

#[tokio::test]
async fn what_is_wrong_is_said_without_credentials() {
    let (mut s3, folder) = (S3::start().unwrap(), tempfile::tempdir().unwrap());
    let (digest, path, _) = file(&folder, 100);
    let with = |name: &str, value: &str| {
        let mut variables = s3.variables();
        variables.retain(|(known, _)| known != name);
        variables.push((name.to_owned(), value.to_owned()));
        variables
    };
    let wrong = [
        (
            "refuses",
            open(&s3.url("p"), with("AWS_ACCESS_KEY_ID", "hunter2")),
        ),
        ("not there", open("s3://hunters/p", s3.variables())),
    ];
    for (said, store) in &wrong {
        let done = [
            ("list", store.list().await.map(drop)),
            ("check", store.check().await),
            ("put", store.put(&digest, &path).await),
        ];
        for (what, done) in done {
            let text = done.map_or_else(|error| error.to_string(), |()| "nothing".to_owned());
            assert!(text.contains(said), "{what} in {}: {text}", store.name());
            assert!(
                !text.contains("hunter2") && !text.contains("S3RVER"),
                "{text}"
            );
        }
    }
    let store = open(&s3.url("p"), s3.variables());
    s3.kill();
    let away = store.check().await.unwrap_err();
    assert!(matches!(away, StoreError::Away(_)), "{away:?}");
    s3.restart().unwrap();
    store.check().await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_not_there_is_the_files_error() {
    let (s3, folder) = (S3::start().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&s3.url(""), s3.variables());
    let (digest, path, _) = file(&folder, 100);
    std::fs::remove_file(&path).unwrap();
    let error = store.put(&digest, &path).await.unwrap_err();
    assert!(matches!(error, StoreError::File { .. }), "{error}");
}
