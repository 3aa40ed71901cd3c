//! Odd: returns without ever setting its answer (WASI 0.2).

use support_p2::*;

wasip2::http::proxy::export!(Silent);

struct Silent;

impl Guest for Silent {
    fn handle(_request: IncomingRequest, out: ResponseOutparam) {
        drop(out);
    }
}
