//! Between the wire and the lobby: messages of clients become events, effects become messages.

mod fault;
mod incoming;
mod outgoing;

pub use fault::{Fault, fault};
pub use incoming::{ClientRequest, arrival, negotiate, request};
pub use outgoing::{disconnected, outgoing};

/// Program and package version, for people.
pub const BUILD: &str = concat!("relay ", env!("CARGO_PKG_VERSION"));
