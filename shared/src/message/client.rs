use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::vocabulary::{Author, ReportCategory};
use crate::{
    id::{OwnerId, RoomId},
    limits::is_default,
    version,
};

/// What a client tells the relay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "a comment on `room_id` or `reason` could only repeat the name")]
pub enum ClientMessage<'a> {
    /// The first message of a connection: who speaks, which versions, what to take up again.
    #[serde(borrow)]
    Hello(Hello<'a>),
    /// Waits for a partner; answered by `queued` or `paired`, also when it already waits or talks.
    EnterQueue {
        /// The name that a partner will see.
        #[serde(borrow)]
        display_name: Cow<'a, str>,
        #[serde(borrow)]
        topic: Cow<'a, str>,
        /// A ticket of `queued` for this topic: the place that refusing a pairing of an earlier relay has cost.
        #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
        ticket: Option<Cow<'a, str>>,
        /// Block tags, as in `hello`.
        #[serde(default, skip_serializing_if = "Vec::is_empty", borrow)]
        blocks: Vec<Cow<'a, str>>,
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
        /// As in `enter_queue`.
        #[serde(default, skip_serializing_if = "Vec::is_empty", borrow)]
        blocks: Vec<Cow<'a, str>>,
    },
    /// Leaves a room; repeated until answered by `left`, and harmless when repeated. With `block`
    /// or `report` it also serves for a room that is closed already.
    #[serde(borrow)]
    Leave(Leave<'a>),
    /// A message for the partner.
    Send {
        room_id: RoomId,
        /// 1 for the first of this room and direction, then one more each.
        seq: u64,
        /// Whose words these are, by the sender's own account.
        author: Author,
        /// The text, cleaned.
        #[serde(borrow)]
        text: Cow<'a, str>,
        /// Characters that cleaning has taken out.
        #[serde(default, skip_serializing_if = "is_default")]
        removed: u32,
    },
    /// All of the partner's messages up to `received` are safe here.
    Ack {
        room_id: RoomId,
        /// The highest seq taken.
        received: u64,
        /// The highest seq handed to the client.
        read: u64,
    },
    /// Asks the partner to send everything after `received` again.
    Sync {
        room_id: RoomId,
        /// The highest seq taken.
        received: u64,
    },
    /// The client of this session was active just now. While waiting it is answered by `queued`.
    Attention {
        /// Whether something is open through which the client would be handed a message at once.
        open: bool,
        /// The client was not active: what was open has ended by itself, or nothing was open since
        /// it came. Nothing is answered.
        #[serde(default, skip_serializing_if = "is_default")]
        lapsed: bool,
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
    /// It is a program that shows how a chat goes, for people to meet: robots do not meet robots.
    #[serde(default, skip_serializing_if = "is_default")]
    pub robot: bool,
}

impl<'a> Hello<'a> {
    /// The `hello` of a program that carries no session; it speaks every version of this build.
    #[must_use]
    pub fn visitor(build: &'a str) -> Self {
        let (min, max) = (version::OLDEST, version::NEWEST);
        let build = build.into();
        Self { min, max, build, owner: None, session: None, blocks: Vec::new(), robot: false }
    }
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
    /// The name that the partner knows, for a partner that has yet to hear of the room.
    #[serde(borrow)]
    pub display_name: Cow<'a, str>,
    /// As in `enter_queue`, for the same reason.
    #[serde(borrow)]
    pub topic: Cow<'a, str>,
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
    /// The room.
    pub room_id: RoomId,
    /// The room token of `paired`.
    #[serde(borrow)]
    pub token: Cow<'a, str>,
    /// Never meet this partner again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub block: bool,
    /// What to note about this partner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportCategory>,
}
