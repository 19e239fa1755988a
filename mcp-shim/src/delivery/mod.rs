//! How an event reaches a person: one file for each way that a client offers.
//!
//! The inbox is the truth, and each way is a hint to look there; only a tool result that was
//! written counts as handed out, which [`transport`] observes.

mod address;
pub(crate) mod channel;
pub(crate) mod custom;
pub(crate) mod input;
pub(crate) mod output;
pub(crate) mod progress;
pub(crate) mod resources;
pub(crate) mod tasks;
mod throttle;
pub(crate) mod transport;
mod updates;
