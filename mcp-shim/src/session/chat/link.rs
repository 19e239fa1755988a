//! The link of a chat to the relay: whether there is one, and what is said on it.

use std::time::Instant;

use shared::message::ClientMessage;

use super::{Chat, LinkState, Place};
use crate::session::{
    context::Context,
    contract::{Output, Trouble},
};

impl Chat {
    /// Since when the relay does not answer, if it should.
    pub(crate) fn down_since(&self) -> Option<Instant> {
        match self.link {
            LinkState::Closed | LinkState::Up => None,
            LinkState::Connecting { since }
            | LinkState::Greeting { since }
            | LinkState::Welcomed { since } => Some(since),
        }
    }

    pub(crate) fn note_trouble(&mut self, trouble: Trouble) {
        self.trouble = Some(trouble);
    }

    pub(super) fn transmit(&mut self, message: ClientMessage<'static>, cx: &mut Context) {
        self.spoke = cx.now.instant;
        self.attention.said(&message);
        cx.transmit(self.id, message);
    }

    pub(super) fn transmit_all(
        &mut self,
        messages: impl IntoIterator<Item = ClientMessage<'static>>,
        cx: &mut Context,
    ) {
        for message in messages {
            self.transmit(message, cx);
        }
    }

    /// Tells the relay what it does not know yet of the client's attention.
    pub(super) fn tell_attention(&mut self, cx: &mut Context) {
        if self.is_placed()
            && let Some(message) = self.attention.due(cx.now.instant)
        {
            self.transmit(message, cx);
        }
    }

    /// Whether the relay could make use of the client's attention.
    pub(super) fn is_placed(&self) -> bool {
        !matches!(self.place, Place::Idle) && self.link == LinkState::Up
    }

    pub(super) fn open_link(&mut self, cx: &mut Context) {
        if self.link == LinkState::Closed {
            self.link = LinkState::Connecting { since: cx.now.instant };
            self.trouble = None;
            cx.out.push(Output::Open(self.id));
        }
    }

    pub(super) fn close_link(&mut self, cx: &mut Context) {
        if self.link != LinkState::Closed {
            self.link = LinkState::Closed;
            self.leaving_queue = false;
            cx.out.push(Output::Close(self.id));
        }
    }

    /// An idle chat needs no connection, once the relay knows what it left.
    pub(super) fn close_link_if_idle(&mut self, cx: &mut Context) {
        let is_told = self.leaving.is_empty() && !self.leaving_queue;
        if matches!(self.place, Place::Idle) && is_told {
            self.close_link(cx);
        }
    }
}
