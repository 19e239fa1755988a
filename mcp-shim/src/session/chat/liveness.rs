//! What time does to one chat: silence, a relay that does not come back, an end that nobody hears.

use std::time::{Duration, Instant};

use shared::{
    limits,
    message::{ClientMessage, CloseReason},
};

use super::{Chat, LinkState};
use crate::session::{
    context::Context,
    contract::Output,
    reply::{ToolError, errors},
};

impl Chat {
    /// When [`expire`](Self::expire) has something to do, at the latest.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let (silence, ping) = (self.silent_at(), self.ping_at());
        let attention = self.attention.deadline().filter(|_| self.is_placed());
        let forgotten = self.forgotten_at();
        [silence, ping, forgotten, self.lost_at(), attention].into_iter().flatten().min()
    }

    /// Does what is due.
    pub(crate) fn expire(&mut self, cx: &mut Context) {
        let now = cx.now.instant;
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_due(self.forgotten_at()) {
            self.forget(cx);
        }
        if is_due(self.lost_at()) {
            self.close_room(CloseReason::RelayLost, cx);
        }
        if is_due(self.silent_at()) {
            self.disconnected(cx);
            if self.link != LinkState::Closed {
                cx.out.push(Output::Reconnect(self.id));
            }
        } else if is_due(self.ping_at()) {
            self.ping(cx);
        }
    }

    /// Its relay is not told any more that it has ended, and finds out by itself.
    pub(crate) fn forget(&mut self, cx: &mut Context) {
        self.leaving.clear();
        self.close_link(cx);
    }

    /// So much time has passed in which this process did not run.
    pub(crate) fn slept(&mut self, slept: Duration) {
        self.heard += slept;
        self.ended = self.ended.map(|at| at + slept);
        if let Some(room) = self.room_mut() {
            room.entered += slept;
        }
        if let LinkState::Connecting { since }
        | LinkState::Greeting { since }
        | LinkState::Welcomed { since } = &mut self.link
        {
            *since += slept;
        }
    }

    /// When a connection on which nothing is heard counts as dead.
    fn silent_at(&self) -> Option<Instant> {
        match self.link {
            LinkState::Closed | LinkState::Connecting { .. } => None,
            LinkState::Greeting { .. } | LinkState::Welcomed { .. } => {
                Some(self.heard + limits::HANDSHAKE)
            }
            LinkState::Up => Some(self.heard + self.keep_alive() * limits::KEEP_ALIVE_MISSES),
        }
    }

    pub(super) fn ping(&mut self, cx: &mut Context) {
        self.pinged = cx.now.instant;
        self.transmit(ClientMessage::Ping {}, cx);
    }

    /// When this side wants to hear from the relay, or the relay from this side: each is silent as
    /// long as the other talks about something that needs no answer.
    fn ping_at(&self) -> Option<Instant> {
        let quiet_since = self.heard.max(self.pinged).min(self.spoke);
        (self.link == LinkState::Up).then(|| quiet_since + self.keep_alive())
    }

    /// When the relay has forgotten a session by itself that it could not be told has ended.
    fn forgotten_at(&self) -> Option<Instant> {
        self.ended.map(|at| at + self.grace())
    }

    /// When the room is lost because the relay did not come back.
    pub(crate) fn lost_at(&self) -> Option<Instant> {
        let (room, since) = (self.room()?, self.down_since()?);
        // A relay that was away for long may give a room before it has said all else.
        Some(since.max(room.entered) + self.grace())
    }

    /// The error of a relay that does not answer, once waiting for it is useless.
    pub(crate) fn relay_error(&self, now: Instant) -> Option<ToolError> {
        let since = self.down_since()?;
        let is_useless = self.has_lasting_trouble() || since + limits::RELAY_WAIT <= now;
        is_useless.then(|| self.unavailable())
    }

    pub(crate) fn unavailable(&self) -> ToolError {
        errors::unavailable(self.trouble.as_ref())
    }

    /// Whether waiting is useless until its user does something, or for ever.
    pub(crate) fn is_out_of_reach(&self) -> bool {
        self.superseded || (self.has_lasting_trouble() && self.down_since().is_some())
    }

    fn has_lasting_trouble(&self) -> bool {
        self.trouble.as_ref().is_some_and(|trouble| trouble.lasting)
    }

    fn keep_alive(&self) -> Duration {
        Duration::from_millis(self.limits.keep_alive_ms)
    }

    fn grace(&self) -> Duration {
        Duration::from_millis(self.limits.grace_ms)
    }
}
