//! Tells another service what changed, after the answer: nobody waits for it.

use lodge_sdk::client::{self, Timeouts};
use lodge_sdk::config;
use lodge_sdk::log::{self, Level};
use serde::Serialize;
use std::time::Duration;

#[derive(Serialize)]
struct Event {
    event: String,
    ticket: i64,
    by: String,
}

/// Sends an event to the configuration's `webhook_url`, if there is one.
pub(crate) fn tell(event: &str, ticket: i64, by: &str) {
    let Some(url) = config::get("webhook_url") else {
        return;
    };
    let event = Event {
        event: event.to_owned(),
        ticket,
        by: by.to_owned(),
    };
    lodge_sdk::spawn(async move {
        let time = Duration::from_secs(5);
        let timeouts = Timeouts {
            connect: time,
            first_byte: time,
            between_bytes: time,
        };
        match client::post_json(&url, &event, &timeouts).await {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => failed(&event, &answer.status()),
            Err(error) => failed(&event, &error),
        }
    });
}

fn failed(event: &Event, why: &dyn std::fmt::Display) {
    let fields: [(&str, &dyn std::fmt::Display); 3] = [
        ("event", &event.event),
        ("ticket", &event.ticket),
        ("why", why),
    ];
    log::event(Level::Warn, "the webhook was not taken", &fields);
}
