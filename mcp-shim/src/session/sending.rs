//! `send_message`: what is refused, before a message has a number, and what is said of one that
//! was accepted.

use shared::{
    id::RoomId,
    limits,
    message::Author,
    text::{self, MessageError},
};

use super::{
    Sessions,
    answers::{not_in_room, rate_limited, room_changed},
    chat::Place,
    event::{CallId, ChatId, Moment, Output, Request, Sender},
    pending::{WaitsFor, unknown_chat},
    reply::{Delivery, ErrorCode, Reply, ToolError},
    transcript::{Line, Said},
};

impl Sessions {
    #[expect(clippy::too_many_arguments, reason = "they are the tool's own")]
    pub(super) fn send(
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
        if author == Author::Assistant
            && autonomous.is_some_and(|most| chat.assistant_streak >= most)
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
            // Whoever the partner is by then, this is for the one of now.
            let room_id = Some(room.room_id.to_string());
            let again = Request::SendMessage { chat_id, message, author, room_id, after };
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
        let seq = room.accept(author, text.clone(), cleaned.removed);
        let room_id = room.room_id;
        let message_id = room.own_message_id(seq);
        chat.give(out);
        chat.transcript.write(Line::Said(Said {
            at: now.rfc3339(),
            room_id: room_id.to_string(),
            message_id,
            from: Sender { display_name: chat.display_name.clone() },
            author,
            message: text,
        }));
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
        room_id: RoomId,
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
