//! Changes JSON as JSON: bytes changed anywhere are hardly ever JSON again.

use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// Values to put somewhere: all parts of the seeds, and what is at some edge.
static PARTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let seeds = [
        include_str!("../../corpus/api_bodies/new-app"),
        include_str!("../../corpus/api_bodies/patch"),
        include_str!("../../corpus/api_bodies/limits"),
        include_str!("../../corpus/api_bodies/preferences"),
        include_str!("../../corpus/api_bodies/patch-sources"),
    ];
    let mut all = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(0.1),
        json!(1e308),
        json!(""),
    ];
    for seed in seeds {
        let value = seed
            .get(1..)
            .and_then(|body| serde_json::from_str(body).ok());
        collect(&value.expect("a seed is JSON"), &mut all);
    }
    all
});

fn collect(value: &Value, all: &mut Vec<Value>) {
    all.push(value.clone());
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, all)),
        Value::Object(members) => {
            // Each member by itself, too: to be added to another object.
            for (name, member) in members {
                let alone = Map::from_iter([(name.clone(), member.clone())]);
                all.push(Value::Object(alone));
                collect(member, all);
            }
        }
        _ => {}
    }
}

/// One time in four as libFuzzer does, else one part of the JSON becomes another.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random(u64::from(seed) << 1 | 1);
    let body = data
        .get(1..size)
        .and_then(|body| serde_json::from_slice::<Value>(body).ok());
    let Some(mut body) = body.filter(|_| random.below(4) > 0) else {
        return fuzzer_mutate(data, size, max_size);
    };
    let mut left = random.below(count(&body));
    change(&mut body, &mut left, &mut random);
    let text = body.to_string();
    match data.get_mut(1..=text.len()) {
        Some(place) if text.len() < max_size => {
            place.copy_from_slice(text.as_bytes());
            1 + text.len()
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

/// Changes the part that comes after `left` others; true: it was in here.
fn change(value: &mut Value, left: &mut usize, random: &mut Random) -> bool {
    if *left == 0 {
        let part = PARTS[random.below(PARTS.len())].clone();
        match (value, part) {
            (Value::Object(members), Value::Object(more)) => members.extend(more),
            (Value::Object(members), _) if !members.is_empty() => {
                let name = members.keys().nth(random.below(members.len())).cloned();
                members.remove(&name.unwrap_or_default());
            }
            (Value::Array(items), part) if !part.is_array() => items.push(part),
            (value, part) => *value = part,
        }
        return true;
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| change(item, left, random)),
        Value::Object(members) => members
            .values_mut()
            .any(|member| change(member, left, random)),
        _ => false,
    }
}

/// xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default() % bound.max(1)
    }
}
