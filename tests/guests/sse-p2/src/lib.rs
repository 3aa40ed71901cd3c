//! Server-sent events (WASI 0.2): one every `?ms=` (100) milliseconds, `?n=` (for ever) of them.

use support_p2::*;

wasip2::http::proxy::export!(Sse);

struct Sse;

impl Guest for Sse {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = target(&request);
        let pause = target.number("ms", 100);
        let sending = begin(out, 200, &[("content-type", "text/event-stream")]);
        for n in 1..=target.number("n", u64::MAX) {
            if !sending.write(format!("id: {n}\ndata: {n}\n\n").as_bytes()) {
                println!("client left after {n}");
                return;
            }
            sleep_ms(pause);
        }
        sending.end(None);
    }
}
