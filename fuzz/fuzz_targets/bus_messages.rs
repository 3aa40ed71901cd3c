//! What lies in Redis: nothing is believed that was not sealed, and nothing costs much more memory than it
//! is long.
//!
//! The first byte says who wrote it: `F` somebody without the key; `A` Redis, an answer; `G` somebody with
//! the key, a message a line; `C` and `S` somebody with the key, and then somebody without it changed it (a
//! message, a specification).

#![no_main]

use libfuzzer_sys::fuzz_target;
use lodge_bus::fuzzing::{Ends, Said, entries};
use lodge_fuzz::heap::{Counting, allocated};
use lodge_model::{AppId, BootId, ClusterKey, EnvironmentName, FromWorkers, Specification};
use std::sync::LazyLock;

#[global_allocator]
static HEAP: Counting = Counting;

/// What one reading may allocate: so many bytes, and so many for each byte of what is read. (A byte of JSON
/// or of Redis's answers can be an element of a list, which is some 100 bytes long and may be moved as
/// often as the list grows.)
const MOST: usize = 64 * 1024;
const MOST_A_BYTE: usize = 1024;
/// What Redis's driver sets aside for a list that announces more elements than follow: 4,096 of them.
const MOST_ANNOUNCED: usize = 4096 * 64;

const SUPERVISOR: BootId = BootId([1; 16]);
const WORKER: BootId = BootId([2; 16]);
/// As real as can be.
const SPECIFICATION: &str = include_str!("bus_messages/specification.json");

static KEY: LazyLock<ClusterKey> =
    LazyLock::new(|| ClusterKey::new("a key for fuzzing, of 32 characters or more").expect("long"));
static HERE: LazyLock<EnvironmentName> = LazyLock::new(|| "here".parse().expect("a name"));
static SHOP: LazyLock<AppId> = LazyLock::new(|| "shop".parse().expect("an ID"));
static SHOPS: LazyLock<Specification> =
    LazyLock::new(|| serde_json::from_str(SPECIFICATION).expect("a specification"));

/// A message as an input's line has it: a letter, a digit, `+` or `-`, JSON.
struct Message<'a> {
    kind: u8,
    sequence: u64,
    /// Whether it answers the supervisor's challenge.
    answers: bool,
    body: &'a [u8],
}

/// Letters of the kinds of messages, with their numbers.
const KINDS: [(u8, u8); 11] = [
    (b'R', 1),  // Registration
    (b'B', 2),  // Beat
    (b'L', 3),  // Left
    (b'P', 4),  // Report
    (b'F', 5),  // Figures
    (b'X', 6),  // Refused
    (b'D', 7),  // DeadLetter
    (b'K', 16), // Look
    (b'G', 17), // Greeting
    (b'C', 18), // Claimed
    (b'H', 19), // Holder
];

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let mut ends = Ends::new(&KEY, SUPERVISOR);
    match first {
        b'A' => {
            let lists = rest.iter().filter(|byte| b"*%~>|".contains(byte)).count();
            let answer = bounded_but(lists * MOST_ANNOUNCED, rest, || entries(rest));
            for (from, message) in answer {
                assert!(!ends.is_genuine(&from, &message));
            }
        }
        b'G' => conversation(&mut ends, rest),
        b'C' => changed_message(&mut ends, rest),
        b'S' => changed_specification(&mut ends, rest),
        _ => disbelieved(&mut ends, rest),
    }
});

/// Somebody without the key changes a message: the first line is the message, the rest what is done to it.
fn changed_message(ends: &mut Ends, rest: &[u8]) {
    let mut parts = rest.splitn(2, |b| *b == b'\n');
    let message = parts.next().and_then(Message::of);
    let Some(genuine) = message.and_then(|message| write(ends, &message)) else {
        return;
    };
    assert!(ends.is_genuine(HERE.as_str(), &genuine));
    assert!(!ends.is_genuine("elsewhere", &genuine));
    let changed = edited(&genuine, parts.next().unwrap_or_default());
    if changed != genuine {
        disbelieved(ends, &changed);
    }
}

fn changed_specification(ends: &mut Ends, edits: &[u8]) {
    let sealed = ends.seal(&SHOPS).expect("there is randomness");
    let other: AppId = "shop2".parse().expect("an ID");
    let elsewhere: EnvironmentName = "elsewhere".parse().expect("a name");
    assert_eq!(ends.open(&HERE, &SHOP, &sealed).as_ref(), Some(&*SHOPS));
    assert_eq!(ends.open(&HERE, &other, &sealed), None);
    assert_eq!(ends.open(&elsewhere, &SHOP, &sealed), None);
    let changed = edited(&sealed, edits);
    if changed != sealed {
        disbelieved(ends, &changed);
    }
}

fn disbelieved(ends: &mut Ends, bytes: &[u8]) {
    assert_eq!(bounded(bytes, || ends.read(HERE.as_str(), bytes)), None);
    assert_eq!(bounded(bytes, || ends.open(&HERE, &SHOP, bytes)), None);
    assert_eq!(bounded(bytes, || ends.hear(&HERE, bytes)), None);
}

/// What a process with the key says one after the other, a message a line, with whatever bodies.
fn conversation(ends: &mut Ends, lines: &[u8]) {
    let mut last = None;
    for message in lines.split(|b| *b == b'\n').filter_map(Message::of) {
        let Some(bytes) = write(ends, &message) else {
            continue;
        };
        let said = bounded(&bytes, || ends.read(HERE.as_str(), &bytes));
        let Some(told) = bounded(&bytes, || ends.hear(&HERE, &bytes)) else {
            continue;
        };
        // Who is told on has answered the challenge and introduced itself, and each message comes once.
        assert!(message.answers, "{told:?}");
        if let (None, FromWorkers::Joined(registration)) = (last, &told) {
            assert_eq!(
                (registration.boot, &registration.environment),
                (WORKER, &*HERE)
            );
        } else {
            assert!(last.is_some_and(|last| message.sequence > last), "{told:?}");
        }
        if let FromWorkers::Report(report) = &told {
            assert_eq!(report.observed.environment, *HERE);
            assert_eq!(said, Some(Said::Report(report.clone())));
        }
        last = match told {
            FromWorkers::Left { .. } => None,
            _ => Some(message.sequence),
        };
        assert_eq!(ends.hear(&HERE, &bytes), None, "it was told before");
    }
}

impl<'a> Message<'a> {
    fn of(line: &'a [u8]) -> Option<Self> {
        let ([letter, digit, sign], body) = line.split_first_chunk()?;
        let (_, kind) = KINDS.iter().find(|(own, _)| own == letter)?;
        Some(Self {
            kind: *kind,
            sequence: u64::from(*digit),
            answers: *sign == b'+',
            body,
        })
    }
}

fn write(ends: &Ends, message: &Message<'_>) -> Option<Vec<u8>> {
    let challenge = message.answers.then(|| ends.challenge(&HERE, WORKER));
    let marks: Vec<_> = challenge.into_iter().collect();
    ends.write(
        &HERE,
        message.kind,
        WORKER,
        message.sequence,
        &marks,
        message.body,
    )
}

/// Four bytes a change: what is done, where (two bytes), and with which byte.
fn edited(bytes: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let (edits, _) = edits.as_chunks();
    for [what, high, low, byte] in edits {
        let place = usize::from(u16::from_be_bytes([*high, *low])) % (changed.len() + 1);
        match what % 4 {
            0 => changed
                .iter_mut()
                .skip(place)
                .take(1)
                .for_each(|old| *old = *byte),
            1 => changed
                .iter_mut()
                .skip(place)
                .take(1)
                .for_each(|old| *old ^= *byte),
            2 => changed.insert(place, *byte),
            _ => changed.truncate(place),
        }
    }
    changed
}

fn bounded<T>(bytes: &[u8], work: impl FnOnce() -> T) -> T {
    bounded_but(0, bytes, work)
}

/// With so many bytes more.
fn bounded_but<T>(more: usize, bytes: &[u8], work: impl FnOnce() -> T) -> T {
    let (result, cost) = allocated(work);
    let most = MOST + MOST_A_BYTE * bytes.len() + more;
    assert!(cost <= most, "{} bytes cost {cost}", bytes.len());
    result
}
