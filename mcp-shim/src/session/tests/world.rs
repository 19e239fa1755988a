//! Two programs with their chats, an honest relay, and wires that lose what is on them when cut.

use std::collections::{BTreeSet, VecDeque};

use shared::message::Leave;

use super::*;

/// A chat of one of the two programs.
pub(super) type Key = (usize, ChatId);

/// One connection.
pub(super) struct Wire {
    pub(super) key: Key,
    /// The shim has not closed it.
    pub(super) is_open: bool,
    /// It has said `hello`, and nothing newer has for the same session.
    is_bound: bool,
    /// The shim wants to know when all is written.
    pub(super) tells_written: bool,
    pub(super) to_relay: VecDeque<ClientMessage<'static>>,
    pub(super) to_shim: VecDeque<RelayMessage<'static>>,
}

impl Wire {
    pub(super) fn new(key: Key) -> Self {
        let (to_relay, to_shim) = (VecDeque::new(), VecDeque::new());
        Self { key, is_open: true, is_bound: false, tells_written: false, to_relay, to_shim }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Idle,
    Waiting,
    Chatting(RoomId),
}

struct Member {
    place: Place,
    gone_since: Option<Instant>,
}

struct Meeting {
    seats: [Key; 2],
    received: [u64; 2],
}

/// A relay that does what the protocol says, with no thought of presence, rates or blocks.
pub(super) struct Relay {
    members: BTreeMap<Key, Member>,
    meetings: BTreeMap<RoomId, Meeting>,
    tombstones: BTreeSet<RoomId>,
    rooms_made: u64,
    limits: Limits,
}

impl Relay {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            members: BTreeMap::new(),
            meetings: BTreeMap::new(),
            tombstones: BTreeSet::new(),
            rooms_made: 0,
            limits,
        }
    }

    /// Whether both are in this room.
    pub(super) fn is_open(&self, room: RoomId) -> bool {
        self.meetings.contains_key(&room)
    }

    pub(super) fn room_of(&self, key: Key) -> Option<RoomId> {
        match self.members.get(&key)?.place {
            Place::Chatting(room) => Some(room),
            Place::Idle | Place::Waiting => None,
        }
    }

    /// One message of this connection.
    pub(super) fn take(
        &mut self,
        wires: &mut [Wire],
        index: usize,
        message: ClientMessage<'static>,
    ) {
        let key = wires[index].key;
        if let ClientMessage::Hello(hello) = message {
            for wire in wires.iter_mut().filter(|wire| wire.key == key) {
                wire.is_bound = false;
            }
            wires[index].is_bound = true;
            self.hello(wires, key, hello);
            return;
        }
        if !wires[index].is_bound {
            return;
        }
        match message {
            ClientMessage::Hello(_) => unreachable!("it was taken above"),
            ClientMessage::EnterQueue { .. } => self.seek(wires, key),
            ClientMessage::LeaveQueue {} => {
                if self.place(key) == Place::Waiting {
                    self.put(key, Place::Idle);
                }
                tell(wires, key, dequeued(DequeueReason::Left));
            }
            ClientMessage::Next { leave, .. } => {
                if let Some(leave) = leave {
                    self.leave(wires, key, &leave);
                }
                self.seek(wires, key);
            }
            ClientMessage::Leave(leave) => self.leave(wires, key, &leave),
            ClientMessage::Send { room_id, seq, author, text, removed } => {
                let sent_at = "2026-01-02T03:04:05Z".into();
                let message =
                    RelayMessage::Message { room_id, seq, author, text, removed, sent_at };
                self.forward(wires, key, room_id, None, message);
            }
            ClientMessage::Ack { room_id, received, read } => {
                let message = RelayMessage::Ack { room_id, received, read };
                self.forward(wires, key, room_id, Some(received), message);
            }
            ClientMessage::Sync { room_id, received } => {
                let message = RelayMessage::Sync { room_id, received };
                self.forward(wires, key, room_id, Some(received), message);
            }
            ClientMessage::Attention { .. } => {
                if self.place(key) == Place::Waiting {
                    tell(wires, key, queued(1));
                }
            }
            ClientMessage::Ping {} => tell(wires, key, RelayMessage::Pong {}),
            ClientMessage::Status { .. } | ClientMessage::Stop {} => {
                unreachable!("no session says that")
            }
        }
    }

    fn hello(&mut self, wires: &mut [Wire], key: Key, hello: Hello<'static>) {
        let grant = SessionGrant {
            session_id: SessionId::from_bytes([3; 16]),
            token: "session".into(),
            resumed: hello.session.is_some(),
        };
        let welcome = Welcome {
            version: 1,
            epoch: 1,
            build: "test".into(),
            limits: Box::new(self.limits.clone()),
            session: Some(grant),
        };
        tell(wires, key, RelayMessage::Welcome(welcome));
        let idle = Member { place: Place::Idle, gone_since: None };
        self.members.entry(key).or_insert(idle).gone_since = None;
        let claim = hello.session;
        for leave in claim.iter().flat_map(|claim| &claim.leaving) {
            self.leave(wires, key, leave);
        }
        let (room, queue) = claim.map_or((None, None), |claim| (claim.room, claim.queue));
        match (room, queue, self.place(key)) {
            (Some(room), _, Place::Chatting(current)) if room.room_id == current => {
                self.attach(wires, key, current, room.received);
            }
            (Some(room), _, _) => {
                let is_known = self.tombstones.contains(&room.room_id);
                let reason = if is_known { CloseReason::Left } else { CloseReason::RelayLost };
                tell(
                    wires,
                    key,
                    RelayMessage::Closed { room_id: room.room_id, reason, place_kept_ms: None },
                );
                self.vacate(wires, key);
            }
            (None, Some(_), Place::Chatting(current)) => {
                self.tell_paired(wires, key, current);
                self.attach(wires, key, current, 0);
            }
            (None, Some(_), Place::Idle | Place::Waiting) => self.seek(wires, key),
            (None, None, _) => self.vacate(wires, key),
        }
    }

    fn attach(&mut self, wires: &mut [Wire], key: Key, room_id: RoomId, received: u64) {
        let meeting = self.meetings.get_mut(&room_id).unwrap();
        let own = usize::from(meeting.seats[1] == key);
        meeting.received[own] = received;
        let (partner, of_partner) = (meeting.seats[1 - own], meeting.received[1 - own]);
        tell(wires, key, RelayMessage::Sync { room_id, received: of_partner });
        tell(wires, partner, RelayMessage::Sync { room_id, received });
    }

    fn seek(&mut self, wires: &mut [Wire], key: Key) {
        if let Place::Chatting(room) = self.place(key) {
            self.tell_paired(wires, key, room);
            return;
        }
        let is_there = |other: &Key| wires.iter().any(|wire| wire.is_bound && wire.key == *other);
        let waits = |(other, member): (&Key, &Member)| {
            (member.place == Place::Waiting && other.0 != key.0).then_some(*other)
        };
        let partner = self.members.iter().filter_map(waits).find(is_there);
        let Some(partner) = partner else {
            self.put(key, Place::Waiting);
            tell(wires, key, queued(1));
            return;
        };
        self.rooms_made += 1;
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.rooms_made.to_be_bytes());
        bytes[..4].copy_from_slice(&(self.rooms_made as u32).to_be_bytes());
        let room = RoomId::from_bytes(bytes);
        self.meetings.insert(room, Meeting { seats: [partner, key], received: [0, 0] });
        for member in [partner, key] {
            self.put(member, Place::Chatting(room));
            self.tell_paired(wires, member, room);
        }
    }

    fn tell_paired(&self, wires: &mut [Wire], key: Key, room_id: RoomId) {
        let RelayMessage::Paired(paired) = paired(1) else { unreachable!() };
        let seat = if self.meetings[&room_id].seats[0] == key { 1 } else { 2 };
        tell(wires, key, RelayMessage::Paired(Paired { room_id, seat, ..paired }));
    }

    fn leave(&mut self, wires: &mut [Wire], key: Key, leave: &Leave<'_>) {
        self.tombstones.insert(leave.room_id);
        tell(wires, key, RelayMessage::Left { room_id: leave.room_id, block_tag: None });
        if self.place(key) == Place::Chatting(leave.room_id) {
            self.vacate(wires, key);
        }
    }

    /// Takes it out of room or queue; a partner is told.
    fn vacate(&mut self, wires: &mut [Wire], key: Key) {
        if let Place::Chatting(room) = self.place(key) {
            self.put(key, Place::Idle);
            self.close(wires, room, CloseReason::Left);
        }
        self.put(key, Place::Idle);
    }

    fn close(&mut self, wires: &mut [Wire], room_id: RoomId, reason: CloseReason) {
        self.tombstones.insert(room_id);
        for member in self.meetings.remove(&room_id).unwrap().seats {
            if self.place(member) == Place::Chatting(room_id) {
                self.put(member, Place::Idle);
                tell(wires, member, RelayMessage::Closed { room_id, reason, place_kept_ms: None });
            }
        }
    }

    fn forward(
        &mut self,
        wires: &mut [Wire],
        from: Key,
        room: RoomId,
        received: Option<u64>,
        message: RelayMessage<'static>,
    ) {
        let Some(meeting) = self.meetings.get_mut(&room) else { return };
        let Some(own) = meeting.seats.iter().position(|seat| *seat == from) else { return };
        if let Some(received) = received {
            meeting.received[own] = meeting.received[own].max(received);
        }
        tell(wires, meeting.seats[1 - own], message);
    }

    /// The connection is gone.
    pub(super) fn lost(&mut self, wire: &Wire, now: Instant) {
        if wire.is_bound
            && let Some(member) = self.members.get_mut(&wire.key)
        {
            member.gone_since = Some(now);
        }
    }

    /// Closes rooms whose member is gone for too long, and forgets such places.
    pub(super) fn expire(&mut self, wires: &mut [Wire], now: Instant) {
        let gone: Vec<Key> = self
            .members
            .iter()
            .filter(|(_, member)| {
                member.gone_since.is_some_and(|since| now >= since + limits::GRACE)
            })
            .map(|(key, _)| *key)
            .collect();
        for key in gone {
            match self.place(key) {
                Place::Chatting(room) => self.close(wires, room, CloseReason::Timeout),
                Place::Waiting => self.put(key, Place::Idle),
                Place::Idle => {}
            }
        }
    }

    /// It has not listened for too long.
    pub(super) fn dequeue(&mut self, wires: &mut [Wire], key: Key) {
        if self.members.contains_key(&key) && self.place(key) == Place::Waiting {
            self.put(key, Place::Idle);
            tell(wires, key, dequeued(DequeueReason::NotListening));
        }
    }

    fn place(&self, key: Key) -> Place {
        self.members[&key].place
    }

    fn put(&mut self, key: Key, place: Place) {
        self.members.get_mut(&key).unwrap().place = place;
    }
}

/// To the newest connection of this session, if there is one.
fn tell(wires: &mut [Wire], key: Key, message: RelayMessage<'static>) {
    if let Some(wire) = wires.iter_mut().find(|wire| wire.is_bound && wire.key == key) {
        wire.to_shim.push_back(message);
    }
}
