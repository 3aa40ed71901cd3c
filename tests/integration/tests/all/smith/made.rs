//! Components of arbitrary code, one a number: wasm-smith's core modules in the shape that WASI 0.2's or 0.3's HTTP asks
//! for, with imports of WASI's and of the component model's that they call with anything, and wasm-smith's own components.

use arbitrary::{Arbitrary, Unstructured};
use lodge_integration::Dice;
use wasm_smith::{Component, Config, Module};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve, WorldId};

/// What the arbitrary choices are made of, in bytes: enough for a few functions of a thousand instructions.
const CHOICES: u64 = 30_000;

/// What is in a component, and so what may come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Answers HTTP as WASI 0.2 has it, by arbitrary code.
    Handler,
    /// As WASI 0.3 has it: with tasks, streams and futures.
    Task,
    /// Exports nothing.
    Bare,
    /// The same, within one that answers HTTP.
    Nested,
}

/// The component of this number; nothing where there is none that is well-formed.
pub(super) fn component(seed: u64) -> Option<(Kind, Vec<u8>)> {
    let mut dice = Dice::new(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let length = dice.below(CHOICES);
    let choices: Vec<u8> = (0..length).map(|_| dice.below(256) as u8).collect();
    let mut choices = Unstructured::new(&choices);
    let config = Config::arbitrary(&mut choices).ok()?;
    match dice.below(8) {
        0 => Some((Kind::Bare, bare(config, &mut choices)?)),
        1 => Some((Kind::Nested, nested(&bare(config, &mut choices)?))),
        2..=4 => Some((Kind::Task, handler(&TASK, config, &mut choices, &mut dice)?)),
        _ => Some((
            Kind::Handler,
            handler(&HANDLER, config, &mut choices, &mut dice)?,
        )),
    }
}

fn bare(config: Config, choices: &mut Unstructured<'_>) -> Option<Vec<u8>> {
    let config = Config {
        max_modules: 5,
        max_components: 5,
        ..config
    };
    Some(Component::new(config, choices).ok()?.to_bytes())
}

/// One that answers nothing in time, with a component in it that nobody instantiates.
fn nested(inner: &[u8]) -> Vec<u8> {
    let mut outer = lodge_harness::component("", "");
    outer.push(4);
    let mut size = inner.len();
    while size >= 0x80 {
        outer.push(size as u8 | 0x80);
        size >>= 7;
    }
    outer.push(size as u8);
    outer.extend_from_slice(inner);
    outer
}

/// What a version of WASI's HTTP asks of a module.
struct Shape {
    /// In `world.wit`.
    world: &'static str,
    abi: LiftLowerAbi,
    /// The functions that it calls, in their text form.
    functions: &'static str,
}

const HANDLER: Shape = Shape {
    world: "handles",
    abi: LiftLowerAbi::Sync,
    functions: r#"(func (export "wasi:http/incoming-handler@0.2.0#handle") (param i32 i32))"#,
};

const TASK: Shape = Shape {
    world: "does-tasks",
    abi: LiftLowerAbi::AsyncCallback,
    functions: r#"
        (func (export "[async-lift]wasi:http/handler@0.3.0#handle") (param i32) (result i32) unreachable)
        (func (export "[callback][async-lift]wasi:http/handler@0.3.0#handle") (param i32 i32 i32) (result i32)
            unreachable)"#,
};

fn handler(
    shape: &Shape,
    config: Config,
    choices: &mut Unstructured<'_>,
    dice: &mut Dice,
) -> Option<Vec<u8>> {
    let (resolve, world) = world(shape.world);
    let imports = dummy_module(&resolve, world, ManglingAndAbi::Legacy(shape.abi));
    let segments = dice.below(6).saturating_sub(3) as usize;
    let config = Config {
        available_imports: Some(imports),
        exports: Some(exports(shape, dice)),
        // So that most of them run: what is not there in half of the proposals is refused in one glance.
        threads_enabled: dice.below(8) == 0,
        memory64_enabled: dice.below(8) == 0,
        gc_enabled: config.gc_enabled && dice.below(4) == 0,
        exceptions_enabled: config.exceptions_enabled && dice.below(4) == 0,
        max_memories: 1 + dice.below(3) as usize,
        // The exported functions' code comes last: what is before it must leave it choices. And what is done when
        // an instance is made (segments, a start function) ends most of them before they are asked anything.
        max_types: config.max_types.min(40),
        max_globals: config.max_globals.min(20),
        max_funcs: config.max_funcs.min(4),
        max_data_segments: segments,
        max_element_segments: segments,
        max_elements: 10,
        allow_start_export: dice.below(8) == 0,
        max_imports: config.max_imports.max(10),
        min_imports: dice.below(10) as usize,
        ..config
    };
    let mut module = Module::new(config, choices).ok()?.to_bytes();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).ok()?;
    let mut encoder = ComponentEncoder::default().module(&module).ok()?;
    // Not validated: that is the host's to do.
    encoder.encode().ok()
}

fn world(name: &str) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("world.wit", include_str!("world.wit"));
    let world = resolve.select_world(&[package.unwrap()], Some(name));
    (resolve, world.unwrap())
}

/// What the canonical ABI asks of the module, in its text form.
fn exports(shape: &Shape, dice: &mut Dice) -> Vec<u8> {
    let pages = dice.below(20);
    let initialize = match dice.below(4) {
        0 => r#"(func (export "_initialize"))"#,
        _ => "",
    };
    let text = format!(
        r#"(module
            (memory (export "memory") {pages})
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            {}
            {initialize})"#,
        shape.functions
    );
    wat::parse_str(text).unwrap()
}
