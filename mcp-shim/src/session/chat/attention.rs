//! Whether the client of a chat would be handed a message at once, and what the relay knows of that.
//!
//! At the end of each input the relay is told what has changed, and nothing else. By itself it
//! takes a new message, `enter_queue` and `next` for activity of the client. A wait that ends is
//! told a moment late: a client that waits in a loop has begun the next one by then.

use std::time::Instant;

use shared::{limits, message::ClientMessage};

#[derive(Debug, Default)]
pub(super) struct Attention {
    /// Something is open through which a message would reach the client at once.
    open: bool,
    /// The relay takes something for open.
    told_open: bool,
    /// When the relay is told that nothing is.
    closes_at: Option<Instant>,
    last_call: Option<Instant>,
    /// A tool was called, and the relay does not know.
    is_untold: bool,
    /// The relay takes the client for more active than it is.
    has_lapsed: bool,
    /// The answer of the relay, `queued`, is wanted for its numbers.
    asks_for_numbers: bool,
}

impl Attention {
    /// A tool was called; `asks_for_numbers` of the queue, too.
    pub(super) fn attend(&mut self, now: Instant, asks_for_numbers: bool) {
        self.last_call = Some(now);
        self.is_untold = true;
        self.has_lapsed = false;
        self.asks_for_numbers = asks_for_numbers;
    }

    /// What is open ends without the client.
    pub(super) fn lapse(&mut self) {
        self.has_lapsed |= self.open;
    }

    pub(super) fn set_open(&mut self, open: bool, now: Instant) {
        if self.open && !open {
            self.closes_at = Some(now + limits::ATTENTION_LINGER);
        }
        self.has_lapsed &= !open;
        self.open = open;
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// On a new connection the relay takes nothing for open and the client for active.
    pub(super) fn connected(&mut self, now: Instant) {
        self.told_open = false;
        self.has_lapsed = !self.is_recent(now);
        self.asks_for_numbers = false;
    }

    /// What the relay learns from a message that is sent to it.
    pub(super) fn said(&mut self, message: &ClientMessage<'_>) {
        use ClientMessage::{Attention, EnterQueue, Next, Send};
        let is_answered_with_numbers =
            matches!(message, Attention { .. } | EnterQueue { .. } | Next { .. });
        let is_activity = is_answered_with_numbers || matches!(message, Send { .. });
        self.asks_for_numbers &= !is_answered_with_numbers;
        self.is_untold &= !is_activity;
        if let Attention { open, .. } = message {
            self.told_open = *open;
            self.has_lapsed = false;
        }
    }

    fn is_recent(&self, now: Instant) -> bool {
        self.last_call.is_some_and(|at| now < at + limits::LISTENING_FOR)
    }

    /// When the relay is to be told without any further input.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.closes_at.filter(|_| self.told_open && !self.open)
    }

    /// What the relay is to be told now.
    pub(super) fn due(&self, now: Instant) -> Option<ClientMessage<'static>> {
        let begins = self.open && !self.told_open;
        let ends = self.deadline().is_some_and(|at| at <= now);
        let is_active = self.is_untold && !self.told_open;
        let has_lapsed = self.has_lapsed && !self.open && !(self.is_untold && self.is_recent(now));
        let is_due = begins || ends || is_active || has_lapsed || self.asks_for_numbers;
        is_due.then_some(ClientMessage::Attention { open: self.open, lapsed: has_lapsed })
    }
}
