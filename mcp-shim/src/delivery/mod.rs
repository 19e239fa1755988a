//! How an event reaches a person: one file for each way that a client offers.
//!
//! The inbox is the truth, and each way is a hint to look there; only a tool result that was
//! written counts as handed out, which [`transport`] observes.

pub(crate) mod channel;
pub(crate) mod custom;
pub(crate) mod output;
mod pace;
pub(crate) mod progress;
pub(crate) mod screen;
pub(crate) mod tasks;
pub(crate) mod transport;
pub(crate) mod updates;
