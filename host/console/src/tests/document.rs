use super::support::{TestConsole, request};
use http::Method;
use serde_json::Value;
use std::path::Path;

/// docs/openapi.json is the document as it is served: clients are generated from it. After a change
/// on purpose, run this test with UPDATE_SNAPSHOTS=1 and read the difference.
#[tokio::test]
async fn the_document_is_the_one_checked_in() {
    let test = TestConsole::new().await;
    let served = test
        .send(request(Method::GET, "/api/openapi.json", None))
        .await;
    assert_eq!(served.status, 200);
    let text = format!("{:#}\n", served.json());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "docs/openapi.json is not what the code serves: if that is on purpose, run this test with \
         UPDATE_SNAPSHOTS=1 and commit the file"
    );
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_operation_has_errors() {
    let test = TestConsole::new().await;
    let document = test.get("/api/openapi.json").await.json();
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    found.push(target.clone());
                }
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50);
    for target in found {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(
            document.pointer(pointer).is_some(),
            "{target} leads nowhere"
        );
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{name} has no summary");
            assert!(
                operation["operationId"].is_string(),
                "{name} has no operationId"
            );
            let problem = &operation["responses"]["default"]["content"]["application/problem+json"];
            assert_eq!(
                problem["schema"]["$ref"], "#/components/schemas/Problem",
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn operation_ids_are_unique() {
    let test = TestConsole::new().await;
    let document = test.get("/api/openapi.json").await.json();
    let items = document["paths"].as_object().unwrap().values();
    let mut ids: Vec<_> = items
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "{ids:?}");
}
