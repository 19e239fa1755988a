//! What a tool answers: the structured content of its result, field by field.
//!
//! All words that a result chooses are in this room: [`next`] says what to do now, [`errors`] what
//! went wrong. Nothing here knows where a chat gets its state from.

pub(super) mod errors;
pub(super) mod next;

use std::borrow::Cow;

use serde::Serialize;
use shared::message::{Author, Presence};

use super::{
    event::{Entry, NOTICE},
    ids::{ChatId, TaskId},
};

/// The structured content of a result.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Reply {
    /// What to do now: one fixed sentence.
    pub next: &'static str,
    /// Only beside words of the partner, a name included: what they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<&'static str>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ToolError>,
    /// What the call was about, if it was about one chat.
    #[serde(flatten)]
    pub chat: Option<ChatView>,
    /// `send_message`: the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// `send_message`: how far it is known to have come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// `leave_chat`: what was left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<Left>,
    /// `leave_chat`, `next_partner`: messages that the partner's client may not have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undelivered: Option<Vec<String>>,
    /// `next_partner`, `leave_chat`: what `block` and `report` did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noted: Option<&'static str>,
    /// `chat_status`: the fate of what was sent in this room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipts: Option<Receipts>,
    /// `chat_status`: the last messages of both sides, oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<Spoken>>,
    /// `chat_status` without a chat: how the relay is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay: Option<RelayHealth>,
    /// The other chats of this shim.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_chats: Vec<OtherChat>,
}

impl Reply {
    /// The same, with a notice if the partner has chosen some of its words.
    pub(super) fn with_notice(self) -> Self {
        let has_room = self.chat.as_ref().is_some_and(|chat| chat.room.is_some());
        let mut events = self.chat.iter().flat_map(|chat| &chat.events);
        let has_words = has_room
            || events.any(|entry| entry.notice().is_some())
            || self.history.iter().flatten().any(|spoken| spoken.from == "partner");
        Self { notice: has_words.then_some(NOTICE), ..self }
    }

    /// Whether the tool failed.
    pub fn is_error(&self) -> bool {
        self.error.is_some()
    }
}

/// A task, as far as its client is shown it.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskView {
    /// Its handle.
    pub task_id: TaskId,
    /// When it was made, in RFC 3339.
    pub created_at: String,
    /// When its status last changed, in RFC 3339.
    pub updated_at: String,
    /// How it stands.
    pub status: TaskStatus,
}

/// How a task stands.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskStatus {
    /// What is waited for, for people.
    Working(String),
    /// The result, which is the same each time.
    Completed {
        /// What it brings.
        reply: Box<Reply>,
        /// The number of the fence around the partner's words in its text.
        fence: u32,
    },
    /// The client does not want it any more.
    Cancelled,
}

/// A chat, as far as a result shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChatView {
    /// Its handle.
    pub chat_id: ChatId,
    /// Where it stands.
    pub state: ChatState,
    /// Only while chatting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomView>,
    /// Only while waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueView>,
    /// What was not yet handed out, or follows `after`, oldest first.
    pub events: Vec<Entry>,
    /// Events after this one are in `events`.
    pub since: u64,
    /// The last event of `events`; without any, the last that was handed out.
    pub cursor: u64,
    /// Whether there is more than fits into one result.
    pub more: bool,
}

/// Where a chat stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatState {
    /// In the queue.
    Waiting,
    /// In a room.
    Chatting,
    /// In neither; it can rejoin.
    Idle,
    /// Over.
    Ended,
}

/// The room that a chat is in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoomView {
    /// Its id, new for every match.
    pub room_id: String,
    /// The queue in which both waited.
    pub topic: String,
    /// Who is in it besides.
    pub partner: PartnerView,
    /// The two are recent partners.
    pub met_before: bool,
}

/// The partner, as far as is known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartnerView {
    /// The name that the partner has chosen.
    pub display_name: String,
    /// Whether the name mixes scripts, as look-alikes do; only if so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mixed_script: bool,
    /// Whether the partner's client would be handed a message now.
    pub presence: Presence,
    /// Since the partner's client was last known to be active.
    pub seconds_since_seen: u64,
}

/// The queue that a chat waits in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueueView {
    /// Which queue.
    pub topic: String,
    /// 1 for the one who waits longest; absent until the relay has said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// How many wait, without this shim's other chats.
    pub waiting: usize,
    /// How many of them do not listen.
    pub not_listening: usize,
    /// This shim's other chats in the same queue.
    pub own: usize,
}

/// How far a message is known to have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// The partner's shim has it.
    Delivered,
    /// It is on its way.
    Pending,
}

/// What `leave_chat` left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// A partner.
    Room,
    /// A place in the queue.
    Queue,
    /// Neither: the chat was idle.
    None,
}

/// The fate of what was sent in this room, in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Receipts {
    /// Accepted.
    pub sent: u64,
    /// Acknowledged by the partner's shim.
    pub delivered: u64,
    /// Handed to the partner's client.
    pub read: u64,
}

/// A message of the history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spoken {
    /// `you` or `partner`.
    pub from: &'static str,
    /// The name under which it was said.
    pub display_name: String,
    /// Whose words these are, as the sender claims.
    pub author: Author,
    /// The room in which it was said.
    pub room_id: String,
    /// The same on both sides.
    pub message_id: String,
    /// The text, cleaned.
    pub message: String,
    /// When it was said, in RFC 3339.
    pub at: String,
}

/// A chat that the call was not about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OtherChat {
    /// Its handle.
    pub chat_id: ChatId,
    /// Where it stands.
    pub state: ChatState,
    /// Events that were not handed out.
    pub unread: usize,
}

/// How the relay is, as seen from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RelayHealth {
    /// Whether it answers.
    pub connected: bool,
    /// The path of its socket.
    pub socket: String,
    /// Package version of the relay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Sessions of other programs that are connected now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others_connected: Option<usize>,
    /// Who runs it, by user id, if that is another account: it could read what passes through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<u32>,
    /// Why it is not connected, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// What went wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToolError {
    /// Which error, for programs.
    pub code: ErrorCode,
    /// What happened, and what was kept.
    pub message: Cow<'static, str>,
    /// What to do now.
    pub hint: Cow<'static, str>,
    /// How long to wait before another try, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl ToolError {
    pub(crate) fn new(
        code: ErrorCode,
        message: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { code, message: message.into(), hint: hint.into(), retry_after_ms: None }
    }
}

/// Which error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The tool needs a `chat_id`.
    ChatRequired,
    /// No chat here has this `chat_id`.
    UnknownChat,
    /// A chat waits or talks already.
    AlreadyQueued,
    /// There is no partner.
    NotInRoom,
    /// The partner is not the one that the message is for.
    RoomChanged,
    /// The assistant has sent as many messages in a row as it may.
    AskUser,
    /// The message is blank.
    MessageEmpty,
    /// The message has more than 8 KiB or 200 lines.
    MessageTooLong,
    /// Nothing of the message can be seen.
    MessageUnprintable,
    /// An argument has the wrong type or is out of range.
    InvalidArgument,
    /// `display_name` is not allowed.
    InvalidName,
    /// `topic` is not allowed.
    InvalidTopic,
    /// Too many messages or partners in a short time.
    RateLimited,
    /// As many messages as may be are on their way.
    WindowFull,
    /// The relay does not answer or cannot be started.
    RelayUnavailable,
    /// The relay speaks another version of the protocol.
    VersionMismatch,
    /// Another connection carries the session of this chat.
    SessionLost,
    /// There are as many chats, places or topics as there can be.
    TooMany,
}
