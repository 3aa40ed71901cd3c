use super::support::TestConsole;
use axum::body::Body;
use http::{Method, Request};
use serde_json::json;

#[tokio::test]
async fn a_component_is_uploaded_followed_listed_and_removed() {
    let test = TestConsole::new().await;
    let first = test.upload("", "\0asm hello 1.0").await;
    assert_eq!(first.status, 201, "{}", first.text);
    let again = test.upload("", "\0asm hello 1.0").await;
    assert_eq!(again.status, 200);
    assert_eq!(first.json()["digest"], again.json()["digest"]);
    let digest = test.component().await;
    assert_eq!(
        test.upload("?name=other&version=2%2Bbeta", "\0asm x y")
            .await
            .json()["name"],
        "other"
    );
    let named = test.get("/api/components?name=hello").await.json();
    assert_eq!(named["items"].as_array().unwrap().len(), 1);
    assert_eq!(named["next_cursor"], json!(null));
    let page = test.get("/api/components?limit=1").await.json();
    let cursor = page["next_cursor"].as_str().unwrap().to_owned();
    let rest = test
        .get(&format!("/api/components?limit=1&cursor={cursor}"))
        .await
        .json();
    assert_ne!(page["items"][0]["digest"], rest["items"][0]["digest"]);
    let path = format!("/api/components/{digest}");
    assert_eq!(test.call(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(
        test.get(&path).await.problem(),
        (404, "component_not_found".into())
    );
}

#[tokio::test]
async fn what_is_no_component_is_refused_with_the_reason() {
    let test = TestConsole::new().await;
    let text = test.upload("", "just text").await;
    assert_eq!(text.problem(), (422, "not_wasm".into()));
    let imports = test.upload("", "\0asm imports 1").await;
    assert_eq!(imports.problem(), (422, "unknown_imports".into()));
    assert_eq!(
        imports.json()["unknown_imports"],
        json!(["acme:gpu/compute"])
    );
    let conflict = async || {
        test.upload("", "\0asm a 1").await;
        test.upload("?name=a&version=1", "\0asm b 2").await
    };
    assert_eq!(conflict().await.problem().0, 409);
    let query = test.upload("?nmae=a", "\0asm a 1").await;
    assert_eq!(
        (query.status.as_u16(), query.json()["field"].as_str()),
        (422, Some("nmae"))
    );
    let digest = test.get("/api/components/12").await;
    assert_eq!(
        (digest.status.as_u16(), digest.json()["field"].as_str()),
        (422, Some("digest"))
    );
}

#[tokio::test]
async fn too_long_an_upload_is_refused_before_it_is_read() {
    let test = TestConsole::new().await;
    let request = Request::post("/api/components")
        .header("authorization", format!("Bearer {}", test.token))
        .header("content-length", 100 * 1024 * 1024 + 1)
        .body(Body::from_stream(futures::stream::pending::<
            std::io::Result<bytes::Bytes>,
        >()))
        .unwrap();
    assert_eq!(
        test.send(request).await.problem(),
        (413, "too_large".into())
    );
}

#[tokio::test]
async fn compressed_uploads_are_refused() {
    let test = TestConsole::new().await;
    let request = Request::post("/api/components")
        .header("authorization", format!("Bearer {}", test.token))
        .header("content-encoding", "gzip")
        .body(Body::from("x"))
        .unwrap();
    assert_eq!(
        test.send(request).await.problem(),
        (415, "encoded_body".into())
    );
}
