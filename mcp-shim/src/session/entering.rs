//! `enter_queue`: a place for a new chat, or for one that is idle.

use shared::{
    limits,
    text::{self, NameError},
};

use super::{
    Sessions,
    answers::{already_queued, invalid},
    calls::Failure,
    chat::{Chat, Verdict},
    event::{CallId, Moment, Output},
    pending::{OnFailure, WaitsFor, unknown_chat},
    reply::{ChatState, ErrorCode, Reply, ToolError},
};

const ALLOWED: &str = "letters, digits, spaces and - _ . ' are allowed";

impl Sessions {
    #[expect(clippy::too_many_arguments, reason = "they are the tool's own")]
    pub(super) fn enter_queue(
        &mut self,
        call: CallId,
        display_name: Option<String>,
        topic: Option<String>,
        chat_id: Option<String>,
        new_chat: bool,
        after: Option<u64>,
        now: Moment,
        out: &mut Vec<Output>,
    ) -> Result<(), Failure> {
        let named = chat_id.as_deref().map(|id| self.find(id).ok_or(unknown_chat()));
        let named = named.transpose().map_err(|error| (error, None, None))?;
        let display_name = display_name.map(|name| text::display_name(&name)).transpose();
        let display_name =
            display_name.map_err(|error| (invalid_display_name(error), named, None))?;
        let topic = topic.map(|topic| text::topic(&topic)).transpose();
        let topic = topic.map_err(|error| (invalid_topic(error), named, None))?;

        let (id, on_failure) = match named {
            Some(id) => {
                self.attended(chat_id, after, now, out)?;
                if self.chat(id).state() != ChatState::Idle {
                    return Err((already_queued(), Some(id), after));
                }
                (id, OnFailure::GiveUp)
            }
            None => {
                let busy = self.living().any(|chat| chat.state() != ChatState::Idle);
                if busy && !new_chat {
                    return Err((already_queued(), None, None));
                }
                if after.is_some_and(|after| after > 0) {
                    return Err((
                        invalid("after", "is beyond the start of a new chat"),
                        None,
                        None,
                    ));
                }
                self.make_room(now, out).map_err(|error| (error, None, None))?;
                let id = self.new_chat_id();
                let chat = Chat::new(id, &self.config, now.instant);
                self.chats.insert(id, chat);
                (id, OnFailure::EndChat)
            }
        };
        let listened_to = self.is_listened_to(id);
        let chat = self.chat(id);
        chat.display_name = display_name.unwrap_or_else(|| chat.display_name.clone());
        chat.topic = topic.unwrap_or_else(|| chat.topic.clone());
        chat.seek(now.instant, out);
        chat.attend(listened_to, now.instant, out);
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
}

fn invalid_display_name(error: NameError) -> ToolError {
    ToolError::new(ErrorCode::InvalidName, format!("display_name: {error}"), ALLOWED)
}

fn invalid_topic(error: NameError) -> ToolError {
    ToolError::new(ErrorCode::InvalidTopic, format!("topic: {error}"), ALLOWED)
}
