//! Behaviours that want CPU, spent in the host's code as far as they can.

use support_p3::wasip3::clocks::{monotonic_clock, system_clock};
use support_p3::wasip3::random::random;
use support_p3::*;

/// Never leaves the guest for long, nor stays in it.
pub(crate) async fn loop_calls(request: Request) -> Answer {
    loop {
        let headers = request.get_headers();
        std::hint::black_box(headers.copy_all());
    }
}

/// Waits for nothing, again and again.
pub(crate) async fn busy_wait(_: Request) -> Answer {
    loop {
        monotonic_clock::wait_for(0).await;
    }
}

pub(crate) async fn clock_flood(_: Request) -> Answer {
    loop {
        std::hint::black_box((monotonic_clock::now(), system_clock::now()));
    }
}

pub(crate) async fn random_flood(_: Request) -> Answer {
    loop {
        std::hint::black_box(random::get_random_bytes(1 << 20));
    }
}

/// Lines of 60 bytes, for ever.
pub(crate) async fn log_flood(_: Request) -> Answer {
    loop {
        println!("a line of a flood that nobody will ever want to read, really");
    }
}
