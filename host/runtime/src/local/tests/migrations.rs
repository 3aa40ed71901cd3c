//! Migrations run before an app serves, or it does not start.

use super::bed::{Bed, get};
use lodge_model::{DatabaseKind, Launch, Secret, StartError};

fn asking(bed: &Bed, guest: &str, how: &str) -> Launch {
    let mut launch = bed.launch(guest);
    let how = Secret(how.into());
    launch.grant.config.insert("migrate".into(), how);
    launch
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_component_lists_is_run_before_it_serves() {
    let bed = Bed::new();
    for guest in ["migrating-p2", "migrating-p3"] {
        let app = bed.run(asking(&bed, guest, "good")).await.unwrap();
        assert_eq!(
            bed.seen().events(),
            [
                "open",
                "0001_table: CREATE TABLE made (x VARCHAR(40))",
                "0002_row: INSERT INTO made VALUES ('for mariadb')",
            ],
            "{guest}"
        );
        assert!(get(&app, "/").await.unwrap().starts_with("Ok("), "{guest}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_cannot_be_migrated_says_why() {
    let bed = Bed::new();
    for guest in ["migrating-p2", "migrating-p3"] {
        let mut without = bed.launch(guest);
        without.grant.database.kind = DatabaseKind::None;
        let spin = |mut launch: Launch| {
            launch.limits.request_cpu_ms = 200;
            launch
        };
        for (launch, why) in [
            (asking(&bed, guest, "bad"), "migration 0002_bad"),
            (without, "database.kind"),
            (
                asking(&bed, guest, "trap"),
                "could not be listed: the guest trapped",
            ),
            (asking(&bed, guest, "grow"), "limits.instance_memory_bytes"),
            (asking(&bed, guest, "flood"), "10000 is the most"),
            (spin(asking(&bed, guest, "spin")), "limits.request_cpu_ms"),
        ] {
            let failed = bed.run(launch).await.err().unwrap();
            let StartError::Component(text) = &failed else {
                panic!("{guest}: {failed:?}");
            };
            assert!(text.contains(why), "{guest}, {why}: {text}");
            assert_eq!(
                bed.seen().events().last().unwrap(),
                "close",
                "{guest}, {why}"
            );
        }
    }
}
