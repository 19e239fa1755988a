//! The whole contract of [`Sessions`](super::Sessions): inputs, outputs, requests.

use std::{
    fmt,
    time::{Duration, Instant, SystemTime},
};

use serde::{Serialize, Serializer};
use shared::{
    id::OwnerId,
    message::{Author, ClientMessage, CloseReason, Presence, RelayMessage, ReportCategory},
};

use super::{
    next::NOTICE,
    reply::{RelayHealth, Reply, TaskView, ToolError},
};

/// What the sessions of one shim are started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// This process, as the relay knows it.
    pub owner: OwnerId,
    /// Where the ids of chats and tasks come from.
    pub seed: [u8; 16],
    /// The display name where a call gives none.
    pub display_name: String,
    /// Messages of the assistant without one of the user; `None` if unlimited.
    pub autonomous: Option<u32>,
    /// Program and package version, told to the relay.
    pub build: &'static str,
    /// How many of the rooms that it has closed a chat remembers.
    pub closed_rooms: usize,
}

/// Now, by both clocks: one for deadlines, one for display.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// For deadlines.
    pub instant: Instant,
    /// For display.
    pub wall: SystemTime,
}

impl Moment {
    /// For display, in RFC 3339.
    pub(super) fn rfc3339(self) -> String {
        humantime::format_rfc3339_millis(self.wall).to_string()
    }
}

/// One request of the client, numbered by the caller, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// The short handle of a session, which tools take and show.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChatId([u8; 8]);

impl ChatId {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

    /// The handle that 40 bits of `number` spell.
    pub(crate) fn from_number(number: u64) -> Self {
        let mut characters = [0; 8];
        for (index, character) in characters.iter_mut().enumerate() {
            *character = Self::ALPHABET[(number >> (5 * index)) as usize % 32];
        }
        Self(characters)
    }

    /// The handle that is written so, if one can be.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let characters: [u8; 8] = text.as_bytes().try_into().ok()?;
        characters.iter().all(|one| Self::ALPHABET.contains(one)).then_some(Self(characters))
    }

    /// Its 8 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("the alphabet is ASCII")
    }
}

impl fmt::Display for ChatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ChatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ChatId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The handle of a task: nobody can guess it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TaskId(pub(super) u128);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A tool call, its arguments checked one by one but not against the state.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// `enter_queue`
    EnterQueue {
        display_name: Option<String>,
        topic: Option<String>,
        chat_id: Option<String>,
        new_chat: bool,
        after: Option<u64>,
    },
    /// `wait_for_events`; `task`: the client takes a task for an answer.
    WaitForEvents { chat_id: Option<String>, after: Option<u64>, timeout: Duration, task: bool },
    /// `send_message`
    SendMessage {
        chat_id: Option<String>,
        message: String,
        author: Author,
        room_id: Option<String>,
        after: Option<u64>,
    },
    /// `next_partner`
    NextPartner(Departure),
    /// `leave_chat`
    LeaveChat(Departure),
    /// `chat_status`
    ChatStatus { chat_id: Option<String>, history: usize, after: Option<u64> },
    /// Any tool, with an argument that cannot be.
    Invalid { chat_id: Option<String>, error: ToolError },
}

/// The arguments of `next_partner` and `leave_chat`.
#[derive(Debug, Clone, PartialEq)]
pub struct Departure {
    pub chat_id: Option<String>,
    pub block: bool,
    pub report: Option<ReportCategory>,
    pub after: Option<u64>,
}

/// What a client asks of the task with this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskRequest {
    /// `tasks/get`
    Get(String),
    /// `tasks/update`, which no task has a use for.
    Update(String),
    /// `tasks/cancel`
    Cancel(String),
}

/// What happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// A tool was called.
    Call(CallId, Request),
    /// A task was asked for, or given up.
    Task(CallId, TaskRequest),
    /// The client wants no answer any more.
    Cancelled(CallId),
    /// The client takes events without asking: from now on every chat is listened to.
    ClientListens,
    /// What happens is shown to the model by itself: it need not wait for it.
    NewsReachesModel,
    /// The client takes tasks: a wait wakes it.
    ClientTakesTasks,
    /// The answer was written to the client, or could not be.
    Settled { call: CallId, written: bool },
    /// The link of a chat has a connection, on which nothing was said yet.
    Connected(ChatId),
    /// The relay says something to a chat.
    Relay(ChatId, RelayMessage<'a>),
    /// Answers [`Output::TellWritten`].
    Written(ChatId),
    /// The link of a chat has lost its connection; it goes on trying.
    Disconnected(ChatId),
    /// The link of a chat could not connect; it goes on trying.
    Trouble(ChatId, Trouble),
    /// Answers [`Output::Probe`].
    Health(CallId, RelayHealth),
    /// [`next_deadline`](super::Sessions::next_deadline) has passed.
    Tick,
    /// The client is gone: every chat is left.
    Shutdown,
}

/// Why the relay cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Which error the tools report.
    pub kind: TroubleKind,
    /// What happened, and what to do, for people.
    pub detail: String,
    /// Whether it is useless to wait for it to pass by itself.
    pub lasting: bool,
}

/// Which error the tools report for a [`Trouble`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TroubleKind {
    /// `relay_unavailable`
    Unavailable,
    /// `version_mismatch`
    VersionMismatch,
    /// `too_many`
    TooMany,
}

/// What to do, in this order.
#[derive(Debug)]
pub enum Output {
    /// Answer a call.
    Reply(CallId, Box<Reply>),
    /// Answer with how a task stands: the call that made it, or a `get`.
    Task(CallId, Box<TaskView>),
    /// Answer that the request was taken note of.
    TaskNoted(CallId),
    /// Answer that there is no such task.
    UnknownTask(CallId),
    /// Give a chat a link to the relay, and keep it up.
    Open(ChatId),
    /// Write to the relay on the link of a chat.
    Transmit(ChatId, ClientMessage<'static>),
    /// Tell when all this is written, if the connection of the chat lasts so long.
    TellWritten(ChatId),
    /// Drop the connection of a chat, which is dead, and make another.
    Reconnect(ChatId),
    /// Take the link of a chat down, once everything is written.
    Close(ChatId),
    /// Tell the client, where it may be told unasked.
    Notify(ChatId, Entry),
    /// Find out how the relay is.
    Probe(CallId),
}

/// A numbered event of a chat.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its number in the chat: 1, 2, 3, …
    pub cursor: u64,
    /// When this shim learned of it, in RFC 3339.
    pub at: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

impl Entry {
    /// What to say beside it, if the partner has chosen some of its words.
    pub fn notice(&self) -> Option<&'static str> {
        match self.event {
            Event::Found { .. } | Event::Message { .. } => Some(NOTICE),
            Event::Away { .. }
            | Event::Back { .. }
            | Event::Disconnected { .. }
            | Event::Expired { .. } => None,
        }
    }
}

/// What happened to a chat, as the client is told.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum Event {
    /// There is a partner.
    #[serde(rename = "chatroom.found")]
    Found { room_id: String, topic: String, partner: FoundPartner, met_before: bool },
    /// The partner wrote.
    #[serde(rename = "message.received")]
    Message {
        room_id: String,
        message_id: String,
        from: Sender,
        author: Author,
        message: String,
        sent_at: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        removed: Option<u32>,
    },
    /// The partner's connection is down.
    #[serde(rename = "partner.away")]
    Away { room_id: String },
    /// The partner's connection is back.
    #[serde(rename = "partner.back")]
    Back { room_id: String },
    /// The partner is gone, and the room with it.
    #[serde(rename = "partner.disconnected")]
    Disconnected { room_id: String, reason: CloseReason, undelivered: Vec<String> },
    /// The place in the queue is gone.
    #[serde(rename = "queue.expired")]
    Expired { reason: &'static str },
}

impl Event {
    /// Its `type`, which is also the method of its notification.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Found { .. } => "chatroom.found",
            Self::Message { .. } => "message.received",
            Self::Away { .. } => "partner.away",
            Self::Back { .. } => "partner.back",
            Self::Disconnected { .. } => "partner.disconnected",
            Self::Expired { .. } => "queue.expired",
        }
    }

    /// The partner's text in it, if it has one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Message { message, .. } => Some(message),
            Self::Found { .. }
            | Self::Away { .. }
            | Self::Back { .. }
            | Self::Disconnected { .. }
            | Self::Expired { .. } => None,
        }
    }
}

/// The partner in `chatroom.found`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoundPartner {
    pub display_name: String,
    /// Whether the name mixes scripts, as look-alikes do; only if so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mixed_script: bool,
    pub presence: Presence,
}

/// The partner in `message.received`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sender {
    pub display_name: String,
}
