//! Behaviours that want CPU, spent in the host's code as far as they can.

use support_p2::wasip2::clocks::{monotonic_clock, wall_clock};
use support_p2::wasip2::random::random;
use support_p2::*;

/// Never leaves the guest for long, nor stays in it.
pub(crate) fn loop_calls(request: IncomingRequest, _: ResponseOutparam) {
    loop {
        let headers = request.headers();
        std::hint::black_box(headers.entries());
    }
}

/// Waits for nothing, again and again.
pub(crate) fn busy_wait(_: IncomingRequest, _: ResponseOutparam) {
    loop {
        monotonic_clock::subscribe_duration(0).block();
    }
}

pub(crate) fn clock_flood(_: IncomingRequest, _: ResponseOutparam) {
    loop {
        std::hint::black_box((monotonic_clock::now(), wall_clock::now()));
    }
}

pub(crate) fn random_flood(_: IncomingRequest, _: ResponseOutparam) {
    loop {
        std::hint::black_box(random::get_random_bytes(1 << 20));
    }
}

/// Lines of 60 bytes, for ever.
pub(crate) fn log_flood(_: IncomingRequest, _: ResponseOutparam) {
    loop {
        println!("a line of a flood that nobody will ever want to read, really");
    }
}
