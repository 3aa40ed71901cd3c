//! The signatures of requests between processes: one verifies only if it was made, for this request, and
//! once.

#![no_main]

use arbitrary::Arbitrary;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use libfuzzer_sys::fuzz_target;
use lodge_model::{
    BootId, Claim, ClusterKey, RequestId, SIGNATURE_FIELD, SignatureError, Signer, Verifier,
};
use std::sync::LazyLock;

const FROM: BootId = BootId([1; 16]);
const TO: BootId = BootId([2; 16]);

static KEY: LazyLock<ClusterKey> =
    LazyLock::new(|| ClusterKey::new("a key for fuzzing, of 32 characters or more").expect("long"));
static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::new(&KEY, FROM));

/// Names of fields: those that a signature covers come first.
const NAMES: [&str; 14] = [
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
    "x-lodge-signature",
    "accept",
    "cookie",
    "x-lodge-other",
];
const COVERED: usize = 11;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    method: &'a str,
    target: &'a str,
    fields: Vec<(u8, &'a [u8])>,
    app: Option<&'a str>,
    id: Option<u64>,
    body: Option<&'a [u8]>,
    changes: Vec<Change<'a>>,
}

/// What somebody between the two processes does.
#[derive(Debug, Arbitrary)]
enum Change<'a> {
    Method(&'a str),
    Target(&'a str),
    Insert(u8, &'a [u8]),
    Append(u8, &'a [u8]),
    Remove(u8),
    /// The last byte of one value to the front of the next: the bytes of all values stay the same.
    Shift(u8),
    /// Of the signature's own text, at a place, to a byte.
    Signature(u8, u8),
}

#[derive(Debug, Clone)]
struct Request {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

fuzz_target!(|input: Input<'_>| {
    let Some(mut request) = unsigned(&input) else {
        return;
    };
    let verifier = Verifier::new(&KEY, TO);
    assert!(
        verify(&verifier, &request).is_err(),
        "never signed: {request:?}"
    );

    let app = input.app.and_then(|app| HeaderValue::from_str(app).ok());
    let claim = Claim {
        app: app.as_ref(),
        id: input.id.map(RequestId),
        body: input.body,
    };
    let Request {
        method,
        uri,
        headers,
    } = &mut request;
    SIGNER.to(TO).sign(method, uri, headers, &claim);

    let mut changed = request.clone();
    input
        .changes
        .iter()
        .for_each(|change| apply(&mut changed, change));
    let same = covered(&changed) == covered(&request);
    if !same {
        let verdict = verify(&verifier, &changed);
        assert!(
            verdict.is_err(),
            "{request:?}\nwas changed to\n{changed:?}\nand is believed"
        );
    }
    for other in [Verifier::new(&KEY, FROM), Verifier::new(&other_key(), TO)] {
        assert_eq!(verify(&other, &request), Err(SignatureError::Wrong));
    }
    // What names no app is refused, however well it is signed.
    let valid = input
        .app
        .is_none_or(|text| app.is_none() || text.parse::<lodge_model::AppId>().is_ok());
    let sent = if same { &changed } else { &request };
    match verify(&verifier, sent) {
        Ok(signed) => {
            assert!(valid && signed.sender == FROM);
            assert_eq!(signed.id, input.id.map(RequestId));
            assert_eq!(
                signed.app.as_ref().map(ToString::to_string),
                app.as_ref()
                    .and_then(|app| app.to_str().ok())
                    .map(str::to_owned)
            );
            assert_eq!(signed.covers_body(input.body), input.body.is_some());
            assert_eq!(verify(&verifier, sent), Err(SignatureError::Replayed));
        }
        Err(error) => assert!(!valid, "{error}: {sent:?}"),
    }
});

trait CoversBody {
    fn covers_body(&self, body: Option<&[u8]>) -> bool;
}

impl CoversBody for lodge_model::Signed {
    fn covers_body(&self, body: Option<&[u8]>) -> bool {
        self.covers(body.unwrap_or_default())
    }
}

fn verify(verifier: &Verifier, request: &Request) -> Result<lodge_model::Signed, SignatureError> {
    verifier.verify(&request.method, &request.uri, &request.headers)
}

fn other_key() -> ClusterKey {
    ClusterKey::new("another key for fuzzing, of 32 characters").expect("long")
}

fn unsigned(input: &Input<'_>) -> Option<Request> {
    let mut headers = HeaderMap::new();
    for (name, value) in &input.fields {
        headers.append(field(*name).0, HeaderValue::from_bytes(value).ok()?);
    }
    let uri: Uri = input.target.parse().ok()?;
    Some(Request {
        method: input.method.parse().ok()?,
        uri: uri.authority().is_none().then_some(uri)?,
        headers,
    })
}

fn apply(request: &mut Request, change: &Change<'_>) {
    let value = |bytes: &[u8]| HeaderValue::from_bytes(bytes).ok();
    match change {
        Change::Method(text) => {
            text.parse()
                .map(|method| request.method = method)
                .unwrap_or_default();
        }
        Change::Target(text) => text
            .parse()
            .map(|uri| request.uri = uri)
            .unwrap_or_default(),
        Change::Insert(name, bytes) => {
            _ = value(bytes).map(|value| request.headers.insert(field(*name).0, value));
        }
        Change::Append(name, bytes) => {
            _ = value(bytes).map(|value| request.headers.append(field(*name).0, value));
        }
        Change::Remove(name) => _ = request.headers.remove(field(*name).0),
        Change::Shift(name) => shift(&mut request.headers, &field(*name).0),
        Change::Signature(place, byte) => {
            let Some(signature) = request.headers.get(SIGNATURE_FIELD) else {
                return;
            };
            let mut text = signature.as_bytes().to_vec();
            let place = usize::from(*place) % text.len().max(1);
            text.iter_mut()
                .skip(place)
                .take(1)
                .for_each(|old| *old = *byte);
            _ = value(&text).map(|value| request.headers.insert(SIGNATURE_FIELD, value));
        }
    }
}

fn shift(headers: &mut HeaderMap, name: &HeaderName) {
    let mut values = headers
        .get_all(name)
        .iter()
        .map(|value| value.as_bytes().to_vec());
    let (Some(mut first), Some(mut second)) = (values.next(), values.next()) else {
        return;
    };
    let rest: Vec<Vec<u8>> = values.collect();
    second.splice(0..0, first.pop());
    headers.remove(name);
    for bytes in [first, second].into_iter().chain(rest) {
        // A space at an end is none of the value any more.
        _ = HeaderValue::from_bytes(&bytes).map(|value| headers.append(name, value));
    }
}

/// A field's name, and whether a signature covers it.
fn field(index: u8) -> (HeaderName, bool) {
    let place = usize::from(index) % NAMES.len();
    (HeaderName::from_static(NAMES[place]), place < COVERED)
}

/// All that must be as it was signed, a second time and in another way: as one text. The case of the
/// digits of a signature is nobody's concern.
fn covered(request: &Request) -> String {
    let target = request
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let mut all = format!(
        "{:?} {target:?} {}",
        request.method,
        request.uri.authority().is_some()
    );
    for name in NAMES.iter().take(COVERED) {
        let values: Vec<String> = request
            .headers
            .get_all(*name)
            .iter()
            .map(|value| match *name {
                "x-lodge-signature" => format!("{value:?}").to_ascii_lowercase(),
                _ => format!("{value:?}"),
            })
            .collect();
        all.push_str(&format!(" {name} {values:?}"));
    }
    all
}
