//! Between the wire and the lobby: messages of clients become events, effects become messages.

mod incoming;
mod outgoing;

use std::borrow::Cow;

use shared::message::{ErrorCode, RelayMessage};
use thiserror::Error;

pub use incoming::{ClientRequest, arrival, negotiate, request};
pub use outgoing::{disconnected, outgoing};

/// Program and package version, for people.
pub const BUILD: &str = concat!("relay ", env!("CARGO_PKG_VERSION"));

/// Why a connection is closed: the content of the last message that it gets.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct Fault {
    /// What programs branch on.
    pub code: ErrorCode,
    /// What people read.
    pub message: Cow<'static, str>,
}

/// Short for a [`Fault`].
pub fn fault(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Fault {
    Fault { code, message: message.into() }
}

/// The same as the answer to a request that is not granted.
fn refused(Fault { code, message }: Fault, retry_after_ms: Option<u64>) -> RelayMessage<'static> {
    RelayMessage::Refused { code, message, retry_after_ms }
}
