//! Components from a real server.

use super::bed::{BOOT, Bed};
use super::server::Quirk;
use super::specs::*;
use lodge_model::*;
use lodge_worker::{Components, FetchError};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

struct Fetching {
    bed: Bed,
    components: Arc<Components>,
    reference: ComponentRef,
    bytes: Vec<u8>,
    tokio: tokio::runtime::Runtime,
}

impl Fetching {
    fn new() -> Self {
        let (bed, bytes) = (Bed::new(), bytes("1.0.0"));
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let components = bed.components();
        components.set_supervisor(bed.server.url.clone(), BOOT);
        Self {
            reference: spec("a", 1, Goal::Running).component,
            bed,
            components,
            bytes,
            tokio,
        }
    }

    fn misbehave(&self, quirks: impl IntoIterator<Item = Quirk>) {
        self.bed.server.library.misbehave(quirks);
    }

    fn ensure(&self) -> Result<PathBuf, FetchError> {
        let size = self.bytes.len() as u64;
        let fetch = self.components.ensure(&self.reference, size);
        let limit = Duration::from_secs(20);
        let fetched = async { tokio::time::timeout(limit, fetch).await };
        self.tokio.block_on(fetched).expect("it never ended")
    }

    /// It must succeed, with the right bytes.
    #[track_caller]
    fn succeeds(&self) {
        let path = self.ensure().unwrap();
        assert!(std::fs::read(path).unwrap() == self.bytes, "other bytes");
        assert_eq!(self.files(), 1, "something was left");
    }

    /// Waits until the server was asked so often.
    async fn asked(&self, times: usize) {
        while self.begun_at().len() < times {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn files(&self) -> usize {
        let folder = std::fs::read_dir(self.bed.path("components")).unwrap();
        folder.flatten().count()
    }

    fn begun_at(&self) -> Vec<usize> {
        let asked = self.bed.server.library.asked.lock();
        asked.iter().map(|(from, _)| *from).collect()
    }
}

#[test]
fn it_is_fetched_once_and_signed_for_the_supervisors_run() {
    let fetching = Fetching::new();
    fetching.succeeds();
    fetching.succeeds();
    let asked = fetching.bed.server.library.asked.lock().clone();
    let host = fetching.bed.server.url.strip_prefix("http://").unwrap();
    let path = format!("/cluster/components/{}", fetching.reference.digest);
    let signed = format!("GET http://{host}{path} {host} {BOOT}");
    assert_eq!(asked, [(0, signed)]);
}

#[test]
fn it_goes_on_after_cuts_at_random_places() {
    let fetching = Fetching::new();
    let mut random = [0; 24];
    getrandom::fill(&mut random).unwrap();
    eprintln!("random cuts: {random:?}");
    let cuts: Vec<_> = random
        .iter()
        .enumerate()
        .map(|(n, byte)| match n % 6 {
            5 => Quirk::SilentAfter(usize::from(*byte) * 10),
            _ => Quirk::CutAfter(usize::from(*byte) * 40),
        })
        .collect();
    fetching.misbehave(cuts);
    fetching.succeeds();
    let begun_at = fetching.begun_at();
    assert!(begun_at.is_sorted(), "it began anew: {begun_at:?}");
    assert!(*begun_at.last().unwrap() > 0);
}

#[test]
fn it_goes_on_in_another_process() {
    let fetching = Fetching::new();
    fetching.misbehave([Quirk::CutAfter(50_000), Quirk::SilentAfter(0)]);
    let size = fetching.bytes.len() as u64;
    let components = fetching.bed.components();
    components.set_supervisor(fetching.bed.server.url.clone(), BOOT);
    fetching.tokio.block_on(async {
        tokio::select! {
            ended = components.ensure(&fetching.reference, size) => panic!("{ended:?}"),
            () = fetching.asked(2) => (),
        }
    });
    fetching.succeeds();
    assert_eq!(fetching.begun_at(), [0, 50_000, 50_000]);
}

#[test]
fn a_server_without_ranges_sends_all_of_it() {
    let fetching = Fetching::new();
    fetching.misbehave([Quirk::CutAfter(50_000), Quirk::WholeAlways]);
    fetching.succeeds();
}

#[test]
fn other_bytes_are_refused_and_removed() {
    let fetching = Fetching::new();
    let mut other = fetching.bytes.clone();
    other[77] ^= 1;
    let found = digest(&other);
    fetching.misbehave([Quirk::Instead(other)]);
    assert_eq!(fetching.ensure(), Err(FetchError::WrongBytes { found }));
    assert_eq!(fetching.files(), 0);
    fetching.succeeds();
}

#[test]
fn more_bytes_than_said_are_refused_and_removed() {
    let fetching = Fetching::new();
    let size = fetching.bytes.len() as u64;
    fetching.misbehave([Quirk::Endless]);
    assert_eq!(fetching.ensure(), Err(FetchError::TooLarge(size)));
    let long = vec![1; fetching.bytes.len() + 1];
    fetching.misbehave([Quirk::Instead(long)]);
    assert_eq!(fetching.ensure(), Err(FetchError::TooLarge(size)));
    assert_eq!(fetching.files(), 0);
    fetching.succeeds();
}

#[test]
fn one_that_is_missing_is_an_error_and_one_that_may_come_is_waited_for() {
    let fetching = Fetching::new();
    fetching.misbehave([401, 403, 500, 503, 302, 416].map(Quirk::Status));
    fetching.succeeds();
    assert_eq!(fetching.begun_at().len(), 7);
    let fetching = Fetching::new();
    fetching.bed.server.library.components.lock().clear();
    assert_eq!(fetching.ensure(), Err(FetchError::Missing(404)));
}

#[test]
fn two_who_wait_share_one_download() {
    let fetching = Fetching::new();
    fetching.misbehave([Quirk::SilentAfter(10_000)]);
    let size = fetching.bytes.len() as u64;
    fetching.tokio.block_on(async {
        let one = fetching.components.ensure(&fetching.reference, size);
        let other = fetching.components.ensure(&fetching.reference, size);
        let early = fetching.components.ensure(&fetching.reference, size);
        // One of those who wait goes away in the middle.
        let early = tokio::time::timeout(Duration::from_millis(50), early);
        let (one, other, early) = tokio::join!(one, other, early);
        assert_eq!(one.unwrap(), other.unwrap());
        assert!(early.is_err());
    });
    assert_eq!(fetching.begun_at(), [0, 10_000]);
}

#[test]
fn it_ends_with_the_last_who_waits() {
    let fetching = Fetching::new();
    fetching.misbehave([Quirk::SilentAfter(10_000)]);
    let library = Arc::clone(&fetching.bed.server.library);
    let size = fetching.bytes.len() as u64;
    fetching.tokio.block_on(async {
        tokio::select! {
            ended = fetching.components.ensure(&fetching.reference, size) => panic!("{ended:?}"),
            () = fetching.asked(1) => (),
        }
        let begun = Instant::now();
        while library.under_way.load(SeqCst) > 0 {
            assert!(begun.elapsed() < Duration::from_secs(10), "it goes on");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    assert_eq!(library.requests(), 1);
    assert!(fetching.components.troubles().borrow().is_empty());
    fetching.succeeds();
}

#[test]
fn a_supervisor_that_comes_later_or_elsewhere_is_asked() {
    let fetching = Fetching::new();
    let size = fetching.bytes.len() as u64;
    let components = fetching.bed.components();
    let mut troubles = components.troubles();
    fetching.tokio.block_on(async {
        let fetch = components.ensure(&fetching.reference, size);
        let steps = async {
            let of = &fetching.reference.digest;
            let told = |text: &'static str| {
                move |all: &std::collections::HashMap<Digest, String>| {
                    all.get(of).is_some_and(|told| told.contains(text))
                }
            };
            troubles.wait_for(told("not known yet")).await.unwrap();
            components.set_supervisor("http://127.0.0.1:1".into(), BOOT);
            troubles.wait_for(told("cannot be reached")).await.unwrap();
            components.set_supervisor("not an address".into(), BOOT);
            troubles.wait_for(told("malformed")).await.unwrap();
            components.set_supervisor(format!("{}/", fetching.bed.server.url), BOOT);
        };
        let (fetched, ()) = tokio::join!(fetch, steps);
        fetched.unwrap();
    });
    assert!(troubles.borrow().is_empty());
}

#[test]
fn a_damaged_file_is_fetched_again() {
    let fetching = Fetching::new();
    let path = fetching.ensure().unwrap();
    std::fs::write(&path, "x").unwrap();
    let size = fetching.bytes.len() as u64;
    let components = fetching.bed.components();
    components.set_supervisor(fetching.bed.server.url.clone(), BOOT);
    let fetched = components.ensure(&fetching.reference, size);
    fetching.tokio.block_on(fetched).unwrap();
    assert!(std::fs::read(path).unwrap() == fetching.bytes);
}

#[test]
fn one_that_cannot_be_had_holds_up_no_other() {
    let mut fetching = Fetching::new();
    fetching.bed.fetch.downloads = 1;
    let components = fetching.bed.components();
    components.set_supervisor(fetching.bed.server.url.clone(), BOOT);
    let other = spec_of("b", 1, Goal::Running, "2.0.0");
    fetching.misbehave(vec![Quirk::Status(503); 3]);
    let size = fetching.bytes.len() as u64;
    fetching.tokio.block_on(async {
        let both = async {
            let one = components.ensure(&fetching.reference, size);
            let two = components.ensure(&other.component, other.component_size);
            tokio::join!(one, two)
        };
        let limit = Duration::from_secs(10);
        let (one, two) = tokio::time::timeout(limit, both).await.unwrap();
        one.unwrap();
        two.unwrap();
    });
}
