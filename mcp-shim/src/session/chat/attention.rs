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
    /// The client is gone: what was open has ended without it, or it has been inactive for long.
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
        self.closes_at = Some(now + limits::ATTENTION_LINGER);
        self.asks_for_numbers = asks_for_numbers;
    }

    /// Whether the relay takes something for open that is not, or the other way round.
    pub(super) fn is_misread(&self) -> bool {
        self.open != self.told_open
    }

    pub(super) fn set_open(&mut self, open: bool, now: Instant) {
        if self.open && !open && !self.has_lapsed {
            self.closes_at = Some(now + limits::ATTENTION_LINGER);
        }
        self.has_lapsed &= !open;
        self.open = open;
    }

    /// What is open ends without the client. A call that the relay does not know of has made it
    /// listen for some time: only then is it told, and takes it for inactive since that call.
    pub(super) fn lapse(&mut self, now: Instant) {
        if self.open {
            let untold = self.last_call.filter(|_| self.is_untold);
            self.closes_at = Some(untold.map_or(now, |at| now.max(at + limits::LISTENING_FOR)));
            self.has_lapsed = true;
        }
    }

    /// What is not open any more is told now, not a moment later.
    pub(super) fn hurry(&mut self, now: Instant) {
        self.closes_at = self.closes_at.map(|at| at.min(now));
    }

    /// On a new connection the relay takes nothing for open. It remembers when a client that it
    /// knows was active last, and takes one that is new to it for active.
    pub(super) fn connected(&mut self, now: Instant) {
        self.told_open = false;
        self.has_lapsed = self.last_call.is_none_or(|at| at + limits::LISTENING_FOR <= now);
        self.asks_for_numbers = false;
    }

    /// A new message has told the relay that the client is active.
    pub(super) fn has_sent(&mut self) {
        self.is_untold = false;
    }

    /// What the relay learns from a message that is sent to it.
    pub(super) fn said(&mut self, message: &ClientMessage<'_>) {
        use ClientMessage::{Attention, EnterQueue, Next};
        if matches!(message, Attention { .. } | EnterQueue { .. } | Next { .. }) {
            self.is_untold = false;
            self.asks_for_numbers = false;
        }
        if let Attention { open, .. } = message {
            self.told_open = *open;
            self.has_lapsed = false;
        }
    }

    /// When the relay is to be told without any further input.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.closes_at.filter(|_| self.told_open && !self.open)
    }

    /// What the relay is to be told now.
    pub(super) fn due(&self, now: Instant) -> Option<ClientMessage<'static>> {
        let begins = self.open && !self.told_open;
        let ends = self.deadline().is_some_and(|at| at <= now);
        let is_news = (self.is_untold || (self.has_lapsed && !self.open)) && !self.told_open;
        let is_due = begins || ends || is_news || self.asks_for_numbers;
        let lapsed = self.has_lapsed && !self.open;
        is_due.then_some(ClientMessage::Attention { open: self.open, lapsed })
    }
}
