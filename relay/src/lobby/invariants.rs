//! What must be true of a lobby between any two events.

use shared::{
    limits::{FORGOTTEN_SESSIONS, REPORTS, TOMBSTONES},
    text::DEFAULT_TOPIC,
};

use super::{
    Lobby,
    deadlines::Subject,
    queue::{Availability, Place},
    session::State,
};

impl Lobby {
    /// Panics if something that must always be true is not. It looks at everything and is slow:
    /// for tests and simulation.
    pub fn check_invariants(&self) {
        assert!(self.effects.is_empty());
        self.relations.check();
        self.entered_by_owner.check();
        self.entered_by_account.check();
        self.kept_places.check();
        assert!(self.relations.blockers().all(|owner| self.sessions_by_owner.contains_key(owner)));
        assert_eq!(self.sessions_by_owner.values().sum::<usize>(), self.sessions.len());
        assert!(self.tombstones.len() <= TOMBSTONES);
        assert!(self.spent_by_forgotten.len() <= FORGOTTEN_SESSIONS);
        assert!(self.reports.latest.len() <= REPORTS);
        self.check_connections();
        self.check_sessions();
        self.check_accounts();
        self.check_queues();
        for (&id, room) in &self.rooms {
            let members = room.descriptor(id).members;
            assert!(!self.is_buried(id, members), "{id:?} is open and closed");
            assert_ne!(room.seats[0].member.owner, room.seats[1].member.owner);
            for seat in &room.seats {
                let session = self.session(seat.member.session);
                assert_eq!(session.room(), Some(id), "both members are in their room");
                assert_eq!(session.owner, seat.member.owner);
                assert!(session.connection().is_some() || seat.told.is_none());
            }
        }
        for subject in self.deadlines.subjects() {
            assert!(match subject {
                Subject::Session(id) => self.sessions.contains_key(id),
                Subject::Room(id) => self.rooms.contains_key(id),
                Subject::Pairing => self.pairing_from.is_some(),
            });
        }
        let rooms_due =
            self.rooms.iter().map(|(&id, r)| (Subject::Room(id), r.deadline(&self.config)));
        let sessions_due =
            self.sessions.iter().map(|(&id, s)| (Subject::Session(id), s.deadline(&self.config)));
        for (subject, due) in rooms_due.chain(sessions_due) {
            let Some(due) = due else { continue };
            let entered = self.deadlines.of(subject);
            assert!(entered.is_some_and(|entered| entered <= due), "{subject:?} is forgotten");
        }
    }

    fn check_connections(&self) {
        for (&connection, &id) in &self.connections {
            assert_eq!(self.session(id).connection(), Some(connection));
        }
        assert_eq!(self.connections_by_owner.values().sum::<usize>(), self.connections.len());
    }

    fn check_sessions(&self) {
        for (&id, session) in &self.sessions {
            if let Some(connection) = session.connection() {
                assert_eq!(self.connections.get(&connection), Some(&id));
            }
            match &session.state {
                State::Idle => {}
                State::Waiting(waiting) => {
                    let place = Place { ticket: waiting.ticket, session: id };
                    let queue = &self.queues[&waiting.queue];
                    assert!(queue.places().any(|other| *other == place));
                    let known = queue.known_of(place);
                    assert_eq!(
                        known.map_or(Availability::Unreachable, |(s, _)| s),
                        session.availability()
                    );
                    assert!(known.is_none_or(|(_, c)| c.patient == waiting.patient));
                }
                State::Chatting(room) => assert!(self.rooms[room].seat_of(id).is_some()),
            }
        }
    }

    fn check_accounts(&self) {
        assert!(self.sessions.len() <= self.config.sessions);
        let sessions = self.accounts.values().map(|account| account.sessions.len());
        assert_eq!(sessions.sum::<usize>(), self.sessions.len());
        for (&uid, account) in &self.accounts {
            assert!((1..=self.config.sessions_per_user).contains(&account.sessions.len()));
            assert!(account.sessions.iter().all(|&id| self.session(id).owner.uid == uid));
            assert!(account.topics <= self.config.topics_per_user);
            let named = self.queues.iter().filter(|(topic, _)| *topic != DEFAULT_TOPIC);
            let own = named.filter(|(_, queue)| queue.places_of(uid) > 0);
            assert_eq!(own.count(), account.topics);
            let places = self.queues.values().map(|queue| queue.places_of(uid));
            assert!(places.max().unwrap_or(0) <= self.config.waiting_per_user);
        }
    }

    fn check_queues(&self) {
        assert!(self.topics() <= self.config.topics);
        for queue in self.queues.values() {
            assert!(!queue.is_empty(), "a queue ends with the last who waits in it");
            assert!(queue.len() <= self.config.waiting_per_topic);
            assert!(queue.places().is_sorted());
            queue.check();
            for place in queue.places() {
                assert!(self.session(place.session).waiting().is_some());
                if self.draining || self.pairing_from.is_some() {
                    continue;
                }
                // Who have ever met may be kept apart by the clock, which is not asked here.
                let partner =
                    queue.partner_for(*place, |one, other| self.relations.ever_between(one, other));
                assert_eq!(partner, None, "nobody is left waiting who could be paired");
            }
        }
    }
}
