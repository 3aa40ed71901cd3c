//! Uploads: what is taken, what is refused and how it is said.

use lodge_harness::{Config, Host, Visit, guest};
use lodge_integration::variant;
use serde_json::json;

/// Replaces every `from` by a `to` of the same length.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while let Some(found) = bytes[at..]
        .windows(from.len())
        .position(|window| window == from)
    {
        bytes[at + found..at + found + to.len()].copy_from_slice(to);
        at += found + to.len();
    }
    bytes
}

#[test]
fn what_is_no_component_for_lodge_is_refused_with_a_reason_and_a_remedy() {
    let mut host = Host::start();
    let api = host.api();
    let hello = guest("hello-p2");
    let half = hello[..hello.len() / 2].to_vec();
    let foreign = replaced(&hello, b"wasi:io/poll", b"evil:io/poll");
    for (what, bytes, code, says) in [
        ("nothing", Vec::new(), "not_wasm", "wasm"),
        ("text", b"fn main() {}".to_vec(), "not_wasm", "wasm"),
        (
            "a core module",
            b"\0asm\x01\0\0\0".to_vec(),
            "core_module",
            "component",
        ),
        ("a truncated one", half, "truncated", ""),
        (
            "one with foreign imports",
            foreign,
            "unknown_imports",
            "evil:io/poll",
        ),
        (
            "an empty component",
            b"\0asm\x0d\0\x01\0".to_vec(),
            "no_http_export",
            "wasi:http",
        ),
    ] {
        let answer = api.try_upload("?name=x&version=1", bytes).unwrap();
        let text = answer.body.to_string();
        assert_eq!(answer.code(), code, "{what}: {} {text}", answer.status);
        assert!(
            (400..500).contains(&answer.status) && text.contains(says),
            "{what}: {text}"
        );
    }
    assert_eq!(
        api.get("/api/components").expect(200)["items"],
        json!([]),
        "nothing of it is kept"
    );
}

#[test]
fn an_upload_beyond_the_limit_is_refused() {
    let mut host = Host::start();
    // Its head alone: the answer must not wait for the body.
    let upload = Visit::new(host.admin, "localhost", "/api/components?name=x&version=1")
        .method("POST")
        .header("authorization", &host.api().authorization())
        .header("content-length", &(100 * 1024 * 1024 + 1).to_string());
    let answer = upload.send();
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (413, "too_large"),
        "{}",
        answer.text()
    );
    assert!(
        answer.text().contains("104857600 bytes"),
        "{}",
        answer.text()
    );
}

#[test]
fn the_same_bytes_are_one_component_and_a_name_and_version_mean_one() {
    let mut host = Host::start();
    let api = host.api();
    let hello = guest("hello-p2");
    let first = api
        .try_upload("?name=hello&version=1", hello.clone())
        .unwrap()
        .expect(201);
    let again = api
        .try_upload("?name=hello&version=1", hello.clone())
        .unwrap()
        .expect(200);
    assert_eq!(first["digest"], again["digest"]);
    let other = api
        .try_upload("?name=hello&version=1", variant(&hello, 1))
        .unwrap();
    assert_eq!(other.status, 409, "{}", other.body);
    let newer = api
        .try_upload("?name=hello&version=2", variant(&hello, 1))
        .unwrap()
        .expect(201);
    assert_ne!(first["digest"], newer["digest"]);
    let digest = first["digest"].as_str().unwrap();
    assert_eq!(api.compiled(digest)["status"], "ready");
    api.post(
        "/api/apps",
        &json!({ "id": "shop", "component": { "digest": digest } }),
    )
    .expect(201);
    let kept = api.delete(&format!("/api/components/{digest}"));
    assert_eq!(kept.status, 409, "an app runs it: {}", kept.body);
    api.remove("shop");
    assert!((200..300).contains(&api.delete(&format!("/api/components/{digest}")).status));
    assert_eq!(api.get(&format!("/api/components/{digest}")).status, 404);
}

#[test]
fn an_app_may_name_a_component_that_is_still_compiling() {
    let mut host = Host::start();
    let api = host.api();
    let digest = api
        .try_upload("?name=hello&version=1", guest("hello-p3"))
        .unwrap()
        .expect(201)["digest"]
        .clone();
    api.post(
        "/api/apps",
        &json!({ "id": "shop", "component": { "digest": digest } }),
    )
    .expect(201);
    assert_eq!(host.visit("shop", "/").send().text(), "Hello, World!");
}

#[test]
fn a_damaged_cache_is_refused_and_rebuilt() {
    let mut host = Host::start();
    host.deploy("hello-p2", "shop");
    assert_eq!(host.visit("shop", "/").send().status, 200);
    let (_, config) = host.stop();
    let damaged = damage_compiled(&config);
    assert!(damaged > 0, "the cache is where it is expected");
    let host = config.start();
    assert_eq!(host.visit("shop", "/").send().text(), "Hello, World!");
}

/// Flips a byte in the middle of every compiled component; returns how many there were.
fn damage_compiled(config: &Config) -> usize {
    let cache = config.data_dir().join("cache");
    let mut damaged = 0;
    for entry in std::fs::read_dir(cache).unwrap().flatten() {
        let mut bytes = std::fs::read(entry.path()).unwrap();
        if bytes.len() > 10_000 {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0xff;
            std::fs::write(entry.path(), bytes).unwrap();
            damaged += 1;
        }
    }
    damaged
}
