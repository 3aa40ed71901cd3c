//! Hostile: `/` recurses for ever; `/ok` (WASI 0.2).

use support_p2::*;

wasip2::http::proxy::export!(Recurse);

struct Recurse;

impl Guest for Recurse {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        match target(&request).path() {
            "/ok" => text(out, "ok"),
            _ => text(out, &recurse(0).to_string()),
        }
    }
}
