//! Hostile: one behaviour a path, `/NAME` of the list in `tests/guests/hostile.rs`; any other path answers `ok`
//! (WASI 0.2).

#![deny(dead_code)]

mod answers;
mod cpu;
mod heads;
mod memory;

use answers::*;
use cpu::*;
use heads::*;
use memory::*;
use support_p2::*;

include!("../../hostile.rs");

#[allow(unused_macros, reason = "the other world's")]
const _: () = {
    macro_rules! unused {
        ($($name:ident)*) => {};
    }
    hostile_p3!(unused);
};

wasip2::http::proxy::export!(Hostile);

struct Hostile;

macro_rules! dispatch {
    ($($name:ident)*) => {
        impl Guest for Hostile {
            fn handle(request: IncomingRequest, out: ResponseOutparam) {
                let target = target(&request);
                match target.path().trim_start_matches('/') {
                    $(path if path == stringify!($name) => $name(request, out),)*
                    _ => text(out, "ok"),
                }
            }
        }
    };
}

hostile_p2!(dispatch);
