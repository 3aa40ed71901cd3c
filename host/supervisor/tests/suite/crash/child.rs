//! The process that is killed: it asks for one thing after the other and says what was acknowledged.

use super::APPS;
use crate::bed::{Bed, admin, id};
use crate::fake::{FakeRuntime, component_bytes};
use futures::stream;
use lodge_model::*;
use lodge_supervisor::*;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

/// What a line of the child says: that something is tried, or was acknowledged.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Line {
    Try(Act),
    Done(Act),
    /// Refused: nothing was changed.
    Refused(Act),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Act {
    Create(String),
    Start(String),
    Stop(String),
    Restart(String),
    /// To this concurrency.
    Update(String, u32),
    Delete(String),
    Visit(String),
    /// This version of `other`.
    Upload(u64),
}

/// What should be of one app: running or not, and its concurrency.
pub(super) type Wanted = Option<(Desired, u32)>;

impl Act {
    pub(super) fn app(&self) -> Option<&str> {
        match self {
            Self::Create(app)
            | Self::Start(app)
            | Self::Stop(app)
            | Self::Restart(app)
            | Self::Update(app, _)
            | Self::Delete(app)
            | Self::Visit(app) => Some(app),
            Self::Upload(_) => None,
        }
    }

    pub(super) fn after(&self, wanted: Wanted) -> Wanted {
        let (desired, concurrency) = wanted.unwrap_or((Desired::Stopped, 64));
        match self {
            Self::Create(app) => Some((created_as(app).1, 64)),
            Self::Start(_) | Self::Restart(_) => Some((Desired::Running, concurrency)),
            Self::Stop(_) => Some((Desired::Stopped, concurrency)),
            Self::Update(_, concurrency) => Some((desired, *concurrency)),
            Self::Delete(_) => None,
            Self::Visit(_) | Self::Upload(_) => wanted,
        }
    }
}

/// Half of the apps start with the host.
fn created_as(app: &str) -> (StartMode, Desired) {
    match app.ends_with(['0', '2', '4']) {
        true => (StartMode::WithHost, Desired::Stopped),
        false => (StartMode::OnFirstVisit, Desired::Running),
    }
}

pub(super) struct Random(pub(super) u64);

impl Random {
    /// SplitMix64.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// The child: every app has one task that asks for one thing after the other.
pub(super) fn busy(bed: &Bed, seed: u64) {
    let runtime = FakeRuntime::default();
    *runtime.start_delay.lock() = Duration::from_millis(1);
    *runtime.stop_delay.lock() = Duration::from_millis(2);
    let host = bed.open_with(runtime);
    host.component("hello", "1.0.0");
    for n in 0..APPS {
        let (supervisor, random) = (Arc::clone(&host.supervisor), Random(seed ^ (n << 32)));
        host.tokio
            .spawn(act_on_app(supervisor, format!("app-{n}"), random));
    }
    let supervisor = Arc::clone(&host.supervisor);
    host.run(async move {
        for n in 0.. {
            perform(&supervisor, Act::Upload(seed * 100_000 + n)).await;
        }
    });
}

async fn act_on_app(supervisor: Arc<Supervisor>, app: String, mut random: Random) {
    loop {
        let there = supervisor.app(&id(&app)).is_ok();
        let app = app.clone();
        let act = match random.below(12) {
            _ if !there => Act::Create(app),
            0..2 => Act::Start(app),
            2..4 => Act::Stop(app),
            4..6 => Act::Restart(app),
            6..8 => Act::Update(app, 1 + u32::try_from(random.below(1000)).unwrap()),
            8 => Act::Delete(app),
            _ => Act::Visit(app),
        };
        perform(&supervisor, act).await;
        tokio::time::sleep(Duration::from_millis(random.below(5))).await;
    }
}

async fn perform(supervisor: &Arc<Supervisor>, act: Act) {
    say(&Line::Try(act.clone()));
    let deletes = matches!(act, Act::Delete(_));
    let outcome = ask(supervisor, &act).await;
    say(&match &outcome {
        Ok(_) => Line::Done(act),
        Err(_) => Line::Refused(act),
    });
    // The name may be used again only once it is gone.
    if let (true, Ok(Some(operation))) = (deletes, outcome) {
        let limit = Duration::from_secs(60);
        supervisor
            .wait_operation(&operation.id, limit)
            .await
            .unwrap();
    }
}

async fn ask(supervisor: &Arc<Supervisor>, act: &Act) -> Result<Option<Operation>, Error> {
    let actor = admin();
    let app = act.app().map(id);
    let Some(app) = &app else {
        let Act::Upload(n) = act else { return Ok(None) };
        let bytes = component_bytes("other", &n.to_string(), "");
        let body = stream::iter([Ok::<_, std::io::Error>(bytes)]);
        let upload = supervisor.upload(body, NewComponent::default(), &actor);
        return upload.await.map(|_| None);
    };
    match act {
        Act::Create(name) => {
            let mut new = NewApp {
                id: Some(app.clone()),
                ..NewApp::default()
            };
            new.component.name = Some("hello".into());
            new.start_mode = created_as(name).0;
            supervisor.create_app(new, &actor).await.map(|_| None)
        }
        Act::Start(_) => supervisor.start(app, &actor).await.map(Some),
        Act::Stop(_) => supervisor.stop(app, &actor).await.map(Some),
        Act::Restart(_) => supervisor.restart(app, &actor).await.map(Some),
        Act::Update(_, concurrency) => {
            let concurrency = Some(*concurrency);
            let limits = Some(LimitsPatch {
                concurrency,
                ..LimitsPatch::default()
            });
            let patch = AppPatch {
                limits,
                ..AppPatch::default()
            };
            supervisor
                .update_app(app, patch, &actor)
                .await
                .map(|_| None)
        }
        Act::Delete(_) => supervisor
            .delete_app(app, DataPolicy::Drop, &actor)
            .await
            .map(Some),
        Act::Visit(_) | Act::Upload(_) => {
            let _ = supervisor.activate(app, RequestId(1)).await;
            Ok(None)
        }
    }
}

fn say(line: &Line) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n@{}", serde_json::to_string(line).unwrap()).unwrap();
    out.flush().unwrap();
}
