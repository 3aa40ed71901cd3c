use super::*;
use std::time::Instant;

fn route(id: &str, domains: &[&str]) -> Route {
    Route {
        app: id.parse().unwrap(),
        domains: domains.iter().map(|d| (*d).to_owned()).collect(),
        path_access: PathAccess::Serve,
        limits: Limits::default(),
        meter: Arc::default(),
        phase: Phase::Stopped,
    }
}

fn found(routes: &Routes, host: &str) -> Result<Option<String>, FailureKind> {
    let host = Host::parse(host).unwrap();
    let table = routes.load();
    Ok(table
        .by_host(&host, Some(".apps.example"))?
        .map(|entry| entry.app.to_string()))
}

#[test]
fn every_spelling_of_a_host_name_leads_to_its_app() {
    let routes = Routes::new();
    routes.replace_all(vec![
        route("my_shop", &["shop.example.com"]),
        route("crm", &[]),
    ]);
    for host in [
        "my-shop.localhost:13000",
        "my_shop.localhost",
        "MY-SHOP.apps.example.",
        "shop.example.com",
        "Shop.Example.COM.:443",
    ] {
        assert_eq!(found(&routes, host), Ok(Some("my_shop".into())), "{host}");
    }
    for host in [
        "localhost",
        "127.0.0.1",
        "[::1]",
        "apps.example",
        "elsewhere.example",
    ] {
        assert_eq!(found(&routes, host), Ok(None), "{host}");
    }
    for host in ["nobody.localhost", "a.crm.localhost", "nobody.apps.example"] {
        assert_eq!(
            found(&routes, host),
            Err(FailureKind::AppNotFound),
            "{host}"
        );
    }
}

#[test]
fn changes_of_domains_and_removal_leave_nothing_behind() {
    let routes = Routes::new();
    routes.upsert(route("shop", &["a.example.com", "b.example.com"]));
    routes.upsert(route("shop", &["b.example.com", "c.example.com"]));
    assert_eq!(found(&routes, "a.example.com"), Ok(None));
    assert_eq!(found(&routes, "c.example.com"), Ok(Some("shop".into())));
    routes.upsert(route("other", &["a.example.com"]));
    routes.remove(&"shop".parse().unwrap());
    assert_eq!(found(&routes, "b.example.com"), Ok(None));
    assert_eq!(
        found(&routes, "shop.localhost"),
        Err(FailureKind::AppNotFound)
    );
    assert_eq!(found(&routes, "a.example.com"), Ok(Some("other".into())));
}

#[test]
fn a_phase_is_swapped_in_place_and_queue_places_carry_over() {
    let routes = Routes::new();
    routes.upsert(route("shop", &[]));
    let entry = routes.load().by_name("shop").unwrap().clone();
    let table = routes.table.load_full();
    routes.set_phase(&"shop".parse().unwrap(), Phase::Failed);
    assert!(matches!(entry.state().phase, Phase::Failed));
    routes.upsert(route("shop", &[]));
    assert!(
        Arc::ptr_eq(&table, &routes.table.load_full()),
        "neither needs a new table"
    );
    routes.replace_all(vec![route("shop", &["x.example.com"])]);
    assert!(Arc::ptr_eq(&entry, routes.load().by_name("shop").unwrap()));
    routes.set_phase(&"nobody".parse().unwrap(), Phase::Failed);
}

#[test]
fn ten_thousand_apps_are_no_burden() {
    let routes = Routes::new();
    routes.replace_all(
        (0..10_000)
            .map(|n| route(&format!("app_{n}"), &[]))
            .collect(),
    );
    let begin = Instant::now();
    for n in 0..20 {
        routes.upsert(route(&format!("late-{n}"), &[]));
    }
    let upsert = begin.elapsed() / 20;
    let host = Host::parse("app-7777.localhost").unwrap();
    let begin = Instant::now();
    for _ in 0..10_000 {
        assert!(routes.load().by_host(&host, None).unwrap().is_some());
    }
    let look_up = begin.elapsed() / 10_000;
    println!("upsert {upsert:?}, look-up {look_up:?}");
    assert!(upsert.as_millis() < 100 && look_up.as_micros() < 50);
}
