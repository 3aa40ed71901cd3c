//! The sample apps in JavaScript and Python, as a person uses them.

use lodge_harness::{Host, Reply};
use serde_json::json;

#[test]
fn hello_in_each_language() {
    let mut host = Host::start();
    for (sample, hello) in [
        ("hello-js", "Hello from JavaScript!\n"),
        ("hello-py", "Hello from Python!\n"),
    ] {
        host.deploy(sample, sample);
        assert_eq!(host.visit(sample, "/").send().text(), hello);
    }
}

#[test]
fn notes_are_kept_by_name_and_shown_to_whoever_has_its_token() {
    let mut host = Host::start();
    let database = json!({ "database": { "kind": "new_database" } });
    host.deploy_with("notes-js", "notes-js", database.clone());
    host.deploy_with("notes-py", "notes-py", database);
    for app in ["notes-js", "notes-py"] {
        let page = host.visit(app, "/").send();
        assert!(page.status == 200 && page.text().contains("api/login"));
        let (ann, bob) = (log_in(&host, app, "Ann"), log_in(&host, app, "Bob"));
        for text in ["milk", "ü'); DROP TABLE notes; --"] {
            let body = json!({ "text": text }).to_string();
            assert_eq!(notes(&host, app, &ann, Some(&body)).status, 201);
        }
        let listed = notes(&host, app, &ann, None).json();
        assert_eq!(listed["notes"][0]["text"], "ü'); DROP TABLE notes; --");
        assert_eq!(listed["notes"][1]["text"], "milk");
        assert_eq!(notes(&host, app, &bob, None).json()["notes"], json!([]));
        for body in ["", "{\"text\"", "{}", "[1]", "null", "{\"text\": \" \"}"] {
            let reply = notes(&host, app, &ann, Some(body));
            assert_eq!(reply.status, 400, "{app} {body}: {}", reply.text());
        }
        assert_eq!(host.visit(app, "/api/notes").send().status, 401);
        assert_eq!(notes(&host, app, &format!("{ann}x"), None).status, 401);
        assert_eq!(notes(&host, app, "nonsense", Some("{}")).status, 401);
    }
    let of_the_other = log_in(&host, "notes-js", "Ann");
    assert_eq!(notes(&host, "notes-py", &of_the_other, None).status, 401);
}

fn log_in(host: &Host, app: &str, name: &str) -> String {
    let body = json!({ "name": name }).to_string();
    let reply = host.visit(app, "/api/login").post(body).send();
    assert_eq!(reply.status, 200, "{app}: {}", reply.text());
    reply.json()["token"].as_str().unwrap().to_owned()
}

/// Adds a note, or asks for all of them.
fn notes(host: &Host, app: &str, token: &str, add: Option<&str>) -> Reply {
    let bearer = format!("Bearer {token}");
    let visit = host
        .visit(app, "/api/notes")
        .header("authorization", &bearer);
    match add {
        Some(body) => visit.post(body).send(),
        None => visit.send(),
    }
}
