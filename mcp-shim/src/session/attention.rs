//! Whether the client of a chat would be handed a message at once, as the relay is told.

use std::time::Instant;

use shared::message::ClientMessage;

use super::{
    chat::{Chat, Link, Place},
    event::Output,
};

impl Chat {
    /// A tool was called for this chat, and `open` waits are pending on it.
    pub(super) fn attend(&mut self, open: bool, now: Instant, out: &mut Vec<Output>) {
        self.last_call = Some(now);
        self.attentive = open;
        self.tell_attention(out);
    }

    /// A wait has begun or ended.
    pub(super) fn set_attentive(&mut self, open: bool, out: &mut Vec<Output>) {
        if self.attentive != open {
            self.attentive = open;
            self.tell_attention(out);
        }
    }

    /// What was open has ended by itself, without the client.
    pub(super) fn lapse_attention(&mut self, out: &mut Vec<Output>) {
        if std::mem::take(&mut self.attentive) {
            self.tell_inattention(out);
        }
    }

    /// Nothing is open, and the client was not active lately.
    pub(super) fn tell_inattention(&self, out: &mut Vec<Output>) {
        self.transmit_attention(true, out);
    }

    pub(super) fn tell_attention(&self, out: &mut Vec<Output>) {
        self.transmit_attention(false, out);
    }

    fn transmit_attention(&self, lapsed: bool, out: &mut Vec<Output>) {
        let placed = !matches!(self.place, Place::Idle);
        if placed && self.link == Link::Up {
            let attention = ClientMessage::Attention { open: self.attentive, lapsed };
            out.push(Output::Transmit(self.id, attention));
        }
    }
}
