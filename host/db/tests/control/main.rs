//! The control database on both of its dialects: opened, migrated, claimed, and written by queries
//! that the control plane's own tests do not reach.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should end where it failed"
)]

mod opening;
mod rows;
mod secrets;

use std::path::PathBuf;
use tempfile::TempDir;

/// A place for one test's database.
pub(crate) struct Place {
    dir: TempDir,
    postgres: Option<String>,
}

impl Place {
    fn sqlite() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            postgres: None,
        }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.dir.path().join("lodge.db")
    }

    pub(crate) fn url(&self) -> String {
        let sqlite = || format!("sqlite:{}", self.file().display());
        self.postgres.clone().unwrap_or_else(sqlite)
    }

    pub(crate) async fn open(&self) -> lodge_db::Database {
        lodge_db::Database::open(&self.url()).await.unwrap()
    }
}

macro_rules! cases {
    ($($module:ident: $($case:ident),+;)+) => {
        mod sqlite {
            use super::*;
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() { super::$module::$case(Place::sqlite()).await; }
            )+)+
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn every_case_on_postgresql() {
            let server = lodge_harness::postgres::Postgres::start().unwrap();
            $($({
                eprintln!("{}::{}", stringify!($module), stringify!($case));
                let url = server.create_database(stringify!($case)).unwrap();
                $module::$case(Place { postgres: Some(url), ..Place::sqlite() }).await;
            })+)+
        }
    };
}

cases! {
    opening: processes_that_open_together_migrate_once, a_newer_schema_is_refused,
        one_process_may_claim_it;
    rows: any_text_is_taken, entries_are_found_quickly_among_many, old_entries_are_pruned, a_change_from_an_old_generation_is_refused,
        late_reports_of_removed_apps_are_dropped, unreadable_rows_are_named;
    secrets: the_database_holds_none_in_the_clear, rows_in_the_clear_are_sealed_at_the_next_write,
        another_key_is_refused, a_secret_opens_only_in_its_place, keys_are_retired_and_removed;
}
