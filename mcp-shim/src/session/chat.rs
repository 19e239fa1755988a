//! One chat: its place, its link, and what the relay says to it.
//!
//! ```text
//! idle -- enter --> seeking -- queued --> waiting -- paired --> chatting -- closed --> idle
//!                      ^                                           |
//!                      +------------------- next ------------------+
//! ```
//!
//! `link`: closed, connecting, greeting (`hello` is out), welcomed (what `hello` claimed is being
//! answered), up (`pong` came: everything that `hello` claimed is answered).

use std::{collections::VecDeque, time::Instant};

use shared::{
    id::RoomId,
    limits::{self, Limits},
    message::{ClientMessage, CloseReason, Leave, ReportCategory},
    rate::Bucket,
    text,
};

use super::{
    event::{ChatId, Config, Event, Moment, Output, Trouble},
    inbox::Inbox,
    reply::{ChatState, QueueView, ToolError},
    room::Room,
    transcript::{Line, Transcript},
};

#[derive(Debug)]
pub(super) struct Chat {
    pub(super) id: ChatId,
    pub(super) display_name: String,
    pub(super) topic: String,
    pub(super) place: Place,
    pub(super) link: Link,
    pub(super) trouble: Option<Trouble>,
    pub(super) refused: Option<ToolError>,
    pub(super) limits: Limits,
    pub(super) inbox: Inbox,
    pub(super) transcript: Transcript,
    pub(super) last_room: Option<LastRoom>,
    pub(super) message_bucket: Bucket,
    pub(super) next_bucket: Bucket,
    pub(super) assistant_streak: u32,
    pub(super) empty_waits: u32,
    /// Counts `queued`, so that a call can tell whether the numbers are newer than itself.
    pub(super) queue_news: u64,
    /// Since when it is idle, for which gives way first.
    pub(super) idle_since: Instant,
    /// Its user left it: it lives on until the relay knows.
    pub(super) ended: Option<Instant>,
    /// A newer connection carries its session.
    pub(super) superseded: bool,
    /// Rooms that it left, until the relay has answered.
    pub(super) leaving: Vec<Departed>,
    /// It gives up its place, which the relay has not confirmed: what it says of a place is older.
    pub(super) leaving_queue: bool,
    /// Rooms that it never enters again.
    pub(super) closed: VecDeque<RoomId>,
    closed_rooms: usize,
    /// The session token of the relay.
    pub(super) token: Option<String>,
    /// Messages for the partner that the link was given since it is known to have written all.
    pub(super) unwritten: usize,
    /// It has been asked to tell when it has.
    pub(super) awaits_written: bool,
    pub(super) attentive: bool,
    pub(super) last_call: Option<Instant>,
    /// When the relay was last heard on this connection, and when it was last spoken to.
    pub(super) heard: Instant,
    pub(super) spoke: Instant,
}

#[derive(Debug)]
pub(super) enum Place {
    Idle,
    Seeking,
    Waiting { ticket: Option<String>, queue: QueueView },
    Chatting(Box<Room>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    Closed,
    Connecting { since: Instant },
    Greeting { since: Instant },
    Welcomed { since: Instant },
    Up,
}

/// The room that it was in last, for blocking and reporting.
#[derive(Debug, Clone)]
pub(super) struct LastRoom {
    room_id: RoomId,
    token: String,
    closed_at: Instant,
}

/// A room that it left.
#[derive(Debug)]
pub(super) struct Departed {
    pub(super) leave: Leave<'static>,
    /// It answers a pairing that came too late, which may have cost the place in the queue.
    pub(super) stale: bool,
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

impl Chat {
    pub(super) fn new(id: ChatId, config: &Config, now: Instant) -> Self {
        let limits = Limits::default();
        Self {
            id,
            display_name: config.display_name.clone(),
            topic: text::DEFAULT_TOPIC.to_owned(),
            place: Place::Idle,
            link: Link::Closed,
            trouble: None,
            refused: None,
            message_bucket: Bucket::new(limits.message_rate),
            next_bucket: Bucket::new(limits.next_rate),
            limits,
            inbox: Inbox::default(),
            transcript: Transcript::default(),
            last_room: None,
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
            attentive: false,
            last_call: None,
            heard: now,
            spoke: now,
        }
    }

    pub(super) fn state(&self) -> ChatState {
        if self.ended.is_some() {
            return ChatState::Ended;
        }
        match self.place {
            Place::Idle => ChatState::Idle,
            Place::Seeking | Place::Waiting { .. } => ChatState::Waiting,
            Place::Chatting(_) => ChatState::Chatting,
        }
    }

    pub(super) fn room(&self) -> Option<&Room> {
        match &self.place {
            Place::Chatting(room) => Some(room),
            Place::Idle | Place::Seeking | Place::Waiting { .. } => None,
        }
    }

    pub(super) fn room_mut(&mut self) -> Option<&mut Room> {
        match &mut self.place {
            Place::Chatting(room) => Some(room),
            Place::Idle | Place::Seeking | Place::Waiting { .. } => None,
        }
    }

    /// Since when the relay does not answer, if it should.
    pub(super) fn down_since(&self) -> Option<Instant> {
        match self.link {
            Link::Closed | Link::Up => None,
            Link::Connecting { since } | Link::Greeting { since } | Link::Welcomed { since } => {
                Some(since)
            }
        }
    }

    /// Starts to wait for a partner.
    pub(super) fn seek(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.place = Place::Seeking;
        self.refused = None;
        self.empty_waits = 0;
        self.open_link(now, out);
        if self.link == Link::Up {
            out.push(Output::Transmit(self.id, self.enter_queue()));
        }
    }

    pub(super) fn enter_queue(&self) -> ClientMessage<'static> {
        let ticket = match &self.place {
            Place::Waiting { ticket, .. } => ticket.clone().map(Into::into),
            Place::Idle | Place::Seeking | Place::Chatting(_) => None,
        };
        ClientMessage::EnterQueue {
            display_name: self.display_name.clone().into(),
            topic: self.topic.clone().into(),
            ticket,
        }
    }

    /// Leaves the room, if it is in one, and waits for another partner, in one step.
    pub(super) fn next(&mut self, verdict: Verdict, now: Moment, out: &mut Vec<Output>) {
        let leave = self.depart(verdict, now.instant);
        self.place = Place::Seeking;
        self.refused = None;
        self.empty_waits = 0;
        self.open_link(now.instant, out);
        if self.link == Link::Up {
            out.push(Output::Transmit(
                self.id,
                ClientMessage::Next {
                    leave,
                    display_name: self.display_name.clone().into(),
                    topic: self.topic.clone().into(),
                },
            ));
        }
    }

    /// Blocks or reports the last partner without leaving anything.
    pub(super) fn judge_last(&mut self, verdict: Verdict, now: Instant, out: &mut Vec<Output>) {
        let Some(leave) = self.depart(verdict, now) else { return };
        self.open_link(now, out);
        if self.link == Link::Up {
            out.push(Output::Transmit(self.id, ClientMessage::Leave(leave)));
        }
    }

    /// Leaves room or queue for good.
    pub(super) fn end(&mut self, verdict: Verdict, now: Moment, out: &mut Vec<Output>) {
        if let Some(leave) = self.depart(verdict, now.instant) {
            self.open_link(now.instant, out);
            if self.link == Link::Up {
                out.push(Output::Transmit(self.id, ClientMessage::Leave(leave)));
            }
        }
        self.leave_queue(out);
        self.ended = Some(now.instant);
        self.close_link_if_idle(out);
    }

    /// Gives up its place in the queue, if it has or seeks one. A relay without a connection to
    /// this chat forgets the place by itself.
    fn leave_queue(&mut self, out: &mut Vec<Output>) {
        if !matches!(self.place, Place::Seeking | Place::Waiting { .. }) {
            return;
        }
        self.place = Place::Idle;
        match self.link {
            Link::Closed | Link::Connecting { .. } => {}
            // What `hello` may have claimed is given up once that is answered.
            Link::Greeting { .. } | Link::Welcomed { .. } => {
                self.leaving_queue = self.token.is_some();
            }
            Link::Up => {
                self.leaving_queue = true;
                out.push(Output::Transmit(self.id, ClientMessage::LeaveQueue {}));
            }
        }
    }

    /// Forgets the room and notes that the relay has to be told, until it answers.
    fn depart(&mut self, verdict: Verdict, now: Instant) -> Option<Leave<'static>> {
        let (room_id, token) = match std::mem::replace(&mut self.place, Place::Idle) {
            Place::Chatting(room) => {
                self.remember_closed(room.room_id, room.token.clone(), now);
                (room.room_id, room.token)
            }
            place @ (Place::Idle | Place::Seeking | Place::Waiting { .. }) => {
                self.place = place;
                let last = self.last_room(now).filter(|_| !verdict.is_empty())?;
                (last.room_id, last.token.clone())
            }
        };
        let leave =
            Leave { room_id, token: token.into(), block: verdict.block, report: verdict.report };
        self.note_departed(leave.clone(), false);
        Some(leave)
    }

    pub(super) fn note_departed(&mut self, leave: Leave<'static>, stale: bool) {
        if self.leaving.len() == limits::LEAVING_ROOMS {
            self.leaving.remove(0);
        }
        self.leaving.push(Departed { leave, stale });
    }

    /// The room whose partner can still be blocked or reported.
    pub(super) fn last_room(&self, now: Instant) -> Option<&LastRoom> {
        self.last_room.as_ref().filter(|last| now < last.closed_at + limits::LAST_PARTNER_FOR)
    }

    pub(super) fn remember_closed(&mut self, room_id: RoomId, token: String, now: Instant) {
        self.never_enter_again(room_id);
        self.last_room = Some(LastRoom { room_id, token, closed_at: now });
        self.idle_since = now;
    }

    pub(super) fn never_enter_again(&mut self, room_id: RoomId) {
        if self.closed.contains(&room_id) {
            return;
        }
        self.closed.push_back(room_id);
        if self.closed.len() > self.closed_rooms {
            self.closed.pop_front();
        }
    }

    fn open_link(&mut self, now: Instant, out: &mut Vec<Output>) {
        if self.link == Link::Closed {
            self.link = Link::Connecting { since: now };
            self.trouble = None;
            out.push(Output::Open(self.id));
        }
    }

    pub(super) fn close_link(&mut self, out: &mut Vec<Output>) {
        if self.link != Link::Closed {
            self.link = Link::Closed;
            self.leaving_queue = false;
            out.push(Output::Close(self.id));
        }
    }

    /// An idle chat needs no connection, once the relay knows what it left.
    pub(super) fn close_link_if_idle(&mut self, out: &mut Vec<Output>) {
        let is_told = self.leaving.is_empty() && !self.leaving_queue;
        if matches!(self.place, Place::Idle) && is_told {
            self.close_link(out);
        }
    }

    /// Gives up a place that could not be had.
    pub(super) fn give_up(&mut self, out: &mut Vec<Output>) {
        self.leave_queue(out);
        self.close_link_if_idle(out);
    }

    /// Whether nothing is left to be done for an ended chat.
    pub(super) fn is_finished(&self) -> bool {
        self.ended.is_some() && self.link == Link::Closed
    }

    /// The room is closed, not by this side.
    pub(super) fn close_room(&mut self, reason: CloseReason, now: Moment, out: &mut Vec<Output>) {
        match std::mem::replace(&mut self.place, Place::Idle) {
            Place::Chatting(room) => {
                let undelivered = room.unacknowledged();
                let room_id = room.room_id.to_string();
                self.remember_closed(room.room_id, room.token, now.instant);
                self.tell(Event::Disconnected { room_id, reason, undelivered }, now, out);
                self.close_link_if_idle(out);
            }
            place @ (Place::Idle | Place::Seeking | Place::Waiting { .. }) => self.place = place,
        }
    }

    /// Puts an event into the inbox and hints at it. Returns its cursor.
    pub(super) fn tell(&mut self, event: Event, now: Moment, out: &mut Vec<Output>) -> u64 {
        let entry = self.inbox.push(now.rfc3339(), event);
        let cursor = entry.cursor;
        self.empty_waits = 0;
        self.transcript.write(Line::Happened(entry.clone()));
        out.push(Output::Notify(self.id, entry));
        cursor
    }
}
