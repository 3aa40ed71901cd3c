//! Behaviours that want memory: their own, and the host's for them.

use std::mem::forget;
use support_p3::wasip3::http::types::Method;
use support_p3::wasip3::{wit_future, wit_stream};
use support_p3::*;

/// Page by page. Traps when there is no more.
pub(crate) async fn grow_small(_: Request) -> Answer {
    while core::arch::wasm32::memory_grow(0, 1) != usize::MAX {}
    panic!("no more memory");
}

/// Small resources, never given back.
pub(crate) async fn resources(_: Request) -> Answer {
    loop {
        forget(Fields::new());
    }
}

/// Sets of headers as large as may be, kept.
pub(crate) async fn hold_headers(_: Request) -> Answer {
    let value = vec![b'x'; 120 << 10];
    loop {
        let headers = Fields::new();
        headers.append("x-large", &value).unwrap();
        forget(headers);
    }
}

/// Requests whose methods have a MiB each, kept.
pub(crate) async fn hold_methods(_: Request) -> Answer {
    let method = Method::Other("M".repeat(1 << 20));
    loop {
        let (_, trailers) = wit_future::new(|| Ok(None));
        let (request, sent) = Request::new(Fields::new(), None, trailers, None);
        // A host that refuses such a method has nothing to hold.
        if request.set_method(&method).is_err() {
            panic!("no such methods");
        }
        forget((request, sent));
    }
}

/// Streams with somebody who writes a MiB into them and nobody who reads.
pub(crate) async fn streams(_: Request) -> Answer {
    loop {
        let (mut writer, reader) = wit_stream::new::<u8>();
        spawn_local(async move {
            writer.write_all(vec![b'x'; 1 << 10]).await;
        });
        forget(reader);
        // Lets the writer begin.
        sleep_ms(0).await;
    }
}

/// Futures that nobody reads, nor ever will.
pub(crate) async fn futures(_: Request) -> Answer {
    loop {
        let (writer, reader) = wit_future::new::<Trailers>(|| Ok(None));
        spawn_local(async move {
            _ = writer.write(Ok(None)).await;
        });
        forget(reader);
        sleep_ms(0).await;
    }
}

/// Calls of the host that never return, more of them with each turn.
pub(crate) async fn tasks(_: Request) -> Answer {
    loop {
        for _ in 0..100 {
            spawn_local(sleep_ms(3_600_000));
        }
        sleep_ms(0).await;
    }
}
