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
    Ok(routes
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
    let entry = routes.by_name("shop").unwrap();
    let names = routes.names.snapshot();
    routes.set_phase(&"shop".parse().unwrap(), Phase::Failed);
    assert!(matches!(entry.state().phase, Phase::Failed));
    routes.upsert(route("shop", &[]));
    assert_eq!(routes.names.changed_since(&names), 0, "neither needs it");
    routes.replace_all(vec![route("shop", &["x.example.com"])]);
    assert!(Arc::ptr_eq(&entry, &routes.by_name("shop").unwrap()));
    routes.set_phase(&"nobody".parse().unwrap(), Phase::Failed);
}

/// One by one, as they are created: what one costs must not grow with those that are there.
#[test]
fn twenty_thousand_apps_are_no_burden() {
    let routes = Routes::new();
    let begin = Instant::now();
    for n in 0..20_000 {
        routes.upsert(route(&format!("app_{n}"), &[&format!("{n}.example.com")]));
    }
    let upserts = begin.elapsed();
    let host = Host::parse("app-7777.localhost").unwrap();
    let begin = Instant::now();
    for _ in 0..10_000 {
        assert!(routes.by_host(&host, None).unwrap().is_some());
    }
    let look_up = begin.elapsed() / 10_000;
    println!("20,000 upserts {upserts:?}, a look-up {look_up:?}");
    let names = routes.names.snapshot();
    let domains = routes.domains.snapshot();
    routes.upsert(route("a_last_one", &["last.example.com"]));
    routes.remove(&"app_0".parse().unwrap());
    // Each has an ID, a label and a domain.
    assert!(routes.names.changed_since(&names) <= 4);
    assert!(routes.domains.changed_since(&domains) <= 2);
    assert!(look_up.as_micros() < 50);
}

/// What is in the table before and after is in it all the while, by every name.
#[test]
fn nobody_misses_a_route_while_all_are_replaced() {
    let routes = Routes::new();
    let all = || {
        let shops = (0..200).map(|n| route(&format!("shop_{n}"), &[&format!("{n}.example.com")]));
        shops.collect::<Vec<_>>()
    };
    routes.replace_all(all());
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut looks = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) || looks == 0 {
                for host in ["shop-7.localhost", "shop_7.localhost", "7.example.com"] {
                    assert_eq!(found(&routes, host), Ok(Some("shop_7".into())), "{host}");
                }
                looks += 1;
            }
            looks
        });
        for turn in 0..50 {
            let mut next = all();
            next.push(route(&format!("other-{turn}"), &[]));
            routes.replace_all(next);
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        println!("{} looks", reader.join().unwrap());
    });
    assert_eq!(
        found(&routes, "other-0.localhost"),
        Err(FailureKind::AppNotFound)
    );
}
