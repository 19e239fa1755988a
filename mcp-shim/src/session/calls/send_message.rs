//! `send_message`: waits for the partner's acknowledgement, or first for the relay.

use shared::limits;

use super::{
    Failure,
    pending::{Call, WaitsFor},
};
use crate::session::{
    Sessions,
    chat::outgoing::Accepted,
    context::Context,
    contract::{Request, SendMessage},
};

impl Sessions {
    pub(super) fn send(
        &mut self,
        call: Call,
        request: SendMessage,
        cx: &mut Context,
    ) -> Result<(), Failure> {
        let (now, autonomous) = (cx.now.instant, self.config.autonomous);
        let accepted = self.chat(call.chat).send(&request, autonomous, cx);
        let (deadline, waits_for) = match accepted.map_err(|error| call.failed(error))? {
            Accepted::Sent { room_id, seq } => {
                (now + limits::DELIVERY_WAIT, WaitsFor::Delivery { room_id, seq })
            }
            Accepted::NotYet { room_id } => {
                let chat_id = Some(call.chat.as_str().to_owned());
                let room_id = Some(room_id.to_string());
                let again = Request::SendMessage(SendMessage { chat_id, room_id, ..request });
                (now + limits::RELAY_WAIT, WaitsFor::Relay(Box::new(again)))
            }
        };
        self.hold(call, deadline, waits_for);
        Ok(())
    }
}
