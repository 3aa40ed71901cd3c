//! The texts of the edge's own answers.

use lodge_model::{FailureKind, RequestId};

/// The page at `/`: the same for everyone, and silent about which apps there are.
pub(super) const WELCOME: &str = "This is Lodge, a host for many applications.\n\n\
    An application is at /apps/{id}/ or at its own host name.\n\
    Its administrator knows the address.\n";

/// What a person is told: a heading and what to do.
fn words(kind: FailureKind) -> (&'static str, &'static str) {
    use FailureKind as K;
    match kind {
        K::AppNotFound => (
            "Nothing here",
            "No application has this address. Check it for a slip of the pen.",
        ),
        K::AppStopped => (
            "Not running",
            "This application has been stopped by its administrator.",
        ),
        K::AppFailed => (
            "Not available",
            "This application could not start. Its administrator can see why.",
        ),
        K::AppStarting => (
            "Still starting",
            "This application takes longer than usual to start. Try again in a moment.",
        ),
        K::QueueFull | K::QueueTimeout | K::Overloaded | K::HostBusy => (
            "Very busy",
            "More visitors are here than can be served at once. Try again in a moment.",
        ),
        K::Trap | K::OutOfMemory | K::NoResponse | K::Internal => (
            "Something went wrong",
            "This application failed to answer. If it happens again, tell its administrator the reference below.",
        ),
        K::Deadline | K::CpuLimit => (
            "Took too long",
            "This application did not answer within its time. If it happens again, tell its administrator the reference below.",
        ),
        K::BodyTooLarge => (
            "Too large",
            "What was sent is larger than this application takes.",
        ),
        K::HeaderTooLarge => (
            "Too large",
            "The request's header is larger than this server takes. Deleting this site's cookies may help.",
        ),
        K::BadRequest => (
            "Not understood",
            "The request is not one that can be served. Check the address.",
        ),
        K::EnvironmentLost => (
            "Out of reach",
            "The machine that serves this application does not answer. Try again in a moment.",
        ),
        K::BadGateway => (
            "Broken off",
            "The machine that serves this application broke off its answer. Try again; if it happens again, tell its administrator the reference below.",
        ),
        K::EnvironmentNotFound => (
            "Not in this environment",
            "This application does not run in the environment that was asked for. Choose another, or leave the choice out.",
        ),
    }
}

/// A failure as problem+json (RFC 9457).
pub(super) fn json(kind: FailureKind, id: RequestId) -> String {
    let (title, detail) = words(kind);
    let status = kind.status();
    // Serializing text and numbers cannot fail.
    serde_json::json!({
        "type": "about:blank",
        "title": title,
        "status": status.as_u16(),
        "detail": detail,
        "code": kind.code(),
        "reference": id.to_string(),
    })
    .to_string()
}

/// A failure as a page: no script, nothing from elsewhere, light and dark, small screens too.
pub(super) fn html(kind: FailureKind, id: RequestId) -> String {
    let (title, detail) = words(kind);
    let status = kind.status().as_u16();
    let code = kind.code();
    format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center;
  font: 1rem/1.6 system-ui, sans-serif; background: #f6f7f8; color: #1c2126; }}
main {{ max-width: 32rem; padding: 2rem; }}
h1 {{ margin: 0 0 .5rem; font-size: 1.75rem; font-weight: 600; line-height: 1.2; }}
p {{ margin: 0 0 1.5rem; }}
small {{ color: #5c6670; overflow-wrap: anywhere; }}
@media (prefers-color-scheme: dark) {{
  body {{ background: #14171a; color: #e6e9ec; }}
  small {{ color: #98a2ac; }}
}}
</style>
<main>
<h1>{title}</h1>
<p>{detail}</p>
<small>{status} · {code} · reference {id}</small>
</main>
</html>
"#
    )
}
