//! The harness of the end-to-end tests: real relays and real shims, each test in a world of its
//! own, and nothing of them left when it ends.
//!
//! - [`World`]: a private directory with a socket, its relay, and the shims that find it there
//! - [`Client`]: one MCP client at the pipes of one process; it checks every byte that comes
//! - [`Chat`]: one conversation of a client, with the tools as methods
//! - [`Task`]: a wait of a client that takes tasks
//! - [`result`]: what every tool result must be, and how to read one
//! - [`Accounts`]: several accounts of one computer, for tests that run as root
//! - [`peer`]: whoever speaks to the relay's socket as no shim would
//! - [`documents`]: what the READMEs show
//! - [`fixtures`]: texts of many scripts and many attacks, and what becomes of each
//! - [`foreign`]: clients that nobody here wrote
//!
//! Nothing here sleeps in order to synchronise: all waiting is for a fact, with a deadline.

#![allow(clippy::unwrap_used, reason = "a harness fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "deadlines of tests are of the real clock")]

mod accounts;
mod binaries;
mod chat;
mod client;
pub mod documents;
pub mod fixtures;
pub mod foreign;
mod inbox;
pub mod peer;
mod processes;
pub mod proxy;
pub mod result;
mod shim;
mod task;
mod world;

use std::time::{Duration, Instant};

pub use crate::{
    accounts::{Accounts, Serving},
    binaries::BINARIES,
    chat::{Chat, enter, meet},
    client::{Client, Pending},
    processes::{is_running, signal},
    shim::{Era, Shim},
    task::Task,
    world::World,
};
pub use rustix::process::Signal;

/// How long to wait for a fact that ought to be there at once, on a machine that may be busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks until there is an answer.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, &mut ask)
}

/// Asks until there is an answer, for so long.
pub fn within<T>(limit: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Lets time pass where its passing is what is tested: a person who says nothing for a while.
pub fn let_pass(time: Duration) {
    std::thread::sleep(time);
}
