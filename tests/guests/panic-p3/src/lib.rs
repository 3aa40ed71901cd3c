//! Hostile: `/` panics; `/mid` sends half a body and then panics; `/ok` (WASI 0.3).

use support_p3::*;

wasip3::http::service::export!(Panic);

struct Panic;

impl Guest for Panic {
    async fn handle(request: Request) -> Answer {
        match target(&request).path() {
            "/ok" => text("ok"),
            "/mid" => {
                let (response, mut sending) = begin(200, &[("content-type", "text/plain")]);
                spawn_local(async move {
                    sending.write(b"half a body".to_vec()).await;
                    // Time for the host to have sent it.
                    sleep_ms(50).await;
                    panic!("in the middle of a body");
                });
                Ok(response)
            }
            _ => panic!("on purpose"),
        }
    }
}
