//! The admin API, as a program uses it.

use crate::{eventually, guest};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use ureq::http::{Method, Request};

/// How long a compile may take in a test: unoptimized builds and a busy machine are slow.
const COMPILE: Duration = Duration::from_secs(180);
/// How long an operation may take.
const OPERATION: Duration = Duration::from_secs(60);

/// The admin API with a credential.
#[derive(Clone)]
pub struct Api {
    agent: ureq::Agent,
    base: String,
    token: String,
}

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its JSON; null if it has none.
    pub body: Value,
}

impl Answer {
    /// The JSON of an answer that must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The stable code of a problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl Api {
    pub(crate) fn log_in(admin: SocketAddr, email: &str, password: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)))
            .build()
            .new_agent();
        let mut api = Self {
            agent,
            base: format!("http://{admin}"),
            token: String::new(),
        };
        let answer = api.post(
            "/api/auth/login",
            &json!({ "email": email, "password": password }),
        );
        answer.expect(200)["token"]
            .as_str()
            .unwrap()
            .clone_into(&mut api.token);
        api
    }

    /// The same credential at another address.
    pub(crate) fn at(mut self, admin: SocketAddr) -> Self {
        self.base = format!("http://{admin}");
        self
    }

    /// What the credential is in an `Authorization` header.
    pub fn authorization(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// GET.
    pub fn get(&self, path: &str) -> Answer {
        self.try_send(Method::GET, path, None).unwrap()
    }

    /// POST with JSON.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_send(Method::POST, path, Some(body)).unwrap()
    }

    /// PATCH with JSON.
    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.try_send(Method::PATCH, path, Some(body)).unwrap()
    }

    /// DELETE.
    pub fn delete(&self, path: &str) -> Answer {
        self.try_send(Method::DELETE, path, None).unwrap()
    }

    /// Any request, to a host that may go away in the middle of it.
    ///
    /// # Errors
    /// There was no answer.
    pub fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, ureq::Error> {
        let kind = "application/json";
        self.send(
            method,
            path,
            body.map(|body| (kind, body.to_string().into_bytes())),
        )
    }

    /// As [`try_send`](Self::try_send), with an `Idempotency-Key` and no more patience than this.
    ///
    /// # Errors
    /// There was no answer.
    pub fn try_once(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: &str,
        patience: Duration,
    ) -> Result<Answer, ureq::Error> {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(patience))
            .build()
            .new_agent();
        let hurried = Self {
            agent,
            ..self.clone()
        };
        let body = body.map(|body| ("application/json", body.to_string().into_bytes()));
        hurried.send_keyed(method, path, body, Some(key))
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, Vec<u8>)>,
    ) -> Result<Answer, ureq::Error> {
        self.send_keyed(method, path, body, None)
    }

    fn send_keyed(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, Vec<u8>)>,
        key: Option<&str>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let mut response = match body {
            Some((kind, bytes)) => self
                .agent
                .run(request.header("content-type", kind).body(bytes).unwrap())?,
            None => self.agent.run(request.body(()).unwrap())?,
        };
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string()?;
        Ok(Answer {
            status,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
        })
    }

    /// Uploads bytes as a component.
    ///
    /// # Errors
    /// There was no answer.
    pub fn try_upload(&self, query: &str, bytes: Vec<u8>) -> Result<Answer, ureq::Error> {
        self.send(
            Method::POST,
            &format!("/api/components{query}"),
            Some(("application/wasm", bytes)),
        )
    }

    /// Uploads a test guest and waits until it is compiled; returns its digest.
    pub fn upload_guest(&self, name: &str) -> String {
        let answer = self
            .try_upload(&format!("?name={name}&version=1.0.0"), guest(name))
            .unwrap();
        assert!(
            matches!(answer.status, 200 | 201),
            "{name}: {} {}",
            answer.status,
            answer.body
        );
        let digest = answer.body["digest"].as_str().unwrap().to_owned();
        let component = self.compiled(&digest);
        assert_eq!(component["status"], "ready", "{component}");
        digest
    }

    /// Waits until a component is compiled, or failed to be.
    pub fn compiled(&self, digest: &str) -> Value {
        eventually("the compile ends", COMPILE, || {
            let component = self
                .get(&format!("/api/components/{digest}?wait_ms=10000"))
                .expect(200);
            matches!(component["status"].as_str(), Some("ready" | "failed")).then_some(component)
        })
    }

    /// Does something to an app (`start`, `stop`, `restart`) and waits until it is done; returns the
    /// operation.
    pub fn act(&self, app: &str, act: &str) -> Value {
        let accepted = self
            .try_send(Method::POST, &format!("/api/apps/{app}/{act}"), None)
            .unwrap();
        self.done(&accepted.expect(202))
    }

    /// Removes an app and waits until it is gone.
    pub fn remove(&self, app: &str) -> Value {
        let accepted = self.delete(&format!("/api/apps/{app}")).expect(202);
        self.done(&accepted)
    }

    fn done(&self, accepted: &Value) -> Value {
        let id = accepted["operation"]["id"].as_str().unwrap().to_owned();
        eventually("the operation ends", OPERATION, || {
            let operation = self
                .get(&format!("/api/operations/{id}?wait_ms=10000"))
                .expect(200);
            (operation["status"] != "running").then_some(operation)
        })
    }

    /// An app as it is now.
    pub fn app(&self, id: &str) -> Value {
        self.get(&format!("/api/apps/{id}")).expect(200)
    }

    /// An app's observed status.
    pub fn status(&self, id: &str) -> String {
        self.app(id)["observed"][0]["status"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The texts of an app's log.
    pub fn log(&self, id: &str) -> Vec<String> {
        let lines = self
            .get(&format!("/api/apps/{id}/logs?limit=5000"))
            .expect(200);
        let lines = lines["items"].as_array().unwrap().iter();
        lines
            .map(|line| line["message"].as_str().unwrap().to_owned())
            .collect()
    }

    /// An app's counters.
    pub fn stats(&self, id: &str) -> Value {
        self.get(&format!("/api/apps/{id}/stats")).expect(200)
    }
}
