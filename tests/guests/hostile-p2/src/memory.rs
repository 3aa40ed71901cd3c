//! Behaviours that want memory: their own, and the host's for them.

use std::mem::forget;
use support_p2::wasip2::clocks::monotonic_clock;
use support_p2::wasip2::http::types::{Method, OutgoingRequest};
use support_p2::*;

/// Page by page. Traps when there is no more.
pub(crate) fn grow_small(_: IncomingRequest, _: ResponseOutparam) {
    while core::arch::wasm32::memory_grow(0, 1) != usize::MAX {}
    panic!("no more memory");
}

/// Small resources, never given back.
pub(crate) fn resources(_: IncomingRequest, _: ResponseOutparam) {
    loop {
        forget(Fields::new());
    }
}

/// Timers that are never waited for.
pub(crate) fn handles(_: IncomingRequest, _: ResponseOutparam) {
    loop {
        forget(monotonic_clock::subscribe_duration(u64::MAX / 2));
    }
}

/// Sets of headers as large as may be, kept.
pub(crate) fn hold_headers(_: IncomingRequest, _: ResponseOutparam) {
    let value = vec![b'x'; 120 << 10];
    loop {
        let headers = Fields::new();
        headers.append("x-large", &value).unwrap();
        forget(headers);
    }
}

/// Requests whose methods have a MiB each, kept.
pub(crate) fn hold_methods(_: IncomingRequest, _: ResponseOutparam) {
    let method = Method::Other("M".repeat(1 << 20));
    loop {
        let request = OutgoingRequest::new(Fields::new());
        // A host that refuses such a method has nothing to hold.
        if request.set_method(&method).is_err() {
            panic!("no such methods");
        }
        forget(request);
    }
}

/// Bodies of requests that are never sent, each with all that may be written into it.
pub(crate) fn hold_bodies(_: IncomingRequest, _: ResponseOutparam) {
    let bytes = vec![b'x'; 64 << 10];
    loop {
        let request = OutgoingRequest::new(Fields::new());
        let body = request.body().unwrap();
        let stream = body.write().unwrap();
        while let Ok(room @ 1..) = stream.check_write() {
            let room = bytes.len().min(room as usize);
            stream.write(&bytes[..room]).unwrap();
        }
        forget((request, body, stream));
    }
}
