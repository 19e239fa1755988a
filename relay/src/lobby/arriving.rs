//! Connections that come and go, and what a session takes up again with a new one.

use std::time::Instant;

use shared::{
    id::{RoomId, SessionId},
    limits::WINDOW_MESSAGES,
    message::CloseReason,
};

use super::{
    Arrival, ConnectionId, DisconnectReason, Effect, Lobby, RoomDescriptor,
    session::{Link, Session},
};

impl Lobby {
    pub(super) fn arrive(&mut self, now: Instant, connection: ConnectionId, arrival: Arrival) {
        if self.connections.contains_key(&connection) {
            return;
        }
        let Arrival { owner, session, room, queue, leaving, blocks } = arrival;
        // Ids of other owners are not taken on anybody's word.
        let claimed = session.filter(|id| self.sessions.get(id).is_none_or(|s| s.owner == owner));
        let id = claimed.unwrap_or_else(|| SessionId::from_bytes(self.ids.next()));
        if let Some(session) = self.sessions.get(&id) {
            if let Some(older) = session.connection() {
                let reason = DisconnectReason::Superseded;
                self.effects.push(Effect::Disconnect { connection: older, reason });
                self.unbind(now, id, older);
            }
        } else {
            let link = Link::Connected(connection);
            self.sessions.insert(id, Session::new(now, owner, link, &self.config));
        }
        self.bind(id, connection);
        self.effects.push(Effect::Welcome {
            to: connection,
            session: id,
            resumed: claimed.is_some(),
        });

        for blocked in blocks {
            self.ties.block(owner, blocked);
        }
        for leaving in leaving {
            self.leave(now, id, leaving);
        }
        match (room, queue, self.session(id).room()) {
            (Some((room, descriptor, received)), _, _) => {
                if !self.attach(now, id, room, descriptor, received) {
                    self.leave_room(now, id);
                    self.dequeue(id);
                }
            }
            // It asked for a partner and has not yet heard that there is one.
            (None, Some(_), Some(room)) => {
                self.tell_paired(room, self.seat_of(id, room));
                self.take_seat(now, id, room, 0);
            }
            // It has left, and was lost before it could say so.
            (None, None, Some(_)) => self.leave_room(now, id),
            (None, Some((ticket, seeking)), None) => {
                // The place that it does not claim is none of its wishes any more.
                self.dequeue_from_other(id, &seeking.topic);
                self.presence_changed(now, id);
                self.seek(now, id, ticket, seeking);
            }
            (None, None, None) => {
                self.dequeue(id);
            }
        }
        self.schedule(id);
    }

    /// Puts a session back into the room that it says it is in; if that cannot be, it is told.
    fn attach(
        &mut self,
        now: Instant,
        id: SessionId,
        room: RoomId,
        descriptor: Option<RoomDescriptor>,
        received: u64,
    ) -> bool {
        if self.session(id).room() == Some(room) {
            self.take_seat(now, id, room, received);
            return true;
        }
        let is_member = |claim: RoomDescriptor| {
            claim.room == room && claim.members.iter().any(|member| member.session == id)
        };
        let reason = if descriptor.is_some_and(is_member) && self.tombstones.contains(&room) {
            CloseReason::Left
        } else {
            CloseReason::RelayLost
        };
        if let Some(to) = self.session(id).connection() {
            self.effects.push(Effect::Closed { to, room, reason });
        }
        false
    }

    /// It is back in its room: each side sends again what the other has not taken.
    fn take_seat(&mut self, now: Instant, id: SessionId, room_id: RoomId, received: u64) {
        let own = self.seat_of(id, room_id);
        let room = self.rooms.get_mut(&room_id).expect("who has a seat is in a room");
        room.seats[own].received = received;
        let [to_own, to_partner] = [room.seats[1 - own].received, received];
        let partner = room.seats[1 - own].member.session;
        for (session, received) in [(id, to_own), (partner, to_partner)] {
            if let Some(to) = self.session(session).connection() {
                self.effects.push(Effect::Sync { to, room: room_id, received });
            }
        }
        self.presence_changed(now, id);
        self.tell_presence(now, room_id, own);
    }

    /// The connection is gone; the session has the grace to come back.
    pub(super) fn lose(&mut self, now: Instant, connection: ConnectionId) {
        if let Some(&id) = self.connections.get(&connection) {
            self.unbind(now, id, connection);
            self.presence_changed(now, id);
        }
    }

    pub(super) fn disconnect(&mut self, now: Instant, id: SessionId, reason: DisconnectReason) {
        if let Some(connection) = self.session(id).connection() {
            self.effects.push(Effect::Disconnect { connection, reason });
            self.lose(now, connection);
        }
    }

    fn bind(&mut self, id: SessionId, connection: ConnectionId) {
        let session = self.session_mut(id);
        session.link = Link::Connected(connection);
        session.free_messages = WINDOW_MESSAGES;
        let owner = session.owner.id;
        self.connections.insert(connection, id);
        *self.connections_by_owner.entry(owner).or_default() += 1;
    }

    fn unbind(&mut self, now: Instant, id: SessionId, connection: ConnectionId) {
        let session = self.session_mut(id);
        session.link = Link::Lost { since: now, away: false };
        session.end_wait(now);
        let (owner, room) = (session.owner.id, session.room());
        self.connections.remove(&connection);
        let of_owner = self.connections_by_owner.get_mut(&owner).expect("each is counted");
        *of_owner -= 1;
        if *of_owner == 0 {
            self.connections_by_owner.remove(&owner);
        }
        // What it was told last may have been lost with the connection.
        if let Some(room_id) = room {
            let own = self.seat_of(id, room_id);
            let room = self.rooms.get_mut(&room_id).expect("who has a seat is in a room");
            room.seats[own].told = None;
        }
    }
}
