//! The tools, one by one: what each does to its chat, and when it is answered.

use std::time::{Duration, Instant};

use shared::{
    limits,
    message::Author,
    text::{self, MessageError, NameError},
};

use super::{
    Sessions,
    answers::{already_queued, chat_required, invalid, not_in_room, rate_limited, room_changed},
    chat::{Chat, Place, Verdict},
    event::{CallId, ChatId, Departure, Moment, Output, Request},
    next,
    pending::{OnFailure, Pending, WaitsFor, relay_error, session_lost, unknown_chat},
    reply::{ChatState, Delivery, ErrorCode, Left, RelayHealth, Reply, Spoken, ToolError},
};

impl Sessions {
    /// A tool was called.
    pub(super) fn call(
        &mut self,
        call: CallId,
        request: Request,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        let outcome = match request {
            Request::EnterQueue { display_name, topic, chat_id, new_chat, after } => self
                .enter_queue(call, display_name, topic, chat_id, new_chat, after, now, out)
                .map_err(|(error, id)| (error, id, None)),
            Request::WaitForEvents { chat_id, after, timeout } => self
                .attended(chat_id, after, now, out)
                .and_then(|id| self.wait(call, id, after, timeout, now, out)),
            Request::SendMessage { chat_id, message, author, room_id, after } => {
                self.attended(chat_id, after, now, out).and_then(|id| {
                    self.send(call, id, message, author, room_id, after, now, out)
                        .map_err(|error| (error, Some(id), after))
                })
            }
            Request::NextPartner(departure) => self.departure(call, departure, true, now, out),
            Request::LeaveChat(departure) => self.departure(call, departure, false, now, out),
            Request::ChatStatus { chat_id: None, .. } => {
                out.push(Output::Probe(call));
                Ok(())
            }
            Request::ChatStatus { chat_id, history, after } => self
                .attended(chat_id, after, now, out)
                .map(|id| self.status(call, id, history, after, now, out)),
            Request::Invalid { chat_id, error } => {
                Err((error, chat_id.and_then(|id| self.find(&id)), None))
            }
        };
        if let Err((error, chat, after)) = outcome {
            let mut reply = Reply::new("");
            reply.error = Some(error);
            match chat {
                Some(id) => self.answer(call, id, after, reply, now, out),
                None => {
                    let reply = self.error_reply(reply.error.expect("it was set just now"));
                    out.push(Output::Reply(call, Box::new(reply)));
                }
            }
        }
    }

    /// The chat that a call names, which is thereby active; `after` has been taken note of.
    fn attended(
        &mut self,
        chat_id: Option<String>,
        after: Option<u64>,
        now: Moment,
        out: &mut Vec<Output>,
    ) -> Result<ChatId, Failure> {
        let Some(chat_id) = chat_id else { return Err((chat_required(), None, None)) };
        let Some(id) = self.find(&chat_id) else { return Err((unknown_chat(), None, None)) };
        let open = self.is_awaited(id);
        let chat = self.chat(id);
        if chat.superseded {
            return Err((session_lost(), Some(id), None));
        }
        if let Some(after) = after {
            if after > chat.inbox.handed_out() {
                let error = invalid("after", "is beyond the last cursor that was handed out");
                return Err((error, Some(id), None));
            }
            chat.inbox.acknowledge(after);
            chat.handed_out(out);
        }
        chat.attend(open, now.instant, out);
        Ok(id)
    }

    pub(super) fn chat(&mut self, id: ChatId) -> &mut Chat {
        self.chats.get_mut(&id).expect("a chat that was found just now is still there")
    }

    fn hold(
        &mut self,
        call: CallId,
        chat: ChatId,
        after: Option<u64>,
        deadline: Instant,
        waits_for: WaitsFor,
    ) {
        self.pending.insert(call, Pending { chat, after, deadline, waits_for });
    }

    #[expect(clippy::too_many_arguments, reason = "they are the tool's own")]
    fn enter_queue(
        &mut self,
        call: CallId,
        display_name: Option<String>,
        topic: Option<String>,
        chat_id: Option<String>,
        new_chat: bool,
        after: Option<u64>,
        now: Moment,
        out: &mut Vec<Output>,
    ) -> Result<(), (ToolError, Option<ChatId>)> {
        let named = chat_id.as_deref().map(|id| self.find(id).ok_or(unknown_chat()));
        let named = named.transpose().map_err(|error| (error, None))?;
        let display_name = display_name.map(|name| text::display_name(&name)).transpose();
        let display_name = display_name
            .map_err(|error| (invalid_name(ErrorCode::InvalidName, "display_name", error), named))?;
        let topic = topic
            .map(|topic| text::topic(&topic))
            .transpose()
            .map_err(|error| (invalid_name(ErrorCode::InvalidTopic, "topic", error), named))?;

        let (id, on_failure) = match named {
            Some(id) => {
                self.attended(chat_id, after, now, out).map_err(|(error, id, _)| (error, id))?;
                if self.chat(id).state() != ChatState::Idle {
                    return Err((already_queued(), Some(id)));
                }
                (id, OnFailure::GiveUp)
            }
            None => {
                let busy = self.living().any(|chat| chat.state() != ChatState::Idle);
                if busy && !new_chat {
                    return Err((already_queued(), None));
                }
                if after.is_some_and(|after| after > 0) {
                    return Err((invalid("after", "is beyond the start of a new chat"), None));
                }
                self.make_room(now, out).map_err(|error| (error, None))?;
                let id = self.new_chat_id();
                let name = self.config.display_name.clone();
                let chat = Chat::new(id, name, text::DEFAULT_TOPIC.to_owned(), now.instant);
                self.chats.insert(id, chat);
                (id, OnFailure::EndChat)
            }
        };
        let chat = self.chat(id);
        chat.display_name = display_name.unwrap_or_else(|| chat.display_name.clone());
        chat.topic = topic.unwrap_or_else(|| chat.topic.clone());
        chat.seek(now.instant, out);
        chat.attend(false, now.instant, out);
        let news = chat.queue_news;
        let reply = Box::new(Reply::new(""));
        let deadline = now.instant + limits::RELAY_WAIT;
        self.hold(call, id, after, deadline, WaitsFor::Place { on_failure, news, reply });
        Ok(())
    }

    /// Ends the chat that was idle for longest, if there are as many as there can be.
    fn make_room(&mut self, now: Moment, out: &mut Vec<Output>) -> Result<(), ToolError> {
        if self.living().count() < limits::SESSIONS_PER_SHIM {
            return Ok(());
        }
        let idle = self.living().filter(|chat| chat.state() == ChatState::Idle);
        match idle.min_by_key(|chat| chat.idle_since).map(|chat| chat.id) {
            Some(id) => {
                self.chat(id).end(Verdict::default(), now, out);
                Ok(())
            }
            None => Err(ToolError::new(
                ErrorCode::TooMany,
                format!("{} chats are open here, and none is idle", limits::SESSIONS_PER_SHIM),
                "leave one of them with leave_chat first",
            )),
        }
    }

    fn wait(
        &mut self,
        call: CallId,
        id: ChatId,
        after: Option<u64>,
        timeout: Duration,
        now: Moment,
        out: &mut Vec<Output>,
    ) -> Result<(), Failure> {
        let chat = self.chat(id);
        let at_once = timeout.is_zero()
            || chat.inbox.has_news(after)
            || matches!(chat.place, Place::Idle);
        if at_once {
            self.answer(call, id, after, Reply::new(""), now, out);
            return Ok(());
        }
        self.hold(call, id, after, now.instant + timeout, WaitsFor::Event);
        self.update_attention(id, out);
        Ok(())
    }

    /// A wait is over: with an event, or without.
    pub(super) fn answer_wait(
        &mut self,
        call: CallId,
        id: ChatId,
        after: Option<u64>,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        let chat = self.chat(id);
        if !chat.inbox.has_news(after) && !matches!(chat.place, Place::Idle) {
            chat.empty_waits += 1;
        }
        self.answer(call, id, after, Reply::new(""), now, out);
        self.update_attention(id, out);
    }

    #[expect(clippy::too_many_arguments, reason = "they are the tool's own")]
    fn send(
        &mut self,
        call: CallId,
        id: ChatId,
        message: String,
        author: Author,
        room_id: Option<String>,
        after: Option<u64>,
        now: Moment,
        out: &mut Vec<Output>,
    ) -> Result<(), ToolError> {
        let autonomous = self.config.autonomous;
        let chat = self.chats.get_mut(&id).ok_or_else(unknown_chat)?;
        let relay_is_up = chat.down_since().is_none();
        let state = chat.state();
        let Place::Chatting(room) = &mut chat.place else { return Err(not_in_room(state)) };
        let same_room = match &room_id {
            Some(named) => *named == room.room_id.to_string(),
            None => chat.inbox.was_handed_out(room.found),
        };
        if !same_room {
            return Err(room_changed());
        }
        if author == Author::Assistant && autonomous.is_some_and(|most| chat.assistant_streak >= most)
        {
            return Err(ToolError::new(
                ErrorCode::AskUser,
                format!("{} messages in a row were the assistant's own", chat.assistant_streak),
                "ask your user what to say, and send that with author \"user\"",
            ));
        }
        let limits = &chat.limits;
        let cleaned = text::message(&message, limits.message_bytes, limits.message_lines)
            .map_err(invalid_message)?;
        if !relay_is_up {
            let deadline = now.instant + limits::RELAY_WAIT;
            let chat_id = Some(id.as_str().to_owned());
            let again = Request::SendMessage { chat_id, message, author, room_id, after: None };
            self.hold(call, id, after, deadline, WaitsFor::Relay(Box::new(again)));
            return Ok(());
        }
        if !room.window_holds(cleaned.text.len(), limits) {
            return Err(ToolError::new(
                ErrorCode::WindowFull,
                "the partner's client has not taken the messages that were sent before; \
                 this one was not sent",
                "wait for the partner with wait_for_events, then send it again",
            ));
        }
        chat.message_bucket.charge(now.instant).map_err(rate_limited)?;

        match author {
            Author::User => chat.assistant_streak = 0,
            Author::Assistant => chat.assistant_streak += 1,
        }
        chat.empty_waits = 0;
        let text = cleaned.text.into_owned();
        let (seq, send) = room.accept(author, text.clone(), cleaned.removed);
        let room_id = room.room_id;
        out.push(Output::Transmit(id, send));
        let spoken = Spoken {
            from: "you",
            display_name: chat.display_name.clone(),
            author,
            room_id: room_id.to_string(),
            message_id: room.own_message_id(seq),
            message: text,
            at: now.rfc3339(),
        };
        chat.remember(spoken);
        let deadline = now.instant + limits::DELIVERY_WAIT;
        self.hold(call, id, after, deadline, WaitsFor::Delivery { room_id, seq });
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "a message has two coordinates and a fate")]
    pub(super) fn answer_sent(
        &mut self,
        call: CallId,
        id: ChatId,
        after: Option<u64>,
        seq: u64,
        room_id: shared::id::RoomId,
        delivery: Delivery,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        let mut reply = Reply::new("");
        let chat = self.chat(id);
        reply.message_id = chat.sent_message_id(room_id, seq);
        reply.delivery = Some(delivery);
        self.answer(call, id, after, reply, now, out);
    }

    fn departure(
        &mut self,
        call: CallId,
        departure: Departure,
        next: bool,
        now: Moment,
        out: &mut Vec<Output>,
    ) -> Result<(), Failure> {
        let Departure { chat_id, block, report, after } = departure;
        let id = self.attended(chat_id, after, now, out)?;
        let verdict = Verdict { block, report };
        let chat = self.chat(id);
        let rejoins = next && chat.state() != ChatState::Waiting;
        if rejoins {
            chat.next_bucket
                .charge(now.instant)
                .map_err(|wait| (rate_limited(wait), Some(id), after))?;
        }
        let deadline = now.instant + limits::LEAVE_WAIT;
        let waits_for = WaitsFor::Acknowledgements { next, verdict };
        self.hold(call, id, after, deadline, waits_for);
        Ok(())
    }

    /// Everything is acknowledged, or it has taken too long.
    #[expect(clippy::too_many_arguments, reason = "they are the tool's own")]
    pub(super) fn depart(
        &mut self,
        call: CallId,
        id: ChatId,
        next: bool,
        verdict: Verdict,
        after: Option<u64>,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        let chat = self.chat(id);
        let mut reply = Reply::new("");
        reply.noted = chat.noted(verdict, now.instant);
        let left = match chat.state() {
            ChatState::Chatting => Left::Room,
            ChatState::Waiting => Left::Queue,
            ChatState::Idle | ChatState::Ended => Left::None,
        };
        let undelivered = chat.room().map(super::room::Room::unacknowledged);
        if next {
            reply.undelivered = undelivered.filter(|messages| !messages.is_empty());
            if left == Left::Queue {
                chat.judge_last(verdict, now.instant, out);
                self.answer(call, id, after, reply, now, out);
                return;
            }
            chat.next(verdict, now, out);
            let news = chat.queue_news;
            let reply = Box::new(reply);
            let on_failure = match left {
                Left::Room => OnFailure::KeepTrying,
                Left::Queue | Left::None => OnFailure::GiveUp,
            };
            let deadline = now.instant + limits::RELAY_WAIT;
            self.hold(call, id, after, deadline, WaitsFor::Place { on_failure, news, reply });
            self.advance_calls(now, out);
        } else {
            reply.left = Some(left);
            reply.undelivered = Some(undelivered.unwrap_or_default());
            chat.end(verdict, now, out);
            self.answer(call, id, after, reply, now, out);
        }
    }

    fn status(
        &mut self,
        call: CallId,
        id: ChatId,
        history: usize,
        after: Option<u64>,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        let chat = self.chat(id);
        let mut reply = Reply::new("");
        reply.receipts = chat.room().map(super::room::Room::receipts);
        if history > 0 {
            let skip = chat.history.len().saturating_sub(history);
            reply.history = Some(chat.history.iter().skip(skip).cloned().collect());
        }
        let news = chat.queue_news;
        if matches!(chat.place, Place::Waiting { .. }) && relay_error(chat, now.instant).is_none() {
            let reply = Box::new(reply);
            let deadline = now.instant + limits::DELIVERY_WAIT;
            self.hold(call, id, after, deadline, WaitsFor::Numbers { news, reply });
        } else {
            self.answer(call, id, after, reply, now, out);
        }
    }

    /// The relay's health is known.
    pub(super) fn health(&mut self, call: CallId, health: RelayHealth, out: &mut Vec<Output>) {
        let mut reply = Reply::new(match (health.connected, self.living().next()) {
            (false, _) => next::UNREACHABLE,
            (true, Some(_)) => next::CHATS,
            (true, None) => next::HEALTHY,
        });
        reply.relay = Some(health);
        reply.other_chats = self.other_chats(None);
        out.push(Output::Reply(call, Box::new(reply)));
    }
}

/// What went wrong; the chat that it is about, and `after`, if they are known.
type Failure = (ToolError, Option<ChatId>, Option<u64>);

fn invalid_name(code: ErrorCode, field: &str, error: NameError) -> ToolError {
    let hint = "letters, digits, spaces and - _ . ' are allowed";
    ToolError::new(code, format!("{field}: {error}"), hint)
}

fn invalid_message(error: MessageError) -> ToolError {
    let (code, hint) = match error {
        MessageError::Empty => (ErrorCode::MessageEmpty, "put what your user wants to say there"),
        MessageError::TooLong { .. } => {
            (ErrorCode::MessageTooLong, "nothing was sent; split it into several messages")
        }
        MessageError::Unprintable => {
            (ErrorCode::MessageUnprintable, "nothing was sent; use characters that can be seen")
        }
    };
    ToolError::new(code, error.to_string(), hint)
}
