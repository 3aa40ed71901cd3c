//! A network between two processes that tests can harm: a TCP proxy on a port of its own.
//!
//! What it carries is not looked at. Harm is a [`Wire`], set from outside at any time, and holds for connections
//! that exist and for those to come. A connection costs two threads, which end with it; all end when the
//! proxy is dropped.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// How a network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// As it should be.
    Good,
    /// Each piece of data comes this much later.
    Slow(Duration),
    /// Nothing arrives, and nobody is told. What is under way arrives when it is over.
    Silent,
    /// Connections break, and new ones break at once.
    Cut,
}

/// A proxy. Dropped, its connections break.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    wire: Wire,
    target: u16,
    ended: bool,
    connections: Vec<TcpStream>,
}

impl Proxy {
    /// A proxy at a free port of 127.0.0.1 that leads nowhere yet.
    ///
    /// # Panics
    /// There is no free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                wire: Wire::Good,
                target: 0,
                ended: false,
                connections: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || accept(&listener, &accepting));
        Self { port, shared }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Has new connections lead to this port of 127.0.0.1.
    pub fn lead_to(&self, port: u16) {
        self.shared.state.lock().unwrap().target = port;
    }

    /// Sets how the network is from now on.
    pub fn set(&self, wire: Wire) {
        let mut state = self.shared.state.lock().unwrap();
        state.wire = wire;
        if wire == Wire::Cut {
            state.break_all();
        }
        self.shared.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        {
            let mut state = self.shared.state.lock().unwrap();
            state.ended = true;
            state.break_all();
            self.shared.changed.notify_all();
        }
        // The thread that accepts looks up.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl State {
    fn break_all(&mut self) {
        for connection in self.connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    /// Waits until data may pass; false: they never will.
    fn pass(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        while state.wire == Wire::Silent && !state.ended {
            state = self.changed.wait(state).unwrap();
        }
        let wire = state.wire;
        let ended = state.ended;
        drop(state);
        if let Wire::Slow(delay) = wire {
            std::thread::sleep(delay);
        }
        !ended && wire != Wire::Cut
    }

    /// Has a connection broken when the network is; false: it is.
    fn keep(&self, ends: [&TcpStream; 2]) -> bool {
        let mut state = self.state.lock().unwrap();
        if state.ended || state.wire == Wire::Cut {
            return false;
        }
        // Those that have ended are known by having no peer any more.
        state.connections.retain(|end| end.peer_addr().is_ok());
        state
            .connections
            .extend(ends.into_iter().filter_map(|end| end.try_clone().ok()));
        true
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for near in listener.incoming() {
        let (target, ended) = {
            let state = shared.state.lock().unwrap();
            (state.target, state.ended)
        };
        if ended {
            return;
        }
        let Ok(near) = near else {
            continue;
        };
        let shared = Arc::clone(shared);
        std::thread::spawn(move || carry(&near, target, &shared));
    }
}

fn carry(near: &TcpStream, target: u16, shared: &Arc<Shared>) {
    if !shared.pass() {
        return;
    }
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, target));
    let Ok(far) = TcpStream::connect(to) else {
        return;
    };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    if !shared.keep([near, &far]) {
        return;
    }
    std::thread::scope(|scope| {
        scope.spawn(|| pump(near, &far, shared));
        pump(&far, near, shared);
    });
    // The clones that are kept for breaking it would hold it open.
    let _ = (near.shutdown(Shutdown::Both), far.shutdown(Shutdown::Both));
}

fn pump(mut from: &TcpStream, mut to: &TcpStream, shared: &Shared) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        if !shared.pass() || to.write_all(&piece[..length]).is_err() {
            let _ = from.shutdown(Shutdown::Both);
            break;
        }
    }
    // Whoever half-closes still reads.
    let _ = to.shutdown(Shutdown::Write);
}
