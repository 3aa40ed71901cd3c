//! Hostile: `/` spins for ever; `/burn?ms=` keeps the CPU busy that long and answers; `/ok` (WASI 0.2).

use support_p2::*;

wasip2::http::proxy::export!(Loop);

struct Loop;

impl Guest for Loop {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = target(&request);
        match target.path() {
            "/ok" => text(out, "ok"),
            "/burn" => {
                let rounds = burn_ms(target.number("ms", 10));
                text(out, &format!("{rounds} rounds"));
            }
            _ => spin(),
        }
    }
}
