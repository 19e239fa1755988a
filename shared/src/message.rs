//! The messages of the wire protocol. Each is one JSON object with one key, its type:
//! `{"ping":{}}`. Fields that a program does not know are ignored.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    id::{OwnerId, RoomId, SessionId},
    limits::Limits,
};

/// What a client tells the relay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientMessage<'a> {
    /// The first message of a connection: who speaks, which versions, what to take up again.
    #[serde(borrow)]
    Hello(Hello<'a>),
    /// Waits for a partner; answered by `queued` or `paired`, also when it already waits or talks.
    EnterQueue {
        /// The name that a partner will see.
        #[serde(borrow)]
        display_name: Cow<'a, str>,
        /// Which queue.
        #[serde(borrow)]
        topic: Cow<'a, str>,
    },
    /// Waits no longer; answered by `dequeued`.
    LeaveQueue {},
    /// Leaves the room, if it names one, and waits for another partner, in one step; answered by
    /// `left` and then as `enter_queue`.
    Next {
        /// The room to leave.
        #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
        leave: Option<Leave<'a>>,
        /// As in `enter_queue`.
        #[serde(borrow)]
        display_name: Cow<'a, str>,
        /// As in `enter_queue`.
        #[serde(borrow)]
        topic: Cow<'a, str>,
    },
    /// Leaves a room; repeated until answered by `left`, and harmless when repeated. With `block`
    /// or `report` it also serves for a room that is closed already.
    #[serde(borrow)]
    Leave(Leave<'a>),
    /// A message for the partner.
    Send {
        /// The room it belongs to.
        room_id: RoomId,
        /// 1 for the first of this room and direction, then one more each.
        seq: u64,
        /// Whose words these are, by the sender's own account.
        author: Author,
        /// The text, cleaned.
        #[serde(borrow)]
        text: Cow<'a, str>,
        /// Characters that cleaning has taken out.
        #[serde(default, skip_serializing_if = "is_zero")]
        removed: u32,
    },
    /// All of the partner's messages up to `received` are safe here.
    Ack {
        /// The room it belongs to.
        room_id: RoomId,
        /// The highest seq taken.
        received: u64,
        /// The highest seq handed to the client.
        read: u64,
    },
    /// Asks the partner to send everything after `received` again.
    Sync {
        /// The room it belongs to.
        room_id: RoomId,
        /// The highest seq taken.
        received: u64,
    },
    /// The client of this session was active just now. While waiting it is answered by `queued`.
    Attention {
        /// Whether something is open through which the client would be handed a message at once.
        open: bool,
    },
    /// Says only that this side is alive; answered by `pong`.
    Ping {},
    /// Asks how the relay is; answered by `status`.
    Status {
        /// Whose sessions to leave out of `others_connected`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<OwnerId>,
    },
    /// Asks the relay to end; answered by `stopping`.
    Stop {},
}

/// The content of [`ClientMessage::Hello`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hello<'a> {
    /// The oldest protocol version that the client speaks.
    pub min: u32,
    /// The newest protocol version that the client speaks.
    pub max: u32,
    /// Program and package version, for people.
    #[serde(borrow)]
    pub build: Cow<'a, str>,
    /// Present if this connection carries a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerId>,
    /// A session to take up again.
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    pub session: Option<Resume<'a>>,
    /// Block tags of this owner, from `left`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", borrow)]
    pub blocks: Vec<Cow<'a, str>>,
}

/// What a client holds of a session that it takes up again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resume<'a> {
    /// The session token of `welcome`.
    #[serde(borrow)]
    pub token: Cow<'a, str>,
    /// The room that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    pub room: Option<RoomClaim<'a>>,
    /// The queue that it waits in.
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    pub queue: Option<QueueClaim<'a>>,
    /// Rooms that it left without having seen `left`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", borrow)]
    pub leaving: Vec<Leave<'a>>,
}

/// A room that a session says it is in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomClaim<'a> {
    /// The room.
    pub room_id: RoomId,
    /// The room token of `paired`.
    #[serde(borrow)]
    pub token: Cow<'a, str>,
    /// The highest seq taken from the partner.
    pub received: u64,
}

/// A place in a queue that a session says it has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueueClaim<'a> {
    /// The ticket of `queued`, if it came that far.
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    pub ticket: Option<Cow<'a, str>>,
    /// As in `enter_queue`.
    #[serde(borrow)]
    pub display_name: Cow<'a, str>,
    /// As in `enter_queue`.
    #[serde(borrow)]
    pub topic: Cow<'a, str>,
}

/// The content of [`ClientMessage::Leave`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leave<'a> {
    /// The room to leave.
    pub room_id: RoomId,
    /// The room token of `paired`.
    #[serde(borrow)]
    pub token: Cow<'a, str>,
    /// Never meet this partner again.
    #[serde(default, skip_serializing_if = "is_false")]
    pub block: bool,
    /// What to note about this partner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportCategory>,
}

/// What the relay tells a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
        /// The room it belongs to.
        room_id: RoomId,
        /// Its number in that direction.
        seq: u64,
        /// Whose words these are, by the sender's own account.
        author: Author,
        /// The text, cleaned; empty if nothing was left of it.
        #[serde(borrow)]
        text: Cow<'a, str>,
        /// Characters that cleaning has taken out.
        #[serde(default, skip_serializing_if = "is_zero")]
        removed: u32,
        /// When the relay passed it on, in RFC 3339.
        #[serde(borrow)]
        sent_at: Cow<'a, str>,
    },
    /// The partner's acknowledgement.
    Ack {
        /// The room it belongs to.
        room_id: RoomId,
        /// The highest seq that the partner took.
        received: u64,
        /// The highest seq that was handed to the partner's client.
        read: u64,
    },
    /// Everything after `received` is to be sent again.
    Sync {
        /// The room it belongs to.
        room_id: RoomId,
        /// The highest seq that the partner took.
        received: u64,
    },
    /// The partner's presence has changed.
    Partner {
        /// The room it belongs to.
        room_id: RoomId,
        /// What it is now.
        presence: Presence,
        /// Seconds since the partner's client was last active.
        seen_seconds: u64,
    },
    /// The room is closed; not by this session.
    Closed {
        /// The room it belongs to.
        room_id: RoomId,
        /// Why.
        reason: CloseReason,
    },
    /// The session is out of that room, by its own will.
    Left {
        /// The room it belongs to.
        room_id: RoomId,
        /// With `block`: what to present at `hello` so that the block outlives the relay.
        #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
        block_tag: Option<Cow<'a, str>>,
    },
    /// The session waits no longer.
    Dequeued {
        /// Why.
        reason: DequeueReason,
    },
    /// A request was not granted; nothing else has changed.
    Refused {
        /// Why.
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
        /// Which.
        code: ErrorCode,
        /// For people.
        #[serde(borrow)]
        message: Cow<'a, str>,
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
    pub limits: Limits,
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
    /// Which queue.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// More than the rates of `welcome` allow.
    RateLimited,
    /// A cap on connections, waiting sessions or topics is reached.
    TooMany,
    /// A name or topic that the rules do not allow.
    Invalid,
    /// This side did not read what was sent to it.
    SlowReader,
    /// The relay is about to end.
    GoingAway,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn is_false(flag: &bool) -> bool {
    !*flag
}
