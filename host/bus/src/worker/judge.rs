//! Which specifications that are found in Redis are handed out.

use super::Desk;
use super::fence::Fence;
use crate::names::MAX_DEAD;
use crate::sealed;
use crate::stream;
use crate::wire::Wire;
use lodge_model::{AppId, Goal, LinkError, Revision, Specification, ToWorker};
use std::sync::Arc;
use tokio::sync::mpsc::Sender;

/// What was found of an app; `None`: nothing.
pub(super) type Found = (AppId, Option<Vec<u8>>);

/// Hands out what is genuine, new to this process, and not lower than what any run of this worker
/// accepted; looks for the rest again, or puts it aside.
pub(super) async fn take(
    desk: &Desk,
    wire: &Wire,
    sender: &Sender<ToWorker>,
    found: Vec<Found>,
) -> Result<(), LinkError> {
    let mut accepted = Vec::new();
    let mut missed = Vec::new();
    for (app, bytes) in found {
        if bytes.is_none() && let_go(desk, &app) {
            continue;
        }
        match judge(desk, &app, bytes.as_deref()) {
            Ok(specification) => {
                let (news, wanted) = {
                    let commands = desk.commands.lock();
                    (
                        commands.is_news(&app, specification.revision),
                        commands.wanted(&app),
                    )
                };
                if wanted > Some(specification.revision) {
                    missed.push((
                        app.clone(),
                        "Redis has an older specification than was announced",
                    ));
                }
                if news {
                    accepted.push(specification);
                } else if wanted <= Some(specification.revision) {
                    let mut commands = desk.commands.lock();
                    commands.handed_out(&app, specification.revision);
                }
            }
            Err(why) => missed.push((app, why)),
        }
    }
    let kept = record(desk, &accepted).await;
    for specification in accepted {
        if !kept && serves(&specification) {
            let app = specification.app.clone();
            desk.commands
                .lock()
                .want(app.clone(), specification.revision);
            missed.push((
                app,
                "the data directory cannot be written, so that it would not be safe to run it",
            ));
            continue;
        }
        let (app, revision) = (specification.app.clone(), specification.revision);
        // Nobody hears it only when the process ends.
        let _ = sender
            .send(ToWorker::Specification(Box::new(specification)))
            .await;
        desk.commands.lock().handed_out(&app, revision);
    }
    for (app, why) in missed {
        put_aside(desk, wire, &app, why).await?;
    }
    Ok(())
}

/// A command for what was accepted before and is there no more: the supervisor has forgotten the app, or
/// will publish it again. True: it was one.
fn let_go(desk: &Desk, app: &AppId) -> bool {
    let mut commands = desk.commands.lock();
    let Some(wanted) = commands.wanted(app) else {
        return false;
    };
    if desk.fence.lock().accepted(app) < Some(wanted) {
        return false;
    }
    let entries = commands.give_up(app);
    drop(commands);
    desk.outbox.lock().acknowledge(entries);
    desk.wake.notify_one();
    true
}

fn judge(desk: &Desk, app: &AppId, bytes: Option<&[u8]>) -> Result<Specification, &'static str> {
    let bytes = bytes.ok_or("Redis has no specification of it")?;
    let environment = &desk.registration.environment;
    let Some(specification) = sealed::open(&desk.keys, environment, app, bytes) else {
        desk.complaint.of_forgery("a specification");
        return Err("the specification in Redis is not genuine");
    };
    if desk.fence.lock().lets_pass(app, specification.revision) {
        return Ok(specification);
    }
    desk.complaint.of_forgery("an old specification");
    Err("Redis has an older specification than was accepted before")
}

/// Whether it lets the app run: to stop it is safe without having written anything down.
fn serves(specification: &Specification) -> bool {
    matches!(specification.goal, Goal::Running | Goal::Waiting)
}

/// Writes down what is accepted; false: it could not be.
async fn record(desk: &Desk, accepted: &[Specification]) -> bool {
    let revisions: Vec<(AppId, Revision)> = accepted
        .iter()
        .map(|specification| (specification.app.clone(), specification.revision))
        .collect();
    if revisions.is_empty() {
        return true;
    }
    let fence: Arc<parking_lot::Mutex<Fence>> = desk.fence.clone();
    let written = tokio::task::spawn_blocking(move || fence.lock().record(&revisions)).await;
    match written {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::error!(%error, "cannot write down which revisions were accepted: is the disk full?");
            false
        }
        Err(_) => false,
    }
}

/// After the last try: into the dead letters, acknowledged, and told.
async fn put_aside(desk: &Desk, wire: &Wire, app: &AppId, why: &str) -> Result<(), LinkError> {
    let Some(aside) = desk.commands.lock().missed(app) else {
        return Ok(());
    };
    let Revision {
        generation,
        term,
        step,
    } = aside.revision;
    let revision = format!("{generation}.{term}.{step}");
    tracing::warn!(%app, revision, why, "a command was put aside");
    let dead = desk.keys.dead(&desk.registration.environment);
    let fields: [(&str, &[u8]); 3] = [
        ("app", app.as_str().as_bytes()),
        ("revision", revision.as_bytes()),
        ("reason", why.as_bytes()),
    ];
    let letter = stream::add(&dead, MAX_DEAD, &fields);
    wire.streams::<()>(redis::pipe().add_command(letter).ignore())
        .await?;
    let mut outbox = desk.outbox.lock();
    outbox.acknowledge(aside.entries);
    outbox.dead(app.clone(), why.to_owned());
    drop(outbox);
    desk.wake.notify_one();
    Ok(())
}
