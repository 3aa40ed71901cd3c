//! Outgoing HTTP of both worlds: streams both ways, and errors that a guest can tell apart.

use super::bed::{Bed, get, get_at_depth};
use lodge_model::{CallDepth, OutboundError};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn bodies_stream_both_ways_at_once() {
    let bed = Bed::new();
    for guest in ["capable-p2", "capable-p3"] {
        let app = bed.start(guest).await;
        bed.seen().events();
        let answered = get(&app, "/fetch?to=api.test:8080&pieces=50").await;
        assert_eq!(answered.as_deref(), Ok("200"), "{guest}");
        assert_eq!(bed.seen().events(), ["POST http://api.test:8080/echo"]);
        let empty = get(&app, "/fetch?to=api.test&pieces=0").await;
        assert_eq!(empty.as_deref(), Ok("200"), "{guest}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_know_their_depth_and_their_timeouts() {
    let bed = Bed::new();
    for guest in ["capable-p2", "capable-p3"] {
        let app = bed.start(guest).await;
        let path = "/fetch?to=api.test&first_byte_ms=1234";
        get_at_depth(&app, path, Some(CallDepth(3))).await.unwrap();
        let options = bed.seen().options.lock().take().unwrap();
        assert_eq!(options.depth, CallDepth(3), "{guest}");
        if guest == "capable-p2" {
            assert_eq!(
                options.first_byte_timeout,
                Some(Duration::from_millis(1234))
            );
        }
        assert_eq!(options.connect_timeout, None);
        // The next request on the same instance is no deeper than it is.
        get(&app, path).await.unwrap();
        let options = bed.seen().options.lock().take().unwrap();
        assert_eq!(options.depth, CallDepth(0), "{guest}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_learns_why_a_call_failed() {
    use OutboundError as E;
    let bed = Bed::new();
    let text = || "the reason".to_owned();
    for guest in ["capable-p2", "capable-p3"] {
        let app = bed.start(guest).await;
        for (error, code) in [
            (E::Denied(text()), "HttpRequestDenied"),
            (E::NameNotFound(text()), "DnsError"),
            (E::Refused(text()), "ConnectionRefused"),
            (E::TimedOut(text()), "HttpResponseTimeout"),
            (E::Protocol(text()), "HttpProtocolError"),
            (E::Tls(text()), "TlsProtocolError"),
            (E::LimitExceeded(text()), "the reason"),
            (E::Malformed(text()), "HttpRequestUriInvalid"),
            (E::Host(text()), "InternalError"),
        ] {
            *bed.provider.outbound.lock() = Some(error);
            let told = get(&app, "/fetch?to=api.test").await.unwrap();
            assert!(told.contains(code), "{guest} {code}: {told}");
        }
        *bed.provider.outbound.lock() = None;
    }
}
