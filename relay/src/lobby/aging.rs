//! What comes about by itself as time passes.

use std::time::{Duration, Instant};

use shared::{
    id::{RoomId, SessionId},
    message::{CloseReason, DequeueReason},
};

use super::{Lobby, News, deadlines::Subject, queue::Queue};

impl Lobby {
    /// Does what is due, in the order in which it became due, so that a late tick decides as
    /// ticks in time would have.
    pub(super) fn tick(&mut self, now: Instant) {
        while let Some((at, subject)) = self.deadlines.pop(now) {
            let due = match subject {
                Subject::Session(id) => self.session(id).deadline(&self.config),
                Subject::Room(id) => self.rooms[&id].deadline(&self.config),
                Subject::Pairing => self.pairing_from,
            };
            match due {
                None => {}
                Some(due) if due > at => self.deadlines.not_after(subject, due),
                Some(_) => match subject {
                    Subject::Session(id) => self.age_session(now, at, id),
                    Subject::Room(id) => self.age_room(now, at, id),
                    Subject::Pairing => self.begin_pairing(now),
                },
            }
        }
    }

    pub(super) fn age_session(&mut self, now: Instant, at: Instant, id: SessionId) {
        let session = self.sessions.get_mut(&id).expect("a session that is due is known");
        if session.lost_at(&self.config).is_some_and(|lost_at| lost_at <= at) {
            self.dequeue(id);
            return self.forget(now, id);
        }
        session.age(at, &self.config);
        if session.expires_at(&self.config).is_some_and(|expires_at| expires_at <= at) {
            self.dequeue(id);
            self.tell(id, News::Dequeued(DequeueReason::NotListening));
        }
        self.presence_changed(now, id);
        self.pair(now, id);
    }

    fn age_room(&mut self, now: Instant, at: Instant, id: RoomId) {
        if self.rooms[&id].idle_at(&self.config).is_some_and(|idle_at| idle_at <= at) {
            return self.close_room(now, id, CloseReason::Idle);
        }
        for seat in 0..2 {
            self.tell_presence(now, id, seat);
        }
        if let Some(at) = self.rooms[&id].deadline(&self.config) {
            self.deadlines.not_after(Subject::Room(id), at);
        }
    }

    /// Forgets a session that has no connection. Its partner is told; nobody else can know it.
    pub(super) fn forget(&mut self, now: Instant, id: SessionId) {
        if let Some(room) = self.session(id).room() {
            let came_back = self.rooms[&room].seats[self.seat_of(id, room)].attached;
            let reason = if came_back { CloseReason::Timeout } else { CloseReason::RelayLost };
            self.close_room(now, room, reason);
        }
        self.take_out(id);
        let session = self.session(id);
        if let Some(spent) = session.tickets.spent {
            self.spent_by_forgotten.insert(session.owner.uid, (id, spent));
        }
        self.expel(id);
        self.deadlines.forget(Subject::Session(id));
    }

    /// Those who came first are paired first, in every queue.
    fn begin_pairing(&mut self, now: Instant) {
        self.pairing_from = None;
        let all = self.queues.values().flat_map(Queue::places);
        let waiting: Vec<SessionId> = all.map(|place| place.session).collect();
        for id in waiting {
            self.pair(now, id);
        }
    }

    /// Moves every period that began before it past the time in which nobody could be heard.
    pub(super) fn sleep(&mut self, now: Instant, duration: Duration) {
        for session in self.sessions.values_mut() {
            session.sleep(now, duration);
        }
        for room in self.rooms.values_mut() {
            room.sleep(now, duration);
        }
        self.kept_places.sleep(duration);
    }
}
