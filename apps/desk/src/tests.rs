//! The desk without a host: its pages, its API, its webhook.

use super::*;
use lodge_sdk::{Body, Method, Request, testing};
use std::cell::RefCell;
use std::rc::Rc;

struct Desk(Router);

/// What a browser keeps.
struct Browser<'a> {
    desk: &'a Desk,
    cookie: String,
}

fn desk() -> Desk {
    testing::migrate(migrations::list);
    Desk(app())
}

impl Desk {
    fn sign_up(&self, name: &str) -> Browser<'_> {
        let form = format!("name={name}&email={name}%40example.com&password=correct+horse");
        let request =
            Request::post("/signup").header("content-type", "application/x-www-form-urlencoded");
        let response = testing::respond(&self.0, request.body(form.into()).unwrap());
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Browser { desk: self, cookie }
    }
}

impl Browser<'_> {
    fn send(&self, method: Method, path: &str, kind: &str, body: &str) -> (StatusCode, String) {
        let request = http_request(method, path, &self.cookie, kind, body);
        testing::call(&self.desk.0, request)
    }

    fn get(&self, path: &str) -> String {
        let (status, body) = self.send(Method::GET, path, "text/plain", "");
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    fn post(&self, path: &str, form: &str) -> StatusCode {
        self.send(
            Method::POST,
            path,
            "application/x-www-form-urlencoded",
            form,
        )
        .0
    }
}

fn http_request(method: Method, path: &str, cookie: &str, kind: &str, body: &str) -> Request {
    Request::builder()
        .method(method)
        .uri(path)
        .header("cookie", cookie)
        .header("content-type", kind)
        .body(Body::from(body.to_owned()))
        .unwrap()
}

#[test]
fn tickets_are_written_found_discussed_and_closed() {
    let desk = desk();
    let ada = desk.sign_up("ada");
    assert!(ada.get("/").contains("No tickets here"));
    assert_eq!(
        ada.post(
            "/tickets",
            "title=Printer+is+on+fire&body=It+%3Cb%3Ereally%3C%2Fb%3E+is"
        ),
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        ada.post("/tickets", "title=100%25+of+disk&body=full"),
        StatusCode::SEE_OTHER
    );
    let page = ada.get("/tickets/1");
    assert!(page.contains("It &lt;b&gt;really&lt;/b&gt; is"), "{page}");
    assert!(page.contains("../style.css") && page.contains("action=\"1/comments\""));
    let bob = desk.sign_up("bob");
    assert_eq!(
        bob.post("/tickets/1/comments", "body=Water+%3F"),
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        bob.post("/tickets/1/state", "state=closed"),
        StatusCode::SEE_OTHER
    );
    let page = ada.get("/tickets/1");
    assert!(
        page.contains("Water ?") && page.contains("state closed"),
        "{page}"
    );
    let found = ada.get("/?q=PRINTER");
    assert!(found.contains("on fire") && !found.contains("of disk"));
    assert!(!ada.get("/?q=0%25+of+x").contains("of disk"));
    assert!(ada.get("/?q=0%25+of").contains("of disk"));
    let open = ada.get("/?state=open");
    assert!(!open.contains("on fire") && open.contains("of disk"));
    for (path, form, status) in [
        (
            "/tickets",
            "title=&body=x",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            "/tickets/1/state",
            "state=lost",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        ("/tickets/9/comments", "body=x", StatusCode::NOT_FOUND),
        ("/tickets/9/state", "state=open", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(ada.post(path, form), status, "{path} {form}");
    }
}

#[test]
fn pages_of_twenty() {
    let desk = desk();
    let ada = desk.sign_up("ada");
    for number in 0..21 {
        ada.post("/tickets", &format!("title=number+{number}&body=x"));
    }
    let first = ada.get("/");
    assert!(first.contains("number 20") && !first.contains("number 0<") && first.contains("Older"));
    let second = ada.get("/?page=2");
    assert!(second.contains("number 0<") && second.contains("Newer") && !second.contains("Older"));
}

#[test]
fn only_who_may_sees_the_admin_page() {
    let desk = desk();
    let (ada, bob) = (desk.sign_up("ada"), desk.sign_up("bob"));
    assert!(ada.get("/admin/").contains("bob@example.com"));
    assert_eq!(
        bob.send(Method::GET, "/admin/", "text/plain", "").0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        bob.post("/admin/people/2", "admin=true"),
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        ada.post("/admin/people/1", "admin=false"),
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(
        ada.post("/admin/people/2", "admin=true"),
        StatusCode::SEE_OTHER
    );
    assert!(bob.get("/admin/").contains("ada@example.com"));
    assert_eq!(
        bob.post("/admin/people/1", "admin=false"),
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        ada.send(Method::GET, "/admin/", "text/plain", "").0,
        StatusCode::FORBIDDEN
    );
}

#[test]
fn nobody_comes_in_without_a_session_or_from_elsewhere() {
    let desk = desk();
    let ada = desk.sign_up("ada");
    let stranger = Browser {
        desk: &desk,
        cookie: format!("{}x", ada.cookie),
    };
    for path in ["/", "/tickets/1", "/tickets/new", "/admin/"] {
        assert_eq!(
            stranger.send(Method::GET, path, "text/plain", "").0,
            StatusCode::SEE_OTHER,
            "{path}"
        );
    }
    assert_eq!(
        stranger
            .send(Method::GET, "/api/tickets", "text/plain", "")
            .0,
        StatusCode::UNAUTHORIZED
    );
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
    ] {
        let mut request = http_request(
            Method::POST,
            "/tickets",
            &ada.cookie,
            "application/x-www-form-urlencoded",
            "title=a&body=b",
        );
        request.headers_mut().insert(name, value.parse().unwrap());
        assert_eq!(
            testing::call(&desk.0, request).0,
            StatusCode::FORBIDDEN,
            "{name}: {value}"
        );
    }
    let (status, page) = ada.send(Method::GET, "/nowhere/at/all", "text/plain", "");
    assert!(
        status == StatusCode::NOT_FOUND && page.contains("../../style.css"),
        "{page}"
    );
    let style = ada.get("/style.css");
    assert!(style.contains("color-scheme"));
    let login = |password: &str| {
        let form = format!("email=ADA%40example.com+&password={password}");
        stranger.post("/login", &form)
    };
    assert_eq!(login("correct+horse"), StatusCode::SEE_OTHER);
    assert_eq!(login("wrong+horse"), StatusCode::UNPROCESSABLE_ENTITY);
    for _ in 0..9 {
        login("wrong+horse");
    }
    // Ten wrong ones in a row: not even the right one, for a while.
    assert_eq!(login("correct+horse"), StatusCode::UNPROCESSABLE_ENTITY);
    let twice = stranger.post(
        "/signup",
        "name=x&email=ada%40example.com&password=12345678",
    );
    assert_eq!(twice, StatusCode::UNPROCESSABLE_ENTITY);
}

#[test]
fn programs_use_the_api_and_a_webhook_hears_of_it() {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let ears = heard.clone();
    testing::set_config("webhook_url", "https://hooks.example.com/desk");
    testing::answer_requests(move |request| {
        let uri = request.uri().to_string();
        let body = testing::block_on(request.into_body().bytes(1000)).unwrap();
        ears.borrow_mut()
            .push((uri, String::from_utf8(body.to_vec()).unwrap()));
        lodge_sdk::Response::default()
    });
    let desk = desk();
    let ada = desk.sign_up("ada");
    let (status, body) = ada.send(
        Method::POST,
        "/api/tickets",
        "application/json",
        r#"{"title":"a","body":"b"}"#,
    );
    assert_eq!((status, body.as_str()), (StatusCode::CREATED, "{\"id\":1}"));
    let list = ada.get("/api/tickets?q=a");
    assert!(
        list.contains("\"title\":\"a\"") && list.contains("\"author\":\"ada\""),
        "{list}"
    );
    let (status, body) = ada.send(
        Method::POST,
        "/api/tickets",
        "application/json",
        r#"{"title":" ","body":"b"}"#,
    );
    assert!(
        status == StatusCode::UNPROCESSABLE_ENTITY && body.contains("needs a title"),
        "{body}"
    );
    ada.post("/tickets/1/state", "state=pending");
    let heard = heard.borrow();
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0].0, "https://hooks.example.com/desk");
    assert_eq!(
        heard[1].1,
        r#"{"event":"ticket.pending","ticket":1,"by":"ada"}"#
    );
}
