//! One room: its two seats and what each side knows of the other.

use std::time::{Duration, Instant};

use shared::{
    id::{RoomId, SessionId},
    limits::{LEFT_AT_ONCE, PRESENCE_EVERY, UNREAD_MESSAGES, WINDOW_MESSAGES},
    message::Presence,
};

use super::{
    config::Config,
    entering::Entered,
    event::{Member, Opening, RoomDescriptor, Seeking},
};

#[derive(Debug)]
pub(super) struct Room {
    pub(super) seats: [Seat; 2],
    pub(super) met_before: bool,
    /// Messages that were not sent before.
    pub(super) messages: u64,
    pub(super) opened: Opening,
    /// Since when, if this relay has matched its members.
    matched_at: Option<Instant>,
    active_at: Instant,
}

#[derive(Debug)]
pub(super) struct Seat {
    pub(super) member: Member,
    /// Its name and topic; unknown until it has come back after a restart.
    pub(super) seeking: Option<Seeking>,
    /// The place from which it was matched, if this relay did that.
    pub(super) entered: Option<Entered>,
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
    told_at: Option<Instant>,
    /// When it is to be told what it was not told at once.
    presence_due: Option<Instant>,
}

impl Seat {
    pub(super) fn new(member: Member, seeking: Option<Seeking>) -> Self {
        Self {
            member,
            seeking,
            entered: None,
            attached: false,
            received: 0,
            charged: 0,
            before: 0,
            repeats: Allowance(0),
            syncs: Allowance(WINDOW_MESSAGES),
            acks: Allowance(UNREAD_MESSAGES + WINDOW_MESSAGES),
            told: None,
            told_at: None,
            presence_due: None,
        }
    }

    /// Whether it has sent anything in this room.
    pub(super) fn has_spoken(&self) -> bool {
        self.charged > 0 || self.before > 0
    }

    /// What it was told over the connection that it had may not have arrived.
    pub(super) fn forget_told(&mut self) {
        self.told = None;
        self.presence_due = None;
    }

    /// Whether it is to be told now that its partner's presence is this. If not, it knows, or it
    /// will be asked again when that is due.
    ///
    /// That the partner is gone or back is an event. Whether it listens may change all the time: of
    /// that the last counts, and only so often.
    pub(super) fn takes_presence(&mut self, now: Instant, presence: Presence) -> bool {
        self.presence_due = None;
        if self.told == Some(presence) {
            return false;
        }
        let is_event = presence == Presence::Reconnecting
            || self.told.is_none_or(|told| told == Presence::Reconnecting);
        let due = self.told_at.map(|at| at + PRESENCE_EVERY).filter(|due| *due > now);
        if let Some(due) = due.filter(|_| !is_event) {
            self.presence_due = Some(due);
            return false;
        }
        self.told = Some(presence);
        self.told_at = Some(now);
        true
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
        Self { seats, met_before, messages: 0, opened, matched_at: None, active_at: now }
    }

    /// This relay has matched its members just now.
    pub(super) fn matched(self, now: Instant) -> Self {
        Self { matched_at: Some(now), ..self }
    }

    /// Whether so little time has passed since the match that who leaves did not want it.
    pub(super) fn is_new(&self, now: Instant) -> bool {
        self.matched_at.is_some_and(|at| now.saturating_duration_since(at) <= LEFT_AT_ONCE)
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
        self.matched_at = self.matched_at.map(|at| now.min(at + duration));
    }

    pub(super) fn idle_at(&self, config: &Config) -> Option<Instant> {
        self.active_at.checked_add(config.room_idle?)
    }

    /// When something about this room changes by itself.
    pub(super) fn deadline(&self, config: &Config) -> Option<Instant> {
        let due = self.seats.iter().map(|seat| seat.presence_due);
        due.chain([self.idle_at(config)]).flatten().min()
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
