//! What time does to one chat: silence, a relay that does not come back, an end that nobody hears.

use std::time::{Duration, Instant};

use shared::{
    limits,
    message::{ClientMessage, CloseReason},
};

use super::{
    chat::{Chat, Link},
    event::{Moment, Output},
};

impl Chat {
    /// When [`expire`](Self::expire) has something to do, at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let (silence, ping) = (self.silent_at(), self.ping_at());
        [silence, ping, self.forgotten_at(), self.lost_at()].into_iter().flatten().min()
    }

    /// Does what is due.
    pub(super) fn expire(&mut self, now: Moment, out: &mut Vec<Output>) {
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now.instant);
        if is_due(self.forgotten_at()) {
            self.forget(out);
        }
        if is_due(self.lost_at()) {
            self.close_room(CloseReason::RelayLost, now, out);
        }
        if is_due(self.silent_at()) {
            self.disconnected(now.instant, out);
            if self.link != Link::Closed {
                out.push(Output::Reconnect(self.id));
            }
        } else if is_due(self.ping_at()) {
            self.spoke = now.instant;
            out.push(Output::Transmit(self.id, ClientMessage::Ping {}));
        }
    }

    /// Its relay is not told any more that it has ended, and finds out by itself.
    pub(super) fn forget(&mut self, out: &mut Vec<Output>) {
        self.leaving.clear();
        self.close_link(out);
    }

    /// So much time has passed in which this process did not run.
    pub(super) fn slept(&mut self, slept: Duration) {
        self.heard += slept;
        self.ended = self.ended.map(|at| at + slept);
        if let Some(room) = self.room_mut() {
            room.entered += slept;
        }
        if let Link::Connecting { since } | Link::Greeting { since } | Link::Welcomed { since } =
            &mut self.link
        {
            *since += slept;
        }
    }

    /// When a connection on which nothing is heard counts as dead.
    fn silent_at(&self) -> Option<Instant> {
        match self.link {
            Link::Closed | Link::Connecting { .. } => None,
            Link::Greeting { .. } | Link::Welcomed { .. } => Some(self.heard + limits::HANDSHAKE),
            Link::Up => Some(self.heard + self.keep_alive() * limits::KEEP_ALIVE_MISSES),
        }
    }

    /// When the relay has to hear from this side.
    fn ping_at(&self) -> Option<Instant> {
        (self.link == Link::Up).then(|| self.spoke + self.keep_alive())
    }

    /// When the relay has forgotten a session by itself that it could not be told has ended.
    fn forgotten_at(&self) -> Option<Instant> {
        self.ended.map(|at| at + self.grace())
    }

    /// When the room is lost because the relay did not come back.
    pub(super) fn lost_at(&self) -> Option<Instant> {
        let (room, since) = (self.room()?, self.down_since()?);
        // A relay that was away for long may give a room before it has said all else.
        Some(since.max(room.entered) + self.grace())
    }

    fn keep_alive(&self) -> Duration {
        Duration::from_millis(self.limits.keep_alive_ms)
    }

    fn grace(&self) -> Duration {
        Duration::from_millis(self.limits.grace_ms)
    }
}
