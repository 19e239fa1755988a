//! Events in any order, from connections that exist or not, with claims that were once true: the
//! lobby keeps its invariants, speaks only to those who are there, brings no closed room back and
//! nobody together with whom they have blocked, and forgets everybody who is gone.
#![no_main]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use relay::lobby::{
    Arrival, ClaimedRoom, Config, ConnectionId, Effect, Event, Leaving, Lobby, Member, News,
    Opening, Owner, RoomDescriptor, Seeking,
};
use shared::{
    id::{OwnerId, RoomId, SessionId},
    limits::Rate,
    message::ReportCategory,
};

/// Numbers choose among what there is by their remainder.
#[derive(Debug, Arbitrary)]
enum Step {
    Arrive(Hello),
    EnterQueue {
        from: u8,
        ticket: Option<(u8, u8)>,
        topic: u8,
    },
    LeaveQueue {
        from: u8,
    },
    Next {
        from: u8,
        leaving: Option<Leave>,
        topic: u8,
    },
    Leave {
        from: u8,
        leave: Leave,
    },
    Message {
        from: u8,
        room: u8,
        seq: u64,
    },
    Ack {
        from: u8,
        room: u8,
        received: u64,
    },
    Sync {
        from: u8,
        room: u8,
        received: u64,
    },
    Attention {
        from: u8,
        open: bool,
        lapsed: bool,
    },
    Gone {
        from: u8,
    },
    Refresh {
        from: u8,
    },
    Drain,
    Sleep {
        seconds: u32,
    },
    Tick,
    Wait {
        milliseconds: u16,
        times: u8,
    },
    /// The relay is killed: another one knows nothing but what clients bring.
    Restart,
}

#[derive(Debug, Arbitrary)]
struct Hello {
    owner: u8,
    session: Option<u8>,
    room: Option<(u8, u64)>,
    queue: Option<(Option<(u8, u8)>, u8)>,
    leaving: Vec<Leave>,
    blocks: Vec<u8>,
}

#[derive(Debug, Arbitrary)]
struct Leave {
    room: u8,
    block: bool,
    report: Option<u8>,
}

fuzz_target!(|steps: Vec<Step>| {
    let mut world = World::new();
    for step in steps.iter().take(200) {
        world.take(step);
    }
    world.everybody_goes();
});

struct World {
    lobby: Lobby,
    now: Instant,
    epoch: u64,
    accepted: u64,
    here: BTreeMap<ConnectionId, Member>,
    /// Every session and room that was ever told of.
    sessions: Vec<Member>,
    rooms: Vec<RoomDescriptor>,
    /// By this relay.
    closed: BTreeSet<RoomId>,
    blocks: BTreeSet<(Owner, Owner)>,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            lobby: Lobby::new(config(1, now), [1; 16]),
            now,
            epoch: 1,
            accepted: 0,
            here: BTreeMap::new(),
            sessions: Vec::new(),
            rooms: Vec::new(),
            closed: BTreeSet::new(),
            blocks: BTreeSet::new(),
        }
    }

    fn take(&mut self, step: &Step) {
        let event = match step {
            Step::Arrive(hello) => return self.arrive(hello),
            Step::EnterQueue { from, ticket, topic } => {
                let from = self.connection(*from);
                Event::EnterQueue(from, ticket.map(ticket_of), seeking(*topic), Vec::new())
            }
            Step::LeaveQueue { from } => Event::LeaveQueue(self.connection(*from)),
            Step::Next { from, leaving, topic } => {
                let from = self.connection(*from);
                let leaving = leaving.as_ref().map(|leave| self.leaving(self.member(from), leave));
                Event::Next(from, leaving, seeking(*topic), Vec::new())
            }
            Step::Leave { from, leave } => {
                let from = self.connection(*from);
                Event::Leave(from, self.leaving(self.member(from), leave))
            }
            Step::Message { from, room, seq } => {
                Event::Message { from: self.connection(*from), room: self.room(*room), seq: *seq }
            }
            Step::Ack { from, room, received } => Event::Ack {
                from: self.connection(*from),
                room: self.room(*room),
                received: *received,
            },
            Step::Sync { from, room, received } => Event::Sync {
                from: self.connection(*from),
                room: self.room(*room),
                received: *received,
            },
            Step::Attention { from, open, lapsed } => {
                Event::Attention { from: self.connection(*from), open: *open, lapsed: *lapsed }
            }
            Step::Gone { from } => {
                let from = self.connection(*from);
                self.here.remove(&from);
                Event::Gone(from)
            }
            Step::Refresh { from } => Event::Refresh(self.connection(*from)),
            Step::Drain => Event::Drain,
            Step::Sleep { seconds } => {
                let asleep = Duration::from_secs((*seconds).into());
                self.now += asleep;
                Event::Slept(asleep)
            }
            Step::Tick => Event::Tick,
            Step::Wait { milliseconds, times } => {
                let wait = Duration::from_millis((*milliseconds).into());
                return self.wait(wait * u32::from(*times % 4 + 1));
            }
            Step::Restart => return self.restart(),
        };
        self.send(event);
    }

    fn arrive(&mut self, hello: &Hello) {
        self.accepted += 1;
        let connection = ConnectionId(self.accepted);
        let owner = owner(hello.owner);
        let own: Vec<_> = self.sessions.iter().filter(|member| member.owner == owner).collect();
        let session = hello.session.and_then(|n| chosen(&own, n)).map(|member| member.session);
        let member = session.map(|session| Member { session, owner });
        let room = hello.room.map(|(number, received)| ClaimedRoom {
            room: self.room(number),
            descriptor: member.and_then(|member| self.descriptor(member, number)),
            received,
            seeking: seeking(number),
        });
        let blocks: Vec<_> =
            hello.blocks.iter().take(4).map(|&number| self::owner(number)).collect();
        self.blocks.extend(blocks.iter().map(|&blocked| pair(owner, blocked)));
        let arrival = Arrival {
            owner,
            session,
            room,
            queue: hello.queue.map(|(ticket, topic)| (ticket.map(ticket_of), seeking(topic))),
            leaving: hello
                .leaving
                .iter()
                .take(3)
                .map(|leave| self.leaving(member, leave))
                .collect(),
            blocks,
            robot: is_robot(owner),
        };
        // Its session is in its welcome, which comes before all else that is said to it.
        let nobody = Member { session: SessionId::from_bytes([0; 16]), owner };
        self.here.insert(connection, nobody);
        self.send(Event::Arrived(connection, arrival));
        assert!(self.here.get(&connection).is_none_or(|member| *member != nobody), "no welcome");
    }

    fn send(&mut self, event: Event) {
        let effects = self.lobby.handle(self.now, event);
        self.lobby.check_invariants();
        for (to, effect) in effects {
            self.hear(to, &effect);
        }
        assert_eq!(self.lobby.others_connected(None), self.here.len());
    }

    fn hear(&mut self, to: ConnectionId, effect: &Effect) {
        let member = *self.here.get(&to).expect("nobody is spoken to who is not there");
        match effect {
            Effect::Welcome { session, .. } => {
                let member = Member { session: *session, ..member };
                self.here.insert(to, member);
                self.sessions.push(member);
            }
            Effect::Tell(News::Paired { descriptor, seat, .. }) => {
                let [one, two] = descriptor.members.map(|member| member.owner);
                assert_eq!(descriptor.members[usize::from(*seat) - 1], member);
                assert_ne!(one, two);
                assert!(!is_robot(one) || !is_robot(two), "robots met");
                assert!(!self.closed.contains(&descriptor.room), "a closed room is back");
                // A room that was there before the block stays until somebody leaves it.
                if !self.rooms.contains(descriptor) {
                    assert!(!self.blocks.contains(&pair(one, two)), "who has blocked whom met");
                    self.rooms.push(*descriptor);
                }
            }
            Effect::Tell(News::Closed { room, .. })
            | Effect::Tell(News::Left { room, blocked: None }) => {
                self.close(member, *room);
            }
            Effect::Tell(News::Left { room, blocked: Some(blocked) }) => {
                self.close(member, *room);
                self.blocks.insert(pair(member.owner, *blocked));
            }
            Effect::Disconnect(_) => {
                self.here.remove(&to);
            }
            Effect::Tell(News::Queued { .. })
            | Effect::Forward
            | Effect::Tell(News::Sync { .. })
            | Effect::Tell(News::Partner { .. })
            | Effect::Tell(News::Dequeued(_))
            | Effect::Tell(News::Refused(_)) => {}
        }
    }

    /// A room is closed for its members alone: others can name it as they like.
    fn close(&mut self, member: Member, room: RoomId) {
        let mut rooms = self.rooms.iter();
        if rooms.any(|known| known.room == room && known.members.contains(&member)) {
            self.closed.insert(room);
        }
    }

    fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(at) = self.lobby.next_deadline().filter(|&at| at <= end) {
            self.now = self.now.max(at);
            self.send(Event::Tick);
            assert!(self.lobby.next_deadline().is_none_or(|next| next > self.now), "a busy loop");
        }
        self.now = end;
    }

    fn restart(&mut self) {
        self.epoch += 1;
        let seed = self.epoch.to_le_bytes();
        self.lobby =
            Lobby::new(config(self.epoch, self.now), [seed, seed].concat().try_into().unwrap());
        self.here.clear();
        self.closed.clear();
        self.blocks.clear();
    }

    fn everybody_goes(&mut self) {
        while let Some((&connection, _)) = self.here.first_key_value() {
            self.here.remove(&connection);
            self.send(Event::Gone(connection));
        }
        let Config { grace, .. } = config(0, self.now);
        self.wait(grace);
        let counts = self.lobby.counts();
        assert_eq!((counts.sessions, counts.rooms, counts.waiting, counts.topics), (0, 0, 0, 0));
        assert_eq!(self.lobby.next_deadline(), None);
    }

    /// One that is there, one that is gone, or one that never was.
    fn connection(&self, number: u8) -> ConnectionId {
        let here: Vec<_> = self.here.keys().collect();
        if number >= 0xf0 {
            return ConnectionId(number.into());
        }
        chosen(&here, number).map_or(ConnectionId(0), |connection| **connection)
    }

    fn member(&self, connection: ConnectionId) -> Option<Member> {
        self.here.get(&connection).copied()
    }

    fn room(&self, number: u8) -> RoomId {
        chosen(&self.rooms, number).map_or(RoomId::from_bytes([0; 16]), |known| known.room)
    }

    /// What the token of the room vouches for, to a member of it.
    fn descriptor(&self, member: Member, number: u8) -> Option<RoomDescriptor> {
        chosen(&self.rooms, number).filter(|room| room.members.contains(&member)).copied()
    }

    fn leaving(&self, member: Option<Member>, leave: &Leave) -> Leaving {
        let report = leave.report.map(|number| match number % 4 {
            0 => ReportCategory::Spam,
            1 => ReportCategory::Harassment,
            2 => ReportCategory::Injection,
            _ => ReportCategory::Other,
        });
        Leaving {
            room: self.room(leave.room),
            descriptor: member.and_then(|member| self.descriptor(member, leave.room)),
            block: leave.block,
            report,
        }
    }
}

fn config(epoch: u64, now: Instant) -> Config {
    Config {
        epoch,
        message_rate: Some(Rate::new(5, Duration::from_millis(500))),
        next_rate: Some(Rate::new(3, Duration::from_millis(1_000))),
        listening_for: Duration::from_secs(20),
        room_idle: Some(Duration::from_secs(90)),
        queue_idle: Some(Duration::from_secs(40)),
        pairing_from: (epoch > 1).then(|| now + Duration::from_secs(2)),
        sessions: 12,
        sessions_per_user: 8,
        waiting_per_topic: 4,
        waiting_per_user: 3,
        topics: 3,
        topics_per_user: 2,
        ..Config::default()
    }
}

fn chosen<T>(all: &[T], number: u8) -> Option<&T> {
    usize::from(number).checked_rem(all.len()).map(|at| &all[at])
}

fn owner(number: u8) -> Owner {
    let number = number % 5;
    Owner { uid: u32::from(number % 2), id: OwnerId::from_bytes([number; 16]) }
}

fn is_robot(owner: Owner) -> bool {
    owner.id.as_bytes()[0] >= 3
}

fn pair(one: Owner, other: Owner) -> (Owner, Owner) {
    (one.min(other), one.max(other))
}

fn ticket_of((epoch, number): (u8, u8)) -> Opening {
    Opening { epoch: u64::from(epoch % 4), number: number.into() }
}

fn seeking(number: u8) -> Seeking {
    let topic = ["open", "chess", "Chess", "go", "tea"][usize::from(number) % 5];
    Seeking { display_name: "Guest".into(), topic: topic.into() }
}
