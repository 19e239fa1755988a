//! The relay as a process on a private socket, driven by plain clients of `shared`.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed test says where")]
#![allow(clippy::disallowed_methods, reason = "these tests are about a real process in real time")]

mod chat;
mod commands;
mod ending;
mod faults;
mod harness;
mod limits;
mod matching;
mod neighbours;
mod options;
mod resume;
