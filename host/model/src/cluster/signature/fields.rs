//! The header fields of a signed request, and what of a request a signature covers.

use super::{HmacSha256, SignatureError};
use crate::{AppId, BootId, RequestId};
use bytes::Bytes;
use hmac::Mac;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use sha2::{Digest, Sha256};

/// The field with the signature itself: version, sender, counter and tag.
pub const SIGNATURE_FIELD: HeaderName = HeaderName::from_static("x-lodge-signature");
const APP: HeaderName = HeaderName::from_static("x-lodge-app");
const REQUEST: HeaderName = HeaderName::from_static("x-lodge-request");
const BODY: HeaderName = HeaderName::from_static("x-lodge-body");

/// How the names of all fields begin that are Lodge's own: no visitor's reaches an app.
pub const OWN_FIELDS: &str = "x-lodge-";

/// Fields that a signature covers, whether they are there or not.
static COVERED: [HeaderName; 10] = [
    header::HOST,
    header::FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-prefix"),
    HeaderName::from_static("x-forwarded-port"),
    APP,
    REQUEST,
    BODY,
];

const TAG_BYTES: usize = 32;
const VERSION: &str = "1";

/// What a signed request says of itself, beside what is in it.
#[derive(Debug, Clone, Default)]
pub struct Claim<'a> {
    /// The app it is for, as a field's value; none: it is for the receiver itself.
    pub app: Option<&'a HeaderValue>,
    /// Its ID, in both processes' logs.
    pub id: Option<RequestId>,
    /// Its whole body, if that is at hand: then it is covered.
    pub body: Option<&'a [u8]>,
}

impl Claim<'_> {
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        put(headers, APP, self.app.cloned());
        let id = self.id.map(|id| hex_value(&id.0.to_be_bytes()));
        put(headers, REQUEST, id);
        let body = self.body.map(|body| hex_value(&Sha256::digest(body)));
        put(headers, BODY, body);
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    match value {
        Some(value) => drop(headers.insert(name, value)),
        None => drop(headers.remove(name)),
    }
}

/// What a genuine request says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Who sent it.
    pub sender: BootId,
    /// The app it is for; none: it is for this process itself.
    pub app: Option<AppId>,
    /// Its ID.
    pub id: Option<RequestId>,
    body: Option<[u8; TAG_BYTES]>,
}

impl Signed {
    pub(super) fn read(sender: BootId, headers: &HeaderMap) -> Result<Self, SignatureError> {
        let text = |name| match headers.get(name) {
            Some(value) => match value.to_str() {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(SignatureError::Malformed),
            },
            None => Ok(None),
        };
        let app = match text(APP)? {
            Some(app) => Some(app.parse().map_err(|_| SignatureError::Malformed)?),
            None => None,
        };
        let id = match text(REQUEST)? {
            Some(id) => Some(RequestId(u64::from_be_bytes(bytes(id)?))),
            None => None,
        };
        let body = match text(BODY)? {
            Some(hash) => Some(bytes(hash)?),
            None => None,
        };
        Ok(Self {
            sender,
            app,
            id,
            body,
        })
    }

    /// Whether the signature covers this body. It covers none that was not at hand when it was made.
    pub fn covers(&self, body: &[u8]) -> bool {
        self.body
            .is_some_and(|hash| hash == <[u8; TAG_BYTES]>::from(Sha256::digest(body)))
    }
}

/// Adds to a MAC what a signature covers, each part with its length before it, so that no two requests
/// give the same bytes.
pub(super) fn cover(
    mac: &mut HmacSha256,
    counter: u64,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) {
    mac.update(&counter.to_be_bytes());
    add(mac, method.as_str().as_bytes());
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    add(mac, target.as_bytes());
    for name in &COVERED {
        let values = headers.get_all(name);
        mac.update(&(values.iter().count() as u64).to_be_bytes());
        for value in values {
            add(mac, value.as_bytes());
        }
    }
}

fn add(mac: &mut HmacSha256, part: &[u8]) {
    mac.update(&(part.len() as u64).to_be_bytes());
    mac.update(part);
}

/// What the signature's own field holds: `1;SENDER;COUNTER;TAG`, the last three in hexadecimal.
pub(super) struct Token {
    pub(super) sender: BootId,
    pub(super) counter: u64,
    pub(super) tag: [u8; TAG_BYTES],
}

impl Token {
    pub(super) fn to_value(&self) -> HeaderValue {
        let mut text = Vec::with_capacity(VERSION.len() + 3 + 2 * (16 + 8 + TAG_BYTES));
        text.extend_from_slice(VERSION.as_bytes());
        for part in [
            &self.sender.0[..],
            &self.counter.to_be_bytes(),
            &self.tag[..],
        ] {
            text.push(b';');
            push_hex(&mut text, part);
        }
        value(text)
    }

    /// Reads the one signature of a request.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, SignatureError> {
        let mut values = headers.get_all(SIGNATURE_FIELD).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(SignatureError::Malformed);
        };
        let text = value.to_str().map_err(|_| SignatureError::Malformed)?;
        let mut parts = text.split(';');
        let mut next = || parts.next().ok_or(SignatureError::Malformed);
        if next()? != VERSION {
            return Err(SignatureError::Malformed);
        }
        let token = Self {
            sender: BootId(bytes(next()?)?),
            counter: u64::from_be_bytes(bytes(next()?)?),
            tag: bytes(next()?)?,
        };
        match parts.next() {
            None => Ok(token),
            Some(_) => Err(SignatureError::Malformed),
        }
    }
}

fn hex_value(bytes: &[u8]) -> HeaderValue {
    let mut text = Vec::with_capacity(2 * bytes.len());
    push_hex(&mut text, bytes);
    value(text)
}

/// A field's value without a copy of its text.
fn value(text: Vec<u8>) -> HeaderValue {
    // Digits, letters and `;` are always a value.
    HeaderValue::from_maybe_shared(Bytes::from(text))
        .unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn push_hex(text: &mut Vec<u8>, bytes: &[u8]) {
    let digit = |half: u8| half + if half < 10 { b'0' } else { b'a' - 10 };
    text.extend(bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]));
}

/// Exactly so many bytes, from hexadecimal.
fn bytes<const N: usize>(text: &str) -> Result<[u8; N], SignatureError> {
    let (pairs, []) = text.as_bytes().as_chunks() else {
        return Err(SignatureError::Malformed);
    };
    if pairs.len() != N {
        return Err(SignatureError::Malformed);
    }
    let mut bytes = [0; N];
    let mut wrong = 0;
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let (high, low) = (half(*high), half(*low));
        wrong |= high | low;
        *byte = (high << 4) | (low & 15);
    }
    match wrong & !15 {
        0 => Ok(bytes),
        _ => Err(SignatureError::Malformed),
    }
}

/// The value of a digit; of anything else, more than 15.
fn half(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => u8::MAX,
    }
}
