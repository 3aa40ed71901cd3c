//! The smallest useful WASI 0.3 guest: 200 and 13 bytes. The benchmarks measure it, so it does nothing else.

use wasip3::exports::http::handler::Guest;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::{spawn_local, wit_future, wit_stream};

wasip3::http::service::export!(Hello);

struct Hello;

impl Guest for Hello {
    async fn handle(_request: Request) -> Result<Response, ErrorCode> {
        let headers = [("content-type".to_owned(), b"text/plain".to_vec())];
        let (mut stream, contents) = wit_stream::new();
        // The writer is dropped at once: that resolves the trailers to the default, none.
        let (_, trailers) = wit_future::new(|| Ok(None));
        let headers = Fields::from_list(&headers).unwrap();
        let (response, _sent) = Response::new(headers, Some(contents), trailers);
        spawn_local(async move {
            stream.write_all(b"Hello, World!".to_vec()).await;
        });
        Ok(response)
    }
}
