use super::*;
use crate::RequestId;
use http::{HeaderName, HeaderValue, Request};
use senders::{KEPT, NAMED};

const KEY: &str = "a key for tests, of 32 characters or more";

fn key() -> ClusterKey {
    ClusterKey::new(KEY).unwrap()
}

fn boot(n: u64) -> BootId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    BootId(bytes)
}

fn request() -> Request<()> {
    Request::get("/a?b=c")
        .header("host", "shop.example.com")
        .header("x-forwarded-for", "192.0.2.1")
        .header("accept", "*/*")
        .body(())
        .unwrap()
}

fn sign(signing: &Signing, request: &mut Request<()>, claim: &Claim<'_>) {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    signing.sign(&method, &uri, request.headers_mut(), claim);
}

fn signed(signing: &Signing) -> Request<()> {
    let mut request = request();
    let app = HeaderValue::from_static("shop");
    let claim = Claim {
        app: Some(&app),
        id: Some(RequestId(7)),
        body: None,
    };
    sign(signing, &mut request, &claim);
    request
}

fn verify(verifier: &Verifier, request: &Request<()>) -> Result<Signed, SignatureError> {
    verifier.verify(request.method(), request.uri(), request.headers())
}

#[test]
fn a_request_counts_once_for_the_run_that_it_is_signed_for() {
    let signer = Signer::new(&key(), boot(1));
    let request = signed(&signer.to(boot(2)));
    let verifier = Verifier::new(&key(), boot(2));
    let claims = verify(&verifier, &request).unwrap();
    assert_eq!(claims.sender, boot(1));
    assert_eq!(claims.app, Some("shop".parse().unwrap()));
    assert_eq!(claims.id, Some(RequestId(7)));
    assert!(!claims.covers(b""));
    assert_eq!(verify(&verifier, &request), Err(SignatureError::Replayed));
    // The next run of the receiver, and a process of another cluster.
    let later = Verifier::new(&key(), boot(3));
    assert_eq!(verify(&later, &request), Err(SignatureError::Wrong));
    let other = ClusterKey::new("another key for tests, as long as it must be").unwrap();
    let other = Verifier::new(&other, boot(2));
    assert_eq!(verify(&other, &request), Err(SignatureError::Wrong));
}

#[test]
fn what_is_covered_cannot_be_changed() {
    let signer = Signer::new(&key(), boot(1));
    let signing = signer.to(boot(2));
    let verifier = Verifier::new(&key(), boot(2));
    let wrong = |what: &str, change: fn(&mut Request<()>)| {
        let mut request = signed(&signing);
        change(&mut request);
        assert_eq!(
            verify(&verifier, &request),
            Err(SignatureError::Wrong),
            "{what}"
        );
    };
    wrong("method", |r| *r.method_mut() = Method::POST);
    wrong("path", |r| *r.uri_mut() = Uri::from_static("/b?b=c"));
    wrong("query", |r| *r.uri_mut() = Uri::from_static("/a?b=d"));
    for name in [
        "host",
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-prefix",
        "x-forwarded-port",
        "x-lodge-app",
        "x-lodge-request",
        "x-lodge-body",
    ] {
        let name = HeaderName::from_static(name);
        let mut request = signed(&signing);
        request
            .headers_mut()
            .append(&name, HeaderValue::from_static("1"));
        assert_eq!(
            verify(&verifier, &request),
            Err(SignatureError::Wrong),
            "{name}"
        );
        let mut request = signed(&signing);
        if request.headers_mut().remove(&name).is_some() {
            assert_eq!(
                verify(&verifier, &request),
                Err(SignatureError::Wrong),
                "{name}"
            );
        }
    }
    // Another sender's name, another counter, another tag.
    for at in [2, 40, 60] {
        let mut request = signed(&signing);
        let mut token = request.headers()[SIGNATURE_FIELD]
            .to_str()
            .unwrap()
            .to_owned();
        let digit = if &token[at..=at] == "0" { "1" } else { "0" };
        token.replace_range(at..=at, digit);
        request
            .headers_mut()
            .insert(SIGNATURE_FIELD, token.parse().unwrap());
        assert_eq!(
            verify(&verifier, &request),
            Err(SignatureError::Wrong),
            "{at}"
        );
    }
    // What is not covered may change: hops add and take fields.
    let mut request = signed(&signing);
    request.headers_mut().remove("accept");
    assert!(verify(&verifier, &request).is_ok());
}

#[test]
fn fields_that_are_none_are_refused() {
    let signer = Signer::new(&key(), boot(1));
    let verifier = Verifier::new(&key(), boot(2));
    let tag = "0".repeat(64);
    let beside_digits = ["/", ":", "@", "G", "`", "g", "é"];
    let wrong = beside_digits.map(|wrong| {
        let counter = format!("{wrong:0>width$}", width = 17 - wrong.len());
        format!("1;{0};{counter};{tag}", boot(1))
    });
    for bad in wrong.into_iter().chain([
        String::new(),
        "1".into(),
        format!("2;{0};{1};{tag}", boot(1), "0".repeat(16)),
        format!("1;{0};{1};{tag};", boot(1), "0".repeat(16)),
        format!("1;{0};{1};{tag}0", boot(1), "0".repeat(16)),
        format!("1;{0};zz;{tag}", boot(1)),
    ]) {
        let mut request = signed(&signer.to(boot(2)));
        request
            .headers_mut()
            .insert(SIGNATURE_FIELD, bad.parse().unwrap());
        assert_eq!(
            verify(&verifier, &request),
            Err(SignatureError::Malformed),
            "{bad}"
        );
    }
    let mut request = signed(&signer.to(boot(2)));
    let again = request.headers()[SIGNATURE_FIELD].clone();
    request.headers_mut().append(SIGNATURE_FIELD, again);
    assert_eq!(verify(&verifier, &request), Err(SignatureError::Malformed));
    let mut request = signed(&signer.to(boot(2)));
    *request.uri_mut() = Uri::from_static("http://elsewhere/a?b=c");
    assert_eq!(verify(&verifier, &request), Err(SignatureError::Malformed));
    assert_eq!(
        verify(&verifier, &self::request()),
        Err(SignatureError::Malformed)
    );
}

#[test]
fn a_body_at_hand_is_covered() {
    let signer = Signer::new(&key(), boot(1));
    let mut request = request();
    let claim = Claim {
        body: Some(b"question"),
        ..Claim::default()
    };
    sign(&signer.to(boot(2)), &mut request, &claim);
    let signed = verify(&Verifier::new(&key(), boot(2)), &request).unwrap();
    assert!(signed.covers(b"question") && !signed.covers(b"") && !signed.covers(b"another"));
    assert_eq!((signed.app, signed.id), (None, None));
}

#[test]
fn a_visitors_claims_are_replaced() {
    let signer = Signer::new(&key(), boot(1));
    let mut request = request();
    for name in ["x-lodge-app", "x-lodge-request", "x-lodge-body"] {
        request
            .headers_mut()
            .append(name, HeaderValue::from_static("forged"));
    }
    sign(&signer.to(boot(2)), &mut request, &Claim::default());
    let signed = verify(&Verifier::new(&key(), boot(2)), &request).unwrap();
    assert_eq!((signed.app, signed.id), (None, None));
}

#[test]
fn a_forgotten_receivers_counters_never_come_again() {
    let signer = Signer::new(&key(), boot(1));
    let verifier = Verifier::new(&key(), boot(2));
    for _ in 0..3 {
        assert!(verify(&verifier, &signed(&signer.to(boot(2)))).is_ok());
    }
    for n in 0..2 * MANY_RECEIVERS as u64 {
        signer.to(boot(1000 + n));
    }
    assert!(signer.receivers.lock().known.len() <= MANY_RECEIVERS);
    assert!(verify(&verifier, &signed(&signer.to(boot(2)))).is_ok());
}

#[test]
fn senders_beyond_the_bound_replace_the_silent_ones_for_good() {
    let verifier = Verifier::new(&key(), boot(0));
    let of = |n: u64| Signer::new(&key(), boot(n)).to(boot(0));
    let (busy, silent) = (of(1), of(2));
    let old = signed(&silent);
    assert!(verify(&verifier, &old).is_ok());
    for n in 3..KEPT as u64 + 3 {
        assert!(verify(&verifier, &signed(&busy)).is_ok(), "{n}");
        assert!(verify(&verifier, &signed(&of(n))).is_ok(), "{n}");
    }
    // Neither a replay nor a new request of one that was put aside.
    assert_eq!(verify(&verifier, &old), Err(SignatureError::Replayed));
    assert_eq!(
        verify(&verifier, &signed(&silent)),
        Err(SignatureError::Replayed)
    );
    assert!(verify(&verifier, &signed(&busy)).is_ok());
}

#[test]
fn the_names_of_senders_have_a_bound() {
    let senders = Senders::default();
    let mac = HmacSha256::new_from_slice(b"any").unwrap();
    for n in 0..(KEPT + NAMED) as u64 {
        assert!(senders.admit(boot(n), mac.clone()).is_ok(), "{n}");
    }
    let refused = senders.admit(boot(u64::MAX), mac).err();
    assert_eq!(refused, Some(SignatureError::TooManySenders));
}

/// How long one request takes to sign and to verify: `cargo test --release -p lodge-model -- --ignored
/// --nocapture what_a_signature_costs`.
#[test]
#[ignore = "a measurement"]
fn what_a_signature_costs() {
    const ROUNDS: u32 = 40_000;
    let signing = Signer::new(&key(), boot(1)).to(boot(2));
    let verifier = Verifier::new(&key(), boot(2));
    let app = HeaderValue::from_static("shop");
    let claim = Claim {
        app: Some(&app),
        id: Some(RequestId(7)),
        body: None,
    };
    let mut requests: Vec<_> = (0..ROUNDS).map(|_| request()).collect();
    let begin = std::time::Instant::now();
    for request in &mut requests {
        sign(&signing, request, &claim);
    }
    let signed = begin.elapsed() / ROUNDS;
    let begin = std::time::Instant::now();
    assert!(requests.iter().all(|r| verify(&verifier, r).is_ok()));
    let verified = begin.elapsed() / ROUNDS;
    println!("signed in {signed:?}, verified in {verified:?}");
}
