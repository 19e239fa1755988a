//! `send_message`: what is refused before a message has a number.

use shared::{limits, message::Author, text};

use super::{
    Failure,
    pending::{Call, WaitsFor},
};
use crate::session::{
    Sessions,
    context::Context,
    contract::{Request, SendMessage},
    reply::errors,
};

impl Sessions {
    pub(super) fn send(
        &mut self,
        call: Call,
        request: SendMessage,
        cx: &mut Context,
    ) -> Result<(), Failure> {
        let failed = |error| call.failed(error);
        let autonomous = self.config.autonomous;
        let chat = self.chat(call.chat);
        let room_id = chat.guarded_room(request.room_id.as_deref()).map_err(failed)?;
        let streak = chat.assistant_streak();
        if request.author == Author::Assistant && autonomous.is_some_and(|most| streak >= most) {
            return Err(failed(errors::ask_user(streak)));
        }
        let limits = chat.limits();
        let cleaned = text::message(&request.message, limits.message_bytes, limits.message_lines)
            .map_err(|error| failed(errors::invalid_message(&error)))?;
        if chat.down_since().is_some() {
            let deadline = cx.now.instant + limits::RELAY_WAIT;
            let again = Request::SendMessage(SendMessage {
                chat_id: Some(call.chat.as_str().to_owned()),
                // The message is for the partner of now, even if there is another by then.
                room_id: Some(room_id.to_string()),
                ..request
            });
            self.hold(call, deadline, WaitsFor::Relay(Box::new(again)));
            return Ok(());
        }
        if !chat.window_holds(cleaned.text.len()) {
            return Err(failed(errors::window_full()));
        }
        chat.charge_message(cx.now.instant).map_err(|wait| failed(errors::rate_limited(wait)))?;

        let text = cleaned.text.into_owned();
        let Some(seq) = chat.accept(request.author, text, cleaned.removed, cx) else {
            return Err(call.failed(errors::not_in_room(chat.state())));
        };
        let deadline = cx.now.instant + limits::DELIVERY_WAIT;
        self.hold(call, deadline, WaitsFor::Delivery { room_id, seq });
        Ok(())
    }
}
