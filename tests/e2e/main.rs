//! The product as its users have it: real relays, real shims, real clients.

#![allow(clippy::disallowed_methods, reason = "deadlines of tests are of the real clock")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod arguments;
mod channel;
mod commands;
mod conversations;
mod delivery;
mod demo;
mod discretion;
mod disks;
mod documents;
mod false_relay;
mod floods;
mod foreign;
mod frames;
mod friends;
mod hostile;
mod hostile_frames;
mod inheritance;
mod inspector;
mod kills;
mod leaving;
mod limits;
mod links;
mod meeting;
mod neighbours;
mod notifications;
mod presence;
mod protocol;
mod readme;
mod request_ids;
mod resources;
mod room_guard;
mod shutdown;
mod sockets;
mod startup;
mod stops;
mod strangers_text;
mod subscriptions;
mod talk;
mod tasks;
mod text_policy;
mod unrequested;
mod versions;
mod waiting;
mod wire;
