//! Leaving a room, what that does to the partner, and how rooms close.

use std::time::{Duration, Instant};

use shared::{
    id::{RoomId, SessionId},
    message::CloseReason,
};

use super::{Leaving, Lobby, Member, News, Report, deadlines::Subject, session::State};

impl Lobby {
    /// Leaves a room, and blocks or reports the partner. Answered whatever the room is, so that
    /// it can be repeated until the answer has come through.
    pub(super) fn leave(&mut self, now: Instant, id: SessionId, leaving: Leaving) {
        let Leaving { room, block, report, .. } = leaving;
        let own = Member { session: id, owner: self.session(id).owner };
        let partner = self.partner_in(id, &leaving);
        let mut blocked = None;
        if let Some(partner) = partner {
            if let Some(category) = report {
                let messages = self.rooms.get(&room).map(|room| room.messages);
                self.reports.note(own, Report { category, room, messages });
            }
            if block {
                self.relations.block(own.owner, partner.owner);
                blocked = Some(partner.owner);
            }
            // Also a room that this lobby never knew: the partner may still claim it.
            self.bury(room, [own, partner]);
        }
        self.tell(id, News::Left { room, blocked });
        if self.session(id).room() == Some(room) {
            self.leave_room(now, id);
        }
    }

    /// Takes it out of the room that it is in, if it is in one; the partner is told that it left.
    pub(super) fn leave_room(&mut self, now: Instant, id: SessionId) {
        let Some(room) = self.session(id).room() else { return };
        self.session_mut(id).state = State::Idle;
        let place_kept = self.keep_place(now, room, 1 - self.seat_of(id, room));
        self.close(now, room, CloseReason::Left, place_kept);
    }

    /// Keeps the place of the one in this seat, if its partner leaves at once and without a word.
    fn keep_place(&mut self, now: Instant, room: RoomId, seat: usize) -> Option<Duration> {
        let room = &self.rooms[&room];
        let [left, leaver] = [&room.seats[seat], &room.seats[1 - seat]];
        let kept_for = self.config.place_kept.filter(|_| room.is_new(now))?;
        let kept = left.entered.clone().filter(|_| !leaver.has_spoken())?;
        let Member { session, owner } = left.member;
        self.kept_places.keep(now, kept_for, (owner, session), kept).then_some(kept_for)
    }

    /// Closes a room for good, for each member that is still in it.
    pub(super) fn close_room(&mut self, now: Instant, room: RoomId, reason: CloseReason) {
        self.close(now, room, reason, None);
    }

    fn close(
        &mut self,
        now: Instant,
        room_id: RoomId,
        reason: CloseReason,
        place_kept: Option<Duration>,
    ) {
        let room = self.rooms.remove(&room_id).expect("only an open room is closed");
        self.deadlines.forget(Subject::Room(room_id));
        let members = room.seats.map(|seat| seat.member);
        self.bury(room_id, members);
        self.relations.note_meeting(now, members[0].owner, members[1].owner);
        for Member { session: id, .. } in members {
            let session = self.session_mut(id);
            if session.room() != Some(room_id) {
                continue;
            }
            session.state = State::Idle;
            session.was_told_of_place = place_kept.is_some();
            self.tell(id, News::Closed { room: room_id, reason, place_kept });
        }
    }

    /// Remembers that a room is closed, for both accounts: an account with many of them cannot push
    /// out those of an account with fewer.
    pub(super) fn bury(&mut self, room: RoomId, members: [Member; 2]) {
        for member in members {
            self.tombstones.insert(member.owner.uid, room);
        }
    }

    pub(super) fn is_buried(&self, room: RoomId, members: [Member; 2]) -> bool {
        members.iter().any(|member| self.tombstones.contains(member.owner.uid, room))
    }

    /// The other member of a room that this session is in, or was by its descriptor.
    fn partner_in(&self, id: SessionId, leaving: &Leaving) -> Option<Member> {
        let members = match self.rooms.get(&leaving.room) {
            Some(room) => room.descriptor(leaving.room).members,
            None => leaving.descriptor.filter(|claim| claim.room == leaving.room)?.members,
        };
        match members {
            [own, partner] | [partner, own] if own.session == id => Some(partner),
            [_, _] => None,
        }
    }
}
