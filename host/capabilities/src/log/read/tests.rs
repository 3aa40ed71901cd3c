#![allow(clippy::disallowed_methods, reason = "a test may wait")]

use super::*;
use lodge_model::{LogLevel, LogSink as _, LogSource};
use std::time::Instant;

const FLUSH: Duration = Duration::from_secs(10);

fn app() -> AppId {
    "shop".parse().unwrap()
}

fn line(time: i64, message: impl Into<String>) -> LogLine {
    LogLine {
        time,
        level: LogLevel::Info,
        source: LogSource::Host,
        message: message.into(),
        fields: None,
        request: None,
    }
}

fn open() -> (tempfile::TempDir, Arc<AppLogs>) {
    let folder = tempfile::tempdir().unwrap();
    let logs = AppLogs::open(&folder.path().join("logs")).unwrap();
    (folder, logs)
}

async fn found(logs: &AppLogs, filter: LogFilter, limit: usize) -> Vec<String> {
    let lines = logs.search(&app(), filter, limit).await.unwrap();
    lines.into_iter().map(|line| line.message).collect()
}

async fn whole(logs: &AppLogs) -> Vec<String> {
    let batches: Vec<_> = logs.read(&app()).unwrap().collect().await;
    let lines = batches.into_iter().flat_map(Result::unwrap);
    lines.map(|line| line.message).collect()
}

fn with(text: &str) -> LogFilter {
    LogFilter::default().with_text(text)
}

#[tokio::test]
async fn a_million_lines_are_searched_in_bounded_time_and_memory() {
    let (_folder, logs) = open();
    for n in 0..1_000_000 {
        logs.write(&app(), line(n, format!("line {n}")));
        if n % 20_000 == 0 {
            logs.flush(FLUSH);
        }
    }
    let begun = Instant::now();
    assert!(found(&logs, with("no such text"), 5000).await.is_empty());
    let all = found(&logs, LogFilter::default(), 5000).await;
    assert_eq!(all.len(), 5000);
    assert_eq!(
        (all[0].as_str(), all[4999].as_str()),
        ("line 995000", "line 999999")
    );
    assert_eq!(
        found(&logs, with("LINE 9999"), 2).await,
        ["line 999998", "line 999999"]
    );
    // Far older than what is in memory.
    assert_eq!(found(&logs, with("line 980001"), 9).await, ["line 980001"]);
    let kept = whole(&logs).await;
    assert!(
        kept.len() > 40_000 && kept.len() < 200_000,
        "{}",
        kept.len()
    );
    let first = 1_000_000 - kept.len();
    assert!(
        kept.iter()
            .enumerate()
            .all(|(n, text)| *text == format!("line {}", first + n))
    );
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn every_filter_reaches_the_files() {
    let (_folder, logs) = open();
    for n in 0..3000 {
        logs.write(
            &app(),
            LogLine {
                level: if n == 7 {
                    LogLevel::Error
                } else {
                    LogLevel::Info
                },
                source: if n == 8 {
                    LogSource::App
                } else {
                    LogSource::Host
                },
                request: (n == 9).then(|| "r9".into()),
                ..line(n, format!("Äpfel {n} {}", "x".repeat(100)))
            },
        );
    }
    let times = async |filter: LogFilter| {
        let lines = logs.search(&app(), filter, 5000).await.unwrap();
        lines.iter().map(|line| line.time).collect::<Vec<_>>()
    };
    let all = LogFilter::default;
    assert_eq!(
        times(LogFilter {
            level: LogLevel::Warn,
            ..all()
        })
        .await,
        [7]
    );
    assert_eq!(
        times(LogFilter {
            source: Some(LogSource::App),
            ..all()
        })
        .await,
        [8]
    );
    assert_eq!(
        times(LogFilter {
            request: Some("r9".into()),
            ..all()
        })
        .await,
        [9]
    );
    let span = LogFilter {
        since: Some(3),
        until: Some(5),
        ..all()
    };
    assert_eq!(times(span).await, [3, 4, 5]);
    assert_eq!(times(with("äPFEL 12 ")).await, [12]);
    assert_eq!(times(all()).await.len(), 3000);
}

#[tokio::test]
async fn what_the_disk_did_not_take_comes_in_its_place() {
    let (folder, logs) = open();
    logs.write(&app(), line(1, "a"));
    logs.flush(FLUSH);
    // A file that cannot be opened: the lines are in memory only.
    let path = folder.path().join("logs/shop.jsonl");
    let aside = folder.path().join("aside");
    std::fs::rename(&path, &aside).unwrap();
    std::fs::create_dir(&path).unwrap();
    logs.write(&app(), line(2, "b"));
    logs.write(&app(), line(2, "b"));
    logs.flush(FLUSH);
    std::fs::remove_dir(&path).unwrap();
    std::fs::rename(&aside, &path).unwrap();
    logs.write(&app(), line(2, "c"));
    assert_eq!(whole(&logs).await, ["a", "b", "b", "c"]);
    assert_eq!(
        found(&logs, LogFilter::default(), 10).await,
        ["a", "b", "b", "c"]
    );
    assert_eq!(found(&logs, LogFilter::default(), 2).await, ["b", "c"]);
}

#[tokio::test]
async fn lines_of_earlier_processes_come_once() {
    let folder = tempfile::tempdir().unwrap();
    let logs = AppLogs::open(folder.path()).unwrap();
    for _ in 0..3 {
        logs.write(&app(), line(1, "same"));
    }
    logs.flush(FLUSH);
    drop(logs);
    std::thread::sleep(Duration::from_millis(5));
    let logs = AppLogs::open(folder.path()).unwrap();
    logs.write(&app(), line(1, "same"));
    logs.tail(&app(), 10, LogLevel::Debug);
    assert_eq!(whole(&logs).await, ["same"; 4]);
    assert_eq!(found(&logs, LogFilter::default(), 10).await, ["same"; 4]);
}

#[tokio::test]
async fn a_slow_follower_is_told_what_it_missed_and_holds_up_nobody() {
    let (_folder, logs) = open();
    let mut seen = logs.follow(&app(), with("x"));
    for n in 0..100_000 {
        logs.write(&app(), line(n, format!("x{n}")));
    }
    let Some(Followed::Dropped(missed)) = seen.next().await else {
        panic!("nothing was missed");
    };
    let next = format!("x{missed}");
    assert!(missed >= 99_000, "{missed}");
    assert!(matches!(seen.next().await, Some(Followed::Line(line)) if line.message == next));
    logs.remove(&app());
    let rest = seen.collect::<Vec<_>>().await;
    assert!(rest.len() < super::super::ring::FOLLOWED_LINES + 1);
}

#[tokio::test]
async fn who_goes_leaves_nothing_behind() {
    let (_folder, logs) = open();
    let one = logs.follow(&app(), LogFilter::default());
    let two = logs.follow(&app(), LogFilter::default());
    drop(one);
    assert!(logs.of(&app()).lock().is_followed());
    drop(two);
    assert!(!logs.of(&app()).lock().is_followed());
}

#[tokio::test]
async fn readings_are_few_and_survive_the_logs_removal() {
    let (_folder, logs) = open();
    for n in 0..50_000 {
        logs.write(&app(), line(n, format!("line {n}")));
    }
    let mut held: Vec<_> = (0..READINGS).map(|_| logs.read(&app()).unwrap()).collect();
    assert!(matches!(logs.read(&app()), Err(LogError::Busy)));
    let first = held[0].next().await.unwrap().unwrap();
    assert!(first.len() < 5000, "a batch is not the whole log");
    logs.remove(&app());
    logs.flush(FLUSH);
    let rest = held.pop().unwrap().map(|batch| batch.unwrap().len());
    let rest: Vec<_> = rest.collect().await;
    assert_eq!(rest.iter().sum::<usize>(), 50_000);
    assert!(logs.read(&app()).is_ok());
}
