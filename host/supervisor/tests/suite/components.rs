//! The component library.

use crate::bed::{Bed, admin, id};
use crate::fake::{FakeRuntime, component_bytes};
use bytes::Bytes;
use futures::{StreamExt, stream};
use lodge_model::*;
use lodge_supervisor::{Error, NewComponent};
use std::io;
use std::sync::atomic::Ordering::SeqCst;

fn named(name: &str, version: &str) -> NewComponent {
    NewComponent {
        len: None,
        name: Some(name.into()),
        version: Some(version.into()),
    }
}

fn files_in(bed: &Bed, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(bed.path(folder)).unwrap();
    entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect()
}

pub fn same_bytes_are_one_artifact(bed: Bed) {
    let host = bed.open();
    let first = host.component("hello", "1.0.0");
    assert_eq!(
        (first.name.as_str(), first.version.as_str()),
        ("hello", "1.0.0")
    );
    assert_eq!(first.metadata["authors"], "us");
    assert!(first.compile_ms.is_some());
    let bytes = component_bytes("hello", "1.0.0", "");
    for new in [NewComponent::default(), named("hello", "1.0.0")] {
        let (again, created) = host.upload_bytes(bytes.clone(), new).unwrap();
        assert_eq!((again, created), (first.clone(), false));
    }
    let other = host
        .upload_bytes(bytes.clone(), named("other", "1.0.0"))
        .unwrap_err();
    assert_eq!(other.code(), "component_exists");
    assert!(
        other.to_string().contains("listed as hello 1.0.0"),
        "{other}"
    );
    // Twenty at once, of new bytes: one is created.
    let bytes = component_bytes("twin", "1.0.0", "");
    let actor = admin();
    let uploads = (0..20).map(|_| {
        let body = stream::iter([Ok::<_, io::Error>(bytes.clone())]);
        host.supervisor
            .upload(body, NewComponent::default(), &actor)
    });
    let results = host.run(
        stream::iter(uploads)
            .buffer_unordered(3)
            .collect::<Vec<_>>(),
    );
    assert_eq!(results.iter().filter(|r| r.as_ref().unwrap().1).count(), 1);
    assert_eq!(files_in(&bed, "components").len(), 2);
    assert!(files_in(&bed, "uploads").is_empty());
}

pub fn a_version_is_one_artifact(bed: Bed) {
    let host = bed.open();
    host.component("hello", "1.0.0");
    let other = component_bytes("hello", "1.0.0", "other");
    let conflict = host
        .upload_bytes(other.clone(), NewComponent::default())
        .unwrap_err();
    assert_eq!(conflict.code(), "version_exists");
    assert!(
        conflict.to_string().contains("pass another version"),
        "{conflict}"
    );
    let (component, created) = host.upload_bytes(other, named("hello", "1.0.1")).unwrap();
    assert!(created);
    assert_eq!(component.version, "1.0.1");
    assert!(files_in(&bed, "uploads").is_empty());
}

pub fn names_are_needed(bed: Bed) {
    let host = bed.open();
    let bytes = component_bytes("", "", "");
    let Error::Invalid(missing) = host
        .upload_bytes(bytes.clone(), NewComponent::default())
        .unwrap_err()
    else {
        panic!("not invalid")
    };
    assert_eq!(missing.field, "name");
    assert!(missing.message.contains("pass one (?name="), "{missing}");
    let Error::Invalid(bad) = host.upload_bytes(bytes, named("a b", "1")).unwrap_err() else {
        panic!("not invalid")
    };
    assert_eq!(bad.field, "name");
}

pub fn what_is_no_component_is_refused(bed: Bed) {
    let host = bed.open();
    let refused = host
        .upload_bytes("hello".into(), named("hello", "1"))
        .unwrap_err();
    assert!(
        matches!(&refused, Error::Rejected(r) if r.code == "not_wasm"),
        "{refused}"
    );
    assert!(files_in(&bed, "uploads").is_empty());
    assert!(files_in(&bed, "components").is_empty());
}

pub fn too_large_is_refused(mut bed: Bed) {
    bed.settings.upload_bytes = 1000;
    let host = bed.open();
    let fits = Bytes::from(vec![b'x'; 1000]);
    let refused = host.upload_bytes(fits, named("hello", "1")).unwrap_err();
    assert_eq!(refused.code(), "not_wasm", "1,000 bytes are not too many");
    let declared = NewComponent {
        len: Some(1001),
        ..NewComponent::default()
    };
    for new in [declared, NewComponent::default()] {
        let refused = host
            .upload_bytes(Bytes::from(vec![b'x'; 1001]), new)
            .unwrap_err();
        assert_eq!(refused.code(), "too_large");
        assert!(refused.to_string().contains("1000 bytes"), "{refused}");
    }
    assert!(files_in(&bed, "uploads").is_empty());
}

pub fn a_silent_sender_is_cut_off(bed: Bed) {
    let host = bed.open();
    let first = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"component"))]);
    let silent = first.chain(stream::pending());
    let cut = host.run(
        host.supervisor
            .upload(silent, NewComponent::default(), &admin()),
    );
    assert_eq!(cut.unwrap_err().code(), "upload_interrupted");
    let broken = stream::iter([
        Ok(Bytes::from_static(b"component")),
        Err(io::Error::other("connection reset")),
    ]);
    let cut = host.run(
        host.supervisor
            .upload(broken, NewComponent::default(), &admin()),
    );
    assert!(cut.unwrap_err().to_string().contains("connection reset"));
    assert!(files_in(&bed, "uploads").is_empty());
}

pub fn uploads_are_bounded(mut bed: Bed) {
    bed.settings.uploads = 2;
    bed.settings.upload_silence = std::time::Duration::from_secs(60);
    let host = bed.open();
    let hang = || {
        let supervisor = host.supervisor.clone();
        host.tokio.spawn(async move {
            let body = stream::pending::<io::Result<Bytes>>();
            supervisor
                .upload(body, NewComponent::default(), &admin())
                .await
        })
    };
    let hanging = [hang(), hang()];
    host.until("two are under way", || files_in(&bed, "uploads").len() == 2);
    let bytes = component_bytes("hello", "1.0.0", "");
    let busy = host
        .upload_bytes(bytes.clone(), NewComponent::default())
        .unwrap_err();
    assert_eq!(busy.code(), "uploads_busy");
    hanging[0].abort();
    host.upload_bytes(bytes, NewComponent::default()).unwrap();
    hanging[1].abort();
    host.until("what was aborted is gone", || {
        files_in(&bed, "uploads").is_empty()
    });
}

pub fn used_components_stay(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    let component = host.component("hello", "1.0.0");
    let remove = || host.run(host.supervisor.remove_component(component.digest, &admin()));
    let used = remove().unwrap_err();
    assert_eq!(used.code(), "component_in_use");
    assert!(used.to_string().contains("used by shop:"), "{used}");
    host.done(&host.delete("shop", DataPolicy::Drop));
    remove().unwrap();
    assert!(matches!(remove(), Err(Error::NotFound { .. })));
    assert!(files_in(&bed, "components").is_empty());
    assert!(host.runtime.compiled.lock().is_empty());
    host.component("hello", "1.0.0");
}

pub fn compiles_are_resumed(bed: Bed) {
    let host = bed.open();
    host.runtime.may_compile.send_replace(false);
    let bytes = component_bytes("hello", "1.0.0", "");
    let (component, _) = host.upload_bytes(bytes, NewComponent::default()).unwrap();
    let status =
        |host: &crate::bed::Host| host.supervisor.component(&component.digest).unwrap().status;
    host.until("it compiles", || {
        status(&host) == ComponentStatus::Compiling
    });
    host.create_from(serde_json::json!({"id": "shop", "component": {"name": "hello"}}))
        .unwrap();
    host.crash();
    let host = bed.open();
    assert_eq!(host.visit("shop"), Ok(()));
    assert_eq!(status(&host), ComponentStatus::Ready);
}

pub fn leftovers_are_removed(bed: Bed) {
    bed.open().crash();
    let unknown = Digest::from_bytes([9; 32]);
    std::fs::write(bed.path("uploads").join("half"), "x").unwrap();
    std::fs::write(bed.path("components").join(format!("{unknown}.wasm")), "x").unwrap();
    let runtime = FakeRuntime::default();
    runtime.compiled.lock().insert(unknown);
    let host = bed.open_with(runtime);
    assert!(files_in(&bed, "uploads").is_empty());
    assert!(files_in(&bed, "components").is_empty());
    assert!(host.runtime.compiled.lock().is_empty());
}

pub fn a_failed_compile_fails_its_apps(bed: Bed) {
    let host = bed.open();
    host.runtime.may_compile.send_replace(false);
    let error = CompileError::Component("it took more than 60 s".into());
    host.runtime.failing_compiles.lock().push(error);
    let bytes = component_bytes("huge", "1.0.0", "");
    let (component, _) = host
        .upload_bytes(bytes.clone(), NewComponent::default())
        .unwrap();
    host.create_from(serde_json::json!({"id": "shop", "component": {"name": "huge"}}))
        .unwrap();
    let start = host.start("shop");
    host.until_status("shop", Status::Preparing);
    host.runtime.may_compile.send_replace(true);
    let failed = host.end_of(&start);
    assert_eq!(
        failed.error.unwrap(),
        "huge 1.0.0 could not be compiled: it took more than 60 s"
    );
    assert_eq!(host.status("shop"), Status::Failed);
    assert_eq!(host.visit("shop"), Err(FailureKind::AppFailed));
    let refused = host
        .create_from(serde_json::json!({"id": "b", "component": {"digest": component.digest}}))
        .unwrap_err();
    assert!(
        refused.to_string().contains("it took more than 60 s"),
        "{refused}"
    );
    // Another start finds it failed still; the same bytes again are another try.
    assert_eq!(
        host.end_of(&host.start("shop")).status,
        OperationStatus::Failed
    );
    host.upload_bytes(bytes, NewComponent::default()).unwrap();
    host.until("it is ready", || {
        host.supervisor.component(&component.digest).unwrap().status == ComponentStatus::Ready
    });
    host.done(&host.start("shop"));
}

pub fn the_hosts_failures_are_retried(bed: Bed) {
    let host = bed.open();
    *host.runtime.failing_compiles.lock() = vec![
        CompileError::Host("no space left".into()),
        CompileError::Host("no process".into()),
    ];
    let component = host.component("hello", "1.0.0");
    assert_eq!(
        (component.status, component.error),
        (ComponentStatus::Ready, None)
    );
    assert_eq!(host.runtime.compiles.load(SeqCst), 3);
}

pub fn a_lost_cache_is_rebuilt(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    let component = host.component("hello", "1.0.0");
    host.runtime.compiled.lock().clear();
    assert_eq!(host.visit("shop"), Ok(()));
    assert_eq!(host.runtime.compiles.load(SeqCst), 2);
    host.crash();
    // After a restart it is rebuilt before anyone visits.
    let host = bed.open();
    host.until("it is compiled", || {
        host.runtime.compiled.lock().contains(&component.digest)
    });
    assert_eq!(host.status("shop"), Status::Waiting);
    host.pause(50);
    // A component whose file is gone says so, and is healed by the same bytes.
    host.runtime.compiled.lock().clear();
    std::fs::remove_file(
        bed.path("components")
            .join(format!("{}.wasm", component.digest)),
    )
    .unwrap();
    assert_eq!(host.visit("shop"), Err(FailureKind::AppFailed));
    assert!(
        host.supervisor.app(&id("shop")).unwrap().observed[0]
            .message
            .as_ref()
            .unwrap()
            .contains("its file is gone")
    );
    host.component("hello", "1.0.0");
    host.done(&host.start("shop"));
}

pub fn apps_follow_newer_versions(bed: Bed) {
    let host = bed.open();
    let first = host.component("hello", "1.0.0");
    for (name, follows) in [("follows", true), ("stays", false)] {
        let app = serde_json::json!({
            "id": name, "component": {"name": "hello"}, "auto_upgrade": follows,
        });
        host.create_from(app).unwrap();
    }
    host.visit("follows").unwrap();
    let version = |name: &str| host.supervisor.app(&id(name)).unwrap().component.version;
    // Another's component and an older version are no news.
    host.component("other", "9.0.0");
    let old = host.component("hello", "0.9.0");
    host.component("hello", "1.10.0");
    host.until("it follows", || version("follows") == "1.10.0");
    host.until("it runs it", || {
        host.observed("follows").version.as_deref() == Some("1.10.0")
    });
    // Not the last upload, but what the versions say. Apps are looked at in the order of their IDs.
    let app = serde_json::json!({
        "id": "zebra", "component": {"digest": old.digest}, "auto_upgrade": true,
    });
    host.create_from(app).unwrap();
    host.component("hello", "1.9.0");
    host.until("all were looked at", || version("zebra") == "1.9.0");
    assert_eq!(version("follows"), "1.10.0");
    // Set back, it stays there: also when its component is compiled anew.
    host.patch(
        "follows",
        serde_json::json!({ "component": { "digest": first.digest } }),
    )
    .unwrap();
    host.crash();
    let host = bed.open();
    host.pause(50);
    let version = |name: &str| host.supervisor.app(&id(name)).unwrap().component.version;
    assert_eq!(version("follows"), "1.0.0");
    host.component("hello", "1.11.0");
    host.until("it follows again", || version("follows") == "1.11.0");
    assert_eq!(version("stays"), "1.0.0");
    let (app, page) = (id("follows"), lodge_supervisor::Page::default());
    let events = host.run(host.supervisor.events(&app, &page)).unwrap().items;
    assert!(
        events
            .iter()
            .any(|e| e.actor == "system" && e.action == "app.update"),
        "{events:?}"
    );
}
