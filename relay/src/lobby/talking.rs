//! Messages, acknowledgements, attention, and what partners are told of each other's presence.

use std::{collections::BTreeMap, mem, time::Instant};

use shared::{
    id::{RoomId, SessionId},
    limits::WINDOW_MESSAGES,
};

use super::{
    DisconnectReason, Effect, Lobby, News,
    deadlines::Subject,
    queue::{Candidate, Place},
    room::Room,
    session::State,
};

impl Lobby {
    pub(super) fn message(&mut self, now: Instant, id: SessionId, room_id: RoomId, seq: u64) {
        let Some((room, seat)) = seat_in(&mut self.rooms, room_id, id) else { return };
        let partner = room.seats[1 - seat].member.session;
        let is_new = !room.seats[seat].has_sent(seq);
        // A message that was sent before costs nothing if it was asked for.
        if is_new || !room.seats[seat].repeats.take() {
            let session = self.sessions.get_mut(&id).expect("who has a seat is known");
            if !session.charge_message(now) {
                return self.disconnect(now, id, DisconnectReason::RateExceeded);
            }
            // Only a new one is the activity of a person.
            if is_new {
                room.note_message(now, seat);
                if session.note_activity(now) {
                    self.presence_changed(now, id);
                }
            }
        }
        if self.forward(partner) {
            self.messages += 1;
            // Once for the message, and once for its being handed to the client.
            self.seat_mut(partner, room_id).acks.grow(2);
        }
    }

    pub(super) fn acknowledge(&mut self, now: Instant, id: SessionId, room: RoomId, received: u64) {
        let Some((known, seat)) = seat_in(&mut self.rooms, room, id) else { return };
        if !known.seats[seat].acks.take() {
            return self.disconnect(now, id, DisconnectReason::RateExceeded);
        }
        self.pass_on_received(id, room, received);
    }

    fn pass_on_received(&mut self, id: SessionId, room_id: RoomId, received: u64) {
        let Some((room, seat)) = seat_in(&mut self.rooms, room_id, id) else { return };
        let partner = room.seats[1 - seat].member.session;
        let highest = &mut room.seats[seat].received;
        *highest = received.max(*highest);
        self.forward(partner);
    }

    pub(super) fn sync(&mut self, now: Instant, id: SessionId, room_id: RoomId, received: u64) {
        let Some((room, seat)) = seat_in(&mut self.rooms, room_id, id) else { return };
        if !room.seats[seat].syncs.take() {
            return self.disconnect(now, id, DisconnectReason::RateExceeded);
        }
        room.seats[1 - seat].repeats.grow(WINDOW_MESSAGES);
        self.pass_on_received(id, room_id, received);
    }

    pub(super) fn attend(&mut self, now: Instant, id: SessionId, open: bool, lapsed: bool) {
        let listening_for = self.config.listening_for;
        let session = self.session_mut(id);
        let was_open = mem::replace(&mut session.wait_open, open);
        if lapsed {
            // It has listened until now, whenever it was active last; or not at all since it came,
            // and its coming was no activity.
            if let Some(at) = now.checked_sub(listening_for) {
                let active_at = session.active_at;
                session.active_at = if was_open { active_at.max(at) } else { active_at.min(at) };
            }
            return self.age_session(now, now, id);
        }
        let is_back = self.session_mut(id).note_activity(now);
        self.presence_changed(now, id);
        if !(is_back && self.pair(now, id)) {
            self.tell_queued(id);
        }
    }

    /// Whether it listens only since then.
    pub(super) fn note_activity(&mut self, now: Instant, id: SessionId) -> bool {
        let is_back = self.session_mut(id).note_activity(now);
        if is_back {
            self.presence_changed(now, id);
        }
        is_back
    }

    /// Brings up to date what its queue or its partner knows of a session that came, went, listens
    /// or waits differently than before. It pairs nobody.
    pub(super) fn presence_changed(&mut self, now: Instant, id: SessionId) {
        let session = &self.sessions[&id];
        match &session.state {
            State::Idle => {}
            State::Waiting(waiting) => {
                let place = Place { ticket: waiting.ticket, session: id };
                let candidate = Candidate {
                    owner: session.owner,
                    robot: session.robot,
                    patient: waiting.patient,
                };
                let queue = self.queues.get_mut(&waiting.queue).expect("its queue exists");
                queue.update(place, candidate, session.availability());
            }
            State::Chatting(room_id) => {
                let room_id = *room_id;
                let partner = 1 - self.seat_of(id, room_id);
                self.tell_presence(now, room_id, partner);
            }
        }
        self.schedule(id);
    }

    /// Tells the one in this seat of its partner's presence, unless it knows.
    pub(super) fn tell_presence(&mut self, now: Instant, room_id: RoomId, seat: usize) {
        let room = &self.rooms[&room_id];
        let partner = self.session(room.seats[1 - seat].member.session);
        let (presence, unseen) = (partner.presence(), partner.unseen(now));
        let id = room.seats[seat].member.session;
        if self.session(id).connection().is_none() {
            return;
        }
        let room = self.rooms.get_mut(&room_id).expect("it was there just now");
        if room.seats[seat].takes_presence(now, presence) {
            self.tell(id, News::Partner { room: room_id, presence, unseen });
        } else if let Some(at) = room.deadline(&self.config) {
            self.deadlines.not_after(Subject::Room(room_id), at);
        }
    }

    pub(super) fn seat_of(&self, id: SessionId, room_id: RoomId) -> usize {
        let room = self.rooms.get(&room_id).expect("a room that somebody is in exists");
        room.seat_of(id).expect("who is in a room has a seat")
    }

    /// Passes on what came, if the partner is there.
    fn forward(&mut self, partner: SessionId) -> bool {
        self.perform(partner, Effect::Forward);
        self.session(partner).connection().is_some()
    }
}

/// The room, if this session is in it, and which seat it has.
fn seat_in(
    rooms: &mut BTreeMap<RoomId, Room>,
    room_id: RoomId,
    session: SessionId,
) -> Option<(&mut Room, usize)> {
    let room = rooms.get_mut(&room_id)?;
    let seat = room.seat_of(session)?;
    Some((room, seat))
}
