//! One room: its two seats and what each side knows of the other.

use std::time::{Duration, Instant};

use shared::{
    id::{RoomId, SessionId},
    message::Presence,
};

use super::{Config, Member, Opening, RoomDescriptor, Seeking};

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
    /// As whom it talks; unknown of one that has not come back yet.
    pub(super) seeking: Option<Seeking>,
    /// Whether it has been in this room under this relay.
    pub(super) attached: bool,
    /// Highest seq that this member has taken.
    pub(super) received: u64,
    /// How many of its seqs have been charged. It grows by one at a time, whatever the seq: one
    /// that leaps ahead must not make the ones below it free.
    pub(super) charged: u64,
    /// What it was told of its partner's presence over the connection that it has.
    pub(super) told: Option<Presence>,
}

impl Seat {
    pub(super) fn new(member: Member, seeking: Option<Seeking>) -> Self {
        Self { member, seeking, attached: false, received: 0, charged: 0, told: None }
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
