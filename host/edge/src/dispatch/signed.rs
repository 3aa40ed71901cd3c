//! A request that carries a signature, at a worker: from its supervisor, or refused.
//!
//! The app is the one that is named, whatever host and path say; both, and the fields that tell of the
//! visitor, are the supervisor's and stay as they are. A failure goes back as a code, which the supervisor
//! makes a page of. Without an app, the request is for the worker itself.

use super::{Answer, Handling, Visit};
use crate::intake::Intake;
use crate::resolve::Target;
use crate::respond::{self, Reader};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Limited};
use lodge_model::{AppId, Control, FailureKind, Signed};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Below it are the worker's own answers.
const CONTROL: &str = "/.lodge/";

/// The largest body of a request to the worker itself, in bytes.
const CONTROL_BODY: usize = 1024 * 1024;

/// Takes a request in, or refuses it.
pub(super) fn handle(intake: &Intake, mut visit: Visit) -> Handling {
    let head = &visit.head;
    let signed = intake
        .verifier
        .verify(&head.method, &head.uri, &head.headers);
    let signed = match signed {
        Ok(signed) => signed,
        Err(error) => {
            tracing::debug!(%error, peer = ?visit.conn().peer, "a signed request was refused");
            visit.leave_unread();
            return Handling::own(respond::forged());
        }
    };
    visit.conn().trunk.store(true, Relaxed);
    visit.reader = Reader::Supervisor;
    if let Some(id) = signed.id {
        visit.id = id;
    }
    match &signed.app {
        Some(app) => match target(&visit, app) {
            Some(target) => visit.enter(target),
            None => Handling::own(visit.refused(FailureKind::AppNotFound)),
        },
        None if visit.head.uri.path().starts_with(CONTROL) => {
            let control = intake.control.clone();
            Handling::Waiting(Box::pin(
                async move { Ok(asked(control, &signed, visit).await) },
            ))
        }
        None => Handling::own(visit.refused(FailureKind::BadRequest)),
    }
}

fn target(visit: &Visit, app: &AppId) -> Option<Target> {
    let entry = visit.conn().edge.routes.by_id(app)?;
    Some(Target {
        state: entry.state(),
        entry,
        prefix: None,
    })
}

/// The worker's own answer.
async fn asked(control: Arc<dyn Control>, signed: &Signed, mut visit: Visit) -> Response<Answer> {
    let patience = visit.conn().edge.settings.stall_timeout;
    let body = Limited::new(&mut visit.body, CONTROL_BODY).collect();
    let body = match tokio::time::timeout(patience, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return visit.refused(FailureKind::BodyTooLarge),
        Err(_) => return visit.refused(FailureKind::BadRequest),
    };
    if !signed.covers(&body) {
        return respond::forged();
    }
    let Visit {
        head, in_flight, ..
    } = visit;
    let response = control.answer(Request::from_parts(head, body)).await;
    response.map(|body| Answer::Control {
        body,
        _busy: in_flight,
    })
}
