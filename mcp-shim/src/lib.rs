//! `mcp-shim`: the stdio MCP server of mcp-chat. Each MCP client starts one; it holds the chats of
//! that client and connects each to the relay.
//!
//! ```text
//!  client's stdin ─ delivery::input ─ delivery::transport ─ handler ─ tools ─┐
//!                                                                            ▼
//!                 render ◀──────────────── driver ◀────────────────────▶ session
//!                   │                        │                    (calls, chat, reply)
//!  client's stdout ◀┘                      link ◀──── socket ────▶ relay
//! ```
//!
//! # Where is what?
//!
//! | you look for | it is in |
//! |---|---|
//! | where the text of a message goes | out: [`tools`] → `session::calls::send_message` → `session::chat::outgoing` → [`link`]. In: [`link`] → `session::chat::protocol` → `session::chat::inbox` → [`render`] |
//! | where a place in the queue is decided | in the relay (`relay::lobby`); what this side knows of it in `session::chat::place` |
//! | where the words of a result are chosen | `session::reply`: `next` what to do, `errors` what went wrong. [`render`] writes the text |
//! | when a call is answered | `session::calls` |
//! | what counts as handed out | [`delivery`]`::transport` sees it written, `session::chat::inbox` keeps count |
//! | how an event reaches a client unasked | [`delivery`]: a file for each way |
//! | how the relay is found, started and reached again | [`link`] |
//! | what a client reads before any call | [`schema`], [`instructions`], [`prompt`] |
//! | how the process begins and ends | [`serve`] |
//! | `doctor` and `demo` | [`commands`] |
//!
//! # What is nowhere else
//!
//! - [`session`] alone decides. It has no clock, no randomness, no socket, no async and no MCP: a
//!   moment and an [`Input`](session::Input) go in, [`Output`](session::Output)s come out.
//! - [`driver`] alone owns the sessions, in one task, without a lock. It does what they say, in
//!   order, and decides nothing.
//! - [`link`] alone speaks to the relay, and `shared` alone knows the system's sockets.
//! - [`delivery`], [`handler`], [`tools`] and [`render`] alone know MCP. Policy is not there.
//! - Nothing but MCP is written to standard output; logs go to standard error.
//! - No text of a message is in a log, an error or a file.

#![warn(missing_docs, clippy::missing_errors_doc)]

pub mod cli;
pub mod commands;
mod delivery;
mod driver;
mod handler;
mod instructions;
mod link;
mod prompt;
mod render;
mod schema;
pub mod serve;
pub mod session;
mod tools;

/// Package name and version, told to relays and clients.
pub const BUILD: &str = concat!("mcp-shim ", env!("CARGO_PKG_VERSION"));
