//! A database server that goes away and comes back.

use crate::bed::{Bed, admin, id};
use lodge_model::*;
use std::time::Duration;

#[test]
fn a_server_may_go_away() {
    let mut server = lodge_harness::postgres::Postgres::start().unwrap();
    let bed = Bed::postgres(server.create_database("lodge").unwrap());
    let host = bed.open();
    host.create("shop", "with_host");
    host.create("visited", "on_first_visit");
    host.done(&host.start("shop"));
    server.stop();
    // What needs no query works on; what must be written says that it is not.
    assert_eq!(host.visit("visited"), Ok(()));
    assert_eq!(host.status("visited"), Status::Running);
    let (shop, admin) = (id("shop"), admin());
    let stop = host.supervisor.stop(&shop, &admin);
    let refused = host.run(async { tokio::time::timeout(Duration::from_secs(30), stop).await });
    assert_eq!(refused.unwrap().unwrap_err().code(), "internal");
    assert_eq!(host.status("shop"), Status::Running);
    server.restart().unwrap();
    host.done(&host.stop("shop"));
    host.until("what was seen meanwhile is written", || {
        let kept = host.run(lodge_db::observed::all(&host.db)).unwrap();
        kept.iter()
            .any(|(app, o)| app.as_str() == "visited" && o.status == Status::Running)
    });
}
