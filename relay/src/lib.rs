//! The mcp-chat daemon: one queue, many rooms, for all MCP clients of a computer.
//!
//! # Where is it?
//!
//! | you look for | it is in |
//! |---|---|
//! | the path of a message's text, from one socket to another | [`server`] `handle_frame` → [`translate::request`] (cleaned) → `perform`, [`lobby::Effect::Forward`] (queued) |
//! | whether a message may pass, and to which connection | `lobby/talking.rs` |
//! | a place in the queue: who gets it | `lobby/seeking.rs`; the order itself and who suits: `lobby/queue.rs`; how many there are: `lobby/admission.rs` |
//! | what survives a restart | [`token`] (what clients hold) and `lobby/arriving.rs` (what it is worth); that later places come later: [`epoch`] |
//! | when a session or room ends by itself | `lobby/aging.rs`, `lobby/session.rs` |
//! | blocks, and who met lately | `lobby/relations.rs`; reports: `lobby/reports.rs` |
//! | an option and its default | [`cli`]; the number itself: [`shared::limits`] |
//! | what happens to a slow, silent or flooding client | `server/deadlines.rs`, `server/perform.rs`; rates: `lobby/talking.rs`, [`connection`] |
//! | whose turn it is, and how much is done in one | [`ready`], `server/turn.rs`; who gives way to whom: `server/accounts.rs` |
//! | the lock, the socket file, the peer's account | [`shared::endpoint`]; here only [`listener`] |
//!
//! # The parts, from the socket inwards
//!
//! Each knows only those after it:
//!
//! - [`commands`]: `serve`, `status` and `stop`, as [`cli`] spells them;
//! - [`server`]: the one task, which owns everything below by value and does what the lobby says;
//! - [`listener`], [`connection`] and [`ready`]: where connections come from, one of them, and
//!   which of them can go on, in turn;
//! - [`translate`] and [`token`]: messages of the wire into events of the lobby and its effects
//!   back, and what the relay vouches for;
//! - [`lobby`]: who waits, and which two talk.
//!
//! # What there is not
//!
//! - No message is kept: it goes from one connection's input straight into the other's outbox.
//! - The lobby sees no text of a message and no wire type, and does no input or output; it has no
//!   clock and no randomness. The same events make the same effects.
//! - The server decides nothing that the lobby decides.
//! - Nothing is shared between tasks: there is one task, and no lock on the path of a message but
//!   the ready list's.
//! - Nothing is written to disk but the socket, the key, the epoch, the lock with the pid and, detached, the
//!   log; no log line holds a name, a topic or a text.
#![warn(missing_docs)]

pub mod cli;
pub mod commands;
pub mod connection;
#[cfg(unix)]
mod detach;
pub mod epoch;
pub mod listener;
pub mod lobby;
pub mod ready;
pub mod server;
pub mod signals;
pub mod token;
pub mod translate;
