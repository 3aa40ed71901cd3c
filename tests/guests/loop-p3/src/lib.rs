//! Hostile: `/` spins for ever; `/burn?ms=` keeps the CPU busy that long and answers; `/ok` (WASI 0.3).

use support_p3::*;

wasip3::http::service::export!(Loop);

struct Loop;

impl Guest for Loop {
    async fn handle(request: Request) -> Answer {
        let target = target(&request);
        match target.path() {
            "/ok" => text("ok"),
            "/burn" => {
                let rounds = burn_ms(target.number("ms", 10));
                text(format!("{rounds} rounds"))
            }
            _ => spin(),
        }
    }
}
