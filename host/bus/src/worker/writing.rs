//! Says what a worker has to say: all that waits, in one round trip, then what came meanwhile.

use super::Desk;
use super::holder::Holder;
use super::outbox::Item;
use super::session::Ended;
use crate::envelope::{Envelope, Kind};
use crate::names::{FROM, GROUP, MAX_EVENTS, MESSAGE};
use crate::stream;
use crate::wire::Wire;
use lodge_model::LinkError;
use redis::Pipeline;
use std::convert::Infallible;
use tokio::sync::Mutex;

/// Until the connection ends, or the goodbye is said.
pub(super) async fn run(
    desk: &Desk,
    wire: &Wire,
    holder: &Mutex<Holder>,
) -> Result<Infallible, Ended> {
    loop {
        let (acknowledged, batch) = {
            let mut outbox = desk.outbox.lock();
            (outbox.acknowledgements(), outbox.batch())
        };
        if acknowledged.is_empty() && batch.is_empty() {
            desk.wake.notified().await;
            continue;
        }
        send(desk, wire, &acknowledged, &batch).await?;
        if desk.outbox.lock().confirmed() {
            holder.lock().await.release(desk, wire).await?;
            return Err(Ended::Left);
        }
    }
}

async fn send(
    desk: &Desk,
    wire: &Wire,
    acknowledged: &[String],
    batch: &[Item],
) -> Result<(), LinkError> {
    let mut kept = redis::pipe();
    let mut streamed = redis::pipe();
    let events = desk.keys.events();
    let name = desk.registration.environment.as_str();
    for item in batch {
        let message = write(desk, item);
        keep(desk, item, &message, &mut kept);
        let fields: [(&str, &[u8]); 2] = [(FROM, name.as_bytes()), (MESSAGE, &message)];
        let event = stream::add(&events, MAX_EVENTS, &fields);
        streamed.add_command(event).ignore();
    }
    if !acknowledged.is_empty() {
        let commands = desk.keys.commands(&desk.registration.environment);
        streamed.xack(&commands, GROUP, acknowledged).ignore();
        streamed.xdel(&commands, acknowledged).ignore();
    }
    if wire.one_server {
        for command in streamed.cmd_iter() {
            kept.add_command(command.clone()).ignore();
        }
        return wire.streams(&kept).await;
    }
    // What is kept first: who reads the event may look there.
    if kept.cmd_iter().next().is_some() {
        wire.cache::<()>(&kept).await?;
    }
    wire.streams(&streamed).await
}

fn write(desk: &Desk, item: &Item) -> Vec<u8> {
    let marks = desk.acquaintance.lock().marks();
    let own = &desk.registration;
    let message = match item.kind {
        Kind::Registration => Envelope::new(item.kind, own.boot, item.sequence, &marks, own),
        _ => Envelope::new(item.kind, own.boot, item.sequence, &marks, &item.body),
    };
    desk.post.write(&own.environment, &message)
}

/// What is kept beside the event.
fn keep(desk: &Desk, item: &Item, message: &[u8], kept: &mut Pipeline) {
    let environment = &desk.registration.environment;
    match (item.kind, &item.app) {
        (Kind::Registration, _) => {
            kept.hset(desk.keys.workers(), environment.as_str(), message)
                .ignore();
        }
        (Kind::Left, _) => {
            kept.hdel(desk.keys.workers(), environment.as_str())
                .ignore();
        }
        (_, Some(app)) => {
            kept.hset(desk.keys.statuses(environment), app.as_str(), message)
                .ignore();
        }
        _ => {}
    }
}
