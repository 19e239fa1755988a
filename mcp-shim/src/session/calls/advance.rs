//! Answers each call that waits once it can be answered, and forgets those that were given up.

use std::time::Instant;

use shared::limits;

use super::pending::{OnFailure, Pending, Readiness, WaitsFor};
use crate::session::{
    Sessions,
    chat::Verdict,
    context::Context,
    ids::{CallId, ChatId},
    reply::{Delivery, Reply, ToolError, errors},
};

impl Sessions {
    /// When a call must be looked at again, at the latest.
    pub(in crate::session) fn due(&self, pending: &Pending) -> Instant {
        let down = self
            .chats
            .get(&pending.call.chat)
            .filter(|_| matches!(pending.waits_for, WaitsFor::Event))
            .and_then(|chat| Some(chat.down_since()? + limits::RELAY_WAIT));
        down.map_or(pending.deadline, |down| down.min(pending.deadline))
    }

    /// Answers every call that can be answered now, the oldest first.
    pub(in crate::session) fn advance_calls(&mut self, cx: &mut Context) {
        let mut advanced = true;
        // One call can be what another waits for.
        while advanced {
            advanced = false;
            let calls: Vec<CallId> = self.pending.keys().copied().collect();
            for call in calls {
                advanced |= self.advance_call(call, cx);
            }
        }
    }

    /// Returns whether something has changed.
    fn advance_call(&mut self, id: CallId, cx: &mut Context) -> bool {
        let Some(pending) = self.pending.get(&id) else { return false };
        let departs = matches!(pending.waits_for, WaitsFor::Acknowledgements { .. });
        let chat = self.chats.get(&pending.call.chat);
        let Some(chat) = chat.filter(|chat| !departs || chat.is_living()) else {
            self.pending.remove(&id);
            cx.reply(id, self.error_reply(errors::unknown_chat()));
            return true;
        };
        let readiness = pending.readiness(chat, cx.now.instant);
        if matches!(readiness, Readiness::Waits) {
            return false;
        }
        let Some(pending) = self.pending.remove(&id) else { return false };
        match readiness {
            Readiness::Failed(error) => self.fail(pending, error, cx),
            Readiness::Waits | Readiness::Ready => self.finish(pending, cx),
        }
        true
    }

    fn finish(&mut self, pending: Pending, cx: &mut Context) {
        let call = pending.call;
        match pending.waits_for {
            WaitsFor::Event => {
                let chat = self.chat(call.chat);
                if !chat.has_something(call.after) {
                    chat.note_empty_waits(chat.empty_waits() + 1);
                }
                self.answer(call, Reply::default(), cx);
            }
            WaitsFor::Place { reply, on_failure, .. } => {
                if on_failure == OnFailure::EndChat {
                    self.introduced.insert(call.id, call.chat);
                }
                self.answer(call, *reply, cx);
            }
            WaitsFor::Delivery { room_id, seq } => {
                let chat = self.chat(call.chat);
                let has = chat.is_delivered(room_id, seq) == Some(true);
                let reply = Reply {
                    message_id: chat.sent_message_id(room_id, seq),
                    delivery: Some(if has { Delivery::Delivered } else { Delivery::Pending }),
                    ..Reply::default()
                };
                self.answer(call, reply, cx);
            }
            WaitsFor::Relay(request) => self.call(call.id, *request, cx),
            WaitsFor::Acknowledgements { next, verdict } => self.depart(call, next, verdict, cx),
            WaitsFor::Numbers { reply, .. } => self.answer(call, *reply, cx),
        }
    }

    /// Answers with an error, and takes back what the call has begun.
    fn fail(&mut self, pending: Pending, error: ToolError, cx: &mut Context) {
        let Pending { call, waits_for, .. } = pending;
        let reply = match waits_for {
            WaitsFor::Place { on_failure, reply, .. } => {
                self.take_back(call.chat, on_failure, cx);
                if on_failure == OnFailure::EndChat {
                    cx.reply(call.id, self.error_reply(error));
                    return;
                }
                *reply
            }
            WaitsFor::Event
            | WaitsFor::Delivery { .. }
            | WaitsFor::Relay(_)
            | WaitsFor::Acknowledgements { .. }
            | WaitsFor::Numbers { .. } => Reply::default(),
        };
        self.answer(call, Reply { error: Some(error), ..reply }, cx);
    }

    /// Gives up the place that a call has asked for.
    fn take_back(&mut self, id: ChatId, on_failure: OnFailure, cx: &mut Context) {
        let Some(chat) = self.chats.get_mut(&id) else { return };
        match on_failure {
            OnFailure::KeepTrying => {}
            OnFailure::GiveUp => chat.give_up(cx),
            OnFailure::EndChat => chat.end(Verdict::default(), cx),
        }
    }

    /// The client wants no answer: nothing is handed out, and a place that it asked for is given up.
    pub(in crate::session) fn cancelled(&mut self, call: CallId, cx: &mut Context) {
        self.settled(call, false, cx);
        self.tasks.give_up(call);
        if let Some(pending) = self.pending.remove(&call)
            && let WaitsFor::Place { on_failure, .. } = pending.waits_for
        {
            self.take_back(pending.call.chat, on_failure, cx);
        }
    }

    /// Whether the client would be told at once of what happens in this chat.
    pub(in crate::session) fn is_listened_to(&self, id: ChatId) -> bool {
        let is_awaited = |p: &Pending| p.call.chat == id && matches!(p.waits_for, WaitsFor::Event);
        self.client_listens
            || self.pending.values().any(is_awaited)
            || self.tasks.are_watched_for(id)
    }
}
