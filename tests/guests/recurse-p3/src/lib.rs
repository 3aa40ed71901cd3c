//! Hostile: `/` recurses for ever; `/ok` (WASI 0.3).

use support_p3::*;

wasip3::http::service::export!(Recurse);

struct Recurse;

impl Guest for Recurse {
    async fn handle(request: Request) -> Answer {
        match target(&request).path() {
            "/ok" => text("ok"),
            _ => text(recurse(0).to_string()),
        }
    }
}
