//! The tools, one by one: what each does to its chat, and when it is answered.

use std::time::{Duration, Instant};

use shared::limits;

use super::{
    Sessions,
    answers::{chat_required, invalid},
    chat::{Chat, Place},
    event::{CallId, ChatId, Moment, Output, Request},
    next,
    pending::{Pending, WaitsFor, relay_error, session_lost, unknown_chat},
    reply::{RelayHealth, Reply, ToolError},
    room::Room,
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
            Request::EnterQueue { display_name, topic, chat_id, new_chat, after } => {
                self.enter_queue(call, display_name, topic, chat_id, new_chat, after, now, out)
            }
            Request::WaitForEvents { chat_id, after, timeout, task } => self
                .attended(chat_id, after, now, out)
                .and_then(|id| self.wait(call, id, after, timeout, task, now, out)),
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
    pub(super) fn attended(
        &mut self,
        chat_id: Option<String>,
        after: Option<u64>,
        now: Moment,
        out: &mut Vec<Output>,
    ) -> Result<ChatId, Failure> {
        let Some(chat_id) = chat_id else { return Err((chat_required(), None, None)) };
        let Some(id) = self.find(&chat_id) else { return Err((unknown_chat(), None, None)) };
        // Whoever names a chat knows it, whatever became of the answer that was to make it known.
        self.introduced.retain(|_, introduced| *introduced != id);
        let open = self.is_listened_to(id);
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

    pub(super) fn hold(
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
    fn wait(
        &mut self,
        call: CallId,
        id: ChatId,
        after: Option<u64>,
        timeout: Duration,
        task: bool,
        now: Moment,
        out: &mut Vec<Output>,
    ) -> Result<(), Failure> {
        let chat = self.chat(id);
        let has_something = chat.inbox.has_news(after) || matches!(chat.place, Place::Idle);
        if !has_something && let Some(error) = relay_error(chat, now.instant) {
            return Err((error, Some(id), after));
        }
        if has_something || timeout.is_zero() {
            self.answer(call, id, after, Reply::new(""), now, out);
            return Ok(());
        }
        // With as many tasks as there can be, a wait that is open for a while still works.
        if task && self.make_task(call, id, now, out) {
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
        reply.receipts = chat.room().map(Room::receipts);
        if history > 0 {
            reply.history = Some(chat.transcript.history(history));
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
pub(super) type Failure = (ToolError, Option<ChatId>, Option<u64>);
