//! From a file to an app, and all that is done to it.

use crate::support::User;
use lodge_harness::guest;

#[test]
fn a_file_becomes_an_app_with_an_address_in_one_command() {
    let user = User::logged_in();
    user.file("shop.wasm", &guest("hello-p2"));
    let deployed = user.run(&["deploy", "shop.wasm", "--app", "shop", "--secret", "KEY=@-"]);
    assert_eq!(deployed.code, 0, "{deployed:?}");
    let by_path = format!("http://{}/apps/shop/", user.host.apps);
    assert!(
        deployed.out.lines().any(|line| line == by_path),
        "{deployed:?}"
    );
    assert!(deployed.err.contains("compiled") && deployed.err.contains("created shop"));
    assert_eq!(user.host.visit("shop", "/").send().status, 200);

    // Again: the same bytes are not sent twice, the app is changed, its secret stays.
    let again = user.run(&["deploy", "shop.wasm", "--app", "shop", "--limit", "queue=7"]);
    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.err.contains("on the host already") && again.err.contains("updated shop"));
    let shown = user.run(&["app", "show", "shop"]);
    assert!(
        shown.out.contains("queue=7") && shown.out.contains("KEY=(secret)"),
        "{}",
        shown.out
    );

    // For programs: one JSON value, and nothing else.
    let app = user.json(&["deploy", "shop.wasm", "--app", "shop"]);
    assert_eq!(app["observed"][0]["status"], "running");
}

#[test]
fn an_app_is_made_listed_stopped_started_and_removed() {
    let user = User::logged_in();
    let file = user.file("hello.wasm", &guest("hello-p2"));
    let pushed = user.json(&[
        "component",
        "push",
        file.to_str().unwrap(),
        "--name",
        "hello",
        "--component-version",
        "1",
    ]);
    assert_eq!(pushed["status"], "ready");
    let made = user.run(&[
        "app",
        "create",
        "shop",
        "--component",
        "hello@1",
        "--domain",
        "shop.example.com",
        "--limit",
        "memory_bytes=256MiB",
        "--start-mode",
        "with-host",
    ]);
    assert_eq!(made.code, 0, "{made:?}");
    let list = user.run(&["app", "list"]);
    assert!(
        list.out.contains("shop  stopped") && list.out.contains("hello@1"),
        "{}",
        list.out
    );
    assert_eq!(
        user.json(&["app", "list"])["items"][0]["limits"]["memory_bytes"],
        256 << 20
    );
    for (verb, said, status) in [
        ("start", "started shop", 200),
        ("stop", "stopped shop", 503),
        ("restart", "restarted shop", 200),
    ] {
        let done = user.run(&["app", verb, "shop"]);
        assert_eq!((done.code, done.out.trim()), (0, said), "{done:?}");
        assert_eq!(user.host.visit("shop", "/").send().status, status, "{verb}");
    }
    assert!(user.run(&["app", "stats", "shop"]).out.contains("answered"));
    assert!(user.json(&["app", "logs", "shop"])["items"].is_array());
    let digest = pushed["digest"].as_str().unwrap();
    let used = user.run(&["component", "rm", &digest[..8]]);
    assert_eq!(used.code, 1);
    assert!(used.err.contains("(component_in_use)"), "{}", used.err);
    assert_eq!(user.run(&["app", "rm", "shop"]).out.trim(), "removed shop");
    assert_eq!(user.host.visit("shop", "/").send().status, 404);
    assert_eq!(user.run(&["component", "rm", "hello@1"]).code, 0);
}

#[test]
fn logs_are_searched_and_only_those_of_an_app_are_followed() {
    let user = User::logged_in();
    user.file("hello.wasm", &guest("hello-p2"));
    let made = user.run(&["app", "create", "shop", "--component", "hello.wasm"]);
    assert_eq!(made.code, 0, "{made:?}");
    let none = user.json(&["app", "logs", "shop", "--search", "no such text"]);
    assert_eq!(none["items"].as_array().map(Vec::len), Some(0));
    let nobody = user.run(&["app", "logs", "nobody", "--follow"]);
    assert_eq!(nobody.code, 1);
    assert!(nobody.err.contains("(app_not_found)"), "{}", nobody.err);
}

#[test]
fn logged_fields_are_shown_after_the_text() {
    let user = User::logged_in();
    user.file("capable.wasm", &guest("capable-p2"));
    let made = user.run(&["app", "create", "shop", "--component", "capable.wasm"]);
    assert_eq!(made.code, 0, "{made:?}");
    let said = "%7B%22message%22%3A%22closed%22%2C%22ticket%22%3A7%2C%22by%22%3A%22Ada%20L%22%7D";
    assert_eq!(
        user.host
            .visit("shop", &format!("/say?line={said}"))
            .send()
            .status,
        200
    );
    let shown = user.ok("app logs shop --search ticket=7");
    assert!(
        shown.contains(r#"capable: closed by="Ada L" ticket=7"#),
        "{shown}"
    );
}

#[test]
fn an_app_is_given_databases_and_keys() {
    let user = User::logged_in();
    user.file("hello.wasm", &guest("hello-p2"));
    user.file("url", b"postgres://u:hunter2@127.0.0.1:1/d\n");
    let create = |id: &str, more: &[&str]| {
        let line = ["app", "create", id, "--component", "hello.wasm"];
        user.run(&[&line, more].concat())
    };
    let orders = create("orders", &["--database", "new_database"]);
    assert_eq!(orders.code, 0, "{orders:?}");
    let line = "--database new_connection --database-url-file url --data-source o=app:orders \
                --data-source w=@url:rw --shared-jwt";
    let shop = create("shop", &line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(shop.code, 0, "{shop:?}");
    for part in [
        "new_connection",
        "o=app:orders w=(url):rw",
        "the host-wide key",
    ] {
        assert!(shop.out.contains(part), "{part}: {}", shop.out);
    }
    let tried = user.run(&["app", "test-database", "shop"]);
    assert_eq!(tried.code, 1);
    let dropped = user.run(&["app", "rm", "orders", "--data", "drop"]);
    assert!(dropped.err.contains("`shop`"), "{dropped:?}");

    let own = user.run(&["app", "rotate-key", "orders", "--overlap-seconds", "60"]);
    assert_eq!(own.out.trim(), "rotated the key of orders", "{own:?}");
    let keys = user.json(&["app", "keys", "orders"]);
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    let shared = user.run(&["app", "rotate-key", "shop"]);
    assert!(shared.err.contains("(shared_key)"), "{shared:?}");
    let all = user.run(&["app", "rotate-key", "--shared"]);
    assert!(all.out.contains("share it: 1"), "{all:?}");
    let shown = user.run(&["app", "keys", "shop"]);
    assert!(shown.out.contains("the host's") && shown.out.contains("(signs)"));
    for text in [shop, tried, dropped, own, shared, all, shown] {
        assert!(!format!("{text:?}").contains("hunter2"), "{text:?}");
    }
}

#[test]
fn an_empty_host_says_how_to_begin() {
    let user = User::logged_in();
    assert!(
        user.run(&["component", "list"])
            .err
            .contains("no components yet")
    );
    assert!(user.run(&["app", "list"]).err.contains("lodge deploy"));
    assert!(user.run(&["env", "list"]).out.contains("local"));
}
