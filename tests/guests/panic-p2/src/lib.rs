//! Hostile: `/` panics; `/mid` sends half a body and then panics; `/ok` (WASI 0.2).

use support_p2::*;

wasip2::http::proxy::export!(Panic);

struct Panic;

impl Guest for Panic {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        match target(&request).path() {
            "/ok" => text(out, "ok"),
            "/mid" => {
                let sending = begin(out, 200, &[("content-type", "text/plain")]);
                sending.write(b"half a body");
                // Time for the host to have sent it.
                sleep_ms(50);
                panic!("in the middle of a body");
            }
            _ => panic!("on purpose"),
        }
    }
}
