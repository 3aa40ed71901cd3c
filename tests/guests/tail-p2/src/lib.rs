//! Odd: goes on working after its answer's body has ended. `/` sleeps `?ms=` (200) milliseconds and logs
//! `tail done`; `/forever` spins (WASI 0.2).

use support_p2::*;

wasip2::http::proxy::export!(Tail);

struct Tail;

impl Guest for Tail {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = target(&request);
        text(out, "ok");
        match target.path() {
            "/forever" => spin(),
            _ => sleep_ms(target.number("ms", 200)),
        }
        println!("tail done");
    }
}
