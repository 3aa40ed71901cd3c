//! Apps' tokens: whose they are, who can verify them, and what they do not open.

use crate::capabilities::{refused, told};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use lodge_harness::{EMAIL, Host, Visit, eventually};
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn tokens_of_one_app_are_worth_nothing_in_another_unless_they_share() {
    let mut host = Host::start();
    host.deploy("capable-p2", "one");
    host.deploy("capable-p2", "two");
    for app in ["red", "blue"] {
        host.deploy_with(
            "capable-p2",
            app,
            json!({ "jwt": { "independent": false } }),
        );
    }
    let token = |app: &str| told(&host, app, "/sign", &[("claims", r#"{"role":"admin"}"#)]);
    let (one, red) = (token("one"), token("red"));
    assert!(told(&host, "one", "/verify", &[("token", &one)]).contains("admin"));
    for other in ["two", "red"] {
        let answer = refused(&host, other, "/verify", &[("token", &one)]);
        assert!(answer.contains("BadSignature"), "{answer}");
    }
    let claims = told(&host, "blue", "/verify", &[("token", &red)]);
    assert!(claims.contains(r#""iss":"red""#), "{claims}");
    assert!(refused(&host, "one", "/verify", &[("token", &red)]).contains("BadSignature"));
    host.kill();
    host.start_again();
    told(&host, "one", "/verify", &[("token", &one)]);
    // An app that is made again under the same ID is another app.
    host.api().delete("/api/apps/one").expect(202);
    eventually("it is gone", Duration::from_secs(10), || {
        (host.api().get("/api/apps/one").status == 404).then_some(())
    });
    host.deploy("capable-p2", "one");
    assert!(refused(&host, "one", "/verify", &[("token", &one)]).contains("BadSignature"));
}

/// The public keys of an app, as anyone gets them.
fn public_keys(host: &Host, app: &str) -> JwkSet {
    let path = format!("/.well-known/lodge/{app}/jwks.json");
    let reply = Visit::new(host.apps, "127.0.0.1", &path).send();
    assert_eq!(reply.status, 200, "{}", reply.text());
    serde_json::from_str(&reply.text()).unwrap()
}

/// The claims of a token that one of the keys verifies.
fn verified(keys: &JwkSet, token: &str) -> Option<Value> {
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let key = DecodingKey::from_jwk(keys.find(&kid)?).unwrap();
    let expected = Validation::new(Algorithm::EdDSA);
    let read = jsonwebtoken::decode(token, &key, &expected);
    Some(read.unwrap().claims)
}

#[test]
fn anyone_verifies_an_apps_tokens_by_its_public_keys() {
    let mut host = Host::start();
    let fields = json!({ "jwt": { "algorithm": "EdDSA" } });
    host.deploy_with("capable-p2", "shop", fields);
    let token = |host: &Host| told(host, "shop", "/sign", &[("claims", r#"{"sub":"Ada"}"#)]);
    let old = token(&host);
    let before = public_keys(&host, "shop");
    assert_eq!(before.keys.len(), 1);
    assert_eq!(verified(&before, &old).unwrap()["sub"], "Ada");
    let (head, rest) = old.split_at(old.rfind('.').unwrap() + 3);
    let other = if rest.starts_with('A') { 'B' } else { 'A' };
    let forged = format!("{head}{other}{}", &rest[1..]);
    assert!(std::panic::catch_unwind(|| verified(&before, &forged)).is_err());
    // Both are in the set through the overlap; who has only the old set does not know the new key.
    assert_eq!(host.api().act("shop", "jwt/rotate")["status"], "succeeded");
    let after = eventually("the new key is public", Duration::from_secs(10), || {
        let after = public_keys(&host, "shop");
        (after.keys.len() == 2).then_some(after)
    });
    let new = token(&host);
    assert_eq!(verified(&before, &new), None);
    for token in [&old, &new] {
        assert_eq!(verified(&after, token).unwrap()["sub"], "Ada");
    }
    let none = json!({ "overlap_seconds": 0 });
    host.api()
        .post("/api/apps/shop/jwt/rotate", &none)
        .expect(202);
    eventually("the old keys are gone", Duration::from_secs(10), || {
        let last = public_keys(&host, "shop");
        (last.keys.len() == 1 && verified(&last, &new).is_none()).then_some(())
    });
}

#[test]
fn an_apps_token_opens_nothing_of_the_admin_api() {
    let mut host = Host::start();
    host.deploy("capable-p2", "own");
    let sharing = json!({ "jwt": { "independent": false } });
    host.deploy_with("capable-p2", "sharing", sharing);
    let claims = json!({ "sub": EMAIL, "email": EMAIL, "role": "root" }).to_string();
    for app in ["own", "sharing"] {
        let token = told(&host, app, "/sign", &[("claims", &claims)]);
        let ways = [
            ("authorization", format!("Bearer {token}")),
            ("cookie", format!("lodge_session={token}")),
        ];
        for (name, value) in &ways {
            for path in [
                "/api/auth/me",
                "/api/apps",
                "/api/apps/own/jwt",
                "/api/settings",
            ] {
                let reply = Visit::new(host.admin, "localhost", path)
                    .header(name, value)
                    .send();
                assert_eq!(reply.status, 401, "{app} {name} {path}: {}", reply.text());
            }
            let start = Visit::new(host.admin, "localhost", "/api/apps/own/start");
            assert_eq!(start.method("POST").header(name, value).send().status, 401);
        }
    }
    let path = "/api/auth/me";
    let token = host.api().authorization();
    let root = Visit::new(host.admin, "localhost", path).header("authorization", &token);
    assert_eq!(
        root.send().status,
        200,
        "the requests are right but for their token"
    );
}
