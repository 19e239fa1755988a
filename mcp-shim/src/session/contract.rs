//! The whole contract of [`Sessions`](super::Sessions): inputs, outputs, requests.

use std::time::Duration;

use shared::{
    id::OwnerId,
    message::{Author, ClientMessage, RelayMessage, ReportCategory},
};

use super::{
    event::Entry,
    ids::{CallId, ChatId},
    reply::{ErrorCode, RelayHealth, Reply, TaskView, ToolError},
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
    /// It is the robot of the demo, which meets people only.
    pub robot: bool,
    /// How many of the rooms that it has closed a chat remembers.
    pub closed_rooms: usize,
}

/// A tool call, its arguments checked one by one but not against the state.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// `enter_queue`
    EnterQueue(EnterQueue),
    /// `wait_for_events`
    WaitForEvents {
        /// The handle of the chat, as the client wrote it.
        chat_id: Option<String>,
        /// The client has all events up to this cursor.
        after: Option<u64>,
        /// How long to wait at most: up to 170 s, and 0 only looks.
        timeout: Duration,
        /// The client takes a task for an answer.
        task: bool,
    },
    /// `send_message`
    SendMessage(SendMessage),
    /// `next_partner`
    NextPartner(Departure),
    /// `leave_chat`
    LeaveChat(Departure),
    /// `chat_status`
    ChatStatus {
        /// The handle of the chat, as the client wrote it; without one, all chats are meant.
        chat_id: Option<String>,
        /// How many of the last messages to show: up to 50.
        history: usize,
        /// The client has all events up to this cursor.
        after: Option<u64>,
    },
    /// Any tool, with an argument that is not valid.
    Invalid {
        /// The handle of the chat, if that could be read.
        chat_id: Option<String>,
        /// Which argument, and why.
        error: ToolError,
    },
}

/// The arguments of `enter_queue`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EnterQueue {
    /// What the partner sees, up to 32 characters; the default is the chat's, or the configured one.
    pub display_name: Option<String>,
    /// Which queue, up to 64 characters; the default is the chat's, or `open`.
    pub topic: Option<String>,
    /// An idle chat that joins the queue again.
    pub chat_id: Option<String>,
    /// Opens another chat beside one that waits or talks.
    pub new_chat: bool,
    /// The client has all events up to this cursor.
    pub after: Option<u64>,
}

/// The arguments of `send_message`.
#[derive(Debug, Clone, PartialEq)]
pub struct SendMessage {
    /// The handle of the chat, as the client wrote it.
    pub chat_id: Option<String>,
    /// The text, before it is cleaned.
    pub message: String,
    /// Whose words these are, as the client claims.
    pub author: Author,
    /// The room that the message is for; without one, the room that the client knows of.
    pub room_id: Option<String>,
    /// The client has all events up to this cursor.
    pub after: Option<u64>,
}

/// The arguments of `next_partner` and `leave_chat`.
#[derive(Debug, Clone, PartialEq)]
pub struct Departure {
    /// The handle of the chat, as the client wrote it.
    pub chat_id: Option<String>,
    /// Never meet this partner again.
    pub block: bool,
    /// What to note about this partner.
    pub report: Option<ReportCategory>,
    /// The client has all events up to this cursor.
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
    Settled {
        /// Whose answer.
        call: CallId,
        /// Only then the client has what was lent to the call.
        written: bool,
    },
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
    pub code: ErrorCode,
    /// What happened, and what to do, for people.
    pub detail: String,
    /// Whether it is useless to wait for it to pass by itself.
    pub lasting: bool,
}

/// The answer to one request.
#[derive(Debug)]
pub enum Answer {
    /// The result of a tool.
    Result(Box<Reply>),
    /// How a task stands: for the call that made it, or for a `get`.
    Task(Box<TaskView>),
    /// The request about a task was noted.
    Noted,
    /// There is no such task.
    UnknownTask,
}

/// What to do, in the order in which it comes.
#[derive(Debug)]
pub enum Output {
    /// Answer a request.
    Answer(CallId, Answer),
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
