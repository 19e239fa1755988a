//! Scenarios: what happens, and all that the lobby has to say to it.

mod accounts;
mod arrivals;
mod bounds;
mod crowd;
mod entering;
mod friends;
mod hit_and_run;
mod kept_places;
mod leaving;
mod matching;
mod presence;
mod presence_flood;
mod properties;
mod queue_model;
mod queues;
mod rates;
mod restarts;
mod robots;
mod rooms;

use std::time::{Duration, Instant};

use shared::{
    id::{OwnerId, RoomId, SessionId},
    message::{CloseReason, DequeueReason, Presence},
};

use super::*;

const LISTENING_FOR: Duration = shared::limits::LISTENING_FOR;
const GRACE: Duration = shared::limits::GRACE;
const AWAY_AFTER: Duration = Duration::from_secs(5);
const MATCH_WAIT: Duration = Duration::from_secs(10);
const HALF_HOUR: Duration = Duration::from_secs(30 * 60);
const SECOND: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(1);

/// An effect and the connection that it is for.
type Told = (ConnectionId, Effect);

/// A lobby with a clock that only the test moves.
struct Scene {
    lobby: Lobby,
    now: Instant,
    connections: u64,
}

/// A session and the connection that it has or had.
#[derive(Debug, Clone, Copy)]
struct Guest {
    connection: ConnectionId,
    session: SessionId,
    owner: Owner,
}

impl Scene {
    /// Of most scenes, places that are kept are no part.
    fn new() -> Self {
        Self::with(Config { place_kept: None, ..Config::default() })
    }

    fn with(config: Config) -> Self {
        #[expect(clippy::disallowed_methods, reason = "some time has to be the first")]
        let now = Instant::now();
        Self { lobby: Lobby::new(config, [7; 16]), now, connections: 0 }
    }

    /// The relay is killed, and another comes up that knows nothing but the key.
    fn restart(&mut self) {
        self.restart_with(Config { epoch: 2, place_kept: None, ..Config::default() });
    }

    fn restart_with(&mut self, config: Config) {
        self.lobby = Lobby::new(config, [8; 16]);
    }

    /// Sends an event and asserts all its effects.
    #[track_caller]
    fn expect(&mut self, event: Event, effects: impl Into<Vec<Told>>) {
        let actual = self.send(event);
        pretty_assert(&actual, &effects.into());
    }

    #[track_caller]
    fn send(&mut self, event: Event) -> Vec<Told> {
        let effects = self.lobby.handle(self.now, event);
        self.lobby.check_invariants();
        effects
    }

    /// Lets time pass, with each tick in time, and asserts all effects.
    #[track_caller]
    fn wait(&mut self, duration: Duration, effects: impl Into<Vec<Told>>) {
        let end = self.now + duration;
        let mut actual = Vec::new();
        while let Some(deadline) = self.lobby.next_deadline().filter(|&at| at <= end) {
            self.now = self.now.max(deadline);
            actual.extend(self.send(Event::Tick));
            assert!(self.lobby.next_deadline().is_none_or(|next| next > self.now), "a busy loop");
        }
        self.now = end;
        pretty_assert(&actual, &effects.into());
    }

    /// What the next identifier is made of.
    fn next_id(&self) -> [u8; 16] {
        keyed(&self.lobby.seed, 0, self.lobby.ids + 1).to_le_bytes()
    }

    fn connection(&mut self) -> ConnectionId {
        self.connections += 1;
        ConnectionId(self.connections)
    }

    /// Somebody who was never here, of the owner with this number.
    #[track_caller]
    fn guest(&mut self, number: u8) -> Guest {
        self.guest_of(owner(number))
    }

    #[track_caller]
    fn guest_of(&mut self, owner: Owner) -> Guest {
        let connection = self.connection();
        let session = SessionId::from_bytes(self.next_id());
        let welcome = (connection, Effect::Welcome { session, resumed: false });
        self.expect(Event::Arrived(connection, arrival_of(owner)), [welcome]);
        Guest { connection, session, owner }
    }

    /// The room that the next match opens; the first waits longer.
    fn next_room(&self, one: &Guest, two: &Guest) -> RoomDescriptor {
        let room = RoomId::from_bytes(self.next_id());
        let epoch = self.lobby.config.epoch;
        let opened = Opening { epoch, number: self.lobby.rooms_opened + 1 };
        RoomDescriptor { room, members: [one.member(), two.member()], opened }
    }

    /// Two of these owners who have just been paired.
    #[track_caller]
    fn couple(&mut self, numbers: [u8; 2], topic: &str) -> (Guest, Guest, RoomDescriptor) {
        let [one, two] = numbers.map(|number| self.guest(number));
        self.send(one.enters(topic));
        let room = self.next_room(&one, &two);
        let effects = [one.paired(room, topic, &two), two.paired(room, topic, &one)];
        self.expect(two.enters(topic), effects);
        (one, two, room)
    }

    /// The same session over a new connection.
    fn again(&mut self, guest: &Guest) -> Guest {
        Guest { connection: self.connection(), ..*guest }
    }

    /// One who waits and does not listen: it was cut off, and its client was not active since.
    #[track_caller]
    fn quiet_one(&mut self, number: u8, topic: &str) -> Guest {
        let guest = self.guest(number);
        self.wait(LISTENING_FOR, []);
        self.expect(guest.goes(), []);
        let guest = self.again(&guest);
        self.send(guest.back_waiting(None, topic));
        guest
    }
}

impl Guest {
    fn member(&self) -> Member {
        Member { session: self.session, owner: self.owner }
    }

    fn enters(&self, topic: &str) -> Event {
        Event::EnterQueue(self.connection, None, self.seeks(topic), Vec::new())
    }

    fn seeks(&self, topic: &str) -> Seeking {
        Seeking { display_name: name(&self.owner), topic: topic.into() }
    }

    fn next(&self, room: RoomDescriptor, topic: &str) -> Event {
        Event::Next(self.connection, Some(leaving(room)), self.seeks(topic), Vec::new())
    }

    fn leaves(&self, room: RoomDescriptor) -> Event {
        Event::Leave(self.connection, leaving(room))
    }

    fn blocks(&self, room: RoomDescriptor) -> Event {
        Event::Leave(self.connection, Leaving { block: true, ..leaving(room) })
    }

    fn says(&self, room: RoomDescriptor, seq: u64) -> Event {
        Event::Message { from: self.connection, room: room.room, seq }
    }

    fn acknowledges(&self, room: RoomDescriptor, received: u64) -> Event {
        Event::Ack { from: self.connection, room: room.room, received }
    }

    fn syncs(&self, room: RoomDescriptor, received: u64) -> Event {
        Event::Sync { from: self.connection, room: room.room, received }
    }

    fn attends(&self, open: bool) -> Event {
        Event::Attention { from: self.connection, open, lapsed: false }
    }

    fn lapses(&self) -> Event {
        Event::Attention { from: self.connection, open: false, lapsed: true }
    }

    fn goes(&self) -> Event {
        Event::Gone(self.connection)
    }

    /// Arrives with what a client of this session holds; the caller adds to it.
    fn arrives(&self, claims: Arrival) -> Event {
        Event::Arrived(self.connection, Arrival { session: Some(self.session), ..claims })
    }

    fn back_in(&self, room: RoomDescriptor, received: u64) -> Event {
        let claims = arrival_of(self.owner);
        let claim = self.claims(room.room, Some(room), received);
        self.arrives(Arrival { room: Some(claim), ..claims })
    }

    fn claims(
        &self,
        room: RoomId,
        descriptor: Option<RoomDescriptor>,
        received: u64,
    ) -> ClaimedRoom {
        ClaimedRoom { room, descriptor, received, seeking: self.seeks("open") }
    }

    fn back_waiting(&self, ticket: Option<u64>, topic: &str) -> Event {
        let ticket = ticket.map(|number| Opening { epoch: 1, number });
        let claims = arrival_of(self.owner);
        self.arrives(Arrival { queue: Some((ticket, self.seeks(topic))), ..claims })
    }

    fn back_idle(&self) -> Event {
        self.arrives(arrival_of(self.owner))
    }

    fn told(&self, news: News) -> Told {
        self.gets(Effect::Tell(news))
    }

    fn gets(&self, effect: Effect) -> Told {
        (self.connection, effect)
    }

    fn welcomed_back(&self) -> Told {
        self.gets(Effect::Welcome { session: self.session, resumed: true })
    }

    /// `numbers`: position, waiting, not listening, own.
    fn queued(&self, topic: &str, ticket: u64, numbers: [usize; 4]) -> Told {
        self.queued_with(topic, Opening { epoch: 1, number: ticket }, numbers)
    }

    fn queued_with(&self, topic: &str, ticket: Opening, numbers: [usize; 4]) -> Told {
        let [position, waiting, not_listening, own] = numbers;
        let numbers = Numbers { position, waiting, not_listening, own };
        self.told(News::Queued { topic: topic.into(), numbers, ticket })
    }

    fn paired(&self, room: RoomDescriptor, topic: &str, partner: &Self) -> Told {
        self.paired_with(room, topic, partner, Presence::Listening, false)
    }

    fn paired_with(
        &self,
        descriptor: RoomDescriptor,
        topic: &str,
        partner: &Self,
        presence: Presence,
        met_before: bool,
    ) -> Told {
        self.told(News::Paired {
            descriptor,
            seat: if descriptor.members[0] == self.member() { 1 } else { 2 },
            topic: topic.into(),
            display_name: name(&partner.owner),
            presence,
            met_before,
        })
    }

    fn forward(&self) -> Told {
        self.gets(Effect::Forward)
    }

    fn sync(&self, room: RoomDescriptor, received: u64) -> Told {
        self.told(News::Sync { room: room.room, received })
    }

    fn partner(&self, room: RoomDescriptor, presence: Presence, unseen: Duration) -> Told {
        self.told(News::Partner { room: room.room, presence, unseen })
    }

    fn closed(&self, room: RoomDescriptor, reason: CloseReason) -> Told {
        self.told(News::Closed { room: room.room, reason, place_kept: None })
    }

    fn left(&self, room: RoomDescriptor) -> Told {
        self.told(News::Left { room: room.room, blocked: None })
    }

    fn left_blocking(&self, room: RoomDescriptor, blocked: &Self) -> Told {
        self.told(News::Left { room: room.room, blocked: Some(blocked.owner) })
    }

    fn dequeued(&self, reason: DequeueReason) -> Told {
        self.told(News::Dequeued(reason))
    }

    fn refused(&self, refusal: Refusal) -> Told {
        self.told(News::Refused(refusal))
    }

    fn closed_with_place_kept(&self, room: RoomDescriptor) -> Told {
        let (reason, place_kept) = (CloseReason::Left, Some(shared::limits::PLACE_KEPT));
        self.told(News::Closed { room: room.room, reason, place_kept })
    }

    fn disconnected(&self, reason: DisconnectReason) -> Told {
        self.gets(Effect::Disconnect(reason))
    }
}

fn owner(number: u8) -> Owner {
    Owner { uid: 1000, id: OwnerId::from_bytes([number; 16]) }
}

/// Owners from this number on are robots.
const ROBOT: u8 = 200;

fn is_robot(owner: Owner) -> bool {
    owner.id.as_bytes()[0] >= ROBOT
}

fn name(owner: &Owner) -> String {
    format!("Guest {}", owner.id.as_bytes()[0])
}

/// Nothing claimed.
fn arrival(number: u8) -> Arrival {
    arrival_of(owner(number))
}

fn arrival_of(owner: Owner) -> Arrival {
    Arrival {
        owner,
        session: None,
        room: None,
        queue: None,
        leaving: Vec::new(),
        blocks: Vec::new(),
        robot: is_robot(owner),
    }
}

fn leaving(descriptor: RoomDescriptor) -> Leaving {
    Leaving { room: descriptor.room, descriptor: Some(descriptor), block: false, report: None }
}

#[track_caller]
fn pretty_assert(actual: &[Told], expected: &[Told]) {
    assert!(actual == expected, "effects: {actual:#?}\nbut expected: {expected:#?}");
}
