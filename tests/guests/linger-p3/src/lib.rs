//! Odd: each request leaves a task behind that never ends, though the answer is whole. `?ms=` (50) is how
//! often the task wakes up (WASI 0.3).

use support_p3::*;

wasip3::http::service::export!(Linger);

struct Linger;

impl Guest for Linger {
    async fn handle(request: Request) -> Answer {
        let pause = target(&request).number("ms", 50);
        spawn_local(async move {
            loop {
                sleep_ms(pause).await;
            }
        });
        text("ok")
    }
}
