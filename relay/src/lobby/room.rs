//! One room: its two seats and what each side knows of the other.

use std::time::{Duration, Instant};

use shared::{
    id::{RoomId, SessionId},
    limits::{UNREAD_MESSAGES, WINDOW_MESSAGES},
    message::Presence,
};

use super::{
    config::Config,
    event::{Member, Opening, RoomDescriptor, Seeking},
};

#[derive(Debug)]
pub(super) struct Room {
    pub(super) seats: [Seat; 2],
    pub(super) met_before: bool,
    /// Messages that were not sent before.
    pub(super) messages: u64,
    pub(super) opened: Opening,
    active_at: Instant,
}

#[derive(Debug)]
pub(super) struct Seat {
    pub(super) member: Member,
    /// Its name and topic; unknown until it has come back after a restart.
    pub(super) seeking: Option<Seeking>,
    /// Whether it has been in this room under this relay.
    pub(super) attached: bool,
    /// Highest seq that this member has taken.
    pub(super) received: u64,
    /// How many of its seqs have been charged. It grows by one at a time, whatever the seq: one
    /// that leaps ahead must not make the ones below it free.
    charged: u64,
    /// Highest seq of it that its partner had taken under earlier relays, by the partner's word.
    pub(super) before: u64,
    /// Messages that it may send again: a window for each `sync` that it was sent.
    pub(super) repeats: Allowance,
    /// How often it may still say `sync`. It does so for a message that it cannot take, and the
    /// next time only after one that it has taken, or from a new connection: one for each message
    /// that its partner was charged for and one for each arrival is as much as can be, whatever
    /// the partner does. A window besides is for its peace of mind.
    pub(super) syncs: Allowance,
    /// How often it may still say `ack`: for each message that came, and once more for each that
    /// its client was handed, which may be one that came under an earlier relay.
    pub(super) acks: Allowance,
    /// What it was told of its partner's presence over the connection that it has.
    pub(super) told: Option<Presence>,
}

impl Seat {
    pub(super) fn new(member: Member, seeking: Option<Seeking>) -> Self {
        Self {
            member,
            seeking,
            attached: false,
            received: 0,
            charged: 0,
            before: 0,
            repeats: Allowance(0),
            syncs: Allowance(WINDOW_MESSAGES),
            acks: Allowance(UNREAD_MESSAGES + WINDOW_MESSAGES),
            told: None,
        }
    }

    /// It is back in the room, over a new connection.
    pub(super) fn arrived(&mut self, received: u64) {
        self.received = received;
        self.attached = true;
        self.syncs.grow(1);
        self.acks.grow(1);
    }

    /// Whether a message with this seq was sent before.
    pub(super) fn has_sent(&self, seq: u64) -> bool {
        seq <= self.before.saturating_add(self.charged)
    }
}

impl Room {
    pub(super) fn new(now: Instant, seats: [Seat; 2], opened: Opening, met_before: bool) -> Self {
        Self { seats, met_before, messages: 0, opened, active_at: now }
    }

    pub(super) fn descriptor(&self, room: RoomId) -> RoomDescriptor {
        let [one, two] = &self.seats;
        RoomDescriptor { room, members: [one.member, two.member], opened: self.opened }
    }

    /// Index of the seat that this session has.
    pub(super) fn seat_of(&self, session: SessionId) -> Option<usize> {
        self.seats.iter().position(|seat| seat.member.session == session)
    }

    /// A message from this seat that was not sent before.
    pub(super) fn note_message(&mut self, now: Instant, seat: usize) {
        self.seats[seat].charged += 1;
        self.seats[1 - seat].syncs.grow(1);
        self.messages += 1;
        self.active_at = now;
    }

    /// Nobody could write for so long.
    pub(super) fn sleep(&mut self, now: Instant, duration: Duration) {
        self.active_at = now.min(self.active_at + duration);
    }

    pub(super) fn idle_at(&self, config: &Config) -> Option<Instant> {
        self.active_at.checked_add(config.room_idle?)
    }
}

/// How often something may still be done.
#[derive(Debug)]
pub(super) struct Allowance(usize);

impl Allowance {
    pub(super) fn grow(&mut self, by: usize) {
        self.0 = self.0.saturating_add(by);
    }

    /// Takes one, if one is left.
    pub(super) fn take(&mut self) -> bool {
        let is_left = self.0 > 0;
        self.0 -= usize::from(is_left);
        is_left
    }
}
