//! Answers that are read in pieces.

use super::bed::{Bed, request};
use http_body::Body;
use lodge_model::RequestId;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Context;
use tokio::task::coop::{consume_budget, has_budget_remaining};

#[tokio::test]
async fn an_answer_is_whole_for_a_task_that_has_had_its_share_of_polls() {
    let bed = Bed::new();
    let app = bed.start("echo-p2").await;
    let answered = app.call(RequestId(1), request("/bytes?kib=300")).await;
    let mut body = answered.unwrap().into_body();
    let (mut bytes, mut is_spent) = (0, false);
    while let Some(frame) = poll_fn(|cx| {
        is_spent = !is_spent;
        if is_spent {
            spend_budget(cx);
        }
        Pin::new(&mut body).poll_frame(cx)
    })
    .await
    {
        bytes += frame.unwrap().data_ref().map_or(0, bytes::Bytes::len);
    }
    assert_eq!(bytes, 300 << 10);
}

/// Until the task's next poll every channel says that it has nothing yet.
fn spend_budget(cx: &mut Context<'_>) {
    while has_budget_remaining() {
        let _ = pin!(consume_budget()).poll(cx);
    }
}
