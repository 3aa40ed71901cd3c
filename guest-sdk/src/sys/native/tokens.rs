//! Tokens by a key of the test's (HS256).

use crate::jwt::{Error, Expected, Options};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use sha2::Sha256;
use std::time::{SystemTime, UNIX_EPOCH};

const KEY: &[u8] = b"the key of a test, which signs nothing else";
const HOUR: u32 = 3_600;

pub(super) fn sign(claims: &str, options: &Options) -> Result<String, Error> {
    let malformed = |e: serde_json::Error| Error::Malformed(e.to_string());
    let mut claims: Map<String, Value> = serde_json::from_str(claims).map_err(malformed)?;
    let now = now();
    let mut fill = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            claims.entry(name).or_insert(value);
        }
    };
    let expires = now + u64::from(options.expires_in.unwrap_or(HOUR));
    fill("iat", Some(json!(now)));
    fill("exp", Some(json!(expires)));
    let not_before = options.not_before_in;
    fill("nbf", not_before.map(|after| json!(now + u64::from(after))));
    let issuer = options.issuer.clone().unwrap_or_else(|| "test".into());
    fill("iss", Some(json!(issuer)));
    fill("aud", options.audience.clone().map(Value::from));
    fill("sub", options.subject.clone().map(Value::from));
    let head = BASE64.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let claims = BASE64.encode(Value::from(claims).to_string());
    let text = format!("{head}.{claims}");
    let signature = BASE64.encode(mac(&text).finalize().into_bytes());
    Ok(format!("{text}.{signature}"))
}

pub(super) fn verify(token: &str, expected: &Expected) -> Result<String, Error> {
    let malformed = || Error::Malformed("not a token".into());
    let (text, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
    let signature = BASE64.decode(signature).map_err(|_| Error::BadSignature)?;
    let genuine = mac(text).verify_slice(&signature);
    genuine.map_err(|_| Error::BadSignature)?;
    let (_, claims) = text.split_once('.').ok_or_else(malformed)?;
    let claims = BASE64.decode(claims).map_err(|_| malformed())?;
    let claims = String::from_utf8(claims).map_err(|_| malformed())?;
    let read: Value = serde_json::from_str(&claims).map_err(|_| malformed())?;
    let (now, leeway) = (now(), u64::from(expected.leeway));
    if read["exp"].as_u64().is_none_or(|exp| exp + leeway <= now) {
        return Err(Error::Expired);
    }
    if read["nbf"].as_u64().is_some_and(|nbf| nbf > now + leeway) {
        return Err(Error::NotYetValid);
    }
    for (name, wanted) in [("iss", &expected.issuer), ("aud", &expected.audience)] {
        let said = read[name].as_str();
        let fits = match wanted {
            Some(wanted) => said == Some(wanted),
            None => name == "iss" || said.is_none(),
        };
        if !fits {
            return Err(Error::Unexpected(format!("`{name}` is another")));
        }
    }
    Ok(claims)
}

fn mac(text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).expect("a key of any length will do");
    mac.update(text.as_bytes());
    mac
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_verifies_as_at_a_host() {
        let token = sign(r#"{"a":1}"#, &Options::default()).unwrap();
        let claims = verify(&token, &Expected::default()).unwrap();
        assert!(claims.contains("\"a\":1"));
        let old = sign(r#"{"exp":1}"#, &Options::default()).unwrap();
        assert_eq!(verify(&old, &Expected::default()), Err(Error::Expired));
        let changed = verify(&format!("{token}x"), &Expected::default());
        assert_eq!(changed, Err(Error::BadSignature));
        let audience = Expected {
            audience: Some("other".into()),
            ..Expected::default()
        };
        let other = verify(&token, &audience);
        assert!(matches!(other, Err(Error::Unexpected(_))));
    }
}
