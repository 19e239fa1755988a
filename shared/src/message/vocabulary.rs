//! What the messages of both sides are made of.

use serde::{Deserialize, Serialize};

use crate::version;

/// Whose words a message holds, by the sender's own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// A person's.
    User,
    /// A model's.
    Assistant,
}

/// Whether a session's client would be handed a message now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It would; whether a person looks is unknown.
    Listening,
    /// It would not.
    NotListening,
    /// Its connection is down.
    Reconnecting,
}

/// Why a room was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// The partner left.
    Left,
    /// The partner was gone for the whole grace period.
    Timeout,
    /// Nobody wrote for too long.
    Idle,
    /// The relay was lost, and this room with it.
    RelayLost,
}

/// Why a session waits no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DequeueReason {
    /// It said so.
    Left,
    /// Its client has not listened for too long.
    NotListening,
    /// The relay was lost, and this place with it.
    RelayLost,
}

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportCategory {
    /// Advertising, floods.
    Spam,
    /// Attacks on a person.
    Harassment,
    /// Attempts to instruct the other side's model.
    Injection,
    /// Anything else.
    Other,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// A frame that is not a message: bad UTF-8, bad JSON, a missing or wrong field.
    Malformed,
    /// A frame longer than [`FRAME_BYTES`](crate::limits::FRAME_BYTES).
    TooLong,
    /// A message type that this version does not know.
    Unsupported,
    /// A message before `hello`, a second `hello`, or one that needs a session without one.
    OutOfOrder,
    /// `hello` did not come in time.
    HandshakeTimeout,
    /// No protocol version in common.
    VersionMismatch,
    /// A newer connection carries this session.
    Superseded,
    /// More than the rates of `welcome` allow, or `ack` or `sync` without end.
    RateLimited,
    /// A cap on connections, sessions, waiting sessions or topics is reached.
    TooMany,
    /// A name or topic that the rules do not allow.
    Invalid,
    /// This side did not read what was sent to it.
    SlowReader,
    /// The relay is about to end.
    GoingAway,
    /// Only the account that runs the relay may ask for that.
    Forbidden,
}

impl ErrorCode {
    /// What happened and what to do, for people. The other side's own words are not repeated: it
    /// may be another account's, and choose them for a terminal or a model.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        self.advice(None)
    }

    /// The same, with which program to restart if no protocol version is common to this one and a
    /// relay that speaks none newer than this.
    #[must_use]
    pub fn advice(self, newest: Option<u32>) -> &'static str {
        match self {
            Self::Malformed | Self::OutOfOrder => {
                "the relay did not understand this program; they may be of different versions: \
                 restart whichever is older"
            }
            Self::TooLong => {
                "this program has sent a longer frame than the relay reads; restart it"
            }
            Self::Unsupported => {
                "the relay does not know a message of this program; it is older: restart it"
            }
            Self::HandshakeTimeout => "the relay was not greeted in time; try again",
            Self::VersionMismatch => match newest {
                Some(newest) if newest < version::OLDEST => {
                    "the relay is older than this program, and they have no protocol version in \
                     common: end it with `relay stop`; the next call starts the newer one"
                }
                Some(_) => {
                    "this program is older than the relay, and they have no protocol version in \
                     common: restart this app, so that it starts the newer mcp-shim"
                }
                None => {
                    "the relay and this program have no protocol version in common: restart \
                     whichever is older (`--version` tells)"
                }
            },
            Self::Superseded => "a newer connection carries this session",
            Self::RateLimited => "the relay was told more than its limits allow; slow down",
            Self::TooMany => {
                "the relay, or this account's share of it, has all the connections, chats or topics \
                 that it can have: leave a chat in another app or close that app, choose another \
                 topic, or try again later"
            }
            Self::Invalid => "the relay does not allow this name or topic; choose another",
            Self::SlowReader => "what the relay sent was not read in time; try again",
            Self::GoingAway => "the relay is about to end; try again",
            Self::Forbidden => "only the account that runs the relay may ask for that",
        }
    }
}
