//! The mcp-chat daemon: one queue, many rooms, for all MCP clients of a computer.
//!
//! From the socket inwards, each part knowing only those after it:
//!
//! - [`commands`]: `serve`, `status` and `stop`, as [`cli`] spells them;
//! - [`server`]: the one task, which owns everything below by value and does what the lobby says;
//! - [`listener`], [`connection`] and [`ready`]: where connections come from, one of them, and
//!   which of them can go on;
//! - [`translate`] and [`token`]: messages of the wire into events of the lobby and its effects
//!   back, and what the relay vouches for;
//! - [`lobby`]: who waits, who talks with whom. Pure: no input or output, clock or randomness.
//!
//! No message is kept here: it goes from one connection's input straight into the other's outbox.

pub mod cli;
pub mod commands;
pub mod connection;
#[cfg(unix)]
mod detach;
pub mod listener;
pub mod lobby;
pub mod ready;
pub mod server;
pub mod signals;
pub mod token;
pub mod translate;
