//! Waiting for a partner and finding one.

use std::{mem, time::Instant};

use shared::{
    id::{RoomId, SessionId},
    message::DequeueReason,
    text::{DEFAULT_TOPIC, fold_topic},
};

use super::{
    DisconnectReason, Leaving, Lobby, Member, News, Opening, Refusal, Seeking,
    deadlines::Subject,
    entering::Entered,
    queue::{Candidate, Place, Queue},
    relations::Relation,
    room::{Room, Seat},
    session::{State, Waiting},
};

impl Lobby {
    pub(super) fn enter_queue(
        &mut self,
        now: Instant,
        id: SessionId,
        ticket: Option<Opening>,
        seeking: Seeking,
    ) {
        let is_back = self.note_activity(now, id);
        match self.session(id).room() {
            Some(room) => {
                self.offer(id, room, seeking);
            }
            None => self.seek(now, id, ticket, seeking, is_back),
        }
    }

    pub(super) fn leave_queue(&mut self, id: SessionId) {
        self.dequeue(id);
        self.tell(id, News::Dequeued(DequeueReason::Left));
    }

    pub(super) fn next(
        &mut self,
        now: Instant,
        id: SessionId,
        leaving: Option<Leaving>,
        seeking: Seeking,
    ) {
        let session = self.session_mut(id);
        // Its client takes the relay at its word, whatever has become of the place.
        let is_free = mem::take(&mut session.was_told_of_place) && session.room().is_none();
        if !is_free && session.next_bucket.charge(now).is_err() {
            return self.disconnect(now, id, DisconnectReason::RateExceeded);
        }
        if let Some(leaving) = leaving {
            self.leave(now, id, leaving);
        }
        self.enter_queue(now, id, None, seeking);
    }

    /// Pairs it, or gives it a place: the one it has, if it waits for the same topic already, else
    /// the one of the ticket, else the one that was kept for it, else the last. `is_back`: it can be
    /// matched with others than before.
    pub(super) fn seek(
        &mut self,
        now: Instant,
        id: SessionId,
        ticket: Option<Opening>,
        seeking: Seeking,
        is_back: bool,
    ) {
        let taken = self.take_place(now, id, ticket, seeking);
        if let Err(refusal) = taken {
            self.tell(id, News::Refused(refusal));
        }
        // Also after a refusal: it may still wait where it was, and listen only now.
        let is_matched = (is_back || taken == Ok(true)) && self.pair(now, id);
        if !is_matched && taken.is_ok() {
            self.tell_queued(id);
        }
    }

    /// Whether the place is new.
    fn take_place(
        &mut self,
        now: Instant,
        id: SessionId,
        ticket: Option<Opening>,
        seeking: Seeking,
    ) -> Result<bool, Refusal> {
        let queue = fold_topic(&seeking.topic);
        if let Some(waiting) = self.session_mut(id).waiting_mut()
            && waiting.queue == queue
        {
            waiting.seeking = seeking;
            return Ok(false);
        }
        // Who is paired at once takes no place.
        if let Err(refusal) = self.admission(id, &queue)
            && !self.finds_partner(now, id, &queue)
        {
            return Err(refusal);
        }
        let entered = self.place_to_enter(now, id, ticket, queue)?;
        self.dequeue(id);
        self.session_mut(id).tickets.keep(entered.place);
        self.enqueue(now, id, entered, seeking);
        Ok(true)
    }

    /// Only the last place costs anything.
    fn place_to_enter(
        &mut self,
        now: Instant,
        id: SessionId,
        ticket: Option<Opening>,
        queue: String,
    ) -> Result<Entered, Refusal> {
        if let Some(place) = ticket.filter(|ticket| self.session(id).tickets.are_good(*ticket)) {
            return Ok(Entered { place, queue, kept_times: 0 });
        }
        if let Some(whose) = self.kept_place(now, id, &queue) {
            let kept = self.kept_places.take((self.session(id).owner, whose));
            let kept = kept.expect("what is found is there");
            return Ok(Entered { kept_times: kept.kept_times + 1, ..kept });
        }
        self.charge_entering(now, id)?;
        self.tickets += 1;
        let place = Opening { epoch: self.config.epoch, number: self.tickets };
        Ok(Entered { place, queue, kept_times: 0 })
    }

    /// The session of this owner for which a place in this queue is kept.
    fn kept_place(&self, now: Instant, id: SessionId, queue: &str) -> Option<SessionId> {
        self.kept_places.find(now, (self.session(id).owner, id), queue)
    }

    fn charge_entering(&mut self, now: Instant, id: SessionId) -> Result<(), Refusal> {
        let owner = self.session(id).owner;
        let waits = [
            self.session(id).enter_bucket.wait(now),
            self.entered_by_owner.wait(now, owner),
            self.entered_by_account.wait(now, owner.uid),
        ];
        if let Some(longest) = waits.into_iter().flatten().max() {
            return Err(Refusal::TooOften(longest));
        }
        let _has_one = self.session_mut(id).enter_bucket.charge(now);
        self.entered_by_owner.charge(now, owner);
        self.entered_by_account.charge(now, owner.uid);
        Ok(())
    }

    /// Whether a partner waits in this queue that it would be paired with at once.
    fn finds_partner(&self, now: Instant, id: SessionId, queue: &str) -> bool {
        let availability = self.session(id).availability();
        let candidate = self.new_candidate(id);
        let relation = |one, other| self.relations.between(now, one, other);
        self.can_pair()
            && self
                .queues
                .get(queue)
                .is_some_and(|queue| queue.first_for(candidate, availability, relation).is_some())
    }

    fn new_candidate(&self, id: SessionId) -> Candidate {
        let session = self.session(id);
        let patient = self.config.match_wait.is_zero();
        Candidate { owner: session.owner, robot: session.robot, patient }
    }

    fn can_pair(&self) -> bool {
        !self.draining && self.pairing_from.is_none()
    }

    fn enqueue(&mut self, now: Instant, id: SessionId, entered: Entered, seeking: Seeking) {
        let Entered { place: ticket, queue, kept_times } = entered;
        let candidate = self.new_candidate(id);
        let uid = candidate.owner.uid;
        let availability = self.session(id).availability();
        let of_topic =
            self.queues.entry(queue.clone()).or_insert_with(|| Queue::new(queue == DEFAULT_TOPIC));
        of_topic.add(Place { ticket, session: id }, candidate, availability);
        if of_topic.places_of(uid) == 1 {
            self.count_topic(uid, &queue, |topics| *topics += 1);
        }
        self.session_mut(id).was_told_of_place = false;
        let patient = candidate.patient;
        let waiting = Waiting { seeking, queue, ticket, kept_times, since: now, patient };
        self.session_mut(id).state = State::Waiting(waiting);
        self.schedule(id);
    }

    /// Takes it out of the queue that it is in, if that is another than the one of this topic.
    pub(super) fn dequeue_from_other(&mut self, id: SessionId, topic: &str) {
        if self.session(id).waiting().is_some_and(|waiting| waiting.queue != fold_topic(topic)) {
            self.dequeue(id);
        }
    }

    /// Gives up its place, if it has one. The ticket is spent.
    pub(super) fn dequeue(&mut self, id: SessionId) -> Option<Waiting> {
        let waiting = self.take_out(id)?;
        self.session_mut(id).tickets.spend(waiting.ticket);
        Some(waiting)
    }

    /// Takes it out of the queue that it is in, if it is in one. It may come back with its ticket.
    pub(super) fn take_out(&mut self, id: SessionId) -> Option<Waiting> {
        let session = self.session_mut(id);
        let state = mem::replace(&mut session.state, State::Idle);
        let owner = session.owner;
        let State::Waiting(waiting) = state else {
            session.state = state;
            return None;
        };
        let queue = self.queues.get_mut(&waiting.queue).expect("who waits has a queue");
        queue.remove(Place { ticket: waiting.ticket, session: id }, owner);
        let was_last_of_account = queue.places_of(owner.uid) == 0;
        if queue.is_empty() {
            self.queues.remove(&waiting.queue);
        }
        if was_last_of_account {
            self.count_topic(owner.uid, &waiting.queue, |topics| *topics -= 1);
        }
        Some(waiting)
    }

    /// Pairs a session that waits, and for which something has changed, with the earliest who
    /// suits. All others have been looked at before: no two of them suit each other.
    pub(super) fn pair(&mut self, now: Instant, id: SessionId) -> bool {
        let waiting = self.session(id).waiting().filter(|_| self.can_pair());
        let Some(waiting) = waiting else { return false };
        let place = Place { ticket: waiting.ticket, session: id };
        let partner = self.queues[&waiting.queue]
            .partner_for(place, |one, other| self.relations.between(now, one, other));
        let Some(partner) = partner else { return false };
        self.open_room(now, [place.min(partner).session, place.max(partner).session]);
        true
    }

    fn open_room(&mut self, now: Instant, sessions: [SessionId; 2]) {
        let room_id = RoomId::from_bytes(self.new_id());
        let seats = sessions.map(|session| {
            let waiting = self.dequeue(session).expect("who is paired has waited");
            let Waiting { seeking, queue, ticket: place, kept_times, .. } = waiting;
            let member = Member { session, owner: self.session(session).owner };
            let entered = Some(Entered { place, queue, kept_times });
            let mut seat = Seat::new(member, Some(seeking));
            seat.entered = entered;
            seat
        });
        let [one, two] = [seats[0].member.owner, seats[1].member.owner];
        debug_assert_ne!(self.relations.between(now, one, two), Relation::Same);
        let met_before = self.relations.have_met(one, two);
        self.rooms_opened += 1;
        let opened = Opening { epoch: self.config.epoch, number: self.rooms_opened };
        let room = Room::new(now, seats, opened, met_before).matched(now);
        self.furnish(now, room_id, room);
        self.tell_paired(room_id, 0);
        self.tell_paired(room_id, 1);
    }

    /// Puts both members into a room that is new to this lobby.
    pub(super) fn furnish(&mut self, now: Instant, room_id: RoomId, room: Room) {
        let [one, two] = room.descriptor(room_id).members;
        self.relations.note_meeting(now, one.owner, two.owner);
        if let Some(at) = room.deadline(&self.config) {
            self.deadlines.not_after(Subject::Room(room_id), at);
        }
        let known = self.rooms.insert(room_id, room);
        assert!(known.is_none(), "a room id is never given twice");
        for member in [one, two] {
            self.session_mut(member.session).state = State::Chatting(room_id);
        }
    }

    /// Tells a session of a room that its client may not know. Returns whether it could be told: if
    /// nobody knows its partner's name, that waits until the partner is back.
    pub(super) fn offer(&mut self, id: SessionId, room: RoomId, seeking: Seeking) -> bool {
        let seat = self.seat_mut(id, room);
        seat.attached = false;
        let name = seat.seeking.clone().unwrap_or(seeking);
        self.take_name(id, room, name);
        self.tell_paired(room, self.seat_of(id, room));
        self.seat_mut(id, room).attached
    }

    /// Takes note of a member's name, which its partner may have waited for.
    pub(super) fn take_name(&mut self, id: SessionId, room: RoomId, seeking: Seeking) {
        self.seat_mut(id, room).seeking = Some(seeking);
        let partner = 1 - self.seat_of(id, room);
        if !self.rooms[&room].seats[partner].attached {
            self.tell_paired(room, partner);
        }
    }

    /// Tells the one in this seat, if it is there, of room and partner.
    pub(super) fn tell_paired(&mut self, room_id: RoomId, seat: usize) {
        let room = &self.rooms[&room_id];
        let [own, other] = [&room.seats[seat], &room.seats[1 - seat]];
        let id = own.member.session;
        if self.session(id).connection().is_none() {
            return;
        }
        // A session whose partner has not come back knows the room already, and the partner's name.
        let Some(partner) = &other.seeking else { return };
        let presence = self.session(other.member.session).presence();
        let paired = News::Paired {
            descriptor: room.descriptor(room_id),
            seat: if seat == 0 { 1 } else { 2 },
            topic: own.seeking.as_ref().unwrap_or(partner).topic.clone(),
            display_name: partner.display_name.clone(),
            presence,
            met_before: room.met_before,
        };
        self.tell(id, paired);
        let room = self.rooms.get_mut(&room_id).expect("it was there just now");
        room.seats[seat].told = Some(presence);
        room.seats[seat].attached = true;
    }

    pub(super) fn tell_queued(&mut self, id: SessionId) {
        let session = self.session(id);
        let Some(waiting) = session.waiting() else { return };
        let place = Place { ticket: waiting.ticket, session: id };
        let numbers = self.queues[&waiting.queue].numbers(place, session.owner);
        let (topic, ticket) = (waiting.seeking.topic.clone(), waiting.ticket);
        self.tell(id, News::Queued { topic, numbers, ticket });
    }
}
