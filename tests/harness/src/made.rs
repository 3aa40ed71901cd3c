//! Components that are made here, since no compiler makes them so.

use std::fmt::Write as _;

/// A component of WASI 0.2's HTTP around a core module's `fields`; `beside` stands beside the module. In text form, both.
///
/// # Panics
/// They are no component's.
pub fn component(fields: &str, beside: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
        (import "wasi:http/types@0.2.0" (instance $types
            (export "incoming-request" (type (sub resource)))
            (export "response-outparam" (type (sub resource)))))
        (alias export $types "incoming-request" (type $request))
        (alias export $types "response-outparam" (type $outparam))
        {beside}
        (core module $module {fields} (func (export "handle") (param i32 i32)))
        (core instance $main (instantiate $module))
        (func $handle (param "request" (own $request)) (param "response-out" (own $outparam))
            (canon lift (core func $main "handle")))
        (instance $handler (export "handle" (func $handle)))
        (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))"#
    );
    wat::parse_str(text).unwrap()
}

/// Functions that take minutes to compile: hundreds of values live across a thousand loops in each.
pub fn slow_component() -> Vec<u8> {
    const LOCALS: usize = 800;
    let mut body = format!("(param i32) (result i64) (local{}) ", " i64".repeat(LOCALS));
    for n in 0..1_000 {
        let (a, b) = (n % LOCALS + 1, (n * 7_919) % LOCALS + 1);
        let _ = write!(
            body,
            "(loop (local.set {a} (i64.add (local.get {a}) (local.get {b}))) (br_if 0 (local.get 0)))"
        );
    }
    body += "(i64.const 0)";
    for local in 1..=LOCALS {
        let _ = write!(body, "(i64.xor (local.get {local}))");
    }
    component(&format!("(func {body})").repeat(300), "")
}

/// The same component under another digest: with a section that means nothing.
pub fn distinct(component: &[u8], number: u32) -> Vec<u8> {
    const NAME: &[u8; 5] = b"other";
    let content = [&[NAME.len() as u8], &NAME[..], &number.to_le_bytes()[..]].concat();
    [component, &[0, content.len() as u8], &content].concat()
}
