//! Odd: never answers. `/` sleeps for ever, always with a timer pending; `/stuck` waits for something that
//! can't happen, with nothing pending; `/ok` (WASI 0.3).

use support_p3::*;

wasip3::http::service::export!(Silent);

struct Silent;

impl Guest for Silent {
    async fn handle(request: Request) -> Answer {
        match target(&request).path() {
            "/ok" => text("ok"),
            "/stuck" => std::future::pending().await,
            _ => loop {
                sleep_ms(3_600_000).await;
            },
        }
    }
}
