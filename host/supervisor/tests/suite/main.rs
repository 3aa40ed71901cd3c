//! The control plane against a real database, with a simulated runtime.
//!
//! Every case is run on SQLite, one test each, and all of them on one PostgreSQL server, each in a
//! database of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test that fails should end where it failed, and nothing of it is exported"
)]

mod activation;
mod bed;
mod capabilities;
mod components;
mod crash;
mod database;
mod failures;
mod fake;
mod figures;
mod input;
mod lifecycle;
mod lists;
mod many;
mod scale;
mod stored;
mod workers;

use bed::Bed;
use capabilities::{databases, keys};

macro_rules! cases {
    ($($module:ident: $($case:ident),+;)+) => {
        mod sqlite {
            use super::*;
            $($(#[test] fn $case() { super::$module::$case(Bed::sqlite()); })+)+
        }

        #[test]
        fn every_case_on_postgresql() {
            let server = lodge_harness::postgres::Postgres::start().unwrap();
            $($({
                eprintln!("{}::{}", stringify!($module), stringify!($case));
                let url = server.create_database(stringify!($case)).unwrap();
                $module::$case(Bed::postgres(url));
            })+)+
        }
    };
}

cases! {
    activation: visitors_start_it_once, a_visit_waits_for_the_compile, visitors_who_leave_stop_nothing,
        visits_pass_what_nobody_waits_for, a_stopped_app_refuses_at_once;
    databases: sources_are_checked_and_changed_one_by_one, sources_are_bounded, a_mark_is_taken_off_and_that_is_written_down,
        a_granted_database_is_not_taken_away, a_launch_carries_the_grant,
        a_moved_database_is_granted_anew, dropped_data_are_dropped_until_it_works, kept_data_are_named,
        tries_are_bounded, another_hosts_key_is_refused;
    keys: a_key_comes_with_the_app, rotations_overlap, the_shared_key_is_shared,
        another_algorithm_is_another_key, leaving_the_shared_key_ends_its_tokens,
        retired_keys_are_removed, apps_of_an_older_lodge_get_a_key,
        a_key_that_cannot_be_made_changes_nothing;
    components: same_bytes_are_one_artifact, a_version_is_one_artifact, names_are_needed,
        what_is_no_component_is_refused, too_large_is_refused, a_silent_sender_is_cut_off,
        uploads_are_bounded, used_components_stay, compiles_are_resumed, leftovers_are_removed,
        a_failed_compile_fails_its_apps, the_hosts_failures_are_retried, a_lost_cache_is_rebuilt,
        apps_follow_newer_versions;
    failures: failures_are_retried_and_given_up, the_hosts_faults_are_never_given_up, an_admin_gives_another_chance,
        a_start_that_hangs_fails, a_cache_that_never_holds_is_given_up, causes_reach_the_admin_only;
    figures: minutes_are_kept_and_merged, a_restart_in_the_middle_of_a_step_loses_nothing,
        steps_that_nobody_merged_are_made_up_for, old_rows_are_removed,
        an_idle_host_writes_nothing, usage_is_of_the_last_minute, figures_go_with_their_app,
        the_machine_is_told;
    input: every_field_comes_back, secrets_are_kept_and_masked, ids_are_unique_as_labels,
        domains_are_one_apps, bad_fields_are_named, who_chose_where_is_kept, amounts_are_bounded, unchanged_is_unchanged;
    lifecycle: start_modes, stop_is_sticky, restart_is_a_new_run, updates_come_into_force,
        the_old_version_serves_while_the_new_compiles, callers_may_go_away,
        later_requests_supersede, deletion_leaves_nothing, unfinished_operations_are_taken_up,
        deletion_is_resumed, two_processes_are_refused, one_database_has_one_control_plane,
        the_audit_log_tells, shutdown_stops_everything;
    lists: apps_are_found, apps_are_paged, components_are_found_and_paged, live_events_tell_the_story;
    scale: a_thousand_apps_start_with_the_host;
    workers: commands_pass_those_who_are_caught_up_with,
        nobody_is_told_anything_while_redis_is_away;
}
