//! The lobby: sessions, queues and rooms, and every rule about them.
//!
//! It is told what happened and when ([`Event`]) and answers what is to be done about it
//! ([`Effect`], each with its connection), in order; the server does it. Nothing else changes it, so the same events make
//! the same effects. What must not be here: sockets, tasks, clocks, randomness, wire types, and
//! any text of a message.
//!
//! A session is in one of three states, whether or not it has a connection:
//!
//! ```text
//!                 enter_queue, next              a match
//!       ┌──────┐ ──────────────────▶ ┌─────────┐ ──────▶ ┌──────────┐
//!  ───▶ │ idle │                     │ waiting │         │ chatting │
//!       └──────┘ ◀────────────────── └─────────┘         └──────────┘
//!        ▲    │   leave_queue,            ▲    next            │  │
//!        │    │   queue idle              └────────────────────┘  │
//!        │    ▼                                                   │
//!        │  forgotten: without a connection for the grace, or, if │
//!        │  not chatting, until there are too many for a new one  │
//!        └────────────────────────────────────────────────────────┘
//!              it or its partner leaves, is gone for the grace, or nobody writes
//! ```
//!
//! Besides, it is connected or lost (`away` after a while), and listening or quiet. Time passes
//! for the lobby only by [`Event::Tick`]: until then a session listens whose time is up, as its
//! partner was told.
//!
//! Reading order: `event` is the contract; `session`, `queue` and `room` hold one of
//! each, `relations` what keeps owners apart, and `entering` what entering a queue costs;
//! `arriving`, `admission`, `seeking`, `talking`, `leaving` and `aging` are what the lobby does.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod admission;
mod aging;
mod arriving;
mod config;
mod deadlines;
mod entering;
mod event;
mod fair_set;
mod invariants;
mod leaving;
mod queue;
mod relations;
mod reports;
mod room;
mod seeking;
mod session;
mod talking;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, mem, time::Instant};

use shared::{
    id::{OwnerId, RoomId, SessionId, keyed},
    limits::{FORGOTTEN_SESSIONS, TOMBSTONES},
};

pub use config::Config;
pub use event::*;
pub use reports::Report;

use admission::Account;
use deadlines::{Deadlines, Subject};
use entering::{Buckets, KeptPlaces};
use fair_set::FairSet;
use queue::Queue;
use relations::Relations;
use reports::ReportLog;
use room::Room;
use session::Session;

/// Everybody who is here. One task owns it; see the module's documentation.
#[derive(Debug)]
pub struct Lobby {
    config: Config,
    seed: [u8; 16],
    ids: u64,
    tickets: u64,
    rooms_opened: u64,
    draining: bool,
    /// Nobody is paired before the tick at this time.
    pairing_from: Option<Instant>,
    connections: BTreeMap<ConnectionId, SessionId>,
    connections_by_owner: BTreeMap<OwnerId, usize>,
    sessions: BTreeMap<SessionId, Session>,
    sessions_by_owner: BTreeMap<Owner, usize>,
    /// By user id.
    accounts: BTreeMap<u32, Account>,
    /// By the topic's case folding; none is empty.
    queues: BTreeMap<String, Queue>,
    rooms: BTreeMap<RoomId, Room>,
    /// Rooms that were closed and must not come back.
    tombstones: FairSet<RoomId, TOMBSTONES>,
    relations: Relations,
    entered_by_owner: Buckets<Owner>,
    entered_by_account: Buckets<u32>,
    kept_places: KeptPlaces,
    /// The latest ticket that was spent by each session that is not known any more: it may come
    /// back with that.
    spent_by_forgotten: FairSet<(SessionId, Opening), FORGOTTEN_SESSIONS>,
    reports: ReportLog,
    deadlines: Deadlines,
    messages: u64,
    /// What the event at hand has led to so far.
    effects: Vec<(ConnectionId, Effect)>,
}

impl Lobby {
    /// An empty lobby. The seed determines its ids: who knows it can foretell them.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 16]) -> Self {
        let mut deadlines = Deadlines::default();
        if let Some(at) = config.pairing_from {
            deadlines.not_after(Subject::Pairing, at);
        }
        Self {
            seed,
            ids: 0,
            tickets: 0,
            rooms_opened: 0,
            draining: false,
            pairing_from: config.pairing_from,
            relations: Relations::new(config.accounts_meet),
            entered_by_owner: Buckets::new(config.enter_rates.client),
            entered_by_account: Buckets::new(config.enter_rates.user),
            kept_places: KeptPlaces::default(),
            spent_by_forgotten: FairSet::default(),
            config,
            connections: BTreeMap::new(),
            connections_by_owner: BTreeMap::new(),
            sessions: BTreeMap::new(),
            sessions_by_owner: BTreeMap::new(),
            accounts: BTreeMap::new(),
            queues: BTreeMap::new(),
            rooms: BTreeMap::new(),
            tombstones: FairSet::default(),
            reports: ReportLog::default(),
            deadlines,
            messages: 0,
            effects: Vec::new(),
        }
    }

    /// Takes note of what happened and tells what to do about it, in this order. An event that
    /// the connection has no right to leads to nothing.
    pub fn handle(&mut self, now: Instant, event: Event) -> Vec<(ConnectionId, Effect)> {
        debug_assert!(self.effects.is_empty(), "the effects of an event are handed out with it");
        let _of_no_session = self.note(now, event);
        mem::take(&mut self.effects)
    }

    /// `None` if the event has to be of a session and its connection carries none.
    fn note(&mut self, now: Instant, event: Event) -> Option<()> {
        match event {
            Event::Arrived(connection, arrival) => self.arrive(now, connection, arrival),
            Event::Gone(connection) => self.lose(now, connection),
            Event::Refresh(from) => self.refresh(self.sender(from)?),
            Event::Drain => self.draining = true,
            Event::Slept(duration) => self.sleep(now, duration),
            Event::Tick => self.tick(now),
            Event::EnterQueue(from, ticket, seeking, blocks) => {
                let id = self.sender(from)?;
                self.relations.block_all(self.session(id).owner, blocks);
                self.enter_queue(now, id, ticket, seeking);
            }
            Event::LeaveQueue(from) => self.leave_queue(self.sender(from)?),
            Event::Next(from, leaving, seeking, blocks) => {
                let id = self.sender(from)?;
                self.relations.block_all(self.session(id).owner, blocks);
                self.next(now, id, leaving, seeking);
            }
            Event::Leave(from, leaving) => self.leave(now, self.sender(from)?, leaving),
            Event::Message { from, room, seq } => self.message(now, self.sender(from)?, room, seq),
            Event::Ack { from, room, received } => {
                self.acknowledge(now, self.sender(from)?, room, received);
            }
            Event::Sync { from, room, received } => {
                self.sync(now, self.sender(from)?, room, received);
            }
            Event::Attention { from, open, lapsed } => {
                self.attend(now, self.sender(from)?, open, lapsed);
            }
        }
        Some(())
    }

    fn sender(&self, from: ConnectionId) -> Option<SessionId> {
        self.connections.get(&from).copied()
    }

    /// When to send [`Event::Tick`], if nothing else happens. There may be nothing to do then.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Counts for `status`.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            sessions: self.sessions.len(),
            waiting: self.queues.values().map(Queue::len).sum(),
            topics: self.queues.len(),
            rooms: self.rooms.len(),
            messages: self.messages,
            blocks: self.relations.blocks(),
            reports: self.reports.counts,
        }
    }

    /// Sessions that are connected, without those of this owner.
    #[must_use]
    pub fn others_connected(&self, owner: Option<&OwnerId>) -> usize {
        let own = owner.and_then(|owner| self.connections_by_owner.get(owner));
        self.connections.len() - own.copied().unwrap_or(0)
    }

    /// The latest reports, oldest first.
    pub fn reports(&self) -> impl Iterator<Item = &Report> {
        self.reports.latest.iter()
    }

    /// A new identifier: the seed determines it, and nobody without that can foretell it.
    fn new_id(&mut self) -> [u8; 16] {
        self.ids += 1;
        keyed(&self.seed, 0, self.ids).to_le_bytes()
    }

    /// Tells a session something, if it is connected.
    fn tell(&mut self, id: SessionId, news: News) {
        self.perform(id, Effect::Tell(news));
    }

    /// Has something done for the connection of a session, if there is one.
    fn perform(&mut self, id: SessionId, effect: Effect) {
        if let Some(connection) = self.session(id).connection() {
            self.effects.push((connection, effect));
        }
    }

    fn session(&self, id: SessionId) -> &Session {
        self.sessions.get(&id).expect("a session that is referred to is known")
    }

    fn session_mut(&mut self, id: SessionId) -> &mut Session {
        self.sessions.get_mut(&id).expect("a session that is referred to is known")
    }

    /// Sees to it that the session is looked at when something changes by itself.
    fn schedule(&mut self, id: SessionId) {
        if let Some(at) = self.session(id).deadline(&self.config) {
            self.deadlines.not_after(Subject::Session(id), at);
        }
    }
}
