//! The server stops and starts under load.

use super::bed::{Bed, ENGINES};
use lodge_model::{GrantError, SqlError, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_back_is_used_again() {
    for engine in ENGINES {
        let mut bed = Bed::new(engine);
        let app = bed.app("shop").await;
        app.execute("CREATE TABLE t (a int)").await.unwrap();
        let source = app.source("default").await;
        let open = source
            .begin(
                lodge_model::SourceAccess::ReadWrite,
                lodge_model::Isolation::EngineDefault,
            )
            .await
            .unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let (good, bad) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let (source, over) = (source.clone(), over.clone());
                let (good, bad) = (good.clone(), bad.clone());
                tokio::spawn(async move {
                    while !over.load(SeqCst) {
                        match source.query("SELECT 1", vec![]).await {
                            Ok(_) => drop(good.fetch_add(1, SeqCst)),
                            Err(SqlError::Unavailable(why)) => {
                                assert!(why.contains("server"), "{why}");
                                bad.fetch_add(1, SeqCst);
                                tokio::time::sleep(Duration::from_millis(5)).await;
                            }
                            Err(other) => panic!("{other:?}"),
                        }
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(good.load(SeqCst) > 0);
        bed.server.stop();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(bad.load(SeqCst) > 0);
        let away = bed
            .start(&bed.grant("late", lodge_model::DatabaseKind::NewDatabase))
            .await
            .map(drop);
        assert!(
            matches!(&away, Err(GrantError::Unavailable(why)) if why.contains("127.0.0.1")),
            "{away:?}"
        );
        let gone = open.commit().await;
        assert!(matches!(gone, Err(SqlError::Unavailable(_))), "{gone:?}");
        bed.server.restart();
        let before = good.load(SeqCst);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(good.load(SeqCst) > before, "it did not recover");
        over.store(true, SeqCst);
        for worker in workers {
            worker.await.unwrap();
        }
        assert_eq!(app.one("SELECT count(*) FROM t").await, Value::Int(0));
    }
}
