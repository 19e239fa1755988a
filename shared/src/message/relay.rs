use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::vocabulary::{Author, CloseReason, DequeueReason, ErrorCode, Presence};
use crate::{
    id::{RoomId, SessionId},
    limits::{Limits, is_default},
};

/// What the relay tells a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "a comment on `room_id` or `reason` could only repeat the name")]
pub enum RelayMessage<'a> {
    /// Answers `hello`; on an open connection it brings a fresh session token.
    #[serde(borrow)]
    Welcome(Welcome<'a>),
    /// The session waits; the numbers are those of its topic now.
    #[serde(borrow)]
    Queued(Queued<'a>),
    /// The session has a partner.
    #[serde(borrow)]
    Paired(Paired<'a>),
    /// A message of the partner.
    Message {
        room_id: RoomId,
        /// Its number in that direction.
        seq: u64,
        /// Whose words these are, by the sender's own account.
        author: Author,
        /// The text, cleaned; empty if nothing was left of it.
        #[serde(borrow)]
        text: Cow<'a, str>,
        /// Characters that cleaning has taken out.
        #[serde(default, skip_serializing_if = "is_default")]
        removed: u32,
        /// When the relay passed it on, in RFC 3339.
        #[serde(borrow)]
        sent_at: Cow<'a, str>,
    },
    /// The partner's acknowledgement.
    Ack {
        room_id: RoomId,
        /// The highest seq that the partner took.
        received: u64,
        /// The highest seq that was handed to the partner's client.
        read: u64,
    },
    /// Everything after `received` is to be sent again.
    Sync {
        room_id: RoomId,
        /// The highest seq that the partner took.
        received: u64,
    },
    /// The partner's presence has changed.
    Partner {
        room_id: RoomId,
        /// What it is now.
        presence: Presence,
        /// Seconds since the partner's client was last active.
        seen_seconds: u64,
    },
    /// The room is closed; not by this session.
    Closed {
        room_id: RoomId,
        reason: CloseReason,
        /// The partner left at once and without a word: who enters the same queue within this time
        /// has the place of before, and is not charged for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place_kept_ms: Option<u64>,
    },
    /// The session is out of that room, by its own will.
    Left {
        room_id: RoomId,
        /// With `block`: what to present at `hello` so that the block outlives the relay.
        #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
        block_tag: Option<Cow<'a, str>>,
    },
    /// The session waits no longer.
    Dequeued { reason: DequeueReason },
    /// A request was not granted; nothing else has changed.
    Refused {
        code: ErrorCode,
        /// For people.
        #[serde(borrow)]
        message: Cow<'a, str>,
        /// When it may be granted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
    /// What went wrong; the connection is closed after it.
    Error {
        code: ErrorCode,
        /// For people.
        #[serde(borrow)]
        message: Cow<'a, str>,
        /// With `version_mismatch`: the newest protocol version that the relay speaks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        newest: Option<u32>,
    },
    /// The relay is about to end; everything on the way is still delivered.
    GoingAway {},
    /// Answers `ping`.
    Pong {},
    /// Answers `status`.
    #[serde(borrow)]
    Status(Status<'a>),
    /// Answers `stop`.
    Stopping {
        /// Process id of the relay.
        pid: u32,
        /// Chats that are open.
        rooms: usize,
        /// Sessions that wait.
        waiting: usize,
    },
}

/// The content of [`RelayMessage::Welcome`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Welcome<'a> {
    /// The protocol version of this connection.
    pub version: u32,
    /// Which run of the relay this is.
    pub epoch: u64,
    /// Program and package version, for people.
    #[serde(borrow)]
    pub build: Cow<'a, str>,
    /// The limits of this relay.
    pub limits: Box<Limits>,
    /// The session, if the connection carries one.
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    pub session: Option<SessionGrant<'a>>,
}

/// The session that a connection carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionGrant<'a> {
    /// Its id.
    pub session_id: SessionId,
    /// What to present at `hello` to take it up again.
    #[serde(borrow)]
    pub token: Cow<'a, str>,
    /// Whether it is the one that `hello` named; if not, that one is lost.
    pub resumed: bool,
}

/// The content of [`RelayMessage::Queued`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Queued<'a> {
    /// The queue.
    #[serde(borrow)]
    pub topic: Cow<'a, str>,
    /// 1 for the one who waits longest.
    pub position: usize,
    /// Sessions in this queue, those of the same owner left out, the session itself included.
    pub waiting: usize,
    /// How many of `waiting` do not listen.
    pub not_listening: usize,
    /// Other sessions of the same owner in this queue.
    pub own: usize,
    /// The ticket: what to present at `hello` to keep the place.
    #[serde(borrow)]
    pub ticket: Cow<'a, str>,
}

/// The content of [`RelayMessage::Paired`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Paired<'a> {
    /// The room.
    pub room_id: RoomId,
    /// 1 or 2: which of the two members this session is.
    pub seat: u8,
    /// The queue in which they met.
    #[serde(borrow)]
    pub topic: Cow<'a, str>,
    /// The partner's name.
    #[serde(borrow)]
    pub display_name: Cow<'a, str>,
    /// The partner's presence.
    pub presence: Presence,
    /// Whether these two have met before.
    pub met_before: bool,
    /// The room token: what to present at `hello` to be in this room again.
    #[serde(borrow)]
    pub token: Cow<'a, str>,
}

/// The content of [`RelayMessage::Status`]. Counts only: no names, no text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status<'a> {
    /// Process id of the relay.
    pub pid: u32,
    /// Package version of the relay.
    #[serde(borrow)]
    pub version: Cow<'a, str>,
    /// Newest protocol version that it speaks.
    pub protocol: u32,
    /// Seconds since it started.
    pub uptime_seconds: u64,
    /// Open connections, this one included.
    pub connections: usize,
    /// Sessions that it knows.
    pub sessions: usize,
    /// Sessions of other owners that are connected now.
    pub others_connected: usize,
    /// Sessions that wait.
    pub waiting: usize,
    /// Topics with somebody waiting.
    pub topics: usize,
    /// Chats that are open.
    pub rooms: usize,
    /// Messages passed on since it started.
    pub messages: u64,
    /// Blocks in force.
    pub blocks: usize,
    /// Reports noted, by category.
    pub reports: Reports,
}

/// Reports noted, by category.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reports {
    /// Advertising, floods.
    pub spam: u64,
    /// Attacks on a person.
    pub harassment: u64,
    /// Attempts to instruct the other side's model.
    pub injection: u64,
    /// Anything else.
    pub other: u64,
}
