//! Tokens: what is signed is accepted, and nothing else is.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use lodge_capabilities::tokens::{AppTokens, CLAIMS_BYTES, MAX_KEYS, TOKEN_BYTES, generate, jwks};
use lodge_model::{Expectations, JwtAlgorithm, JwtKey, Secret, SignOptions, TokenError, Tokens};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const ALL: [JwtAlgorithm; 3] = [
    JwtAlgorithm::HS256,
    JwtAlgorithm::EdDSA,
    JwtAlgorithm::RS256,
];

fn tokens(app: &str, keys: &[JwtKey]) -> AppTokens {
    AppTokens::new(&app.parse().unwrap(), keys).unwrap()
}

fn hs256() -> JwtKey {
    generate(JwtAlgorithm::HS256).unwrap()
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

fn sign(tokens: &AppTokens, claims: &Value) -> String {
    tokens
        .sign(&claims.to_string(), &SignOptions::default())
        .unwrap()
}

fn verify(tokens: &AppTokens, token: &str) -> Result<Value, TokenError> {
    let claims = tokens.verify(token, &Expectations::default())?;
    Ok(serde_json::from_str(&claims).unwrap())
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap()
}

/// A token whose header says what one likes, signed by HMAC with what one likes.
fn forged(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = format!(
        "{}.{}",
        BASE64.encode(header.to_string()),
        BASE64.encode(claims.to_string())
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signature = BASE64.encode(hmac::sign(&key, message.as_bytes()));
    format!("{message}.{signature}")
}

#[test]
fn every_algorithm_signs_what_it_then_accepts() {
    for algorithm in ALL {
        let key = generate(algorithm).unwrap();
        let tokens = tokens("shop", std::slice::from_ref(&key));
        let token = sign(&tokens, &json!({"user": 7, "name": "Ä"}));
        let header = part(&token, 0);
        assert_eq!(header["kid"], json!(key.id));
        assert_eq!(header["alg"], json!(format!("{algorithm:?}")));
        let claims = verify(&tokens, &token).unwrap();
        assert_eq!(
            (&claims["user"], &claims["name"], &claims["iss"]),
            (&json!(7), &json!("Ä"), &json!("shop"))
        );
        let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(lifetime, 3_600);
        assert!((now() - claims["iat"].as_i64().unwrap()).abs() <= 2);
    }
}

#[test]
fn options_fill_in_and_claims_win() {
    let tokens = tokens("shop", &[hs256()]);
    let options = SignOptions {
        expires_in: Some(60),
        not_before_in: Some(0),
        issuer: Some("me".into()),
        audience: Some("you".into()),
        subject: Some("them".into()),
    };
    let claims = part(&tokens.sign("{}", &options).unwrap(), 1);
    assert_eq!(
        (&claims["iss"], &claims["aud"], &claims["sub"]),
        (&json!("me"), &json!("you"), &json!("them"))
    );
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap(),
        60
    );
    let own = json!({"iss": "a", "aud": ["b"], "sub": "c", "exp": 1, "nbf": 2, "iat": 3});
    assert_eq!(
        part(&tokens.sign(&own.to_string(), &options).unwrap(), 1),
        own
    );
}

#[test]
fn a_token_of_one_app_is_nothing_to_another_unless_they_share_the_key() {
    for algorithm in ALL {
        let (mine, yours) = (generate(algorithm).unwrap(), generate(algorithm).unwrap());
        let (shop, blog) = (
            tokens("shop", std::slice::from_ref(&mine)),
            tokens("blog", std::slice::from_ref(&yours)),
        );
        let token = sign(&shop, &json!({}));
        assert_eq!(verify(&blog, &token), Err(TokenError::BadSignature));
        // Even if both keys were given one ID.
        let twin = JwtKey {
            id: mine.id.clone(),
            ..yours
        };
        assert_eq!(
            verify(&tokens("blog", &[twin]), &token),
            Err(TokenError::BadSignature)
        );
        let sharing = tokens("blog", &[mine]);
        assert_eq!(verify(&sharing, &token).unwrap()["iss"], "shop");
        let only_own = Expectations {
            issuer: Some("blog".into()),
            ..Expectations::default()
        };
        assert!(matches!(
            sharing.verify(&token, &only_own),
            Err(TokenError::Unexpected(_))
        ));
    }
}

#[test]
fn the_algorithm_is_the_keys_and_never_the_tokens() {
    let claims = json!({"exp": now() + 60});
    for algorithm in [JwtAlgorithm::EdDSA, JwtAlgorithm::RS256] {
        let key = generate(algorithm).unwrap();
        let app = tokens("shop", std::slice::from_ref(&key));
        let public = jwks(std::slice::from_ref(&key))["keys"][0].clone();
        let public = public
            .get("x")
            .or(public.get("n"))
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned();
        // The public key, which anyone has, taken as an HMAC secret.
        for secret in [public.as_bytes(), &BASE64.decode(&public).unwrap()] {
            for kid in [json!(key.id), Value::Null] {
                let header = json!({"alg": "HS256", "kid": kid});
                let token = forged(&header, &claims, secret);
                assert_eq!(verify(&app, &token), Err(TokenError::BadSignature));
                let lying = json!({"alg": format!("{algorithm:?}"), "kid": kid});
                let token = forged(&lying, &claims, secret);
                assert_eq!(verify(&app, &token), Err(TokenError::BadSignature));
            }
        }
    }
    let key = hs256();
    let secret = BASE64.decode(&key.secret.0).unwrap();
    let app = tokens("shop", std::slice::from_ref(&key));
    let good = json!({"alg": "HS256"});
    verify(&app, &forged(&good, &claims, &secret)).unwrap();
    for alg in ["none", "None", "", "HS384", "RS256", "EdDSA", "hs256"] {
        let token = forged(&json!({"alg": alg, "kid": key.id}), &claims, &secret);
        assert_eq!(verify(&app, &token), Err(TokenError::BadSignature), "{alg}");
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        assert_eq!(
            verify(&app, &unsigned),
            Err(TokenError::BadSignature),
            "{alg}"
        );
    }
}

#[test]
fn a_kid_does_not_move_a_token_to_a_key_of_another_algorithm() {
    let (secret, pair) = (hs256(), generate(JwtAlgorithm::EdDSA).unwrap());
    let app = tokens("shop", &[secret.clone(), pair.clone()]);
    let bytes = BASE64.decode(&secret.secret.0).unwrap();
    let claims = json!({"exp": now() + 60});
    for (alg, kid) in [
        ("HS256", &pair.id),
        ("EdDSA", &secret.id),
        ("EdDSA", &pair.id),
    ] {
        let token = forged(&json!({"alg": alg, "kid": kid}), &claims, &bytes);
        assert_eq!(
            verify(&app, &token),
            Err(TokenError::BadSignature),
            "{alg} {kid}"
        );
    }
    let unknown = forged(&json!({"alg": "HS256", "kid": "x"}), &claims, &bytes);
    assert_eq!(verify(&app, &unknown), Err(TokenError::BadSignature));
    let critical = forged(&json!({"alg": "HS256", "crit": ["b64"]}), &claims, &bytes);
    assert!(matches!(
        verify(&app, &critical),
        Err(TokenError::Malformed(_))
    ));
}

#[test]
fn times_are_checked_within_the_leeway() {
    let app = tokens("shop", &[hs256()]);
    let with = |token: &str, leeway| {
        app.verify(
            token,
            &Expectations {
                leeway,
                ..Expectations::default()
            },
        )
    };
    let expired = sign(&app, &json!({"exp": now() - 100}));
    assert_eq!(with(&expired, 0), Err(TokenError::Expired));
    assert_eq!(with(&expired, 50), Err(TokenError::Expired));
    with(&expired, 300).unwrap();
    let early = sign(&app, &json!({"nbf": now() + 100}));
    assert_eq!(with(&early, 0), Err(TokenError::NotYetValid));
    with(&early, 300).unwrap();
    assert!(
        matches!(with(&early, 301), Err(TokenError::Malformed(_))),
        "300 is the most"
    );
}

#[test]
fn exp_is_required_and_claims_are_of_their_kind() {
    let key = hs256();
    let secret = BASE64.decode(&key.secret.0).unwrap();
    let app = tokens("shop", &[key]);
    let header = json!({"alg": "HS256"});
    for claims in [
        json!({}),
        json!({"exp": "soon"}),
        json!({"exp": null}),
        json!([1, 2]),
        json!("x"),
    ] {
        let refused = verify(&app, &forged(&header, &claims, &secret));
        assert!(
            matches!(refused, Err(TokenError::Malformed(_))),
            "{claims}: {refused:?}"
        );
    }
    for claims in [
        "[]",
        "1",
        "",
        "{",
        "{} {}",
        r#"{"exp": "1"}"#,
        r#"{"exp": -1}"#,
        r#"{"nbf": null}"#,
        r#"{"iss": 1}"#,
        r#"{"aud": [1]}"#,
        r#"{"aud": {}}"#,
        r#"{"sub": []}"#,
    ] {
        let refused = app.sign(claims, &SignOptions::default());
        assert!(matches!(refused, Err(TokenError::Malformed(_))), "{claims}");
    }
}

#[test]
fn issuer_and_audience_must_be_those_expected() {
    let app = tokens("shop", &[hs256()]);
    let expect = |issuer: Option<&str>, audience: Option<&str>| Expectations {
        issuer: issuer.map(Into::into),
        audience: audience.map(Into::into),
        leeway: 0,
    };
    let plain = sign(&app, &json!({}));
    let web = sign(&app, &json!({"aud": ["web", "cli"]}));
    app.verify(&plain, &expect(Some("shop"), None)).unwrap();
    app.verify(&web, &expect(None, Some("cli"))).unwrap();
    for (token, expected) in [
        (&plain, expect(Some("blog"), None)),
        (&plain, expect(None, Some("web"))),
        (&web, expect(None, None)),
        (&web, expect(None, Some("admin"))),
    ] {
        let refused = app.verify(token, &expected);
        assert!(
            matches!(refused, Err(TokenError::Unexpected(_))),
            "{expected:?}"
        );
    }
}

#[test]
fn a_rotated_key_verifies_until_it_is_retired() {
    for algorithm in ALL {
        let old = generate(algorithm).unwrap();
        let token = sign(&tokens("shop", std::slice::from_ref(&old)), &json!({}));
        let new = generate(algorithm).unwrap();
        let retiring = |at| {
            [
                new.clone(),
                JwtKey {
                    retired_at: Some(at),
                    ..old.clone()
                },
            ]
        };
        let overlap = tokens("shop", &retiring(now() + 100));
        verify(&overlap, &token).unwrap();
        let fresh = sign(&overlap, &json!({}));
        assert_eq!(part(&fresh, 0)["kid"], json!(new.id), "the first signs");
        let over = tokens("shop", &retiring(now()));
        assert_eq!(verify(&over, &token), Err(TokenError::BadSignature));
        verify(&over, &fresh).unwrap();
    }
    let retired = JwtKey {
        retired_at: Some(1),
        ..hs256()
    };
    let refused = tokens("shop", &[retired]).sign("{}", &SignOptions::default());
    assert!(matches!(refused, Err(TokenError::Unavailable(_))));
}

#[test]
fn sizes_are_bounded() {
    let app = tokens("shop", &[hs256()]);
    let filler = |bytes: usize| json!({"x": "y".repeat(bytes - 8)}).to_string();
    assert_eq!(filler(CLAIMS_BYTES).len(), CLAIMS_BYTES);
    let token = app
        .sign(&filler(CLAIMS_BYTES), &SignOptions::default())
        .unwrap();
    verify(&app, &token).unwrap();
    let refused = app.sign(&filler(CLAIMS_BYTES + 1), &SignOptions::default());
    assert!(matches!(refused, Err(TokenError::Malformed(_))));
    let issuer = SignOptions {
        issuer: Some("i".repeat(TOKEN_BYTES)),
        ..SignOptions::default()
    };
    assert!(matches!(
        app.sign("{}", &issuer),
        Err(TokenError::Malformed(_))
    ));
    let padded = format!("{token}{}", "A".repeat(TOKEN_BYTES));
    assert!(matches!(
        verify(&app, &padded),
        Err(TokenError::Malformed(_))
    ));
    for broken in [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        &token[..40],
        &format!("{token}.x"),
    ] {
        let refused = verify(&app, broken);
        assert!(refused.is_err(), "{broken}");
    }
    let many = vec![hs256(); MAX_KEYS + 1];
    assert!(AppTokens::new(&"shop".parse().unwrap(), &many).is_err());
}

#[test]
fn a_changed_token_is_refused() {
    for algorithm in ALL {
        let app = tokens("shop", &[generate(algorithm).unwrap()]);
        let token = sign(&app, &json!({"admin": false}));
        let parts: Vec<&str> = token.split('.').collect();
        let raised = BASE64.encode(json!({"admin": true, "exp": now() + 60}).to_string());
        let changed = format!("{}.{raised}.{}", parts[0], parts[2]);
        assert_eq!(verify(&app, &changed), Err(TokenError::BadSignature));
    }
}

#[test]
fn only_public_keys_in_force_are_published() {
    let keys: Vec<JwtKey> = ALL
        .into_iter()
        .map(|algorithm| generate(algorithm).unwrap())
        .collect();
    let set = jwks(&keys);
    let published = set["keys"].as_array().unwrap();
    assert_eq!(published.len(), 2);
    for (key, (kty, fields)) in published.iter().zip([
        ("OKP", ["alg", "crv", "kid", "kty", "use", "x"]),
        ("RSA", ["alg", "e", "kid", "kty", "n", "use"]),
    ]) {
        assert_eq!(key["kty"], kty);
        let mut names: Vec<_> = key.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, fields, "nothing private");
    }
    let modulus = BASE64.decode(published[1]["n"].as_str().unwrap()).unwrap();
    assert_eq!(modulus.len(), 256);
    let retired = JwtKey {
        retired_at: Some(now()),
        ..keys[1].clone()
    };
    assert_eq!(jwks(&[retired])["keys"], json!([]));
}

#[test]
fn unusable_keys_are_told_without_their_secret() {
    let secret = "c2hvcnQ-secret";
    for algorithm in ALL {
        let key = JwtKey {
            id: "k1".into(),
            algorithm,
            secret: Secret(secret.into()),
            retired_at: None,
        };
        let Err(error) = AppTokens::new(&"shop".parse().unwrap(), &[key]) else {
            panic!("{algorithm:?} took a broken key");
        };
        let text = error.to_string();
        assert!(text.contains("`k1`") && !text.contains(secret), "{text}");
    }
    let mixed = JwtKey {
        algorithm: JwtAlgorithm::RS256,
        ..generate(JwtAlgorithm::EdDSA).unwrap()
    };
    assert!(AppTokens::new(&"shop".parse().unwrap(), &[mixed]).is_err());
    assert!(!format!("{:?}", hs256()).contains(&hs256().secret.0));
}
