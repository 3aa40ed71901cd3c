//! Outgoing HTTP. A file of its own: its streams are the WASI bindings' own, not those of this guest's.

use support_p3::wasip3::http::client;
use support_p3::wasip3::http::types::{Method, Scheme};
use support_p3::wasip3::{wit_future, wit_stream};
use support_p3::*;

pub(super) async fn post(target: &Target) -> Result<String, String> {
    let (mut output, contents) = wit_stream::new();
    let (trailers, trailers_read) = wit_future::new(|| Ok(None));
    let (request, _sent) = Request::new(Fields::new(), Some(contents), trailers_read, None);
    request.set_method(&Method::Post).unwrap();
    request.set_scheme(Some(&Scheme::Http)).unwrap();
    request.set_authority(target.get("to").as_deref()).unwrap();
    request.set_path_with_query(Some("/echo")).unwrap();
    let response = client::send(request).await.map_err(super::text_of)?;
    let status = response.get_status_code();
    let (_read, result) = wit_future::new(|| Ok(()));
    let (mut input, echoed_trailers) = Response::consume_body(response, result);
    for n in 0..target.number("pieces", 0) {
        let piece = format!("piece {n}").into_bytes();
        let sent = output.write_all(piece.clone());
        let (_, (_, back)) =
            futures_util::future::join(sent, input.read(Vec::with_capacity(100))).await;
        if back != piece {
            return Err(format!("{piece:?} came back as {back:?}"));
        }
    }
    drop(output);
    drop(trailers);
    let (_, more) = input.read(Vec::with_capacity(100)).await;
    drop(input);
    echoed_trailers.await.map_err(super::text_of)?;
    match more.as_slice() {
        [] => Ok(status.to_string()),
        more => Err(format!("{more:?} after the end")),
    }
}
