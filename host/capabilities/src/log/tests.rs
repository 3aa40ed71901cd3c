#![allow(clippy::disallowed_methods, reason = "a test may wait")]

use super::*;
use lodge_model::LogSource;

fn app() -> AppId {
    "shop".parse().unwrap()
}

fn line(source: LogSource, message: impl Into<String>) -> LogLine {
    LogLine {
        time: now_ms(),
        level: LogLevel::Info,
        source,
        message: message.into(),
        fields: None,
        request: None,
    }
}

fn texts(logs: &AppLogs) -> Vec<String> {
    logs.tail(&app(), 1000, LogLevel::Debug)
        .into_iter()
        .map(|line| line.message)
        .collect()
}

fn open() -> (tempfile::TempDir, Arc<AppLogs>) {
    let folder = tempfile::tempdir().unwrap();
    let logs = AppLogs::open(&folder.path().join("logs")).unwrap();
    (folder, logs)
}

const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn the_newest_lines_come_oldest_first_and_by_level() {
    let (_folder, logs) = open();
    for n in 0..5 {
        let level = if n % 2 == 0 {
            LogLevel::Error
        } else {
            LogLevel::Debug
        };
        logs.write(
            &app(),
            LogLine {
                level,
                ..line(LogSource::Host, n.to_string())
            },
        );
    }
    assert_eq!(texts(&logs), ["0", "1", "2", "3", "4"]);
    let errors = logs.tail(&app(), 2, LogLevel::Warn);
    assert_eq!(
        errors
            .iter()
            .map(|line| line.message.as_str())
            .collect::<Vec<_>>(),
        ["2", "4"]
    );
    assert!(
        logs.tail(&"other".parse().unwrap(), 10, LogLevel::Debug)
            .is_empty()
    );
}

#[test]
fn memory_is_bounded_and_long_lines_are_cut() {
    let (_folder, logs) = open();
    let mut long = line(LogSource::Host, "ä".repeat(LOG_LINE_BYTES));
    cut(&mut long);
    assert!(long.message.capacity() <= LOG_LINE_BYTES);
    logs.write(&app(), line(LogSource::Host, "ä".repeat(LOG_LINE_BYTES)));
    let cut = texts(&logs).remove(0);
    assert!(cut.len() <= LOG_LINE_BYTES && cut.ends_with("(cut)"));
    for n in 0..100 {
        logs.write(
            &app(),
            line(LogSource::Host, format!("{n:04}{}", "x".repeat(4000))),
        );
    }
    let kept = texts(&logs);
    assert!(kept.iter().map(String::len).sum::<usize>() <= ring::RING_BYTES);
    assert!(kept.last().unwrap().starts_with("0099") && kept.len() > 20);
}

#[test]
fn fields_are_kept_in_memory_and_in_files_and_are_part_of_the_bounds() {
    let (folder, logs) = open();
    let long = "x".repeat(LOG_LINE_BYTES - 200);
    for n in 0..100 {
        let said = format!(r#"{{"message":"said {n}","long":"{long}"}}"#);
        logs.write(&app(), line(LogSource::Host, said));
        let said = format!(r#"{{"message":"said {n}","long":"{long}"}}"#);
        let mut said = line(LogSource::App, said).structured();
        assert!(said.fields.is_some());
        said.source = LogSource::Host;
        said.message.insert_str(0, &"y".repeat(300));
        logs.write(&app(), said);
    }
    let kept = logs.tail(&app(), 1000, LogLevel::Debug);
    let last = kept.last().unwrap();
    assert!(last.message.ends_with("(cut)") && last.text().ends_with(&format!(" long={long}")));
    assert!(kept.iter().all(|line| line.bytes() <= LOG_LINE_BYTES));
    assert!(kept.iter().map(LogLine::bytes).sum::<usize>() <= ring::RING_BYTES);
    logs.flush(PATIENCE);
    drop(logs);
    std::thread::sleep(Duration::from_millis(5));
    let logs = AppLogs::open(&folder.path().join("logs")).unwrap();
    assert_eq!(
        logs.tail(&app(), 1, LogLevel::Debug),
        kept[kept.len() - 1..]
    );
}

#[test]
fn a_guest_that_logs_too_much_is_told_once_and_the_host_never_held_back() {
    let (_folder, logs) = open();
    logs.set_rate(&app(), 1000);
    for _ in 0..50 {
        logs.write(&app(), line(LogSource::Stdout, "x".repeat(100)));
    }
    logs.write(&app(), line(LogSource::Host, "host"));
    let seen = texts(&logs);
    let guests = seen.iter().filter(|text| text.starts_with('x')).count();
    assert!((1..20).contains(&guests), "{guests}");
    let reports: Vec<_> = seen
        .iter()
        .filter(|text| text.contains("lines dropped"))
        .collect();
    assert_eq!(reports.len(), 1);
    assert!(
        reports[0].contains(&format!("{} lines", 50 - guests)) && reports[0].contains("1000 bytes")
    );
    assert_eq!(seen.last().unwrap(), "host");
    std::thread::sleep(Duration::from_millis(300));
    logs.write(&app(), line(LogSource::Stderr, "again"));
    assert_eq!(texts(&logs).last().unwrap(), "again");
}

#[test]
fn a_rate_of_zero_silences_guests() {
    let (_folder, logs) = open();
    logs.set_rate(&app(), 0);
    logs.write(&app(), line(LogSource::Stdout, "x"));
    assert!(texts(&logs)[0].contains("1 lines dropped"));
}

#[test]
fn lines_outlive_the_process_and_a_broken_one_harms_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let logs = AppLogs::open(folder.path()).unwrap();
    for n in 0..3 {
        logs.write(&app(), line(LogSource::Stdout, n.to_string()));
    }
    logs.flush(PATIENCE);
    drop(logs);
    let path = folder.path().join("shop.jsonl");
    let mut file = std::fs::read(&path).unwrap();
    file.extend_from_slice(b"{\"time\": 12, \"lev");
    std::fs::write(&path, file).unwrap();
    std::thread::sleep(Duration::from_millis(5));
    let logs = AppLogs::open(folder.path()).unwrap();
    logs.write(&app(), line(LogSource::Stdout, "new"));
    logs.flush(PATIENCE);
    assert_eq!(texts(&logs), ["0", "1", "2", "new"]);
    drop(logs);
    std::thread::sleep(Duration::from_millis(5));
    let logs = AppLogs::open(folder.path()).unwrap();
    assert_eq!(
        texts(&logs),
        ["0", "1", "2", "new"],
        "the broken line swallowed none"
    );
}

#[test]
fn files_rotate_and_go_with_their_app() {
    let (folder, logs) = open();
    let folder = folder.path().join("logs");
    let lines = 2 * files::FILE_BYTES as usize / LOG_LINE_BYTES + 600;
    for n in 0..lines {
        logs.write(
            &app(),
            line(
                LogSource::Host,
                format!("{n}{}", "x".repeat(LOG_LINE_BYTES - 20)),
            ),
        );
        if n % 200 == 0 {
            logs.flush(PATIENCE);
        }
    }
    logs.flush(PATIENCE);
    for name in ["shop.jsonl", "shop.1.jsonl"] {
        let size = std::fs::metadata(folder.join(name)).unwrap().len();
        assert!(size <= files::FILE_BYTES, "{name} has {size} bytes");
    }
    logs.remove(&app());
    logs.flush(PATIENCE);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    assert!(texts(&logs).is_empty());
}

#[test]
fn ten_thousand_silent_apps_cost_next_to_nothing() {
    let (folder, logs) = open();
    for n in 0..10_000 {
        logs.set_rate(&format!("app-{n}").parse().unwrap(), 65_536);
    }
    assert_eq!(
        std::fs::read_dir(folder.path().join("logs"))
            .unwrap()
            .count(),
        0
    );
    assert!(size_of::<Log>() <= 128, "{}", size_of::<Log>());
}
