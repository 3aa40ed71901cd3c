//! Functions in place of SQLite's own whose time grows with the square of what they are given: nothing
//! ends a function of SQLite's before it returns. These take time in proportion to their arguments, or
//! look at the [`Watch`] as they go ([`super::pattern`]), and none begins when its statement is over.
//!
//! They answer as SQLite's do, byte by byte (the tests compare them). What is lost: SQLite's planner knows
//! only its own `LIKE` and `GLOB`, so that a prefix is not looked up in an index.

use super::pattern;
use super::watch::Watch;
use memchr::memmem;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, c_int};
use std::sync::Arc;

/// Name, number of arguments, and what it does.
pub(super) const ALL: [(&CStr, c_int, Function); 9] = [
    (c"instr", 2, instr),
    (c"replace", 3, replace),
    (c"trim", 2, trim),
    (c"ltrim", 2, ltrim),
    (c"rtrim", 2, rtrim),
    (c"unhex", 2, unhex),
    (c"like", 2, pattern::like),
    (c"like", 3, pattern::like),
    (c"glob", 2, pattern::glob),
];

/// What SQLite calls for one name and number of arguments; an argument that is null is none.
pub(super) type Function =
    for<'a> fn(&[Option<Argument<'a>>], &Bounds) -> Result<Answer<'a>, Failure>;

#[derive(Debug, Clone, Copy)]
pub(super) struct Argument<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) is_blob: bool,
}

/// What bounds a call.
pub(super) struct Bounds {
    pub(super) watch: Arc<Watch>,
    /// Size of a value.
    pub(super) value_bytes: u64,
}

impl Bounds {
    /// # Errors
    /// The statement is over.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.watch.is_over() {
            return Err(Failure::Ended);
        }
        Ok(())
    }
}

pub(super) enum Answer<'a> {
    Null,
    Int(i64),
    Text(Cow<'a, [u8]>),
    Blob(Vec<u8>),
}

#[derive(Debug)]
pub(super) enum Failure {
    /// The answer would be larger than a value may be.
    TooBig,
    /// The statement took too long, or nobody waits for it.
    Ended,
    Text(&'static str),
}

type Answered<'a> = Result<Answer<'a>, Failure>;

/// The first place of the second in the first, from 1: in bytes if both are blobs, else in characters.
fn instr<'a>(arguments: &[Option<Argument<'a>>], bounds: &Bounds) -> Answered<'a> {
    bounds.check()?;
    let &[Some(text), Some(sought)] = arguments else {
        return Ok(Answer::Null);
    };
    let in_bytes = text.is_blob && sought.is_blob;
    let found = match sought.bytes.first() {
        // Characters are stepped over whole, so that nothing is found in the middle of one.
        Some(&first) if !in_bytes && is_continuation(first) => {
            text.bytes.starts_with(sought.bytes).then_some(0)
        }
        _ => memmem::find(text.bytes, sought.bytes),
    };
    let place = found.map_or(0, |at| {
        let before = text.bytes.iter().take(at + 1).skip(1);
        1 + before.filter(|&&b| in_bytes || !is_continuation(b)).count()
    });
    Ok(Answer::Int(place as i64))
}

/// The first with the third wherever the second was.
fn replace<'a>(arguments: &[Option<Argument<'a>>], bounds: &Bounds) -> Answered<'a> {
    bounds.check()?;
    let &[Some(text), Some(sought), by] = arguments else {
        return Ok(Answer::Null);
    };
    if matches!(sought.bytes.first(), None | Some(0)) {
        return Ok(Answer::Text(text.bytes.into()));
    }
    let Some(by) = by else {
        return Ok(Answer::Null);
    };
    let finder = memmem::Finder::new(sought.bytes);
    let count = finder.find_iter(text.bytes).count();
    let length = text.bytes.len() - count * sought.bytes.len() + count * by.bytes.len();
    if length as u64 > bounds.value_bytes {
        return Err(Failure::TooBig);
    }
    let mut replaced = Vec::with_capacity(length);
    let mut rest = text.bytes;
    while let Some(at) = finder.find(rest) {
        replaced.extend_from_slice(rest.get(..at).unwrap_or_default());
        replaced.extend_from_slice(by.bytes);
        rest = rest.get(at + sought.bytes.len()..).unwrap_or_default();
    }
    replaced.extend_from_slice(rest);
    Ok(Answer::Text(replaced.into()))
}

fn trim<'a>(arguments: &[Option<Argument<'a>>], bounds: &Bounds) -> Answered<'a> {
    trimmed(arguments, bounds, true, true)
}

fn ltrim<'a>(arguments: &[Option<Argument<'a>>], bounds: &Bounds) -> Answered<'a> {
    trimmed(arguments, bounds, true, false)
}

fn rtrim<'a>(arguments: &[Option<Argument<'a>>], bounds: &Bounds) -> Answered<'a> {
    trimmed(arguments, bounds, false, true)
}

/// The first without the second's characters at its ends.
fn trimmed<'a>(
    arguments: &[Option<Argument<'a>>],
    bounds: &Bounds,
    left: bool,
    right: bool,
) -> Answered<'a> {
    bounds.check()?;
    let &[Some(text), Some(set)] = arguments else {
        return Ok(Answer::Null);
    };
    let set = Characters::of(set.bytes)?;
    let mut rest = text.bytes;
    while left && let Some(length) = set.at_start(rest) {
        rest = rest.get(length..).unwrap_or_default();
    }
    while right && let Some(length) = set.at_end(rest) {
        rest = rest.get(..rest.len() - length).unwrap_or_default();
    }
    Ok(Answer::Text(rest.into()))
}

/// A set of characters, each with its place among them: of several that fit the first counts, which
/// differs only in what is not UTF-8.
struct Characters<'a> {
    /// Those of one byte.
    single: [u32; 256],
    longer: HashMap<&'a [u8], u32>,
    /// How long there are any.
    lengths: Vec<usize>,
}

/// Not in the set.
const ABSENT: u32 = u32::MAX;
/// Bytes of the longest character: one of UTF-8 has 4, and what is none may follow it.
const LONGEST: usize = 16;

impl<'a> Characters<'a> {
    fn of(set: &'a [u8]) -> Result<Self, Failure> {
        let mut characters = Self {
            single: [ABSENT; 256],
            longer: HashMap::new(),
            lengths: Vec::new(),
        };
        let mut rest = until_zero(set);
        let mut place = 0;
        while let Some(&first) = rest.first() {
            let (character, after) = rest.split_at(character_length(rest));
            let known = match character.len() {
                1 => characters.single.get_mut(usize::from(first)),
                2..=LONGEST => Some(characters.longer.entry(character).or_insert(ABSENT)),
                _ => return Err(Failure::Text("trim: the characters are not UTF-8")),
            };
            if let Some(known) = known {
                *known = place.min(*known);
            }
            if !characters.lengths.contains(&character.len()) {
                characters.lengths.push(character.len());
            }
            place += 1;
            rest = after;
        }
        Ok(characters)
    }

    fn place(&self, character: &[u8]) -> Option<u32> {
        let place = match *character {
            [byte] => self.single.get(usize::from(byte)),
            _ => self.longer.get(character),
        };
        place.copied().filter(|&place| place != ABSENT)
    }

    /// How long the character of the set is with which `text` begins.
    fn at_start(&self, text: &[u8]) -> Option<usize> {
        self.first_of(|length| text.get(..length))
    }

    fn at_end(&self, text: &[u8]) -> Option<usize> {
        self.first_of(|length| text.get(text.len().checked_sub(length)?..))
    }

    fn first_of<'t>(&self, part: impl Fn(usize) -> Option<&'t [u8]>) -> Option<usize> {
        let lengths = self.lengths.iter();
        lengths
            .filter_map(|&length| Some((self.place(part(length)?)?, length)))
            .min()
            .map(|(_, length)| length)
    }
}

/// The bytes of a text of hexadecimal digits, between whose pairs the second's characters may be.
fn unhex<'a>(arguments: &[Option<Argument<'a>>], bounds: &Bounds) -> Answered<'a> {
    bounds.check()?;
    let &[Some(text), Some(pass)] = arguments else {
        return Ok(Answer::Null);
    };
    let mut passed = HashSet::new();
    let mut rest = pass.bytes;
    while !rest.is_empty() {
        passed.insert(read(&mut rest));
    }
    let mut rest = until_zero(text.bytes);
    let mut bytes = Vec::with_capacity(rest.len() / 2);
    while let Some(&first) = rest.first() {
        let Some(high) = digit(first) else {
            if passed.contains(&read(&mut rest)) {
                continue;
            }
            return Ok(Answer::Null);
        };
        let Some(low) = rest.get(1).and_then(|&second| digit(second)) else {
            return Ok(Answer::Null);
        };
        bytes.push(high << 4 | low);
        rest = rest.get(2..).unwrap_or_default();
    }
    Ok(Answer::Blob(bytes))
}

fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// What C sees of a text.
pub(super) fn until_zero(text: &[u8]) -> &[u8] {
    let end = memchr::memchr(0, text).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// How many bytes the first character has, as SQLite counts: what follows a byte from 0xC0 on belongs to
/// it. 0 for an empty text.
pub(super) fn character_length(text: &[u8]) -> usize {
    match text.first() {
        None => 0,
        Some(0..0xC0) => 1,
        Some(_) => {
            let following = text.iter().skip(1).take_while(|&&b| is_continuation(b));
            1 + following.count()
        }
    }
}

/// Takes the first character off, as SQLite decodes it; 0 at the end.
pub(super) fn read(text: &mut &[u8]) -> u32 {
    let (character, rest) = text.split_at(character_length(text));
    *text = rest;
    let Some((&first, following)) = character.split_first() else {
        return 0;
    };
    if first < 0xC0 {
        return u32::from(first);
    }
    // As many bits as a byte with so many leading ones has left.
    let bits = match first {
        0xC0..0xE0 => first & 0x1F,
        0xE0..0xF0 => first & 0x0F,
        0xF0..0xF8 => first & 0x07,
        0xF8..0xFC => first & 0x03,
        0xFC..0xFE => first & 0x01,
        0xFE.. => 0,
        _ => first,
    };
    let code = following
        .iter()
        .fold(u32::from(bits), |code, b| code << 6 | u32::from(b & 0x3F));
    let is_none = code < 0x80 || code & 0xFFFF_F800 == 0xD800 || code & 0xFFFF_FFFE == 0xFFFE;
    if is_none { 0xFFFD } else { code }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}
