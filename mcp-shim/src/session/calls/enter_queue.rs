//! `enter_queue`: a place for a new chat, or for one that is idle.

use shared::{limits, text};

use super::{
    Failure,
    pending::{Call, OnFailure, WaitsFor},
};
use crate::session::{
    Sessions,
    chat::{Chat, Verdict},
    context::Context,
    contract::EnterQueue,
    ids::CallId,
    reply::{ChatState, ToolError, errors},
};

impl Sessions {
    pub(super) fn enter_queue(
        &mut self,
        id: CallId,
        request: EnterQueue,
        cx: &mut Context,
    ) -> Result<(), Failure> {
        let EnterQueue { display_name, topic, chat_id, new_chat, after } = request;
        let named = chat_id.as_deref().map(|id| self.find(id).ok_or_else(errors::unknown_chat));
        let about = named.transpose()?.map(|chat| Call { id, chat, after: None });
        let failed = |error| Failure { error, about };
        let display_name = display_name.map(|name| text::display_name(&name)).transpose();
        let display_name =
            display_name.map_err(|error| failed(errors::invalid_display_name(&error)))?;
        let topic = topic.map(|topic| text::topic(&topic)).transpose();
        let topic = topic.map_err(|error| failed(errors::invalid_topic(&error)))?;

        let (call, on_failure) = if about.is_some() {
            let call = self.attended(id, chat_id, after, cx)?;
            if self.chat(call.chat).state() != ChatState::Idle {
                return Err(call.failed(errors::already_queued()));
            }
            (call, OnFailure::GiveUp)
        } else {
            let is_busy = self.living().any(|chat| chat.state() != ChatState::Idle);
            if is_busy && !new_chat {
                return Err(errors::already_queued().into());
            }
            if after.is_some_and(|after| after > 0) {
                return Err(errors::invalid("after", "is beyond the start of a new chat").into());
            }
            self.make_space(cx)?;
            let chat = self.new_chat_id();
            self.chats.insert(chat, Chat::new(chat, &self.config, &self.blocks, cx.now.instant));
            (Call { id, chat, after }, OnFailure::EndChat)
        };
        let chat = self.chat(call.chat);
        chat.rename(display_name, topic);
        chat.attend(cx.now.instant);
        chat.seek(cx);
        let news = chat.queue_news();
        let deadline = cx.now.instant + limits::RELAY_WAIT;
        let reply = Box::default();
        self.hold(call, deadline, WaitsFor::Place { on_failure, news, reply });
        Ok(())
    }

    /// Ends the chat that was idle for longest, if there are as many as there can be.
    fn make_space(&mut self, cx: &mut Context) -> Result<(), ToolError> {
        if self.living().count() < limits::SESSIONS_PER_SHIM {
            return Ok(());
        }
        let idle = self.living().filter(|chat| chat.state() == ChatState::Idle);
        let oldest = idle.min_by_key(|chat| chat.idle_since()).map(Chat::id);
        let oldest = oldest.ok_or_else(errors::too_many_chats)?;
        self.chat(oldest).end(Verdict::default(), cx);
        Ok(())
    }
}
