//! `LIKE` and `GLOB`: a pattern of many characters between wildcards takes time in proportion to its length
//! times the text's, so the statement's [`Watch`](super::watch::Watch) is looked at meanwhile.
//!
//! It goes the way of SQLite's `patternCompare`, and so finds the same, also in what is not UTF-8.

use super::functions::{Answer, Argument, Bounds, Failure, read, until_zero};
use memchr::{memchr, memchr2};

/// Bytes of a pattern: it is matched by recursion, once a wildcard.
const PATTERN_BYTES: usize = 1_000;
/// Characters compared between two looks at the watch: some tens of microseconds.
const STEPS: usize = 1 << 14;

/// What the characters of a pattern mean; 0: nothing.
#[derive(Clone, Copy)]
struct Signs {
    any: u32,
    one: u32,
    /// What follows is itself (`LIKE`), or one of those between brackets (`GLOB`).
    other: u32,
    has_sets: bool,
    no_case: bool,
}

enum Found {
    Match,
    No,
    /// Nothing behind this wildcard fits, wherever those before it are put.
    NoWildcard,
}

/// `like(pattern, text)` and `like(pattern, text, escape)`.
pub(super) fn like<'a>(
    arguments: &[Option<Argument<'a>>],
    bounds: &Bounds,
) -> Result<Answer<'a>, Failure> {
    let mut signs = Signs {
        any: u32::from(b'%'),
        one: u32::from(b'_'),
        other: 0,
        has_sets: false,
        no_case: true,
    };
    let (pattern, text, escape) = match *arguments {
        [pattern, text] => (pattern, text, None),
        [pattern, text, escape] => (pattern, text, Some(escape)),
        _ => return Ok(Answer::Null),
    };
    check_length(pattern)?;
    if let Some(escape) = escape {
        let Some(escape) = escape else {
            return Ok(Answer::Null);
        };
        let mut escape = until_zero(escape.bytes);
        signs.other = read(&mut escape);
        if signs.other == 0 || !escape.is_empty() {
            return Err(Failure::Text(
                "ESCAPE expression must be a single character",
            ));
        }
        if signs.other == signs.any {
            signs.any = 0;
        }
        if signs.other == signs.one {
            signs.one = 0;
        }
    }
    matched(pattern, text, &signs, bounds)
}

/// `glob(pattern, text)`.
pub(super) fn glob<'a>(
    arguments: &[Option<Argument<'a>>],
    bounds: &Bounds,
) -> Result<Answer<'a>, Failure> {
    let signs = Signs {
        any: u32::from(b'*'),
        one: u32::from(b'?'),
        other: u32::from(b'['),
        has_sets: true,
        no_case: false,
    };
    let &[pattern, text] = arguments else {
        return Ok(Answer::Null);
    };
    check_length(pattern)?;
    matched(pattern, text, &signs, bounds)
}

fn check_length(pattern: Option<Argument<'_>>) -> Result<(), Failure> {
    if pattern.is_some_and(|pattern| pattern.bytes.len() > PATTERN_BYTES) {
        return Err(Failure::Text(
            "LIKE or GLOB pattern too complex: it may have 1000 bytes",
        ));
    }
    Ok(())
}

fn matched<'a>(
    pattern: Option<Argument<'a>>,
    text: Option<Argument<'a>>,
    signs: &Signs,
    bounds: &Bounds,
) -> Result<Answer<'a>, Failure> {
    bounds.check()?;
    let (Some(pattern), Some(text)) = (pattern, text) else {
        return Ok(Answer::Null);
    };
    let mut comparison = Comparison {
        signs,
        bounds,
        steps: 0,
    };
    let found = comparison.run(until_zero(pattern.bytes), until_zero(text.bytes))?;
    Ok(Answer::Int(i64::from(matches!(found, Found::Match))))
}

struct Comparison<'a> {
    signs: &'a Signs,
    bounds: &'a Bounds,
    /// Since the last look at the watch.
    steps: usize,
}

impl Comparison<'_> {
    fn step(&mut self, count: usize) -> Result<(), Failure> {
        self.steps += count;
        if self.steps < STEPS {
            return Ok(());
        }
        self.steps = 0;
        self.bounds.check()
    }

    /// Takes the text's first character off, which may have any number of bytes.
    fn next(&mut self, text: &mut &[u8]) -> Result<u32, Failure> {
        let before = text.len();
        let character = read(text);
        self.step((before - text.len()) / 16)?;
        Ok(character)
    }

    fn run(&mut self, mut pattern: &[u8], mut text: &[u8]) -> Result<Found, Failure> {
        // What is left of the pattern behind a character that was escaped.
        let mut escaped = None;
        loop {
            self.step(1)?;
            let here = pattern;
            let mut sign = read(&mut pattern);
            if sign == 0 {
                break;
            }
            if sign == self.signs.any {
                return self.anywhere(pattern, text);
            }
            if sign == self.signs.other && self.signs.other != 0 {
                if self.signs.has_sets {
                    self.step(here.len())?;
                    if !is_in_set(&mut pattern, &mut text) {
                        return Ok(Found::No);
                    }
                    continue;
                }
                sign = read(&mut pattern);
                if sign == 0 {
                    return Ok(Found::No);
                }
                escaped = Some(pattern.len());
            }
            let character = self.next(&mut text)?;
            let is_one = sign == self.signs.one && escaped != Some(pattern.len()) && character != 0;
            if !(self.is_same(sign, character) || is_one) {
                return Ok(Found::No);
            }
        }
        Ok(if text.is_empty() {
            Found::Match
        } else {
            Found::No
        })
    }

    fn is_same(&self, one: u32, other: u32) -> bool {
        one == other || (self.signs.no_case && lower(one) == lower(other))
    }

    /// Behind a wildcard: the rest of the pattern is tried wherever its first character is.
    fn anywhere(&mut self, mut pattern: &[u8], mut text: &[u8]) -> Result<Found, Failure> {
        let signs = *self.signs;
        let mut here = pattern;
        let mut sign = read(&mut pattern);
        while sign != 0 && (sign == signs.any || sign == signs.one) {
            if sign == signs.one && self.next(&mut text)? == 0 {
                return Ok(Found::NoWildcard);
            }
            here = pattern;
            sign = read(&mut pattern);
        }
        if sign == 0 {
            return Ok(Found::Match);
        }
        let is_set = sign == signs.other && signs.has_sets;
        if sign == signs.other && !is_set {
            sign = read(&mut pattern);
            if sign == 0 {
                return Ok(Found::NoWildcard);
            }
        }
        while !text.is_empty() {
            // What cannot be where the pattern goes on is passed over fast.
            if let (false, Ok(ascii @ 0..0x80)) = (is_set, u8::try_from(sign)) {
                let found = if signs.no_case {
                    memchr2(ascii.to_ascii_lowercase(), ascii.to_ascii_uppercase(), text)
                } else {
                    memchr(ascii, text)
                };
                let passed = found.unwrap_or(text.len());
                self.step(passed / 16)?;
                text = text.get(passed..).unwrap_or_default();
            }
            self.step(1)?;
            let found = if is_set {
                let found = self.run(here, text)?;
                self.next(&mut text)?;
                found
            } else {
                let character = self.next(&mut text)?;
                if !self.is_same(sign, character) {
                    continue;
                }
                self.run(pattern, text)?
            };
            if !matches!(found, Found::No) {
                return Ok(found);
            }
        }
        Ok(Found::NoWildcard)
    }
}

/// In ASCII, as SQLite has it.
fn lower(character: u32) -> u32 {
    match u8::try_from(character) {
        Ok(ascii) => u32::from(ascii.to_ascii_lowercase()),
        Err(_) => character,
    }
}

/// Takes a character off the text, and the set that it must be in off the pattern (its bracket is read
/// already).
fn is_in_set(pattern: &mut &[u8], text: &mut &[u8]) -> bool {
    let character = read(text);
    if character == 0 {
        return false;
    }
    let bracket = u32::from(b']');
    let mut sign = read(pattern);
    let inverted = sign == u32::from(b'^');
    if inverted {
        sign = read(pattern);
    }
    let mut seen = false;
    if sign == bracket {
        seen = character == bracket;
        sign = read(pattern);
    }
    let mut before = 0;
    while sign != 0 && sign != bracket {
        let is_range =
            sign == u32::from(b'-') && before > 0 && !matches!(pattern.first(), None | Some(b']'));
        if is_range {
            sign = read(pattern);
            seen |= (before..=sign).contains(&character);
            before = 0;
        } else {
            seen |= character == sign;
            before = sign;
        }
        sign = read(pattern);
    }
    sign != 0 && seen != inverted
}
