//! What test guests of both WASI lines share. Kept apart from `support-p2` and `support-p3`, because
//! linking a crate with bindings of one WASI line into a guest of the other would change its world.

use std::fmt::Write as _;

/// A request's target: path and query.
pub struct Target {
    whole: String,
}

impl Target {
    pub fn new(path_with_query: Option<String>) -> Self {
        Self {
            whole: path_with_query.unwrap_or_else(|| "/".to_owned()),
        }
    }

    pub fn path(&self) -> &str {
        self.whole.split('?').next().unwrap_or_default()
    }

    /// The percent-decoded value of the query's first parameter of this name.
    pub fn get(&self, name: &str) -> Option<String> {
        let (_, query) = self.whole.split_once('?')?;
        let pairs = query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs
            .into_iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| decode(value))
    }

    pub fn number(&self, name: &str, default: u64) -> u64 {
        self.get(name)
            .and_then(|value| value.parse().ok())
            .unwrap_or(default)
    }
}

/// Percent-decoding; a `%` that no two hexadecimal digits follow stands for itself.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail.get(..2).and_then(hex_pair)) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest = &tail[2..];
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_pair(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// A JSON string literal.
pub fn json_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => _ = write!(out, "\\u{:04x}", c as u32),
            c => out.push(c),
        }
    }
    out + "\""
}

/// A request as a guest sees it, as JSON: `{method, path_with_query, authority, scheme, headers: [[name, value]]}`.
pub fn request_json(
    method: &str,
    path_with_query: Option<&str>,
    authority: Option<&str>,
    scheme: Option<&str>,
    headers: &[(String, Vec<u8>)],
) -> String {
    let optional = |value: Option<&str>| value.map_or("null".to_owned(), json_string);
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| {
            format!(
                "[{},{}]",
                json_string(name),
                json_string(&String::from_utf8_lossy(value))
            )
        })
        .collect();
    format!(
        r#"{{"method":{},"path_with_query":{},"authority":{},"scheme":{},"headers":[{}]}}"#,
        json_string(method),
        optional(path_with_query),
        optional(authority),
        optional(scheme),
        headers.join(",")
    )
}

/// What a guest sees of its process, as JSON: `{env: [[name, value]], args: [], cwd}`.
pub fn environment_json() -> String {
    let env: Vec<_> = std::env::vars()
        .map(|(name, value)| format!("[{},{}]", json_string(&name), json_string(&value)))
        .collect();
    let args: Vec<_> = std::env::args().map(|arg| json_string(&arg)).collect();
    let preopens = std::fs::read_dir("/").is_ok();
    format!(
        r#"{{"env":[{}],"args":[{}],"root_readable":{preopens}}}"#,
        env.join(","),
        args.join(",")
    )
}

/// Spins for ever. The counter is opaque to the optimizer, so the loop stays.
pub fn spin() -> ! {
    let mut n = 0u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}

/// Keeps the CPU busy until `now` (nanoseconds) has advanced by `ms` milliseconds; returns the rounds made.
pub fn burn(ms: u64, now: impl Fn() -> u64) -> u64 {
    let end = now() + ms * 1_000_000;
    let mut rounds = 0u64;
    while now() < end {
        // About 20 µs of work between two looks at the clock, so that the guest's own code is what burns.
        for _ in 0..20_000 {
            rounds = std::hint::black_box(rounds.wrapping_add(1));
        }
    }
    rounds
}

/// Allocates `mib` MiB, touching every 4 KiB page.
pub fn touch(mib: u64) -> Vec<Vec<u8>> {
    (0..mib).map(|_| touched_mib()).collect()
}

/// Allocates and touches for ever.
pub fn grow_for_ever() -> ! {
    let mut all = Vec::new();
    loop {
        all.push(std::hint::black_box(touched_mib()));
    }
}

fn touched_mib() -> Vec<u8> {
    let mut block = vec![0u8; 1 << 20];
    for page in block.chunks_mut(4096) {
        page[0] = 1;
    }
    std::hint::black_box(block)
}

/// Recurses for ever, with a frame that the optimizer can neither drop nor turn into a loop.
#[expect(unconditional_recursion, reason = "that is what it is for")]
pub fn recurse(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 16]);
    recurse(depth + 1) + std::hint::black_box(frame)[(depth % 16) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_taken_apart() {
        let target = Target::new(Some("/a/b?n=7&to=%2Fx+y%zz%4".to_owned()));
        assert_eq!(target.path(), "/a/b");
        assert_eq!((target.number("n", 1), target.number("m", 1)), (7, 1));
        assert_eq!(target.get("to").unwrap(), "/x y%zz%4");
        assert_eq!(json_string("a\"b\n"), r#""a\"b\u000a""#);
    }
}
