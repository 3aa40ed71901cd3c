use super::*;
use crate::books::Books;
use std::sync::atomic::Ordering::Relaxed;

fn open(folder: &tempfile::TempDir) -> AppKeyValue {
    open_for(folder, Arc::<Books>::default())
}

fn open_for(folder: &tempfile::TempDir, books: Arc<Books>) -> AppKeyValue {
    AppKeyValue::new(&folder.path().join("app/keyvalue.db"), 4 << 20, books)
}

#[tokio::test]
async fn what_keys_and_values_take_is_charged() {
    let (folder, books) = (tempfile::tempdir().unwrap(), Arc::<Books>::default());
    let pairs = open_for(&folder, books.clone());
    for n in 0..500 {
        let pair = (n.to_string(), value("x"));
        pairs.set_many("b", vec![pair]).await.unwrap();
    }
    let charged = books.cpu.load(Relaxed);
    assert!((2_000..20_000_000).contains(&charged), "{charged} µs");
}

fn value(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

#[tokio::test]
async fn values_are_kept_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let pairs = open(&folder);
    assert_eq!(pairs.get("b", "k").await.unwrap(), None);
    assert!(!folder.path().join("app").exists(), "reading made a file");
    let many: Vec<_> = (0..1_000)
        .map(|n| (format!("{n:04}"), value("x")))
        .collect();
    pairs.set_many("b", many).await.unwrap();
    pairs
        .set_many("b", vec![("1000".into(), value("last"))])
        .await
        .unwrap();
    let page = pairs.list("b", None).await.unwrap();
    assert_eq!(
        (page.keys.len(), page.cursor.as_deref()),
        (1_000, Some("0999"))
    );
    let rest = pairs.list("b", page.cursor).await.unwrap();
    assert_eq!((rest.keys, rest.cursor), (vec!["1000".to_owned()], None));
    assert_eq!(pairs.list("other", None).await.unwrap(), KeyPage::default());
    pairs.close().await;
    let again = open(&folder);
    assert_eq!(
        again
            .get_many("b", vec!["1000".into(), "none".into()])
            .await
            .unwrap(),
        [Some(value("last")), None]
    );
    again.delete_many("b", vec!["1000".into()]).await.unwrap();
    assert!(!again.exists("b", "1000").await.unwrap());
}

#[tokio::test]
async fn swaps_and_increments_lose_no_write() {
    let folder = tempfile::tempdir().unwrap();
    let pairs = open(&folder);
    assert!(pairs.swap("b", "k", None, value("1")).await.unwrap());
    assert!(!pairs.swap("b", "k", None, value("2")).await.unwrap());
    let (_, seen) = pairs.get("b", "k").await.unwrap().unwrap();
    pairs.delete_many("b", vec!["k".into()]).await.unwrap();
    pairs
        .set_many("b", vec![("k".into(), value("1"))])
        .await
        .unwrap();
    // Removed and written again: the same value, but not the same write.
    assert!(!pairs.swap("b", "k", Some(seen), value("2")).await.unwrap());
    let added = (0..20).map(|_| pairs.increment("b", "n", 5));
    futures::future::try_join_all(added).await.unwrap();
    assert_eq!(pairs.increment("b", "n", -1).await.unwrap(), 99);
    pairs
        .set_many("b", vec![("t".into(), value("text"))])
        .await
        .unwrap();
    for (key, delta) in [("t", 1), ("n", i64::MAX)] {
        let refused = pairs.increment("b", key, delta).await;
        assert!(matches!(refused, Err(KeyValueError::NotANumber(_))));
    }
}

#[tokio::test]
async fn every_quota_is_named_when_exceeded() {
    let folder = tempfile::tempdir().unwrap();
    let pairs = open(&folder);
    for bad in ["", "Upper", "a/b", &"x".repeat(65)] {
        assert!(pairs.check_bucket(bad).is_err(), "{bad}");
    }
    pairs.check_bucket("default").unwrap();
    let key = "k".to_owned();
    let cases = [
        (vec![("x".repeat(513), value("x"))], "512 bytes"),
        (
            vec![(key.clone(), vec![0; VALUE_BYTES + 1])],
            "1048576 bytes",
        ),
        (vec![(key.clone(), value("x")); 1_001], "1000 keys"),
    ];
    for (entries, named) in cases {
        let refused = pairs.set_many("b", entries).await.unwrap_err().to_string();
        assert!(refused.contains(named), "{refused}");
    }
    // All or none: the whole of a call that is refused is undone.
    let mixed = vec![
        ("good".to_owned(), value("x")),
        ("x".repeat(513), value("x")),
    ];
    pairs.set_many("b", mixed).await.unwrap_err();
    assert!(!pairs.exists("b", "good").await.unwrap());
    // A megabyte in all: a quarter of the app's storage.
    let mut refused = None;
    for n in 0..20 {
        let entry = vec![(format!("{n}"), vec![1; 100_000])];
        if let Err(e) = pairs.set_many("b", entry).await {
            refused = Some(e.to_string());
            break;
        }
    }
    let refused = refused.expect("twice the quota was taken");
    assert!(refused.contains("limits.storage_bytes"), "{refused}");
}
