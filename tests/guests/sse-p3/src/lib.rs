//! Server-sent events (WASI 0.3): one every `?ms=` (100) milliseconds, `?n=` (for ever) of them.

use support_p3::*;

wasip3::http::service::export!(Sse);

struct Sse;

impl Guest for Sse {
    async fn handle(request: Request) -> Answer {
        let target = target(&request);
        let pause = target.number("ms", 100);
        let (response, mut sending) = begin(200, &[("content-type", "text/event-stream")]);
        spawn_local(async move {
            for n in 1..=target.number("n", u64::MAX) {
                if !sending
                    .write(format!("id: {n}\ndata: {n}\n\n").into_bytes())
                    .await
                {
                    println!("client left after {n}");
                    return;
                }
                sleep_ms(pause).await;
            }
            sending.end(Ok(None)).await;
        });
        Ok(response)
    }
}
