//! The product as its users have it: real relays, real shims, real clients.

#![allow(clippy::disallowed_methods, reason = "deadlines of tests are of the real clock")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod arguments;
mod commands;
mod conversations;
mod delivery;
mod demo;
mod disks;
mod foreign;
mod friends;
mod kills;
mod leaving;
mod limits;
mod meeting;
mod notifications;
mod presence;
mod protocol;
mod room_guard;
mod shutdown;
mod sockets;
mod startup;
mod stops;
mod strangers_text;
mod talk;
mod tasks;
mod versions;
mod waiting;
mod wire;
