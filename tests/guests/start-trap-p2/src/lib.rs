//! Odd: traps while it is instantiated, so an app made of it can't start (WASI 0.2).

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

wasip2::http::proxy::export!(StartTrap);

struct StartTrap;

impl Guest for StartTrap {
    fn handle(_request: IncomingRequest, _out: ResponseOutparam) {}
}

/// Constructors run in the component's `_initialize`, which is part of its instantiation.
#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = trap;

extern "C" fn trap() {
    std::process::abort();
}
