//! Connections that come and go, and what a session takes up again with a new one.

use std::time::Instant;

use shared::{
    id::{RoomId, SessionId},
    limits::WINDOW_MESSAGES,
    message::CloseReason,
};

use super::{
    Arrival, ClaimedRoom, ConnectionId, DisconnectReason, Effect, Lobby, Member, News,
    RoomDescriptor,
    room::{Room, Seat},
    session::{Contact, Session, State},
};

impl Lobby {
    pub(super) fn arrive(&mut self, now: Instant, connection: ConnectionId, arrival: Arrival) {
        if self.connections.contains_key(&connection) {
            return;
        }
        let Arrival { owner, session, room, queue, leaving, blocks, robot } = arrival;
        // Ids of other owners are not taken on anybody's word.
        let claimed = session.filter(|id| self.sessions.get(id).is_none_or(|s| s.owner == owner));
        let id = claimed.unwrap_or_else(|| SessionId::from_bytes(self.new_id()));
        if let Some(session) = self.sessions.get_mut(&id) {
            if session.arrivals.charge(now).is_err() {
                let reason = Effect::Disconnect(DisconnectReason::RateExceeded);
                self.effects.push((connection, reason));
                return;
            }
            let older = session.connection();
            self.relations.block_all(owner, blocks);
            if let Some(older) = older {
                self.perform(id, Effect::Disconnect(DisconnectReason::Superseded));
                self.unbind(now, id, older);
            }
        } else {
            let contact = Contact::Connected(connection);
            let new = Session::new(now, owner, contact, &self.config);
            let admitted = self.admit(now, id, new);
            if self.sessions_by_owner.contains_key(&owner) {
                self.relations.block_all(owner, blocks);
            }
            if let Err(reason) = admitted {
                self.effects.push((connection, Effect::Disconnect(reason)));
                return;
            }
        }
        self.session_mut(id).robot = robot;
        self.bind(id, connection);
        self.perform(id, Effect::Welcome { session: id, resumed: claimed.is_some() });

        for leaving in leaving {
            self.leave(now, id, leaving);
        }
        match (room, queue, self.session(id).room()) {
            (Some(claim), _, _) => {
                if !self.attach(now, id, claim) {
                    self.leave_room(now, id);
                    self.dequeue(id);
                }
            }
            // It asked for a partner and has not yet heard that there is one.
            (None, Some((_, seeking)), Some(room)) => {
                if self.offer(id, room, seeking) {
                    self.take_seat(now, id, room, 0);
                }
            }
            // It has left, and was lost before it could say so.
            (None, None, Some(_)) => self.leave_room(now, id),
            (None, Some((ticket, seeking)), None) => {
                // The place that it does not claim is none of its wishes any more.
                self.dequeue_from_other(id, &seeking.topic);
                self.presence_changed(now, id);
                self.seek(now, id, ticket, seeking, true);
            }
            (None, None, None) => {
                self.dequeue(id);
            }
        }
        self.schedule(id);
    }

    /// Puts a session back into the room that it says it is in; if that cannot be, it is told.
    ///
    /// A room that only an earlier relay knew is open again with the first good claim. It takes in
    /// the partner that the token names, even one that knows nothing of the room but its place in
    /// the queue; one that has not come back has the grace to do so.
    fn attach(&mut self, now: Instant, id: SessionId, claim: ClaimedRoom) -> bool {
        let ClaimedRoom { room, descriptor, received, seeking } = claim;
        let is_in_it = self.session(id).room() == Some(room);
        if let Err(reason) = if is_in_it { Ok(()) } else { self.reopen(now, id, room, descriptor) }
        {
            let whose = (self.session(id).owner, id);
            let place_kept = self.kept_places.left(now, whose);
            let place_kept = place_kept.filter(|_| reason == CloseReason::Left);
            self.session_mut(id).was_told_of_place = place_kept.is_some();
            self.tell(id, News::Closed { room, reason, place_kept });
            return false;
        }
        self.take_name(id, room, seeking);
        self.take_seat(now, id, room, received);
        true
    }

    /// Opens a room again that an earlier relay had opened.
    fn reopen(
        &mut self,
        now: Instant,
        id: SessionId,
        room: RoomId,
        descriptor: Option<RoomDescriptor>,
    ) -> Result<(), CloseReason> {
        let own = Member { session: id, owner: self.session(id).owner };
        let claim = descriptor.filter(|claim| claim.room == room).ok_or(CloseReason::RelayLost)?;
        let partner = match claim.members {
            [one, two] if one == own => two,
            [one, two] if two == own => one,
            [_, _] => return Err(CloseReason::RelayLost),
        };
        if self.is_buried(room, claim.members) {
            return Err(CloseReason::Left);
        }
        if let Some(known) = self.sessions.get(&partner.session) {
            let elsewhere = known.room().is_some_and(|other| !self.yields(partner, other, &claim));
            if known.owner != partner.owner || elsewhere {
                self.bury(room, claim.members);
                return Err(CloseReason::RelayLost);
            }
        } else {
            let contact = Contact::Lost { since: now, away: false };
            let session = Session::new(now, partner.owner, contact, &self.config);
            if self.admit(now, partner.session, session).is_err() {
                self.bury(room, claim.members);
                return Err(CloseReason::RelayLost);
            }
        }
        for member in [own, partner] {
            if let Some(other) = self.session(member.session).room() {
                self.session_mut(member.session).state = State::Idle;
                self.close_room(now, other, CloseReason::RelayLost);
            }
        }
        let seats = claim.members.map(|member| {
            let waiting = self.take_out(member.session);
            Seat::new(member, waiting.map(|waiting| waiting.seeking))
        });
        self.furnish(now, room, Room::new(now, seats, claim.opened, false));
        self.schedule(partner.session);
        Ok(())
    }

    /// Whether a member that was only named in the room that it is in belongs to the claimed one
    /// rather: it has not said so itself, and the claimed one was opened later.
    fn yields(&self, member: Member, room: RoomId, claim: &RoomDescriptor) -> bool {
        let seat = &self.rooms[&room].seats[self.seat_of(member.session, room)];
        !seat.attached && self.rooms[&room].opened < claim.opened
    }

    /// It is back in its room: each side sends again what the other has not taken.
    fn take_seat(&mut self, now: Instant, id: SessionId, room_id: RoomId, received: u64) {
        let own = self.seat_of(id, room_id);
        let room = self.rooms.get_mut(&room_id).expect("who has a seat is in a room");
        if !room.seats[own].attached {
            let before = &mut room.seats[1 - own].before;
            *before = received.max(*before);
        }
        room.seats[own].arrived(received);
        for seat in &mut room.seats {
            seat.repeats.grow(WINDOW_MESSAGES);
        }
        let [to_own, to_partner] = [room.seats[1 - own].received, received];
        let partner = room.seats[1 - own].member.session;
        for (session, received) in [(id, to_own), (partner, to_partner)] {
            self.tell(session, News::Sync { room: room_id, received });
        }
        self.presence_changed(now, id);
        self.tell_presence(now, room_id, own);
    }

    pub(super) fn seat_mut(&mut self, id: SessionId, room_id: RoomId) -> &mut Seat {
        let own = self.seat_of(id, room_id);
        let room = self.rooms.get_mut(&room_id).expect("who has a seat is in a room");
        &mut room.seats[own]
    }

    /// Makes anew what the client of this connection holds for coming back.
    pub(super) fn refresh(&mut self, id: SessionId) {
        self.perform(id, Effect::Welcome { session: id, resumed: true });
        match self.session(id).room() {
            Some(room) => self.tell_paired(room, self.seat_of(id, room)),
            None => self.tell_queued(id),
        }
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
            self.perform(id, Effect::Disconnect(reason));
            self.lose(now, connection);
        }
    }

    fn bind(&mut self, id: SessionId, connection: ConnectionId) {
        let session = self.session_mut(id);
        session.contact = Contact::Connected(connection);
        session.free_messages = WINDOW_MESSAGES;
        let owner = session.owner.id;
        self.connections.insert(connection, id);
        *self.connections_by_owner.entry(owner).or_default() += 1;
    }

    fn unbind(&mut self, now: Instant, id: SessionId, connection: ConnectionId) {
        let session = self.session_mut(id);
        session.contact = Contact::Lost { since: now, away: false };
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
            self.seat_mut(id, room_id).forget_told();
        }
    }
}
