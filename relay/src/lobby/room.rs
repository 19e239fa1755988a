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
    repeats: u64,
    /// How often it may still say `sync`. It does so for a message that it cannot take, and the
    /// next time only after one that it has taken, or from a new connection: one for each message
    /// that its partner was charged for and one for each arrival is as much as can be, whatever
    /// the partner does. A window besides is for its peace of mind.
    syncs: u64,
    /// How often it may still say `ack`: for each message that came, and once more for each that
    /// its client was handed, which may be one that came under an earlier relay.
    acks: u64,
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
            repeats: 0,
            syncs: WINDOW_MESSAGES as u64,
            acks: (UNREAD_MESSAGES + WINDOW_MESSAGES) as u64,
            told: None,
        }
    }

    /// It is back in the room, over a new connection.
    pub(super) fn arrived(&mut self, received: u64) {
        self.received = received;
        self.attached = true;
        self.syncs = self.syncs.saturating_add(1);
        self.acks = self.acks.saturating_add(1);
    }

    /// A message of its partner comes to it.
    pub(super) fn is_sent_one(&mut self) {
        self.acks = self.acks.saturating_add(2);
    }

    /// Whether a message with this seq was sent before.
    pub(super) fn has_sent(&self, seq: u64) -> bool {
        seq <= self.before.saturating_add(self.charged)
    }

    /// It was told to send again what its partner has not taken.
    pub(super) fn told_to_repeat(&mut self) {
        self.repeats = self.repeats.saturating_add(WINDOW_MESSAGES as u64);
    }

    /// Whether somebody has asked for one more message that was sent before.
    pub(super) fn take_repeat(&mut self) -> bool {
        take_one(&mut self.repeats)
    }

    /// Whether one more `ack` can be honest.
    pub(super) fn take_ack(&mut self) -> bool {
        take_one(&mut self.acks)
    }

    /// Whether one more `sync` can be honest.
    pub(super) fn take_sync(&mut self) -> bool {
        take_one(&mut self.syncs)
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
        let partner = &mut self.seats[1 - seat];
        partner.syncs = partner.syncs.saturating_add(1);
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

/// Takes one of what is left, if something is.
fn take_one(left: &mut u64) -> bool {
    let is_left = *left > 0;
    *left -= u64::from(is_left);
    is_left
}
