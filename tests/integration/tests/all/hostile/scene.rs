//! An app of a hostile guest, and those who ask it to misbehave.

use lodge_harness::{Api, Host, Reply, Visit, eventually};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Attackers at once.
pub(super) const AT_ONCE: u64 = 4;

/// What one behaviour is, and what must come of it.
pub(super) struct Attack {
    limits: Value,
    hosts: Value,
    check: Box<dyn Fn(&Scene)>,
}

impl Attack {
    /// Every one of several requests at once fails so; it is counted and logged.
    pub(super) fn fails(status: u16, code: &'static str) -> Self {
        Self::checked(move |scene| {
            let before = scene.count_of(code);
            for reply in scene.at_once(|visit| visit.send()) {
                assert_eq!(
                    (reply.status, reply.code().as_str()),
                    (status, code),
                    "{}",
                    reply.text()
                );
                scene.logs_reference(&reply);
            }
            assert_eq!(scene.count_of(code) - before, AT_ONCE, "{code} is counted");
        })
    }

    /// What happens is checked by this.
    pub(super) fn checked(check: impl Fn(&Scene) + 'static) -> Self {
        Self {
            limits: json!({ "request_cpu_ms": 300, "request_timeout_ms": 10_000 }),
            hosts: json!([]),
            check: Box::new(check),
        }
    }

    /// With another limit.
    pub(super) fn limit(mut self, name: &str, value: u64) -> Self {
        self.limits[name] = json!(value);
        self
    }

    /// With a host that the app may call.
    pub(super) fn may_call(mut self, host: &str) -> Self {
        self.hosts = json!([host]);
        self
    }

    pub(super) fn run(&self, scene: &Scene) {
        (self.check)(scene);
    }
}

/// Where it happens.
pub(super) struct Scene {
    pub(super) api: Api,
    pub(super) at: SocketAddr,
    pub(super) app: String,
    path: String,
}

/// A behaviour's app.
pub(super) fn app_name(behaviour: &str) -> String {
    behaviour.replace('_', "-")
}

impl Scene {
    pub(super) fn set(host: &mut Host, guest: &str, behaviour: &str, attack: &Attack) -> Self {
        let app = app_name(behaviour);
        let fields = json!({ "limits": attack.limits, "outbound_hosts": attack.hosts });
        host.deploy_with(guest, &app, fields);
        Self {
            api: host.api(),
            at: host.apps,
            app,
            path: format!("/{behaviour}"),
        }
    }

    /// A visit to the behaviour.
    pub(super) fn visit(&self) -> Visit {
        self.visit_with("")
    }

    /// With a query.
    pub(super) fn visit_with(&self, query: &str) -> Visit {
        let path = format!("/apps/{}{}{query}", self.app, self.path);
        Visit::new(self.at, "127.0.0.1", &path).patience(PATIENCE)
    }

    /// What the app says when it is asked for nothing bad.
    pub(super) fn ok(&self) -> String {
        let path = format!("/apps/{}/ok", self.app);
        Visit::new(self.at, "127.0.0.1", &path).send().text()
    }

    /// What several visitors at once get of it.
    pub(super) fn at_once<T: Send + 'static>(&self, of: fn(Visit) -> T) -> Vec<T> {
        let visits = (0..AT_ONCE).map(|_| {
            let visit = self.visit();
            std::thread::spawn(move || of(visit))
        });
        let visits: Vec<_> = visits.collect();
        visits
            .into_iter()
            .map(|visit| visit.join().unwrap())
            .collect()
    }

    /// One of the app's counters.
    pub(super) fn stat(&self, name: &str) -> u64 {
        self.api.stats(&self.app)[name].as_u64().unwrap()
    }

    /// Requests that failed for this reason.
    pub(super) fn count_of(&self, code: &str) -> u64 {
        self.api.stats(&self.app)["reasons"][code]
            .as_u64()
            .unwrap_or_default()
    }

    /// Nothing is under way any more.
    pub(super) fn is_calm(&self) {
        eventually("no request is under way", PATIENCE, || {
            let stats = self.api.stats(&self.app);
            (stats["in_flight"] == 0 && stats["queued"] == 0).then_some(())
        });
    }

    /// The failure's cause is in the app's log, under the reference that the visitor was shown.
    pub(super) fn logs_reference(&self, reply: &Reply) {
        let reference = reply.json()["reference"].clone();
        self.logs("the failure", |line| {
            line["request"] == reference && line["source"] == "host"
        });
    }

    /// Such a line is in the app's log, or comes to be.
    pub(super) fn logs(&self, what: &str, is_it: impl Fn(&Value) -> bool) {
        eventually(&format!("{what} is in the app's log"), PATIENCE, || {
            let lines = self
                .api
                .get(&format!("/api/apps/{}/logs?limit=5000", self.app));
            lines.expect(200)["items"]
                .as_array()?
                .iter()
                .any(&is_it)
                .then_some(())
        });
    }
}

/// The most memory that the host's process had resident meanwhile, in bytes, and how that ended.
pub(super) fn resident_peak(
    host: &Host,
    meanwhile: impl FnOnce(),
) -> (u64, std::thread::Result<()>) {
    let (stop, peak) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            while !stop.load(Relaxed) {
                peak.fetch_max(host.resident_bytes(), Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        // Also if it panics: the watch must end for the scope to.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(meanwhile));
        stop.store(true, Relaxed);
        watch.join().unwrap();
        (peak.load(Relaxed), outcome)
    })
}
