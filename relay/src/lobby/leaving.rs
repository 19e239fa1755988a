//! Leaving a room, what that does to the partner, and how rooms close.

use std::time::Instant;

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
        let session = self.session_mut(id);
        if let Some(room) = session.room() {
            session.state = State::Idle;
            self.close_room(now, room, CloseReason::Left);
        }
    }

    /// Closes a room for good, for each member that is still in it.
    pub(super) fn close_room(&mut self, now: Instant, room_id: RoomId, reason: CloseReason) {
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
            self.tell(id, News::Closed { room: room_id, reason });
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
