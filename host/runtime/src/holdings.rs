//! What the host holds for the resources in a guest's table, so that it is charged to the app.
//!
//! Most resources are small, and their number is bounded. Those of `wasi:http` are not: a set of headers may have
//! 128 KiB, a method any length, a body that nobody reads what was written into it. Wasmtime does not tell when they
//! grow, so the table is looked through whenever an epoch ends while the guest runs: in between a guest copies no
//! more than one epoch allows. The instances of a guest that goes beyond its budget end there.

use http::{HeaderMap, HeaderName, HeaderValue};
use std::any::Any;
use wasmtime_wasi::ResourceTable;
use wasmtime_wasi_http::p2::bindings::http::types::{Method, Scheme};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;
use wasmtime_wasi_http::p2::types::{
    HostIncomingResponse, HostOutgoingRequest, HostOutgoingResponse,
};
use wasmtime_wasi_http::{FieldMap, p3};

/// An entry of the table and the smallest of what it stands for, in bytes.
const ENTRY_BYTES: usize = 128;
/// What was written into a body and not read: two chunks of [`crate::host::BODY_CHUNK_BYTES`].
const BODY_BYTES: usize = 2 * crate::host::BODY_CHUNK_BYTES;

/// What the host holds for all of them, in bytes, roughly; and how many they are.
pub(crate) fn of_table(table: &mut ResourceTable) -> (u64, u32) {
    table.iter_mut().fold((0, 0), |(bytes, count), entry| {
        (bytes + (ENTRY_BYTES + of_entry(entry)) as u64, count + 1)
    })
}

fn of_entry(entry: &mut (dyn Any + Send)) -> usize {
    if let Some(fields) = entry.downcast_ref::<FieldMap>() {
        of_fields(fields)
    } else if let Some(request) = entry.downcast_ref::<HostOutgoingRequest>() {
        of_request(request)
    } else if let Some(response) = entry.downcast_ref::<HostOutgoingResponse>() {
        of_fields(&response.headers) + of_body(response.body.as_ref())
    } else if let Some(response) = entry.downcast_ref::<HostIncomingResponse>() {
        of_fields(&response.headers)
    } else if let Some(request) = entry.downcast_ref::<p3::Request>() {
        let path = request
            .path_with_query
            .as_ref()
            .map_or(0, |path| path.as_str().len());
        of_fields(&request.headers) + request.method.as_str().len() + path
    } else if let Some(response) = entry.downcast_ref::<p3::Response>() {
        of_fields(&response.headers)
    } else {
        0
    }
}

fn of_request(request: &HostOutgoingRequest) -> usize {
    let method = match &request.method {
        Method::Other(name) => name.len(),
        _ => 0,
    };
    let scheme = match &request.scheme {
        Some(Scheme::Other(name)) => name.len(),
        _ => 0,
    };
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let target = length(&request.authority) + length(&request.path_with_query);
    method + scheme + target + of_fields(&request.headers) + of_body(request.body.as_ref())
}

/// A body holds its chunks until its reading end goes, which is where they are counted.
fn of_body(body: Option<&HyperOutgoingBody>) -> usize {
    body.map_or(0, |_| BODY_BYTES)
}

fn of_fields(fields: &HeaderMap) -> usize {
    let names: usize = fields.keys().map(|name| name.as_str().len()).sum();
    let values: usize = fields.values().map(HeaderValue::len).sum();
    let entries = fields.len() * (size_of::<HeaderName>() + size_of::<HeaderValue>());
    names + values + entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_count_with_their_names_and_values() {
        let mut table = ResourceTable::new();
        assert_eq!(of_table(&mut table), (0, 0));
        let mut fields = FieldMap::new_mutable(1 << 20);
        let value = HeaderValue::from_bytes(&[b'x'; 100_000]).unwrap();
        fields
            .append_raw(HeaderName::from_static("x-large"), value)
            .unwrap();
        table.push(fields).unwrap();
        table.push("something small").unwrap();
        let (bytes, count) = of_table(&mut table);
        assert!((100_000..101_000).contains(&bytes), "{bytes}");
        assert_eq!(count, 2);
    }
}
