//! Hostile: `/` allocates and touches for ever; `/grow?mib=&hold_ms=` allocates and touches that much, waits
//! and answers; `/ok` (WASI 0.3).

use support_p3::*;

wasip3::http::service::export!(Allocate);

struct Allocate;

impl Guest for Allocate {
    async fn handle(request: Request) -> Answer {
        let target = target(&request);
        match target.path() {
            "/ok" => text("ok"),
            "/grow" => {
                let held = touch(target.number("mib", 1));
                sleep_ms(target.number("hold_ms", 0)).await;
                text(format!("{} MiB", held.len()))
            }
            _ => grow_for_ever(),
        }
    }
}
