//! Apps' logs on disk: `{app}.jsonl`, one JSON object a line, and `{app}.1.jsonl` with what was
//! before.
//!
//! One thread writes. Who logs only puts a line into its queue; when the queue is full, the line is
//! not written, and counted. A file that has reached its size becomes the older one, whose own lines
//! go.

use lodge_model::{AppId, LogLine};
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

/// Size of one file, in bytes.
pub(super) const FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Lines that wait to be written, in bytes.
pub(super) const QUEUE_BYTES: usize = 8 * 1024 * 1024;

/// Between two complaints about lines that could not be written.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

enum Job {
    Append(AppId, Vec<u8>),
    Remove(AppId),
    Flush(SyncSender<()>),
    Show(AppId, SyncSender<[Option<Kept>; 2]>),
}

/// A file as it was when it was asked for: what is added later is not read.
pub(super) struct Kept {
    pub(super) file: File,
    pub(super) length: u64,
}

/// The files, and the way to the thread that writes them. The thread ends with it.
pub(super) struct Files {
    folder: PathBuf,
    jobs: Sender<Job>,
    /// Bytes of lines on the way to the thread.
    queued: Arc<AtomicUsize>,
    /// Lines that found the queue full.
    lost: Arc<AtomicU64>,
}

impl Files {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let (jobs, todo) = channel();
        let (queued, lost) = (Arc::<AtomicUsize>::default(), Arc::<AtomicU64>::default());
        let mut writer = Writer {
            folder: folder.to_owned(),
            queued: queued.clone(),
            lost: lost.clone(),
            complained: None,
            known: HashSet::new(),
        };
        let thread = std::thread::Builder::new().name("app-logs".into());
        thread.spawn(move || writer.run(&todo))?;
        Ok(Self {
            folder: folder.to_owned(),
            jobs,
            queued,
            lost,
        })
    }

    /// Has a line written, if there is room in the queue.
    pub(super) fn append(&self, app: &AppId, line: &LogLine) {
        // A line of text, numbers and options always serializes.
        let Ok(mut bytes) = serde_json::to_vec(line) else {
            return;
        };
        bytes.push(b'\n');
        let size = bytes.len();
        if self.queued.fetch_add(size, Relaxed) + size > QUEUE_BYTES {
            self.queued.fetch_sub(size, Relaxed);
            self.lost.fetch_add(1, Relaxed);
            return;
        }
        // The thread ends only after this sender.
        let _ = self.jobs.send(Job::Append(app.clone(), bytes));
    }

    /// Has an app's files removed, after all its lines so far.
    pub(super) fn remove(&self, app: &AppId) {
        let _ = self.jobs.send(Job::Remove(app.clone()));
    }

    pub(super) fn flush(&self, patience: Duration) {
        let (done, is_done) = sync_channel(1);
        if self.jobs.send(Job::Flush(done)).is_ok() {
            let _ = is_done.recv_timeout(patience);
        }
    }

    /// Asks for an app's files, the older one first, as they are once all its lines so far are
    /// written. They stay readable through rotation and removal.
    pub(super) fn ask(&self, app: &AppId) -> Receiver<[Option<Kept>; 2]> {
        let (done, shown) = sync_channel(1);
        // The thread ends only after this sender.
        let _ = self.jobs.send(Job::Show(app.clone(), done));
        shown
    }

    /// An app's newest lines on disk, at most about `bytes`, oldest first. Lines that cannot be read
    /// (a crash may leave half of one) are left out.
    pub(super) fn newest(&self, app: &AppId, bytes: usize) -> Vec<LogLine> {
        let newer = end_of(&current(&self.folder, app), bytes).unwrap_or_default();
        let missing = bytes.saturating_sub(newer.len());
        let older = end_of(&previous(&self.folder, app), missing).unwrap_or_default();
        let lines = older
            .split(|b| *b == b'\n')
            .chain(newer.split(|b| *b == b'\n'));
        lines
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect()
    }
}

/// The last `bytes` of a file.
fn end_of(path: &Path, bytes: usize) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(bytes as u64)))?;
    let mut end = Vec::new();
    file.take(bytes as u64).read_to_end(&mut end)?;
    Ok(end)
}

fn current(folder: &Path, app: &AppId) -> PathBuf {
    folder.join(format!("{app}.jsonl"))
}

fn previous(folder: &Path, app: &AppId) -> PathBuf {
    folder.join(format!("{app}.1.jsonl"))
}

/// The thread's own.
struct Writer {
    folder: PathBuf,
    queued: Arc<AtomicUsize>,
    lost: Arc<AtomicU64>,
    complained: Option<Instant>,
    /// Apps whose file was written to by this process.
    known: HashSet<AppId>,
}

impl Writer {
    fn run(&mut self, todo: &Receiver<Job>) {
        while let Ok(first) = todo.recv() {
            // Whatever has come meanwhile goes with it: one open and one write for each app.
            let mut batch: BTreeMap<AppId, Vec<u8>> = BTreeMap::new();
            let mut flushed = Vec::new();
            let mut asked = None;
            for job in std::iter::once(first).chain(todo.try_iter()) {
                match job {
                    Job::Append(app, bytes) => {
                        self.queued.fetch_sub(bytes.len(), Relaxed);
                        batch.entry(app).or_default().extend_from_slice(&bytes);
                    }
                    Job::Remove(app) => {
                        batch.remove(&app);
                        self.remove(&app);
                    }
                    Job::Flush(done) => {
                        flushed.push(done);
                        break;
                    }
                    Job::Show(app, done) => {
                        asked = Some((app, done));
                        break;
                    }
                }
                if batch.values().map(Vec::len).sum::<usize>() > QUEUE_BYTES {
                    break;
                }
            }
            for (app, bytes) in batch {
                if let Err(error) = self.append(&app, &bytes) {
                    self.complain(&app, &error);
                }
            }
            self.tell_lost();
            for done in flushed {
                let _ = done.send(());
            }
            if let Some((app, done)) = asked {
                // Opened here, where no file can become the older one in between.
                let files = [previous(&self.folder, &app), current(&self.folder, &app)];
                let _ = done.send(files.map(|path| self.show(&app, &path)));
            }
        }
    }

    fn append(&mut self, app: &AppId, bytes: &[u8]) -> io::Result<()> {
        let path = current(&self.folder, app);
        let mut file = open(&path)?;
        if self.known.insert(app.clone()) {
            end_broken_line(&mut file)?;
        }
        if file.metadata()?.len() + bytes.len() as u64 > FILE_BYTES {
            fs::rename(&path, previous(&self.folder, app))?;
            file = open(&path)?;
        }
        file.write_all(bytes)
    }

    fn show(&mut self, app: &AppId, path: &Path) -> Option<Kept> {
        let opened = File::open(path).and_then(|file| {
            let length = file.metadata()?.len();
            Ok(Kept { file, length })
        });
        if let Err(error) = &opened
            && error.kind() != io::ErrorKind::NotFound
        {
            self.complain(app, error);
        }
        opened.ok()
    }

    fn remove(&mut self, app: &AppId) {
        self.known.remove(app);
        for path in [current(&self.folder, app), previous(&self.folder, app)] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => self.complain(app, &error),
                _ => {}
            }
        }
    }

    fn complain(&mut self, app: &AppId, error: &io::Error) {
        if self.is_due() {
            tracing::error!(%app, %error, folder = %self.folder.display(), "cannot write an app's log file; its newest lines are in memory only: check the disk");
        }
    }

    fn tell_lost(&mut self) {
        if self.lost.load(Relaxed) > 0 && self.is_due() {
            let lines = self.lost.swap(0, Relaxed);
            tracing::warn!(
                lines,
                "apps log faster than the disk takes: these lines are not in their log files"
            );
        }
    }

    fn is_due(&mut self) -> bool {
        let due = self
            .complained
            .is_none_or(|at| at.elapsed() > COMPLAIN_EVERY);
        if due {
            self.complained = Some(Instant::now());
        }
        due
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .read(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

/// A crash may have left half a line, which must not swallow the next one.
fn end_broken_line(file: &mut File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.seek(SeekFrom::Start(length - 1))?;
        file.read_exact(&mut last)?;
    }
    if last == [b'\n'] {
        Ok(())
    } else {
        file.write_all(b"\n")
    }
}
