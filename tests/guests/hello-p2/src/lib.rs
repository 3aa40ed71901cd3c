//! The smallest useful WASI 0.2 guest: 200 and 13 bytes. The benchmarks measure it, so it does nothing else.

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

wasip2::http::proxy::export!(Hello);

struct Hello;

impl Guest for Hello {
    fn handle(_request: IncomingRequest, out: ResponseOutparam) {
        let headers = [("content-type".to_owned(), b"text/plain".to_vec())];
        let response = OutgoingResponse::new(Fields::from_list(&headers).unwrap());
        let body = response.body().unwrap();
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().unwrap();
        _ = stream.blocking_write_and_flush(b"Hello, World!");
        drop(stream);
        _ = OutgoingBody::finish(body, None);
    }
}
