// Every hostile behaviour, by world. The guests make their dispatch of these lists and the tests their table
// (`tests/integration/tests/all/hostile`), each by a macro of its own: a behaviour that a list names and a side lacks
// does not build, on either side, and neither does one that no list names (it is dead code, which both deny).

/// The behaviours of `hostile-p2` (WASI 0.2).
macro_rules! hostile_p2 {
    ($each:ident) => {
        $each! {
            // CPU
            loop_calls busy_wait clock_flood random_flood log_flood
            // Memory of the guest's, and of the host's for it
            grow_small resources handles hold_headers hold_methods hold_bodies
            // Bodies
            endless_body trickled_body long_body short_body read_all answer_early
            // Heads and trailers
            many_headers inject_headers inject_trailers odd_status
            // Answers
            never_answer answer_twice trap_after
            // Others
            outgoing leak remember huge_panic long_line
        }
    };
}

/// The behaviours of `hostile-p3` (WASI 0.3).
macro_rules! hostile_p3 {
    ($each:ident) => {
        $each! {
            loop_calls busy_wait clock_flood random_flood log_flood
            grow_small resources hold_headers hold_methods streams futures tasks
            endless_body trickled_body long_body short_body read_all answer_early
            many_headers inject_headers inject_trailers odd_status
            never_answer trap_after
            outgoing leak remember huge_panic long_line
        }
    };
}
