//! Clients who do anything at any time, and what they would notice if the lobby were wrong.

use std::collections::{BTreeMap, BTreeSet};

use shared::limits::RECENT_PARTNER_FOR;

use super::{super::queue::Availability, super::relations::Relation, *};

#[derive(Debug, Clone)]
pub(super) enum Step {
    Arrive { owner: u8, blocks: Option<u8> },
    Return { who: usize, claim: Claim },
    Enter { who: usize, topic: usize },
    LeaveQueue { who: usize },
    Next { who: usize, topic: usize, block: bool },
    Leave { who: usize, block: bool },
    Say { who: usize, seq: u64 },
    Acknowledge { who: usize, received: u64 },
    Attend { who: usize, open: bool },
    Cut { who: usize },
    Wait { seconds: u64 },
    Drain,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Claim {
    WhatItKnows,
    Nothing,
    Queue { topic: usize, ticket: u64 },
    LastRoom,
}

const TOPICS: [&str; 3] = ["open", "chess", "Chess"];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Idle,
    Waiting(String),
    Chatting(RoomId),
}

struct Client {
    guest: Guest,
    connected: bool,
    told: Told,
    last_room: Option<RoomDescriptor>,
}

/// What is known of a place before an event.
#[derive(Clone, Copy)]
struct Waited {
    ticket: Opening,
    so_long: Duration,
}

pub(super) struct Crowd {
    scene: Scene,
    clients: Vec<Client>,
    /// Who has blocked whom. Each client presents what its owner has.
    blocks: BTreeSet<(Owner, Owner)>,
    met_at: BTreeMap<(Owner, Owner), Instant>,
    /// All effects so far.
    pub(super) history: Vec<super::Told>,
}

impl Crowd {
    pub(super) fn new() -> Self {
        let config = Config {
            listening_for: Duration::from_secs(20),
            room_idle: Some(Duration::from_secs(90)),
            queue_idle: Some(Duration::from_secs(40)),
            waiting_per_topic: 4,
            waiting_per_user: 3,
            sessions_per_user: 6,
            ..Config::default()
        };
        Self {
            scene: Scene::with(config),
            clients: Vec::new(),
            blocks: BTreeSet::new(),
            met_at: BTreeMap::new(),
            history: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, step: &Step) {
        let event = match *step {
            Step::Arrive { owner, blocks } => return self.arrive(owner, blocks),
            Step::Wait { seconds } => return self.wait(Duration::from_secs(seconds)),
            Step::Drain => Event::Drain,
            Step::Return { who, claim } => {
                let Some(who) = self.pick(who) else { return };
                self.reconnect(who, claim)
            }
            Step::Enter { who, .. }
            | Step::LeaveQueue { who }
            | Step::Next { who, .. }
            | Step::Leave { who, .. }
            | Step::Say { who, .. }
            | Step::Acknowledge { who, .. }
            | Step::Attend { who, .. }
            | Step::Cut { who } => {
                let Some(who) = self.pick(who) else { return };
                let event = self.event(who, step);
                if !self.clients[who].connected {
                    self.scene.expect(event, []);
                    return;
                }
                if matches!(event, Event::Gone(_)) {
                    self.clients[who].connected = false;
                }
                event
            }
        };
        self.send(event);
    }

    /// Everybody goes, and nothing is left of them.
    pub(super) fn disperse(&mut self) {
        for who in 0..self.clients.len() {
            self.take(&Step::Cut { who });
        }
        self.wait(GRACE);
        let counts = self.scene.lobby.counts();
        assert_eq!((counts.sessions, counts.rooms, counts.waiting, counts.topics), (0, 0, 0, 0));
        assert_eq!(self.scene.lobby.next_deadline(), None);
        assert_eq!(self.scene.lobby.others_connected(None), 0);
    }

    fn pick(&self, who: usize) -> Option<usize> {
        who.checked_rem(self.clients.len())
    }

    fn arrive(&mut self, number: u8, blocks: Option<u8>) {
        let connection = self.scene.connection();
        let session = SessionId::from_bytes(self.scene.next_id());
        let guest = Guest { connection, session, owner: owner(number) };
        self.blocks.extend(blocks.map(|blocked| (guest.owner, owner(blocked))));
        let blocks = self.blocks_of(guest.owner);
        self.clients.push(Client { guest, connected: true, told: Told::Idle, last_room: None });
        self.send(Event::Arrived(connection, Arrival { blocks, ..arrival(number) }));
    }

    fn blocks_of(&self, owner: Owner) -> Vec<Owner> {
        let own = self.blocks.iter().filter(|(blocker, _)| *blocker == owner);
        own.map(|(_, blocked)| *blocked).collect()
    }

    fn reconnect(&mut self, who: usize, claim: Claim) -> Event {
        let mut event = self.claim(who, claim);
        if let Event::Arrived(_, arrival) = &mut event {
            arrival.blocks = self.blocks_of(arrival.owner);
        }
        event
    }

    fn claim(&mut self, who: usize, claim: Claim) -> Event {
        let guest = self.scene.again(&self.clients[who].guest);
        let client = &mut self.clients[who];
        client.guest = guest;
        client.connected = true;
        match (claim, &client.told, client.last_room) {
            (Claim::WhatItKnows, Told::Chatting(_), Some(room)) => guest.back_in(room, 3),
            (Claim::WhatItKnows, Told::Waiting(topic), _) => {
                let event = guest.back_waiting(None, topic);
                client.told = Told::Idle;
                event
            }
            (Claim::LastRoom, _, Some(room)) => {
                client.told = Told::Chatting(room.room);
                guest.back_in(room, 0)
            }
            (Claim::Queue { topic, ticket }, _, _) => {
                client.told = Told::Idle;
                guest.back_waiting(Some(ticket), TOPICS[topic])
            }
            (Claim::WhatItKnows | Claim::LastRoom | Claim::Nothing, _, _) => {
                client.told = Told::Idle;
                guest.back_idle()
            }
        }
    }

    fn event(&mut self, who: usize, step: &Step) -> Event {
        let client = &mut self.clients[who];
        let guest = client.guest;
        let room = client.last_room.unwrap_or(RoomDescriptor {
            room: RoomId::from_bytes([0; 16]),
            members: [guest.member(), Guest { owner: owner(9), ..guest }.member()],
            opened: Opening { epoch: 0, number: 0 },
        });
        match *step {
            Step::Enter { topic, .. } => guest.enters(TOPICS[topic]),
            Step::LeaveQueue { .. } => Event::LeaveQueue(guest.connection),
            Step::Next { topic, block, .. } => {
                let leaving = Leaving { block, ..leaving(room) };
                Event::Next(guest.connection, Some(leaving), guest.seeks(TOPICS[topic]), Vec::new())
            }
            Step::Leave { block, .. } => {
                Event::Leave(guest.connection, Leaving { block, ..leaving(room) })
            }
            Step::Say { seq, .. } => guest.says(room, seq),
            Step::Acknowledge { received, .. } => {
                Event::Ack { from: guest.connection, room: room.room, received }
            }
            Step::Attend { open, .. } => guest.attends(open),
            Step::Cut { .. } => guest.goes(),
            Step::Arrive { .. } | Step::Return { .. } | Step::Wait { .. } | Step::Drain => {
                unreachable!("these are no events of a client that is here")
            }
        }
    }

    fn wait(&mut self, duration: Duration) {
        let end = self.scene.now + duration;
        while let Some(at) = self.scene.lobby.next_deadline().filter(|&at| at <= end) {
            self.scene.now = self.scene.now.max(at);
            self.send(Event::Tick);
            let next = self.scene.lobby.next_deadline();
            assert!(next.is_none_or(|next| next > self.scene.now), "a busy loop");
        }
        self.scene.now = end;
    }

    fn send(&mut self, event: Event) {
        let places = self.places();
        let rooms: Vec<_> =
            self.scene.lobby.rooms.iter().map(|(&id, r)| r.descriptor(id)).collect();
        let effects = self.scene.send(event);
        for closed in rooms.iter().filter(|room| !self.scene.lobby.rooms.contains_key(&room.room)) {
            self.met_at.insert(owners_of(closed), self.scene.now);
        }
        self.check_pairings(&effects, &places);
        for effect in &effects {
            self.hear(effect);
        }
        self.history.extend(effects);
        for client in self.clients.iter().filter(|client| client.connected) {
            let session = self.scene.lobby.session(client.guest.session);
            let known = match (session.room(), session.waiting()) {
                (Some(room), _) => Told::Chatting(room),
                (None, Some(waiting)) => Told::Waiting(waiting.seeking.topic.clone()),
                (None, None) => Told::Idle,
            };
            assert_eq!(client.told, known, "a client and the lobby disagree");
        }
    }

    fn places(&self) -> BTreeMap<SessionId, Waited> {
        let sessions = self.scene.lobby.sessions.iter();
        let place = |session: &Session| {
            let waiting = session.waiting()?;
            Some(Waited { ticket: waiting.ticket, so_long: self.scene.now - waiting.since })
        };
        sessions.filter_map(|(&id, session)| Some((id, place(session)?))).collect()
    }

    fn check_pairings(&mut self, effects: &[super::Told], places: &BTreeMap<SessionId, Waited>) {
        let mut told_of: BTreeMap<RoomId, Vec<(RoomDescriptor, &str, Presence)>> = BTreeMap::new();
        for (_, effect) in effects {
            if let Effect::Tell(News::Paired { descriptor, topic, presence, .. }) = effect {
                let told = told_of.entry(descriptor.room).or_default();
                told.push((*descriptor, topic, *presence));
            }
        }
        for told in told_of.values() {
            match *told.as_slice() {
                [(room, topic, of_second), (again, _, of_first)] => {
                    assert_eq!(room, again);
                    self.check_pairing(room, topic, [of_first, of_second], places);
                }
                // One that was told of already is told of again to one side.
                [(room, ..)] => {
                    assert!(self.clients.iter().any(|client| client.last_room == Some(room)));
                }
                [] | [_, _, ..] => panic!("a room has two members"),
            }
        }
    }

    fn check_pairing(
        &mut self,
        room: RoomDescriptor,
        topic: &str,
        presences: [Presence; 2],
        places: &BTreeMap<SessionId, Waited>,
    ) {
        let now = self.scene.now;
        let owners = owners_of(&room);
        assert_ne!(owners.0, owners.1);
        let has_blocked = |one, other| one != other && self.blocks.contains(&(one, other));
        let are_apart = has_blocked(owners.0, owners.1) || has_blocked(owners.1, owners.0);
        assert!(!are_apart, "somebody met whom they had blocked");
        assert!(!is_robot(owners.0) || !is_robot(owners.1), "robots met");
        assert!(
            presences.iter().all(|presence| *presence != Presence::Reconnecting)
                && presences.contains(&Presence::Listening),
            "nobody meets a ghost"
        );
        let waited = room.members.map(|member| places.get(&member.session).copied());
        let both_waited =
            waited.iter().all(|waited| waited.is_some_and(|waited| waited.so_long >= MATCH_WAIT));
        let recent = self.met_at.get(&owners).is_some_and(|&at| now - at < RECENT_PARTNER_FOR);
        let quiet = presences.contains(&Presence::NotListening);
        assert!(!recent || both_waited, "recent partners met at once");
        assert!(!quiet || topic != "open" || both_waited, "a quiet one was given at once");

        let [first_came, second_came] = waited.map(|waited| waited.map(|waited| waited.ticket));
        for (ticket, suits) in self.others_who_suit(room, topic, presences) {
            assert!(!quiet && !recent, "a waiver was used, and there was somebody better");
            let before_second = second_came.is_none_or(|second| ticket < second);
            assert!(!suits[0] || !before_second, "who came earlier was passed over");
            let before_first = first_came.is_some_and(|first| ticket < first);
            assert!(!suits[1] || !before_first, "who came earlier was passed over");
        }
        self.met_at.insert(owners, now);
    }

    /// Who still waits and suits one of these two, or both, without a waiver.
    fn others_who_suit(
        &self,
        room: RoomDescriptor,
        topic: &str,
        presences: [Presence; 2],
    ) -> Vec<(Opening, [bool; 2])> {
        let lobby = &self.scene.lobby;
        let queue = lobby.queues.get(&shared::text::fold_topic(topic));
        let places = queue.into_iter().flat_map(Queue::places);
        let suits = places.map(|place| {
            let other = lobby.session(place.session);
            let both_robots = |owner| is_robot(owner) && is_robot(other.owner);
            let suits = [0, 1].map(|seat: usize| {
                other.availability() == Availability::Listening
                    && presences[seat] == Presence::Listening
                    && !both_robots(room.members[seat].owner)
                    && lobby.relations.ever_between(other.owner, room.members[seat].owner)
                        == Relation::Strangers
            });
            (place.ticket, suits)
        });
        suits.filter(|(_, suits)| suits.contains(&true)).collect()
    }

    fn hear(&mut self, (to, effect): &super::Told) {
        let by_connection = |connection: ConnectionId| {
            let known = self.clients.iter().position(|c| c.guest.connection == connection);
            known.filter(|&who| self.clients[who].connected)
        };
        match effect {
            Effect::Tell(News::Queued { topic, .. }) => {
                let who = by_connection(*to).expect("it is here");
                self.clients[who].told = Told::Waiting(topic.clone());
            }
            Effect::Tell(News::Paired { descriptor, seat, .. }) => {
                let who = by_connection(*to).expect("it is here");
                let own = descriptor.members[usize::from(*seat) - 1];
                assert_eq!(own, self.clients[who].guest.member());
                self.clients[who].told = Told::Chatting(descriptor.room);
                self.clients[who].last_room = Some(*descriptor);
            }
            Effect::Tell(News::Closed { room, .. }) | Effect::Tell(News::Left { room, .. }) => {
                let who = by_connection(*to).expect("it is here");
                if self.clients[who].told == Told::Chatting(*room) {
                    self.clients[who].told = Told::Idle;
                }
                if let Effect::Tell(News::Left { blocked: Some(blocked), .. }) = effect {
                    self.blocks.insert((self.clients[who].guest.owner, *blocked));
                }
            }
            Effect::Tell(News::Dequeued(_)) => {
                let who = by_connection(*to).expect("it is here");
                if matches!(self.clients[who].told, Told::Waiting(_)) {
                    self.clients[who].told = Told::Idle;
                }
            }
            Effect::Disconnect(reason) => match reason {
                DisconnectReason::Superseded => assert_eq!(by_connection(*to), None),
                DisconnectReason::RateExceeded | DisconnectReason::TooManySessions { .. } => {
                    let who = by_connection(*to).expect("it is here");
                    self.clients[who].connected = false;
                }
            },
            Effect::Welcome { .. }
            | Effect::Forward
            | Effect::Tell(News::Sync { .. })
            | Effect::Tell(News::Partner { .. })
            | Effect::Tell(News::Refused(_)) => assert!(by_connection(*to).is_some(), "it is here"),
        }
    }
}

fn pair_of(one: Owner, other: Owner) -> (Owner, Owner) {
    (one.min(other), one.max(other))
}

fn owners_of(room: &RoomDescriptor) -> (Owner, Owner) {
    pair_of(room.members[0].owner, room.members[1].owner)
}
