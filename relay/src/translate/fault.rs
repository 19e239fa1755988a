//! Why a connection is closed.

use std::borrow::Cow;

use shared::message::ErrorCode;
use thiserror::Error;

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
