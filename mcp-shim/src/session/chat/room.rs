//! A room from one side: sequence numbers, the window, what the partner has.

use std::{collections::VecDeque, time::Instant};

use shared::{
    id::RoomId,
    limits::{Limits, WINDOW_BYTES, WINDOW_MESSAGES},
    message::{Author, ClientMessage, Paired, Presence},
    text,
};

use super::inbox::Inbox;
use crate::session::reply::{PartnerView, Receipts, RoomView};

#[derive(Debug)]
pub(crate) struct Room {
    pub(super) room_id: RoomId,
    pub(super) token: String,
    pub(super) partner: String,
    pub(super) presence: Presence,
    /// The highest seq taken from the partner.
    pub(super) received: u64,
    /// The cursor of its `chatroom.found`.
    pub(super) found: u64,
    pub(super) topic: String,
    pub(super) entered: Instant,
    met_before: bool,
    seat: Seat,
    /// When the partner's client was last known to be active.
    seen: Instant,
    next_seq: u64,
    /// What the link is given next: at most the one after the last.
    cursor: u64,
    unacked: VecDeque<Unacked>,
    unacked_bytes: usize,
    partner_received: u64,
    partner_read: u64,
    /// Messages of the partner that were not handed out: cursor and seq.
    unread: VecDeque<(u64, u64)>,
    read: u64,
    missing: Missing,
}

/// Which of the two members of a room one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seat {
    First,
    Second,
}

impl Seat {
    /// The seat with this number, if there is one.
    pub(super) fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::First),
            2 => Some(Self::Second),
            _ => None,
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second => 2,
        }
    }

    fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// Whether a message of the partner was turned away and must come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Nothing,
    /// There was no room for it; `sync` follows once there is.
    NoRoom,
    /// `sync` is said; until it is answered, what the partner had on the way comes in vain.
    AskedFor,
}

#[derive(Debug)]
struct Unacked {
    seq: u64,
    author: Author,
    text: String,
    removed: u32,
}

/// Which message of the partner has come, by its number alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// It is the next one.
    Next,
    /// It was taken before: the acknowledgement was lost.
    Again,
    /// One before it is missing.
    Gap,
    /// The same, and it is known: it was on its way before `sync`, and comes again.
    Later,
}

impl Room {
    pub(super) fn new(paired: Paired<'_>, seat: Seat, now: Instant) -> Self {
        Self {
            room_id: paired.room_id,
            token: paired.token.into_owned(),
            partner: paired.display_name.into_owned(),
            presence: paired.presence,
            received: 0,
            found: 0,
            topic: paired.topic.into_owned(),
            entered: now,
            met_before: paired.met_before,
            seat,
            seen: now,
            next_seq: 1,
            cursor: 1,
            unacked: VecDeque::new(),
            unacked_bytes: 0,
            partner_received: 0,
            partner_read: 0,
            unread: VecDeque::new(),
            read: 0,
            missing: Missing::Nothing,
        }
    }

    pub(crate) fn view(&self, now: Instant) -> RoomView {
        RoomView {
            room_id: self.room_id.to_string(),
            topic: self.topic.clone(),
            partner: PartnerView {
                display_name: self.partner.clone(),
                mixed_script: text::is_mixed_script(&self.partner),
                presence: self.presence,
                seconds_since_seen: now.saturating_duration_since(self.seen).as_secs(),
            },
            met_before: self.met_before,
        }
    }

    /// Whether the window can hold a message of so many bytes.
    pub(super) fn window_holds(&self, bytes: usize, limits: &Limits) -> bool {
        self.unacked.len() < limits.window_messages
            && self.unacked_bytes + bytes <= limits.window_bytes
    }

    /// Panics if more is on its way than any window allows, or is counted wrongly.
    pub(super) fn check(&self) {
        assert!(self.unacked.len() <= WINDOW_MESSAGES);
        assert!(self.unacked_bytes <= WINDOW_BYTES);
        assert_eq!(self.unacked_bytes, self.unacked.iter().map(|u| u.text.len()).sum::<usize>());
        let first = self.next_seq - self.unacked.len() as u64;
        assert!(self.unacked.iter().map(|unacked| unacked.seq).eq(first..self.next_seq));
        assert!((first..=self.next_seq).contains(&self.cursor));
    }

    /// Gives a message its seq and keeps it until the partner has it.
    pub(super) fn accept(&mut self, author: Author, text: String, removed: u32) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.unacked_bytes += text.len();
        self.unacked.push_back(Unacked { seq, author, text, removed });
        seq
    }

    fn send(&self, unacked: &Unacked) -> ClientMessage<'static> {
        ClientMessage::Send {
            room_id: self.room_id,
            seq: unacked.seq,
            author: unacked.author,
            text: unacked.text.clone().into(),
            removed: unacked.removed,
        }
    }

    /// The partner has everything up to `received` and read up to `read`. One that claims more
    /// than was sent is ignored.
    pub(super) fn acknowledged(&mut self, received: u64, read: u64) {
        if received >= self.next_seq {
            return;
        }
        while self.unacked.front().is_some_and(|unacked| unacked.seq <= received) {
            if let Some(freed) = self.unacked.pop_front() {
                self.unacked_bytes -= freed.text.len();
            }
        }
        self.cursor = self.cursor.max(received + 1);
        self.partner_received = self.partner_received.max(received);
        self.partner_read = self.partner_read.max(read.min(self.partner_received));
    }

    /// The link gets again, in order, all that the partner has not acknowledged.
    pub(super) fn begin_anew(&mut self) {
        self.cursor = self.next_seq - self.unacked.len() as u64;
    }

    /// Whether there is something that the link was not given.
    pub(super) fn has_more(&self) -> bool {
        self.cursor < self.next_seq
    }

    /// What the link is given now: so many messages at most.
    pub(super) fn give(&mut self, most: usize) -> Vec<ClientMessage<'static>> {
        let is_due = |unacked: &&Unacked| unacked.seq >= self.cursor;
        let due = self.unacked.iter().filter(is_due).take(most);
        let given: Vec<_> = due.map(|unacked| self.send(unacked)).collect();
        self.cursor += given.len() as u64;
        given
    }

    pub(super) fn has(&self, seq: u64) -> bool {
        self.partner_received >= seq
    }

    pub(super) fn all_acknowledged(&self) -> bool {
        self.unacked.is_empty()
    }

    /// Messages that the partner has not acknowledged.
    pub(super) fn unacknowledged(&self) -> Vec<String> {
        self.unacked.iter().map(|unacked| self.message_id(self.seat, unacked.seq)).collect()
    }

    pub(crate) fn receipts(&self) -> Receipts {
        Receipts {
            sent: self.next_seq - 1,
            delivered: self.partner_received,
            read: self.partner_read,
        }
    }

    /// Which message of the partner has come. The next one the caller takes, or calls
    /// [`has_no_room`](Self::has_no_room).
    pub(super) fn judge(&mut self, seq: u64) -> Order {
        if seq <= self.received {
            return Order::Again;
        }
        if seq == self.received + 1 {
            return Order::Next;
        }
        if self.missing != Missing::Nothing {
            return Order::Later;
        }
        self.missing = Missing::AskedFor;
        Order::Gap
    }

    /// The next message finds no room in the inbox: it must come again.
    pub(super) fn has_no_room(&mut self) {
        self.missing = Missing::NoRoom;
    }

    /// `hello` tells what was taken: the relay has the partner send the rest.
    pub(super) fn resumes(&mut self) {
        self.missing = Missing::Nothing;
    }

    /// `hello` is answered: says again what it did not tell and the lost connection may not have.
    pub(super) fn resumed(
        &mut self,
        inbox: &Inbox,
    ) -> impl Iterator<Item = ClientMessage<'static>> {
        let ack = (self.read > 0).then(|| self.ack());
        ack.into_iter().chain(self.sync_with_room(inbox))
    }

    pub(super) fn took(&mut self, seq: u64, cursor: u64, now: Instant) {
        self.missing = Missing::Nothing;
        self.received = seq;
        self.seen = now;
        self.unread.push_back((cursor, seq));
    }

    pub(super) fn ack(&self) -> ClientMessage<'static> {
        ClientMessage::Ack { room_id: self.room_id, received: self.received, read: self.read }
    }

    pub(super) fn sync(&self) -> ClientMessage<'static> {
        ClientMessage::Sync { room_id: self.room_id, received: self.received }
    }

    /// Results were written: returns what that tells the relay.
    pub(super) fn handed_out(
        &mut self,
        inbox: &Inbox,
    ) -> impl Iterator<Item = ClientMessage<'static>> {
        let before = self.read;
        self.note_read(inbox);
        let ack = (self.read != before).then(|| self.ack());
        ack.into_iter().chain(self.sync_with_room(inbox))
    }

    pub(super) fn note_read(&mut self, inbox: &Inbox) {
        while let Some((cursor, seq)) = self.unread.front()
            && inbox.was_handed_out(*cursor)
        {
            self.read = *seq;
            self.unread.pop_front();
        }
    }

    /// Asks for what there was no room for, if there is now.
    fn sync_with_room(&mut self, inbox: &Inbox) -> Option<ClientMessage<'static>> {
        if self.missing != Missing::NoRoom || !inbox.has_room() {
            return None;
        }
        self.missing = Missing::AskedFor;
        Some(self.sync())
    }

    pub(super) fn seen(&mut self, at: Instant) {
        self.seen = self.seen.max(at);
    }

    pub(super) fn own_message_id(&self, seq: u64) -> String {
        self.message_id(self.seat, seq)
    }

    pub(super) fn partner_message_id(&self, seq: u64) -> String {
        self.message_id(self.seat.other(), seq)
    }

    /// The same on both sides: room, seat of the sender, seq.
    fn message_id(&self, seat: Seat, seq: u64) -> String {
        let room = self.room_id.to_string();
        format!("{}.{}.{seq}", &room[..8], seat.number())
    }
}
