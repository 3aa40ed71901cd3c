//! Odd: goes on working after its answer's body has ended. `/` sleeps `?ms=` (200) milliseconds and logs
//! `tail done`; `/forever` spins (WASI 0.3).

use support_p3::*;

wasip3::http::service::export!(Tail);

struct Tail;

impl Guest for Tail {
    async fn handle(request: Request) -> Answer {
        let target = target(&request);
        let (response, mut sending) = begin(200, &[("content-type", "text/plain")]);
        spawn_local(async move {
            sending.write(b"ok".to_vec()).await;
            sending.end(Ok(None)).await;
            match target.path() {
                "/forever" => spin(),
                _ => sleep_ms(target.number("ms", 200)).await,
            }
            println!("tail done");
        });
        Ok(response)
    }
}
