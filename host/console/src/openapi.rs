//! The OpenAPI document: generated from the handlers, completed here with what they share.

use axum::Extension;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, Info, OpenApi, OpenApiBuilder, PathItem, Ref, ResponseBuilder,
    SecurityRequirement, path::Operation,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::problem::{Members, PROBLEM_JSON};

/// The document, written once.
#[derive(Debug, Clone)]
pub(crate) struct Document(Bytes);

impl Document {
    pub(crate) fn new(document: &OpenApi) -> Self {
        Self(serde_json::to_vec(document).unwrap_or_default().into())
    }
}

/// Show this document.
#[utoipa::path(get, path = "/api/openapi.json", tag = "meta", security(()),
    responses((status = 200, description = "the OpenAPI document", body = Object)))]
pub(crate) async fn show(Extension(document): Extension<Document>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document.0).into_response()
}

/// What stands in the document before any handler: who we are, and how to log in.
pub(crate) fn skeleton() -> OpenApi {
    let mut info = Info::new("Lodge admin API", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Upload WebAssembly components and run them as apps, each with its own limits, \
         configuration and addresses. Errors are problem+json (RFC 9457) with a stable `code`. \
         Times are milliseconds since 1970, sizes bytes. A POST may carry an `Idempotency-Key`: \
         the same request sent again gets the same answer and acts once."
            .to_owned(),
    );
    let mut components = Components::new();
    components.add_security_scheme(
        "bearer",
        SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
    );
    components.add_security_scheme(
        "cookie",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::auth::COOKIE))),
    );
    let none = Vec::<String>::new;
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .security(Some([
            SecurityRequirement::new("bearer", none()),
            SecurityRequirement::new("cookie", none()),
        ]))
        .build()
}

/// Adds what every operation has: its errors, and an ID of its own. Handlers are named for what they
/// do to their noun, so `list` of the tag `apps` becomes `apps_list`.
pub(crate) fn finish(mut document: OpenApi) -> OpenApi {
    let name = Members::name().into_owned();
    let components = document.components.get_or_insert_default();
    components.schemas.insert(name.clone(), Members::schema());
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            if let (Some(id), Some([tag, ..])) =
                (&mut operation.operation_id, operation.tags.as_deref())
            {
                *id = format!("{tag}_{id}");
            }
            let schema = Ref::from_schema_name(&name);
            let content = ContentBuilder::new().schema(Some(schema)).build();
            let problem = ResponseBuilder::new()
                .description("what went wrong, and what to do")
                .content(PROBLEM_JSON, content)
                .build();
            operation
                .responses
                .responses
                .insert("default".to_owned(), problem.into());
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .filter_map(Option::as_mut)
}
