//! The bodies that administrators and their programs send: what is accepted says the same when it is
//! written and read again, and what an administrator reads and sends back changes nothing.
//!
//! The first byte says which body it is; the rest is its JSON.

#![no_main]

#[path = "api_bodies/mutate.rs"]
mod mutate;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use lodge_model::{
    App, Component, ComponentRef, DatabaseKind, DatabaseSpec, Desired, Digest, Limits, LimitsPatch,
    PathAccess, Placement, SourceGrant, StartMode,
};
use lodge_supervisor::{
    AppPatch, ComponentChoice, ConfigChange, JwtPatch, NewApp, PreferencesPatch, SourceChange,
    fuzzing,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::Debug;

const APPS_DOMAIN: Option<&str> = Some("apps.example.com");

fuzz_target!(|data: &[u8]| {
    let Some((kind, body)) = data.split_first() else {
        return;
    };
    match kind % 6 {
        0 => _ = read::<NewApp>(body).map(new_app),
        1 => _ = read::<AppPatch>(body).map(patched),
        2 => _ = read::<LimitsPatch>(body).map(limits),
        3 => _ = serde_json::from_slice(body).map(preferences),
        4 => _ = read::<DatabaseSpec>(body).map(|database| database.check()),
        _ => _ = read::<ComponentChoice>(body).map(labels),
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::mutate(data, size, max_size, seed)
});

/// What a body says, if it is one; and that it says so when it is written and read again.
fn read<T: Serialize + DeserializeOwned + PartialEq + Debug>(body: &[u8]) -> Option<T> {
    let said: T = serde_json::from_slice(body).ok()?;
    assert_eq!(again(&said), said);
    Some(said)
}

fn again<T: Serialize + DeserializeOwned>(said: &T) -> T {
    let text = serde_json::to_string(said).expect("it has a JSON form");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text} is refused: {error}"))
}

/// What is asked for, laid over an app that has nothing.
fn new_app(new: NewApp) {
    let patch = AppPatch {
        display_name: new.display_name,
        component: None,
        start_mode: Some(new.start_mode),
        environments: new.environments,
        failover: Some(new.failover),
        database: Some(new.database),
        data_sources: Some(sources(new.data_sources)),
        auto_upgrade: Some(new.auto_upgrade),
        jwt: Some(JwtPatch {
            independent: Some(new.jwt.independent),
            algorithm: Some(new.jwt.algorithm),
        }),
        domains: Some(new.domains),
        tags: Some(new.tags),
        limits: Some(new.limits),
        config: Some(
            new.config
                .into_iter()
                .map(|(k, v)| (k, ConfigChange(Some(v))))
                .collect(),
        ),
        outbound_hosts: Some(new.outbound_hosts),
        path_access: Some(new.path_access),
        desired: new.desired,
    };
    let mut app = base();
    if let Some(id) = new.id {
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        app.id = id;
    }
    laid_over(patch, app);
}

fn patched(patch: AppPatch) {
    laid_over(patch, base());
}

fn laid_over(patch: AppPatch, mut app: App) {
    if let Err(refused) = fuzzing::apply(&patch, &mut app, APPS_DOMAIN) {
        assert!(!refused.field.is_empty() && !refused.message.is_empty());
        return;
    }
    assert_eq!(again(&app), app, "as it is kept");
    // Twice is once.
    let mut twice = app.clone();
    assert_eq!(fuzzing::apply(&patch, &mut twice, APPS_DOMAIN), Ok(()));
    assert_eq!(twice, app);
    // What anyone may see has no secret in it, and changes nothing when it comes back.
    let shown = app.clone().masked();
    assert_eq!(shown.database.url, None);
    assert!(
        shown
            .data_sources
            .values()
            .all(|source| source.url.is_none())
    );
    assert!(
        shown
            .config
            .values()
            .all(|entry| !entry.secret || entry.value.is_none())
    );
    let mut back = app.clone();
    assert_eq!(
        fuzzing::apply(&sent_back(shown), &mut back, APPS_DOMAIN),
        Ok(())
    );
    assert_eq!(back, app);
}

/// An app as it was shown, as a change.
fn sent_back(app: App) -> AppPatch {
    AppPatch {
        display_name: Some(app.display_name),
        component: None,
        start_mode: Some(app.start_mode),
        environments: Some(match app.placement {
            Placement::Named => app.environments,
            Placement::Automatic => Vec::new(),
        }),
        failover: Some(app.failover),
        database: Some(app.database),
        data_sources: Some(sources(app.data_sources)),
        auto_upgrade: Some(app.auto_upgrade),
        jwt: Some(JwtPatch {
            independent: Some(app.jwt.independent),
            algorithm: Some(app.jwt.algorithm),
        }),
        domains: Some(app.domains),
        tags: Some(app.tags),
        limits: Some(as_patch(&app.limits)),
        config: Some(
            app.config
                .into_iter()
                .map(|(k, v)| (k, ConfigChange(Some(v))))
                .collect(),
        ),
        outbound_hosts: Some(app.outbound_hosts),
        path_access: Some(app.path_access),
        desired: Some(app.desired),
    }
}

fn sources(sources: BTreeMap<String, SourceGrant>) -> BTreeMap<String, SourceChange> {
    sources
        .into_iter()
        .map(|(name, grant)| (name, SourceChange(Some(grant))))
        .collect()
}

/// Every limit as it is: an answer's `limits` are a body's, too.
fn as_patch(limits: &Limits) -> LimitsPatch {
    let text = serde_json::to_string(limits).expect("it has a JSON form");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text} is refused: {error}"))
}

fn limits(patch: LimitsPatch) {
    let mut limits = Limits::default();
    limits.apply(&patch);
    if limits.check().is_err() {
        return;
    }
    assert_eq!(again(&limits), limits);
    let mut back = Limits::default();
    back.apply(&as_patch(&limits));
    assert_eq!(back, limits);
}

fn preferences(patch: PreferencesPatch) {
    let Ok(kept) = fuzzing::change("{}", patch.clone()) else {
        return;
    };
    assert_eq!(
        fuzzing::change(&kept, patch).as_ref().ok(),
        Some(&kept),
        "twice is once"
    );
    assert_eq!(
        fuzzing::change(&kept, PreferencesPatch::default()).ok(),
        Some(kept)
    );
}

fn labels(choice: ComponentChoice) {
    if let Some(Ok(digest)) = choice.digest.map(|digest| digest.parse::<Digest>()) {
        assert_eq!(digest.to_string().parse(), Ok(digest));
    }
    for label in [choice.name, choice.version].into_iter().flatten() {
        if Component::check_label("version", &label).is_ok() {
            assert!(label.is_ascii() && label.len() <= 128 && !label.contains(' '));
        }
    }
}

/// An app with one of everything that can be kept.
fn base() -> App {
    let url = Some("postgres://user:hunter2@db.example.com/shop".to_owned());
    let entry = |value: &str, secret| lodge_model::ConfigEntry {
        value: Some(value.to_owned()),
        secret,
    };
    App {
        id: "shop".parse().expect("an ID"),
        display_name: "Shop".to_owned(),
        component: ComponentRef {
            name: "shop".to_owned(),
            version: "1.0.0".to_owned(),
            digest: Digest::from_bytes([7; 32]),
        },
        start_mode: StartMode::default(),
        environments: vec!["local".parse().expect("a name")],
        placement: Placement::Named,
        failover: false,
        database: DatabaseSpec {
            kind: DatabaseKind::NewConnection,
            engine: None,
            url: url.clone(),
        },
        data_sources: BTreeMap::from([(
            "orders".to_owned(),
            SourceGrant {
                url,
                ..SourceGrant::default()
            },
        )]),
        auto_upgrade: false,
        jwt: Default::default(),
        domains: vec!["shop.example.com".to_owned()],
        tags: vec!["production".to_owned()],
        limits: Limits::default(),
        config: BTreeMap::from([
            ("GREETING".to_owned(), entry("hello", false)),
            ("TOKEN".to_owned(), entry("hunter2", true)),
        ]),
        outbound_hosts: vec!["api.example.com".to_owned()],
        path_access: PathAccess::default(),
        desired: Desired::Running,
        observed: Vec::new(),
        created_at: 0,
        updated_at: 0,
    }
}
