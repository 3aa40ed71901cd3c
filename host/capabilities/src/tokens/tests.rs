use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lodge_model::{JwtAlgorithm, Secret};
use serde_json::json;

fn hs256(id: &str, secret: &[u8; 32]) -> JwtKey {
    JwtKey {
        id: id.to_owned(),
        algorithm: JwtAlgorithm::HS256,
        secret: Secret(URL_SAFE_NO_PAD.encode(secret)),
        retired_at: None,
    }
}

fn tokens(app: &str, keys: &[JwtKey]) -> AppTokens {
    AppTokens::new(&app.parse().unwrap(), keys).unwrap()
}

fn verify(tokens: &AppTokens, token: &str) -> Result<Value, TokenError> {
    tokens
        .verify(token, &Expectations::default())
        .map(|claims| serde_json::from_str(&claims).unwrap())
}

/// A token made by hand: whatever header, signed with this secret by HMAC, or not at all.
fn forged(header: &Value, claims: &Value, secret: Option<&[u8]>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let content = format!("{}.{}", part(header), part(claims));
    let signature = secret.map(|secret| {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
        URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, content.as_bytes()))
    });
    format!("{content}.{}", signature.unwrap_or_default())
}

#[test]
fn an_app_verifies_its_own_and_fills_in_what_is_missing() {
    let own = tokens("shop", &[hs256("k1", &[1; 32])]);
    let token = own
        .sign(r#"{"role":"admin"}"#, &SignOptions::default())
        .unwrap();
    let claims = verify(&own, &token).unwrap();
    assert_eq!(
        (&claims["role"], &claims["iss"]),
        (&json!("admin"), &json!("shop"))
    );
    let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(life, i64::from(DEFAULT_EXPIRES_IN));
}

#[test]
fn no_app_verifies_anothers_unless_they_share_a_key() {
    let (one, other) = (
        tokens("one", &[hs256("k", &[1; 32])]),
        tokens("other", &[hs256("k", &[2; 32])]),
    );
    let token = one.sign("{}", &SignOptions::default()).unwrap();
    assert_eq!(verify(&other, &token), Err(TokenError::BadSignature));
    let shared = [hs256("shared", &[3; 32])];
    let token = tokens("one", &shared)
        .sign("{}", &SignOptions::default())
        .unwrap();
    assert_eq!(
        verify(&tokens("other", &shared), &token).unwrap()["iss"],
        "one"
    );
}

#[test]
fn neither_none_nor_another_algorithm_gets_through() {
    let own = tokens("shop", &[hs256("k", &[1; 32])]);
    let claims = json!({ "exp": now() + 60 });
    let good = json!({ "alg": "HS256", "kid": "k" });
    assert!(verify(&own, &forged(&good, &claims, Some(&[1; 32]))).is_ok());
    for header in [
        json!({ "alg": "none", "kid": "k" }),
        json!({ "alg": "HS512", "kid": "k" }),
        json!({ "alg": "RS256", "kid": "k" }),
        json!({ "alg": "HS256", "kid": "unknown" }),
    ] {
        for secret in [None, Some(&[1; 32][..])] {
            let token = forged(&header, &claims, secret);
            assert!(verify(&own, &token).is_err(), "{header} {secret:?}");
        }
    }
    assert_eq!(
        verify(&own, &forged(&good, &claims, None)),
        Err(TokenError::BadSignature)
    );
}

#[test]
fn times_issuer_and_audience_are_checked() {
    let own = tokens("shop", &[hs256("k", &[1; 32])]);
    let header = json!({ "alg": "HS256", "kid": "k" });
    let signed = |claims: Value| forged(&header, &claims, Some(&[1; 32]));
    let late = signed(json!({ "exp": now() - 10 }));
    assert_eq!(verify(&own, &late), Err(TokenError::Expired));
    let lenient = Expectations {
        leeway: 60,
        ..Expectations::default()
    };
    assert!(own.verify(&late, &lenient).is_ok());
    let forever = Expectations {
        leeway: u32::MAX,
        ..Expectations::default()
    };
    let refused = own.verify(&late, &forever);
    assert!(
        matches!(refused, Err(TokenError::Malformed(_))),
        "{refused:?}"
    );
    let early = signed(json!({ "exp": now() + 60, "nbf": now() + 30 }));
    assert_eq!(verify(&own, &early), Err(TokenError::NotYetValid));
    assert!(matches!(
        verify(&own, &signed(json!({}))),
        Err(TokenError::Malformed(_))
    ));
    let to = SignOptions {
        audience: Some("mail".into()),
        ..SignOptions::default()
    };
    let token = own.sign("{}", &to).unwrap();
    assert!(matches!(
        verify(&own, &token),
        Err(TokenError::Unexpected(_))
    ));
    let expects = |issuer: Option<&str>, audience: &str| Expectations {
        issuer: issuer.map(str::to_owned),
        audience: Some(audience.into()),
        leeway: 0,
    };
    assert!(own.verify(&token, &expects(Some("shop"), "mail")).is_ok());
    for wrong in [expects(Some("desk"), "mail"), expects(None, "calendar")] {
        assert!(matches!(
            own.verify(&token, &wrong),
            Err(TokenError::Unexpected(_))
        ));
    }
}

#[test]
fn a_rotated_key_verifies_until_it_retires() {
    let (old, new) = (hs256("old", &[1; 32]), hs256("new", &[2; 32]));
    let token = tokens("shop", std::slice::from_ref(&old))
        .sign("{}", &SignOptions::default())
        .unwrap();
    let retiring = |at| JwtKey {
        retired_at: Some(at),
        ..old.clone()
    };
    let overlap = tokens("shop", &[new.clone(), retiring(now() + 60)]);
    assert!(verify(&overlap, &token).is_ok());
    let fresh = overlap.sign("{}", &SignOptions::default()).unwrap();
    assert!(verify(&tokens("shop", std::slice::from_ref(&new)), &fresh).is_ok());
    let over = tokens("shop", &[new, retiring(now() - 1)]);
    assert_eq!(verify(&over, &token), Err(TokenError::BadSignature));
}

#[test]
fn sizes_are_bounded() {
    let own = tokens("shop", &[hs256("k", &[1; 32])]);
    let large = json!({ "x": "x".repeat(CLAIMS_BYTES) }).to_string();
    assert!(matches!(
        own.sign(&large, &SignOptions::default()),
        Err(TokenError::Malformed(_))
    ));
    assert!(matches!(
        verify(&own, &"x".repeat(TOKEN_BYTES + 1)),
        Err(TokenError::Malformed(_))
    ));
    assert!(matches!(
        own.sign("[]", &SignOptions::default()),
        Err(TokenError::Malformed(_))
    ));
}

#[test]
fn every_algorithm_signs_and_its_public_half_is_published() {
    for algorithm in [
        JwtAlgorithm::HS256,
        JwtAlgorithm::EdDSA,
        JwtAlgorithm::RS256,
    ] {
        let key = generate(algorithm).unwrap();
        let own = tokens("shop", std::slice::from_ref(&key));
        let token = own.sign("{}", &SignOptions::default()).unwrap();
        verify(&own, &token).unwrap();
        let other = tokens("shop", &[generate(algorithm).unwrap()]);
        assert_eq!(verify(&other, &token), Err(TokenError::BadSignature));
        let published = jwks(std::slice::from_ref(&key));
        let count = usize::from(algorithm != JwtAlgorithm::HS256);
        assert_eq!(published["keys"].as_array().unwrap().len(), count);
        assert!(
            !published
                .to_string()
                .contains(key.secret.0.lines().nth(1).unwrap_or(&key.secret.0))
        );
    }
}

#[test]
fn a_public_key_is_no_secret_to_sign_with() {
    let key = generate(JwtAlgorithm::EdDSA).unwrap();
    let own = tokens("shop", std::slice::from_ref(&key));
    let public = jwks(std::slice::from_ref(&key))["keys"][0]["x"].clone();
    let public = public.as_str().unwrap().to_owned();
    let header = json!({ "alg": "HS256", "kid": key.id });
    let claims = json!({ "exp": now() + 60 });
    let raw = URL_SAFE_NO_PAD.decode(&public).unwrap();
    for secret in [public.as_bytes(), raw.as_slice()] {
        let token = forged(&header, &claims, Some(secret));
        assert!(verify(&own, &token).is_err());
    }
}
