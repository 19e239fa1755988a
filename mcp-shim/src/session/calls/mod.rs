//! The calls of the client: what each tool does to a chat, and when it is answered.
//!
//! One file for each tool that does something ([`enter_queue`], [`send_message`], [`depart`]), and
//! the rest here. A call that cannot be answered at once is kept as [`pending`], or as one of the
//! [`tasks`], and [`advance`] answers it when it can be; [`compose`] makes every answer. Nothing
//! here knows how the relay is talked to or what a room is made of, and no words are chosen here:
//! those are in `reply`.

mod advance;
mod compose;
mod depart;
mod enter_queue;
pub(super) mod pending;
mod send_message;
mod task_requests;
pub(super) mod tasks;

use std::time::{Duration, Instant};

use shared::limits;

use self::pending::{Call, Pending, WaitsFor};
use super::{
    Sessions,
    chat::Chat,
    context::Context,
    contract::{Output, Request},
    ids::{CallId, ChatId},
    reply::{RelayHealth, Reply, ToolError, errors, next::Next},
};

/// Why a call cannot be answered with what it asks for, and which chat it is about, if it is known.
struct Failure {
    error: ToolError,
    about: Option<Call>,
}

impl From<ToolError> for Failure {
    fn from(error: ToolError) -> Self {
        Self { error, about: None }
    }
}

impl Call {
    fn failed(self, error: ToolError) -> Failure {
        Failure { error, about: Some(self) }
    }
}

impl Sessions {
    /// A tool was called.
    pub(super) fn call(&mut self, id: CallId, request: Request, cx: &mut Context) {
        let outcome = match request {
            Request::EnterQueue(request) => self.enter_queue(id, request, cx),
            Request::WaitForEvents { chat_id, after, timeout, task } => self
                .attended(id, chat_id, after, cx)
                .and_then(|call| self.wait(call, timeout, task, cx)),
            Request::SendMessage(mut request) => self
                .attended(id, request.chat_id.take(), request.after, cx)
                .and_then(|call| self.send(call, request, cx)),
            Request::NextPartner(departure) => self.departure(id, departure, true, cx),
            Request::LeaveChat(departure) => self.departure(id, departure, false, cx),
            Request::ChatStatus { chat_id: None, .. } => {
                cx.out.push(Output::Probe(id));
                Ok(())
            }
            Request::ChatStatus { chat_id, history, after } => {
                self.attended(id, chat_id, after, cx).map(|call| self.status(call, history, cx))
            }
            Request::Invalid { chat_id, error } => {
                let chat = chat_id.and_then(|id| self.find(&id));
                Err(Failure { error, about: chat.map(|chat| Call { id, chat, after: None }) })
            }
        };
        match outcome {
            Ok(()) => {}
            Err(Failure { error, about: Some(call) }) => {
                self.answer(call, Reply { error: Some(error), ..Reply::default() }, cx);
            }
            Err(Failure { error, about: None }) => cx.reply(id, self.error_reply(error)),
        }
    }

    /// The call of the chat that it names, which is thereby active; `after` has been noted.
    fn attended(
        &mut self,
        id: CallId,
        chat_id: Option<String>,
        after: Option<u64>,
        cx: &mut Context,
    ) -> Result<Call, Failure> {
        let chat_id = chat_id.ok_or_else(errors::chat_required)?;
        let chat = self.find(&chat_id).ok_or_else(errors::unknown_chat)?;
        // A client that names a chat knows it, even if the answer with its id was not written.
        self.introduced.retain(|_, introduced| *introduced != chat);
        let call = Call { id, chat, after };
        let chat = self.chat(chat);
        if chat.is_superseded() {
            return Err(Call { after: None, ..call }.failed(errors::session_lost()));
        }
        if let Some(after) = after
            && !chat.acknowledge(after, cx)
        {
            let error = errors::invalid("after", "is beyond the last cursor that was handed out");
            return Err(Call { after: None, ..call }.failed(error));
        }
        chat.attend(cx.now.instant);
        Ok(call)
    }

    fn chat(&mut self, id: ChatId) -> &mut Chat {
        self.chats.get_mut(&id).expect("a chat that was found just now is still there")
    }

    fn hold(&mut self, call: Call, deadline: Instant, waits_for: WaitsFor) {
        self.pending.insert(call.id, Pending { call, deadline, waits_for });
    }

    fn wait(
        &mut self,
        call: Call,
        timeout: Duration,
        task: bool,
        cx: &mut Context,
    ) -> Result<(), Failure> {
        let chat = self.chat(call.chat);
        let has_something = chat.has_something(call.after);
        if !has_something && let Some(error) = chat.relay_error(cx.now.instant) {
            return Err(call.failed(error));
        }
        if has_something || timeout.is_zero() {
            self.answer(call, Reply::default(), cx);
            return Ok(());
        }
        // With as many tasks as there can be, a wait that is open for a while still works.
        if !(task && self.make_task(call, cx)) {
            self.hold(call, cx.now.instant + timeout, WaitsFor::Event);
        }
        Ok(())
    }

    fn status(&mut self, call: Call, history: usize, cx: &mut Context) {
        let chat = self.chat(call.chat);
        let reply = Reply {
            receipts: chat.room().map(|room| room.receipts()),
            history: (history > 0).then(|| chat.history(history)),
            ..Reply::default()
        };
        let news = chat.queue_news();
        if chat.is_queued() && chat.relay_error(cx.now.instant).is_none() {
            let deadline = cx.now.instant + limits::DELIVERY_WAIT;
            self.hold(call, deadline, WaitsFor::Numbers { news, reply: Box::new(reply) });
        } else {
            self.answer(call, reply, cx);
        }
    }

    /// The relay's health is known.
    pub(super) fn health(&mut self, call: CallId, health: RelayHealth, cx: &mut Context) {
        let next = match (health.connected, self.living().next()) {
            (false, _) => Next::Unreachable,
            (true, Some(_)) => Next::Chats,
            (true, None) => Next::Healthy,
        };
        let reply = Reply {
            next: next.sentence(self.news()),
            relay: Some(health),
            other_chats: self.other_chats(None),
            ..Reply::default()
        };
        cx.reply(call, reply);
    }
}
