//! One chat: its place, its link to the relay, and what its client has yet to be told.
//!
//! What a call wants of a chat lives next door, in `calls`; how a result words it in `reply`. Here
//! nothing knows of calls but by the number under which events are lent. All fields are private
//! to this room: others ask by methods.
//!
//! The place of a chat, which only [`place`] writes:
//!
//! ```text
//! idle -- seek --> seeking -- queued --> waiting -- paired --> chatting
//!  ^                | |  ^                | |  ^                  |
//!  |                | |  |                | |  +-- queued (new numbers)
//!  +---- refused ---+ |  +---- next ------|-|---------------------+
//!  +---- give up -----+                   | |                     |
//!  +---- dequeued, give up ---------------+ |  (paired also while seeking)
//!  +---- closed, lost, left ----------------|---------------------+
//! ```
//!
//! Beside its place, a chat can be one or more of these:
//! - *leaving queue*: it gave up its place, and what the relay says of one is older than that. It
//!   ends with `dequeued`, with the connection, or when a place is asked for again.
//! - *ended*: its user left it. Tools cannot name it any more; it lives on until the relay knows.
//! - *superseded*: another connection carries its session. It is lost, and stays until its user
//!   leaves it.
//!
//! Its link:
//!
//! ```text
//!                   +------------ disconnected ------------+
//!                   v                                      |
//! closed -- open --> connecting -- connected --> greeting --> welcomed --> up
//!    ^                                          (`hello` is   (`welcome`   (`pong` came: all that
//!    |                                           out)          came)        `hello` claimed is
//!    +--- nothing is left to say ---- from every state                      answered)
//! ```
//!
//! [`protocol`] is what the relay says and is told, [`outgoing`] what is said to the partner, [`room`]
//! the sequence numbers, [`inbox`] what the client has not seen, [`transcript`] what can be read again,
//! [`attention`] and [`liveness`] what time and silence do, [`untrusted`] how far a relay is believed.

mod attention;
mod inbox;
mod link;
mod liveness;
pub(super) mod outgoing;
mod place;
mod protocol;
pub(super) mod reading;
mod room;
pub(super) mod transcript;
pub(crate) mod untrusted;

use std::{collections::VecDeque, sync::Arc, time::Instant};

use shared::{
    id::RoomId,
    limits::{self, Limits},
    message::{Leave, ReportCategory},
    rate::Bucket,
    text,
};

use self::{
    attention::Attention,
    inbox::{Inbox, Loan},
    room::Room,
    transcript::{Line, Transcript},
};
use super::{
    context::Context,
    contract::{Config, Output, Trouble},
    event::Event,
    ids::{CallId, ChatId},
    reply::{ChatState, QueueView, Spoken, ToolError},
};

#[derive(Debug)]
pub(super) struct Chat {
    id: ChatId,
    display_name: String,
    topic: String,
    place: Place,
    link: LinkState,
    trouble: Option<Trouble>,
    /// Why its last search for a partner was refused.
    refused: Option<ToolError>,
    limits: Limits,
    inbox: Inbox,
    transcript: Transcript,
    last_room: Option<LastRoom>,
    /// Until when a search takes the place of before, since the partner left at once.
    place_kept_until: Option<Instant>,
    /// Block tags of all chats, presented with each search.
    blocks: Arc<[String]>,
    message_bucket: Bucket,
    next_bucket: Bucket,
    assistant_streak: u32,
    empty_waits: u32,
    /// Counts `queued`, so that a call can tell whether the numbers are newer than itself.
    queue_news: u64,
    /// Since when it is idle. The one that is idle longest gives way first.
    idle_since: Instant,
    ended: Option<Instant>,
    superseded: bool,
    /// Rooms that it left, until the relay has answered.
    leaving: Vec<Departed>,
    leaving_queue: bool,
    /// Rooms that it never enters again.
    closed: VecDeque<RoomId>,
    closed_rooms: usize,
    /// The session token of the relay.
    token: Option<String>,
    /// Messages for the partner that the link was given since it is known to have written all.
    unwritten: usize,
    /// It has been asked to tell when it has.
    awaits_written: bool,
    attention: Attention,
    /// When the relay was last heard on this connection, was last sent `ping`, and was last sent
    /// anything.
    heard: Instant,
    pinged: Instant,
    spoke: Instant,
}

#[derive(Debug)]
enum Place {
    Idle,
    /// `is_asked`: the relay has been asked for a place, and has not answered.
    Seeking {
        is_asked: bool,
    },
    Waiting {
        ticket: Option<String>,
        queue: QueueView,
    },
    Chatting(Box<Room>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkState {
    Closed,
    Connecting { since: Instant },
    Greeting { since: Instant },
    Welcomed { since: Instant },
    Up,
}

/// The room that it was in last, for blocking and reporting.
#[derive(Debug, Clone)]
struct LastRoom {
    room_id: RoomId,
    token: String,
    closed_at: Instant,
}

/// A room that it left.
#[derive(Debug)]
struct Departed {
    leave: Leave<'static>,
    /// It answers a pairing that came too late, which may have cost the place in the queue.
    stale: bool,
}

/// What to do about the partner on leaving.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Verdict {
    pub(super) block: bool,
    pub(super) report: Option<ReportCategory>,
}

impl Verdict {
    pub(super) fn is_empty(self) -> bool {
        !self.block && self.report.is_none()
    }
}

/// Getters.
impl Chat {
    pub(super) fn new(id: ChatId, config: &Config, blocks: &Arc<[String]>, now: Instant) -> Self {
        let limits = Limits::default();
        Self {
            id,
            display_name: config.display_name.clone(),
            topic: text::DEFAULT_TOPIC.to_owned(),
            place: Place::Idle,
            link: LinkState::Closed,
            trouble: None,
            refused: None,
            message_bucket: Bucket::new(limits.message_rate),
            next_bucket: Bucket::new(limits.next_rate),
            limits,
            inbox: Inbox::default(),
            transcript: Transcript::default(),
            last_room: None,
            place_kept_until: None,
            blocks: Arc::clone(blocks),
            assistant_streak: 0,
            empty_waits: 0,
            queue_news: 0,
            idle_since: now,
            ended: None,
            superseded: false,
            leaving: Vec::new(),
            leaving_queue: false,
            closed: VecDeque::new(),
            closed_rooms: config.closed_rooms,
            token: None,
            unwritten: 0,
            awaits_written: false,
            attention: Attention::default(),
            heard: now,
            pinged: now,
            spoke: now,
        }
    }

    pub(super) fn id(&self) -> ChatId {
        self.id
    }

    pub(super) fn state(&self) -> ChatState {
        if self.ended.is_some() {
            return ChatState::Ended;
        }
        match self.place {
            Place::Idle => ChatState::Idle,
            Place::Seeking { .. } | Place::Waiting { .. } => ChatState::Waiting,
            Place::Chatting(_) => ChatState::Chatting,
        }
    }

    /// Whether tools can name it.
    pub(super) fn is_living(&self) -> bool {
        self.ended.is_none()
    }

    pub(super) fn ended_at(&self) -> Option<Instant> {
        self.ended
    }

    pub(super) fn idle_since(&self) -> Instant {
        self.idle_since
    }

    pub(super) fn is_superseded(&self) -> bool {
        self.superseded
    }

    /// Whether nothing is left to be done for an ended chat.
    pub(super) fn is_finished(&self) -> bool {
        self.ended.is_some() && self.link == LinkState::Closed
    }

    pub(super) fn room(&self) -> Option<&Room> {
        match &self.place {
            Place::Chatting(room) => Some(room),
            Place::Idle | Place::Seeking { .. } | Place::Waiting { .. } => None,
        }
    }

    fn room_mut(&mut self) -> Option<&mut Room> {
        match &mut self.place {
            Place::Chatting(room) => Some(room),
            Place::Idle | Place::Seeking { .. } | Place::Waiting { .. } => None,
        }
    }

    /// Whether a wait made now would be answered at once: there is news, or nothing to wait for.
    pub(super) fn has_something(&self, after: Option<u64>) -> bool {
        self.inbox.has_news(after) || matches!(self.place, Place::Idle)
    }

    pub(super) fn unread(&self) -> usize {
        self.inbox.unread()
    }

    /// The last messages of both sides, oldest first.
    pub(super) fn history(&self, most: usize) -> Vec<Spoken> {
        self.transcript.history(most)
    }

    /// How many waits in a row brought nothing.
    pub(super) fn empty_waits(&self) -> u32 {
        self.empty_waits
    }

    /// Panics if something that must always be true is not.
    pub(super) fn check(&self) {
        assert!(self.leaving.len() <= limits::LEAVING_ROOMS);
        assert!(self.closed.len() <= self.closed_rooms);
        assert!(self.transcript.lines().len() <= limits::TRANSCRIPT_ENTRIES);
        assert!(self.unwritten <= limits::WINDOW_MESSAGES);
        self.inbox.check();
        if let Some(room) = self.room() {
            room.check();
            assert!(!self.closed.contains(&room.room_id), "it has entered a room again");
        }
    }
}

/// What calls do to it.
impl Chat {
    pub(super) fn rename(&mut self, display_name: Option<String>, topic: Option<String>) {
        self.display_name = display_name.unwrap_or_else(|| self.display_name.clone());
        self.topic = topic.unwrap_or_else(|| self.topic.clone());
    }

    /// A tool was called for this chat.
    pub(super) fn attend(&mut self, now: Instant) {
        self.attention.attend(now, self.is_queued());
    }

    /// What was open for this chat ends without the client.
    pub(super) fn lapse(&mut self, now: Instant) {
        self.attention.lapse(now);
    }

    /// Whether something is open for this chat, after an input.
    pub(super) fn set_open(&mut self, open: bool, cx: &mut Context) {
        self.attention.set_open(open, cx.now.instant);
        self.tell_attention(cx);
    }

    /// What it is to present from now on.
    pub(super) fn present(&mut self, blocks: &Arc<[String]>) {
        self.blocks = Arc::clone(blocks);
    }

    pub(super) fn note_empty_waits(&mut self, waits: u32) {
        self.empty_waits = waits;
    }

    /// The client has everything up to `after`. Returns whether it can.
    pub(super) fn acknowledge(&mut self, after: u64, cx: &mut Context) -> bool {
        let can = after <= self.inbox.handed_out();
        if can {
            self.inbox.acknowledge(after);
            self.handed_out(cx);
        }
        can
    }

    pub(super) fn lend(&mut self, call: CallId, after: Option<u64>) -> Loan {
        self.inbox.lend(call, after)
    }

    /// What was lent to this call was written to the client, or comes back.
    pub(super) fn settle(&mut self, call: CallId, written: bool, cx: &mut Context) {
        self.inbox.settle(call, written);
        self.handed_out(cx);
    }

    /// The client was handed events: tells the partner what was read.
    fn handed_out(&mut self, cx: &mut Context) {
        let is_up = self.link == LinkState::Up;
        let (inbox, Place::Chatting(room)) = (&self.inbox, &mut self.place) else { return };
        if !is_up {
            room.note_read(inbox);
            return;
        }
        let messages: Vec<_> = room.handed_out(inbox).collect();
        self.transmit_all(messages, cx);
    }
}

/// What the rest of this room does to it.
impl Chat {
    /// Puts an event into the inbox and hints at it. Returns its cursor.
    fn tell(&mut self, event: Event, cx: &mut Context) -> u64 {
        let entry = self.inbox.push(cx.now.rfc3339(), event);
        let cursor = entry.cursor;
        self.empty_waits = 0;
        self.transcript.write(Line::Happened(entry.clone()));
        cx.out.push(Output::Notify(self.id, entry));
        cursor
    }
}
