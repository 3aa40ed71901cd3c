//! Hostile: `/` allocates and touches for ever; `/grow?mib=&hold_ms=` allocates and touches that much, waits
//! and answers; `/ok` (WASI 0.2).

use support_p2::*;

wasip2::http::proxy::export!(Allocate);

struct Allocate;

impl Guest for Allocate {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = target(&request);
        match target.path() {
            "/ok" => text(out, "ok"),
            "/grow" => {
                let held = touch(target.number("mib", 1));
                sleep_ms(target.number("hold_ms", 0));
                text(out, &format!("{} MiB", held.len()));
            }
            _ => grow_for_ever(),
        }
    }
}
