//! Answers: what of a chat goes into a result, and the errors that need nothing but words.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

use shared::id::RoomId;

use super::{
    EMPTY_WAITS, Sessions,
    chat::{Chat, Link, Place, Verdict},
    event::{CallId, ChatId, Moment, Output},
    next,
    reply::{ChatState, ChatView, Delivery, ErrorCode, OtherChat, QueueView, Reply, ToolError},
};

impl Sessions {
    /// Answers a call about a chat: with where it stands and what was not handed out.
    pub(super) fn answer(
        &mut self,
        call: CallId,
        id: ChatId,
        after: Option<u64>,
        reply: Reply,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        let reply = self.compose(call, id, after, reply, now);
        out.push(Output::Reply(call, Box::new(reply)));
    }

    /// What is said of a chat, with events that are lent to this call.
    pub(super) fn compose(
        &mut self,
        call: CallId,
        id: ChatId,
        after: Option<u64>,
        mut reply: Reply,
        now: Moment,
    ) -> Reply {
        let wakes = self.client_takes_tasks;
        let is_lost =
            reply.error.as_ref().is_some_and(|error| error.code == ErrorCode::SessionLost);
        let chat = self.chat(id);
        let loan = chat.inbox.lend(call, after);
        // Whoever is told that it is over does not ask for what others have not been handed.
        let is_over = is_lost && chat.inbox.unread() == loan.events.len();
        let tired = chat.empty_waits >= EMPTY_WAITS && loan.events.is_empty();
        let view = ChatView {
            chat_id: id,
            state: if is_over { ChatState::Ended } else { chat.state() },
            room: chat.room().map(|room| room.view(now.instant)),
            queue: chat.queue_view(),
            events: loan.events,
            since: loan.since,
            cursor: loan.cursor,
            more: loan.more,
        };
        if is_over {
            self.farewells.insert(call, id);
        }
        reply.next = match (&reply.error, reply.delivery) {
            (Some(error), _) => next::after_error(error.code),
            (None, Some(Delivery::Delivered | Delivery::Pending)) if view.events.is_empty() => {
                if wakes {
                    next::SENT_WAKES
                } else {
                    next::SENT
                }
            }
            (None, _) => next::after(&view, tired, wakes),
        };
        if self.news_reaches_model {
            reply.next = next::unwaiting(reply.next);
        }
        let has_words = view.room.is_some()
            || view.events.iter().any(|entry| entry.notice().is_some())
            || reply.history.iter().flatten().any(|spoken| spoken.from == "partner");
        reply.notice = has_words.then_some(next::NOTICE);
        if !view.events.is_empty() {
            self.lent.insert(call, id);
        }
        reply.chat = Some(view);
        reply.other_chats = self.other_chats(Some(id));
        reply
    }

    /// An error that is about no chat.
    pub(super) fn error_reply(&self, error: ToolError) -> Reply {
        let nothing_to_name =
            error.code == ErrorCode::ChatRequired && self.living().next().is_none();
        let next = if nothing_to_name { next::NO_CHAT } else { next::after_error(error.code) };
        let mut reply = Reply::new(next);
        reply.error = Some(error);
        reply.other_chats = self.other_chats(None);
        reply
    }

    pub(super) fn other_chats(&self, except: Option<ChatId>) -> Vec<OtherChat> {
        self.living()
            .filter(|chat| Some(chat.id) != except)
            .map(|chat| OtherChat {
                chat_id: chat.id,
                state: chat.state(),
                unread: chat.inbox.unread(),
            })
            .collect()
    }
}

impl Chat {
    pub(super) fn queue_view(&self) -> Option<QueueView> {
        match &self.place {
            _ if self.ended.is_some() => None,
            Place::Idle | Place::Chatting(_) => None,
            Place::Seeking => Some(QueueView {
                topic: self.topic.clone(),
                position: None,
                waiting: 1,
                not_listening: 0,
                own: 0,
            }),
            Place::Waiting { queue, .. } => Some(queue.clone()),
        }
    }

    /// What the chat waits for, for people.
    pub(super) fn progress(&self) -> String {
        if self.link != Link::Up && self.link != Link::Closed {
            return "the relay does not answer; trying to reach it".to_owned();
        }
        match &self.place {
            Place::Idle => "this chat has no partner".to_owned(),
            Place::Seeking => "waiting for a partner".to_owned(),
            Place::Waiting { queue, .. } => match queue.position {
                Some(position) if position > 1 => {
                    format!("waiting for a partner, {} ahead of you", position - 1)
                }
                Some(_) | None => "waiting for a partner".to_owned(),
            },
            Place::Chatting(room) => {
                use shared::message::Presence;
                match room.presence {
                    Presence::Listening => "waiting for a message; your partner is listening",
                    Presence::NotListening => {
                        "waiting for a message; your partner is not listening"
                    }
                    Presence::Reconnecting => "waiting for a message; your partner is reconnecting",
                }
                .to_owned()
            }
        }
    }

    /// What the sender is told of a message: its id, also after the room is closed.
    pub(super) fn sent_message_id(&self, room_id: RoomId, seq: u64) -> Option<String> {
        let in_room = self.room().filter(|room| room.room_id == room_id);
        in_room.map(|room| room.own_message_id(seq)).or_else(|| {
            let room_id = room_id.to_string();
            let suffix = format!(".{seq}");
            let mut said = self.transcript.said();
            said.find(|said| said.room_id == room_id && said.message_id.ends_with(&suffix))
                .map(|said| said.message_id.clone())
        })
    }

    /// What `block` and `report` do, said before they do it.
    pub(super) fn noted(&self, verdict: Verdict, now: Instant) -> Option<&'static str> {
        if verdict.is_empty() {
            return None;
        }
        if self.room().is_none() && self.last_room(now).is_none() {
            return Some("There was nobody to block or report: no partner in the last 10 minutes.");
        }
        Some(match (verdict.block, verdict.report.is_some()) {
            (true, false) => {
                "Blocked: you two do not meet again while both programs run. \
                 Noted on this computer only; nobody is notified."
            }
            (false, _) => "Reported: noted on this computer only; nobody is notified.",
            (true, true) => {
                "Blocked and reported: you two do not meet again while both programs run. \
                 Noted on this computer only; nobody is notified."
            }
        })
    }

    /// Results were written: tells the partner what was read.
    pub(super) fn handed_out(&mut self, out: &mut Vec<Output>) {
        let Place::Chatting(room) = &mut self.place else { return };
        if self.link != Link::Up {
            room.note_read(&self.inbox);
            return;
        }
        let messages = room.handed_out(&self.inbox);
        out.extend(messages.map(|message| Output::Transmit(self.id, message)));
    }
}

pub(super) fn chat_required() -> ToolError {
    ToolError::new(
        ErrorCode::ChatRequired,
        "chat_id is missing",
        "pass the chat_id of the chat that is meant; chat_status without arguments lists them, and \
         enter_queue starts one if there is none",
    )
}

pub(super) fn already_queued() -> ToolError {
    ToolError::new(
        ErrorCode::AlreadyQueued,
        "this app has a chat that waits or talks already; nothing was changed",
        "go on with that chat_id (wait_for_events), or pass new_chat: true if your user wants \
         a second conversation beside it",
    )
}

pub(super) fn invalid(field: &str, problem: impl Display) -> ToolError {
    ToolError::new(
        ErrorCode::InvalidArgument,
        format!("{field} {problem}"),
        format!("correct {field} or leave it out, then call again"),
    )
}

pub(super) fn not_in_room(state: ChatState) -> ToolError {
    let (message, hint) = match state {
        ChatState::Waiting => (
            "nobody was found yet; the message was not sent",
            "there is one once chatroom.found has come",
        ),
        ChatState::Idle | ChatState::Chatting | ChatState::Ended => (
            "the partner is gone; the message was not sent",
            "call next_partner if your user wants to meet somebody else",
        ),
    };
    ToolError::new(ErrorCode::NotInRoom, message, hint)
}

pub(super) fn room_changed() -> ToolError {
    ToolError::new(
        ErrorCode::RoomChanged,
        "this partner was found after what the client has seen; the message was not sent",
        "see `room`: if your user wants to say it to this partner, send it again with that room_id",
    )
}

pub(super) fn rate_limited(wait: Duration) -> ToolError {
    let retry_after_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
    ToolError {
        retry_after_ms: Some(retry_after_ms),
        ..ToolError::new(
            ErrorCode::RateLimited,
            "too many in a short time; nothing was sent or changed",
            format!("call again after {retry_after_ms} ms"),
        )
    }
}
