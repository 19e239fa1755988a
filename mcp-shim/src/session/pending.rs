//! Calls that wait for something: an event, a place, an acknowledgement, the relay.

use std::time::Instant;

use shared::{id::RoomId, limits};

use super::{
    Sessions,
    chat::{Chat, Place, Verdict},
    event::{CallId, ChatId, Moment, Output, Request, TroubleKind},
    reply::{Delivery, ErrorCode, Reply, ToolError},
};

/// A call without an answer.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) chat: ChatId,
    pub(super) after: Option<u64>,
    pub(super) deadline: Instant,
    pub(super) waits_for: WaitsFor,
}

/// What a call waits for.
#[derive(Debug)]
pub(super) enum WaitsFor {
    /// An event.
    Event,
    /// The relay's word on a place that was asked for when `news` words had come.
    Place { on_failure: OnFailure, news: u64, reply: Box<Reply> },
    /// The partner's acknowledgement.
    Delivery { room_id: RoomId, seq: u64 },
    /// The relay; then the request is looked at again.
    Relay(Box<Request>),
    /// The partner's acknowledgements, before a departure.
    Acknowledgements { next: bool, verdict: Verdict },
    /// Fresh numbers of the queue.
    Numbers { news: u64, reply: Box<Reply> },
}

/// What becomes of a place that was not to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnFailure {
    /// The chat was made for this call and ends with it.
    EndChat,
    /// The chat is idle again.
    GiveUp,
    /// The chat goes on trying: the room that it had is left already.
    KeepTrying,
}

/// Whether a call can be answered.
enum Ripe {
    No,
    Yes,
    Failed(ToolError),
}

impl Sessions {
    /// When a call has to be looked at again, at the latest.
    pub(super) fn due(&self, pending: &Pending) -> Option<Instant> {
        let down = self
            .chats
            .get(&pending.chat)
            .filter(|_| matches!(pending.waits_for, WaitsFor::Event))
            .and_then(|chat| Some(chat.down_since()? + limits::RELAY_WAIT));
        Some(down.map_or(pending.deadline, |down| down.min(pending.deadline)))
    }

    /// Answers every call that can be answered now, the oldest first.
    pub(super) fn advance_calls(&mut self, now: Moment, out: &mut Vec<Output>) {
        let mut advanced = true;
        // One call can be what another waits for.
        while advanced {
            advanced = false;
            let calls: Vec<CallId> = self.pending.keys().copied().collect();
            for call in calls {
                advanced |= self.advance_call(call, now, out);
            }
        }
    }

    /// Returns whether something has changed.
    fn advance_call(&mut self, call: CallId, now: Moment, out: &mut Vec<Output>) -> bool {
        let Some(pending) = self.pending.get(&call) else { return false };
        let departs = matches!(pending.waits_for, WaitsFor::Acknowledgements { .. });
        let chat = self.chats.get(&pending.chat);
        let Some(chat) = chat.filter(|chat| !(departs && chat.ended.is_some())) else {
            self.pending.remove(&call);
            let error = unknown_chat();
            out.push(Output::Reply(call, Box::new(self.error_reply(error))));
            return true;
        };
        let ripe = pending.ripe(chat, now.instant);
        if matches!(ripe, Ripe::No) {
            return false;
        }
        let Some(pending) = self.pending.remove(&call) else { return false };
        let id = pending.chat;
        if let Ripe::Failed(error) = ripe {
            self.fail(call, pending, error, now, out);
            return true;
        }
        match pending.waits_for {
            WaitsFor::Event => {
                self.answer_wait(call, id, pending.after, now, out);
            }
            WaitsFor::Place { reply, on_failure, .. } => {
                if on_failure == OnFailure::EndChat {
                    self.introduced.insert(call, id);
                }
                self.answer(call, id, pending.after, *reply, now, out);
            }
            WaitsFor::Delivery { room_id, seq } => {
                let has = self.chats[&id]
                    .room()
                    .is_some_and(|room| room.room_id == room_id && room.has(seq));
                let delivery = if has { Delivery::Delivered } else { Delivery::Pending };
                self.answer_sent(call, id, pending.after, seq, room_id, delivery, now, out);
            }
            WaitsFor::Relay(request) => self.call(call, *request, now, out),
            WaitsFor::Acknowledgements { next, verdict } => {
                self.depart(call, id, next, verdict, pending.after, now, out);
            }
            WaitsFor::Numbers { reply, .. } => {
                self.answer(call, id, pending.after, *reply, now, out);
            }
        }
        true
    }

    /// Answers with an error, and takes back what the call has begun.
    fn fail(
        &mut self,
        call: CallId,
        pending: Pending,
        error: ToolError,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        let Pending { chat: id, after, waits_for, .. } = pending;
        let mut reply = match waits_for {
            WaitsFor::Place { on_failure, reply, .. } => {
                self.take_back(id, on_failure, now, out);
                if on_failure == OnFailure::EndChat {
                    out.push(Output::Reply(call, Box::new(self.error_reply(error))));
                    return;
                }
                *reply
            }
            WaitsFor::Event
            | WaitsFor::Delivery { .. }
            | WaitsFor::Relay(_)
            | WaitsFor::Acknowledgements { .. }
            | WaitsFor::Numbers { .. } => Reply::new(""),
        };
        reply.error = Some(error);
        self.answer(call, id, after, reply, now, out);
    }

    /// Gives up the place that a call has asked for.
    fn take_back(&mut self, id: ChatId, on_failure: OnFailure, now: Moment, out: &mut Vec<Output>) {
        let Some(chat) = self.chats.get_mut(&id) else { return };
        match on_failure {
            OnFailure::KeepTrying => {}
            OnFailure::GiveUp => chat.give_up(out),
            OnFailure::EndChat => chat.end(Verdict::default(), now, out),
        }
    }

    /// The client wants no answer: nothing is handed out, and a place that it asked for is given up.
    pub(super) fn cancelled(&mut self, call: CallId, now: Moment, out: &mut Vec<Output>) {
        self.settled(call, false, now, out);
        self.tasks.give_up(call);
        let Some(pending) = self.pending.remove(&call) else { return };
        if let WaitsFor::Place { on_failure, .. } = pending.waits_for {
            self.take_back(pending.chat, on_failure, now, out);
        }
        self.update_attention(pending.chat, out);
    }

    /// Tells the relay whether a wait is open on this chat.
    pub(super) fn update_attention(&mut self, id: ChatId, out: &mut Vec<Output>) {
        let open = self.is_listened_to(id);
        if let Some(chat) = self.chats.get_mut(&id) {
            chat.set_attentive(open, out);
        }
    }

    /// Whether the client would be told at once of what happens in this chat.
    pub(super) fn is_listened_to(&self, id: ChatId) -> bool {
        self.client_listens || self.is_awaited(id) || self.tasks.are_watched_for(id)
    }

    fn is_awaited(&self, id: ChatId) -> bool {
        self.pending.values().any(|p| p.chat == id && matches!(p.waits_for, WaitsFor::Event))
    }
}

impl Pending {
    fn ripe(&self, chat: &Chat, now: Instant) -> Ripe {
        let late = self.deadline <= now;
        // A message that was accepted may have arrived: it is not refused afterwards.
        if chat.superseded && !matches!(self.waits_for, WaitsFor::Delivery { .. }) {
            return Ripe::Failed(session_lost());
        }
        match &self.waits_for {
            WaitsFor::Event => {
                let idle = matches!(chat.place, Place::Idle);
                if chat.inbox.has_news(self.after) || idle {
                    return Ripe::Yes;
                }
                match relay_error(chat, now) {
                    Some(error) => Ripe::Failed(error),
                    None if late => Ripe::Yes,
                    None => Ripe::No,
                }
            }
            WaitsFor::Place { news, .. } => match &chat.place {
                Place::Chatting(_) => Ripe::Yes,
                Place::Waiting { .. } if chat.queue_news > *news => Ripe::Yes,
                Place::Idle => match &chat.refused {
                    Some(error) => Ripe::Failed(error.clone()),
                    None => Ripe::Yes,
                },
                Place::Seeking | Place::Waiting { .. } => match relay_error(chat, now) {
                    Some(error) => Ripe::Failed(error),
                    None if late => Ripe::Failed(unavailable(chat)),
                    None => Ripe::No,
                },
            },
            WaitsFor::Delivery { room_id, seq } => {
                let room = chat.room().filter(|room| room.room_id == *room_id);
                match room {
                    Some(room) if !room.has(*seq) && !late => Ripe::No,
                    Some(_) | None => Ripe::Yes,
                }
            }
            WaitsFor::Relay(_) => {
                let up = chat.down_since().is_none();
                match relay_error(chat, now) {
                    _ if up => Ripe::Yes,
                    Some(error) => Ripe::Failed(error),
                    None if late => Ripe::Failed(unavailable(chat)),
                    None => Ripe::No,
                }
            }
            WaitsFor::Acknowledgements { .. } => match chat.room() {
                Some(room) if !room.all_acknowledged() && !late => Ripe::No,
                Some(_) | None => Ripe::Yes,
            },
            WaitsFor::Numbers { news, .. } => {
                let fresh = chat.queue_news > *news;
                let waiting = matches!(chat.place, Place::Waiting { .. });
                if fresh || !waiting || late { Ripe::Yes } else { Ripe::No }
            }
        }
    }
}

/// The error of a relay that does not answer, once waiting for it is useless.
pub(super) fn relay_error(chat: &Chat, now: Instant) -> Option<ToolError> {
    let since = chat.down_since()?;
    let lasting = chat.trouble.as_ref().is_some_and(|trouble| trouble.lasting);
    (lasting || since + limits::RELAY_WAIT <= now).then(|| unavailable(chat))
}

fn unavailable(chat: &Chat) -> ToolError {
    match &chat.trouble {
        Some(trouble) => {
            let (code, message) = match trouble.kind {
                TroubleKind::Unavailable => (
                    ErrorCode::RelayUnavailable,
                    "the relay cannot be reached; what was not handed out is kept",
                ),
                TroubleKind::VersionMismatch => (
                    ErrorCode::VersionMismatch,
                    "the relay speaks another protocol version; what was not handed out is kept",
                ),
                TroubleKind::TooMany => (
                    ErrorCode::TooMany,
                    "the relay cannot take this chat; what was not handed out is kept",
                ),
            };
            ToolError::new(code, message, trouble.detail.clone())
        }
        None => ToolError::new(
            ErrorCode::RelayUnavailable,
            "the relay does not answer; what was not handed out is kept",
            "run `mcp-shim doctor` in a terminal to see why",
        ),
    }
}

pub(super) fn session_lost() -> ToolError {
    ToolError::new(
        ErrorCode::SessionLost,
        "another program has taken up this session; this chat is lost",
        "call enter_queue to start another chat",
    )
}

pub(super) fn unknown_chat() -> ToolError {
    ToolError::new(
        ErrorCode::UnknownChat,
        "there is no chat with this chat_id here",
        "call chat_status without arguments to see the chats of this app",
    )
}
