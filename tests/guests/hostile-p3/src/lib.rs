//! Hostile: one behaviour a path, `/NAME` of the list in `tests/guests/hostile.rs`; any other path answers `ok`
//! (WASI 0.3).

#![deny(dead_code)]

mod answers;
mod cpu;
mod heads;
mod memory;

use answers::*;
use cpu::*;
use heads::*;
use memory::*;
use support_p3::*;

include!("../../hostile.rs");

#[allow(unused_macros, reason = "the other world's")]
const _: () = {
    macro_rules! unused {
        ($($name:ident)*) => {};
    }
    hostile_p2!(unused);
};

wasip3::http::service::export!(Hostile);

struct Hostile;

macro_rules! dispatch {
    ($($name:ident)*) => {
        impl Guest for Hostile {
            async fn handle(request: Request) -> Answer {
                let target = target(&request);
                match target.path().trim_start_matches('/') {
                    $(path if path == stringify!($name) => $name(request).await,)*
                    _ => text("ok"),
                }
            }
        }
    };
}

hostile_p3!(dispatch);
