//! Ways to an app, and what passes on each.

use crate::support::{Host, mirror, running, text};
use http::{HeaderValue, header};
use lodge_edge::Settings;
use lodge_model::PathAccess;
use std::time::Duration;

#[tokio::test]
async fn an_app_answers_by_path_host_name_and_domain() {
    let settings = Settings {
        apps_domain: Some("apps.example".into()),
        ..Settings::default()
    };
    let host = Host::with(settings, Duration::from_secs(1)).await;
    host.app_with("my_shop", mirror(), |route| {
        route.domains = vec!["shop.example.com".into()]
    });
    for name in [
        "my-shop.localhost:13000",
        "MY_SHOP.localhost.",
        "my-shop.apps.example",
        "Shop.Example.com:8080",
    ] {
        let answer = host.get(name, "/apps/my_shop//a/../b?c=%20d", "").await;
        assert!(
            answer.starts_with("HTTP/1.1 200")
                && answer.contains("GET /apps/my_shop//a/../b?c=%20d\n"),
            "{answer}"
        );
    }
    for (path, seen) in [
        ("/apps/my_shop/", "/"),
        ("/apps/my_shop//a/../b?c=%20d", "//a/../b?c=%20d"),
        ("/apps/my-shop/x", "/x"),
    ] {
        let answer = host.get("127.0.0.1:13000", path, "").await;
        assert!(
            answer.contains(&format!("\r\n\r\nGET {seen}\n")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn the_guest_learns_who_came_and_how() {
    let host = Host::start().await;
    host.app("shop", mirror());
    let forged = "x-forwarded-for: 9.9.9.9\r\nForwarded: for=9.9.9.9\r\nx-forwarded-proto: https\r\n\
                  x-forwarded-host: evil\r\nx-forwarded-prefix: /evil\r\nx-forwarded-port: 1\r\n";
    let answer = host.get("localhost:13000", "/apps/shop/x", forged).await;
    for line in [
        "x-forwarded-for: 127.0.0.1\n",
        "x-forwarded-host: localhost:13000\n",
        "x-forwarded-proto: http\n",
        "x-forwarded-prefix: /apps/shop\n",
    ] {
        assert!(answer.contains(line), "{line}{answer}");
    }
    assert!(
        !answer.contains("9.9.9.9") && !answer.contains("evil") && !answer.contains("-port"),
        "{answer}"
    );
    let answer = host.get("shop.localhost", "/x", forged).await;
    assert!(
        answer.contains("x-forwarded-host: shop.localhost\n") && !answer.contains("prefix"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_trusted_proxy_is_believed() {
    let settings = Settings {
        trusted_proxies: lodge_model::TrustedProxies::new(vec!["127.0.0.0/8".parse().unwrap()])
            .into(),
        ..Settings::default()
    };
    let host = Host::with(settings, Duration::from_secs(1)).await;
    host.app_with("shop", mirror(), |route| {
        route.domains = vec!["shop.example.com".into()]
    });
    let said = "x-forwarded-for: 9.9.9.9\r\nx-forwarded-proto: https\r\nx-forwarded-host: shop.example.com\r\n";
    let answer = host.get("10.0.0.1:13000", "/x", said).await;
    for line in [
        "GET /x\n",
        "x-forwarded-for: 9.9.9.9, 127.0.0.1\n",
        "x-forwarded-proto: https\n",
        "x-forwarded-host: shop.example.com\n",
    ] {
        assert!(answer.contains(line), "{line}{answer}");
    }
    let answer = host
        .get("10.0.0.1", "/apps/shop/x", "x-forwarded-prefix: /outer\r\n")
        .await;
    assert!(
        answer.contains("x-forwarded-prefix: /outer/apps/shop\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn anyone_may_read_the_public_keys_of_an_apps_tokens() {
    let host = Host::start().await;
    host.app("my_shop", mirror());
    for name in ["my_shop", "my-shop"] {
        let path = format!("/.well-known/lodge/{name}/jwks.json");
        let answer = host.get("127.0.0.1", &path, "").await;
        for part in [
            "HTTP/1.1 200",
            "content-type: application/jwk-set+json",
            "access-control-allow-origin: *",
            "\"of\":\"my_shop\"",
        ] {
            assert!(answer.contains(part), "{part}: {answer}");
        }
        // On the app's own host name it is the app's path.
        let answer = host.get("my-shop.localhost", &path, "").await;
        assert!(answer.contains(&format!("GET {path}")), "{answer}");
    }
    for bad in [
        "nobody/jwks.json",
        "my_shop/",
        "jwks.json",
        "my_shop/x/jwks.json",
    ] {
        let path = format!("/.well-known/lodge/{bad}");
        let answer = host.get("127.0.0.1", &path, "").await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{bad}: {answer}");
    }
}

#[tokio::test]
async fn what_is_no_app_gets_a_plain_answer() {
    let host = Host::start().await;
    host.app("shop", mirror());
    let answer = host.get("127.0.0.1", "/", "").await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("This is Lodge"),
        "{answer}"
    );
    for (name, path) in [
        ("127.0.0.1", "/apps/nobody/"),
        ("127.0.0.1", "/apps/Shop/"),
        ("127.0.0.1", "/apps/"),
        ("127.0.0.1", "/favicon.ico"),
        ("nobody.localhost", "/"),
        ("a.shop.localhost", "/apps/shop/"),
    ] {
        let answer = host.get(name, path, "").await;
        assert!(
            answer.starts_with("HTTP/1.1 404") && answer.contains(r#""code":"app_not_found""#),
            "{name}{path} {answer}"
        );
        assert!(
            answer.contains("application/problem+json") && answer.contains(r#""reference":""#),
            "{answer}"
        );
    }
    let answer = host
        .get(
            "127.0.0.1",
            "/apps/nobody/",
            "accept: text/html,*/*;q=0.8\r\n",
        )
        .await;
    assert!(
        answer.contains("text/html")
            && answer.contains("app_not_found")
            && !answer.contains("<script"),
        "{answer}"
    );
    let head = host
        .send("HEAD /apps/nobody/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .await;
    assert!(
        head.starts_with("HTTP/1.1 404")
            && head.ends_with("\r\n\r\n")
            && head.contains("content-length: 1"),
        "{head}"
    );
}

#[tokio::test]
async fn odd_targets_are_answered_sensibly() {
    let host = Host::start().await;
    host.app("shop", mirror());
    for (request, status) in [
        (
            "OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            "204",
        ),
        (
            "GET * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            "400",
        ),
        (
            "CONNECT a:80 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            "400",
        ),
        ("GET / HTTP/1.1\r\nconnection: close\r\n\r\n", "400"),
        (
            "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n",
            "400",
        ),
        (
            "GET / HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n",
            "400",
        ),
        ("GET / HTTP/1.0\r\n\r\n", "200"),
        ("GET /apps/shop/ HTTP/1.0\r\n\r\n", "200"),
        (
            "GET http://shop.localhost/x HTTP/1.1\r\nhost: elsewhere\r\nconnection: close\r\n\r\n",
            "200",
        ),
    ] {
        let answer = host.send(request).await;
        assert!(answer.get(9..12) == Some(status), "{request}{answer}");
        if request.starts_with("GET http:") {
            assert!(
                answer.contains("GET /x\nhost: shop.localhost\n"),
                "{answer}"
            );
        }
    }
}

#[tokio::test]
async fn path_access_redirects_people_or_hides_the_app() {
    let host = Host::start().await;
    host.app_with("my_shop", mirror(), |route| {
        route.path_access = PathAccess::Redirect
    });
    host.app_with("crm", mirror(), |route| {
        route.path_access = PathAccess::Redirect;
        route.domains = vec!["crm.example.com".into()];
    });
    host.app_with("hidden", mirror(), |route| {
        route.path_access = PathAccess::Off
    });
    let page = "accept: text/html\r\n";
    let answer = host.get("127.0.0.1:13000", "/apps/my_shop?x=1", "").await;
    assert!(
        answer.starts_with("HTTP/1.1 308") && answer.contains("location: /apps/my_shop/?x=1\r\n"),
        "{answer}"
    );
    let answer = host
        .get("127.0.0.1:13000", "/apps/my_shop/a?x=1", page)
        .await;
    assert!(answer.starts_with("HTTP/1.1 307"), "{answer}");
    assert!(
        answer.contains("location: http://my-shop.localhost:13000/a?x=1\r\n"),
        "{answer}"
    );
    let answer = host.get("host.example:13000", "/apps/crm/", page).await;
    assert!(
        answer.contains("location: http://crm.example.com:13000/\r\n"),
        "{answer}"
    );
    let quiet = "accept: text/html\r\nsec-fetch-mode: cors\r\n";
    for (name, lines) in [("127.0.0.1", ""), ("127.0.0.1", quiet), ("10.0.0.1", page)] {
        let answer = host.get(name, "/apps/my_shop/a", lines).await;
        assert!(
            answer.starts_with("HTTP/1.1 200"),
            "nowhere to go, or no navigation: {answer}"
        );
    }
    assert!(
        host.get("127.0.0.1", "/apps/hidden/", "")
            .await
            .starts_with("HTTP/1.1 404")
    );
    assert!(
        host.get("127.0.0.1", "/apps/hidden", "")
            .await
            .starts_with("HTTP/1.1 404")
    );
    assert!(
        host.get("hidden.localhost", "/", "")
            .await
            .starts_with("HTTP/1.1 200")
    );
}

#[tokio::test]
async fn lodges_cookies_and_this_hops_fields_stay_here() {
    let host = Host::start().await;
    host.app("shop", mirror());
    let lines = "cookie: a=1; lodge_session=secret; b=2\r\ncookie: lodge_x=secret\r\n\
                 te: trailers, gzip\r\nupgrade: websocket\r\nproxy-authorization: secret\r\nx-mine: secret\r\n";
    let request = format!(
        "GET / HTTP/1.1\r\nhost: shop.localhost\r\nconnection: close, x-mine\r\n{lines}\r\n"
    );
    let answer = host.send(request).await;
    assert!(
        answer.contains("cookie: a=1; b=2\n") && answer.contains("te: trailers\n"),
        "{answer}"
    );
    assert!(
        !answer.contains("secret")
            && !answer.contains("websocket")
            && !answer.contains("connection: close, x"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_answer_is_made_safe_for_the_origin_it_is_on() {
    let host = Host::start().await;
    host.app(
        "shop",
        running(|_| async {
            let mut response = text("x");
            let headers = response.headers_mut();
            for cookie in ["a=1; Path=/", "lodge_session=x", "b=2; Domain=localhost"] {
                headers.append(header::SET_COOKIE, HeaderValue::from_static(cookie));
            }
            for (name, value) in [
                ("location", "/next"),
                ("service-worker-allowed", "/"),
                ("clear-site-data", "*"),
                ("keep-alive", "timeout=1"),
                ("x-own", "kept"),
            ] {
                headers.insert(name, HeaderValue::from_static(value));
            }
            Ok(response)
        }),
    );
    let by_path = host.get("localhost", "/apps/shop/", "").await;
    for line in [
        "set-cookie: a=1; Path=/apps/shop/\r\n",
        "location: /apps/shop/next\r\n",
        "x-own: kept\r\n",
    ] {
        assert!(by_path.contains(line), "{line}{by_path}");
    }
    for gone in [
        "lodge_session",
        "Domain",
        "service-worker",
        "clear-site-data",
        "keep-alive",
    ] {
        assert!(!by_path.contains(gone), "{gone} {by_path}");
    }
    let by_host = host.get("shop.localhost", "/", "").await;
    for line in [
        "set-cookie: a=1; Path=/\r\n",
        "location: /next\r\n",
        "service-worker-allowed: /\r\n",
        "clear-site-data: *\r\n",
    ] {
        assert!(by_host.contains(line), "{line}{by_host}");
    }
    assert!(
        !by_host.contains("lodge_session") && !by_host.contains("Domain"),
        "{by_host}"
    );
}
