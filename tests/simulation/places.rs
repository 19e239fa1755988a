//! The reference of the queue: who had which place, who has it again, and who never meets.
//!
//! It sees what the lobby is told and what it says, and knows nothing of how that decides. Where it
//! cannot tell what is right, it asserts nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    time::Instant,
};

use relay::lobby::{Arrival, DisconnectReason, Effect, Event, Member, News, Opening, Owner};
use shared::{
    id::{RoomId, SessionId},
    limits::{LEFT_AT_ONCE, PLACE_KEPT, PLACE_KEPT_TIMES},
    message::CloseReason,
    text::fold_topic,
};

/// What is promised under one key, whatever relays come and go.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// The latest place that anybody was told of.
    latest: Option<Opening>,
    /// The queue of each place that a session was told of.
    queues: BTreeMap<(SessionId, Opening), String>,
    rooms: BTreeSet<RoomId>,
    /// Who has ever blocked whom, as far as any relay was told.
    pub(crate) ever_blocked: BTreeSet<(Owner, Owner)>,
    of_this_relay: OfThisRelay,
}

/// What the relay of now knows.
#[derive(Debug, Default)]
struct OfThisRelay {
    connected: BTreeSet<SessionId>,
    sessions: BTreeMap<SessionId, Known>,
    matches: BTreeMap<RoomId, Match>,
    kept: BTreeMap<(Owner, SessionId), Kept>,
    blocks: BTreeSet<(Owner, Owner)>,
    /// Somebody else has spoken for a session of theirs: it is not known what became of it.
    unclear: BTreeSet<Owner>,
}

#[derive(Debug, Default)]
struct Known {
    waits: Option<Place>,
    /// The ticket that it has just presented.
    presented: Option<Opening>,
    /// The latest place that it was matched from.
    spent: Option<Opening>,
    /// The place that was kept for it, until the next match.
    kept: Option<Opening>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// Not known of one who was matched without having waited.
    opening: Option<Opening>,
    queue: String,
    /// How often it was kept, if that is known.
    times: Option<u32>,
}

#[derive(Debug)]
struct Match {
    at: Instant,
    members: Vec<(Member, Place)>,
    spoken: BTreeSet<SessionId>,
}

#[derive(Debug)]
struct Kept {
    until: Instant,
    place: Place,
}

impl Places {
    /// The places that a session was told of, and for which queue.
    pub(crate) fn places_of(&self, session: SessionId) -> Vec<(Opening, String)> {
        let first = (session, Opening { epoch: 0, number: 0 });
        let places = self.queues.range(first..).take_while(|((of, _), _)| *of == session);
        places.map(|((_, place), queue)| (*place, queue.clone())).collect()
    }

    /// The key is lost: what was vouched for under it counts no more.
    pub(crate) fn key_is_lost(&mut self) {
        let ever_blocked = mem::take(&mut self.ever_blocked);
        *self = Self { ever_blocked, ..Self::default() };
    }

    /// The relay is gone; the next knows nothing but the key.
    pub(crate) fn relay_is_gone(&mut self) {
        self.of_this_relay = OfThisRelay::default();
    }

    /// What the lobby is about to be told, by this session if it is of one.
    pub(crate) fn event(&mut self, now: Instant, from: Option<Member>, event: &Event) {
        match event {
            Event::Message { room, .. } => {
                let found = self.of_this_relay.matches.get_mut(room);
                if let (Some(found), Some(from)) = (found, from) {
                    found.spoken.insert(from.session);
                }
            }
            Event::EnterQueue(_, ticket, _, blocks) => self.seeks(from, *ticket, blocks),
            Event::Next(_, leaving, _, blocks) => {
                self.seeks(from, None, blocks);
                self.leaves(now, from, leaving.as_ref().map(|leaving| leaving.room));
            }
            Event::Leave(_, leaving) => self.leaves(now, from, Some(leaving.room)),
            Event::LeaveQueue(_) => {
                if let Some(from) = from {
                    self.known(from).waits = None;
                }
            }
            Event::Arrived(_, arrival) => {
                let from = arrival.session.map(|session| Member { session, owner: arrival.owner });
                let ticket = arrival.queue.as_ref().and_then(|(ticket, _)| *ticket);
                let blocks = arrival.blocks.iter().map(|blocked| (arrival.owner, *blocked));
                self.of_this_relay.blocks.extend(blocks.clone());
                self.ever_blocked.extend(blocks);
                self.seeks(from, ticket, &[]);
                for leaving in &arrival.leaving {
                    self.leaves(now, from, Some(leaving.room));
                }
                self.claims(now, from, arrival);
                if let (Some(from), None) = (from, &arrival.queue) {
                    self.known(from).waits = None;
                }
            }
            Event::Slept(duration) => {
                let matches = self.of_this_relay.matches.values_mut();
                matches.for_each(|found| found.at = now.min(found.at + *duration));
                let kept = self.of_this_relay.kept.values_mut();
                kept.for_each(|kept| kept.until += *duration);
            }
            Event::Gone(_) => {
                if let Some(from) = from {
                    self.of_this_relay.connected.remove(&from.session);
                }
            }
            Event::Ack { .. }
            | Event::Sync { .. }
            | Event::Attention { .. }
            | Event::Refresh(_)
            | Event::Drain
            | Event::Tick => {}
        }
    }

    /// What the lobby says to a session.
    pub(crate) fn effect(&mut self, now: Instant, to: Member, effect: &Effect) {
        match effect {
            Effect::Welcome { .. } => drop(self.of_this_relay.connected.insert(to.session)),
            Effect::Disconnect(DisconnectReason::Superseded) | Effect::Forward => {}
            Effect::Disconnect(_) => drop(self.of_this_relay.connected.remove(&to.session)),
            Effect::Tell(News::Queued { topic, ticket, .. }) => {
                self.queued(now, to, fold_topic(topic), *ticket);
            }
            Effect::Tell(News::Paired { descriptor, topic, .. }) => {
                if self.rooms.contains(&descriptor.room)
                    && !self.of_this_relay.matches.contains_key(&descriptor.room)
                {
                    self.known(to).waits = None;
                    return;
                }
                self.matched(now, to, descriptor.room, fold_topic(topic));
            }
            Effect::Tell(News::Closed { room, reason, place_kept }) => {
                if *reason == CloseReason::Left {
                    self.left(now, to, *room, Some(place_kept.is_some()));
                }
                self.of_this_relay.matches.remove(room);
            }
            Effect::Tell(News::Dequeued(_)) => self.known(to).waits = None,
            Effect::Tell(News::Left { blocked, .. }) => {
                let blocked = blocked.map(|blocked| (to.owner, blocked));
                self.of_this_relay.blocks.extend(blocked);
                self.ever_blocked.extend(blocked);
            }
            Effect::Tell(News::Sync { .. } | News::Partner { .. } | News::Refused(_)) => {}
        }
    }

    fn known(&mut self, of: Member) -> &mut Known {
        self.of_this_relay.sessions.entry(of.session).or_default()
    }

    /// It looks for a partner, with this ticket, if any.
    fn seeks(&mut self, from: Option<Member>, ticket: Option<Opening>, blocks: &[Owner]) {
        let Some(from) = from else { return };
        self.known(from).presented = ticket;
        let blocks = blocks.iter().map(|blocked| (from.owner, *blocked));
        self.of_this_relay.blocks.extend(blocks.clone());
        self.ever_blocked.extend(blocks);
    }

    /// It says that it leaves this room. A partner that is there is told; of one that is not, this
    /// is all that can be known.
    fn leaves(&mut self, now: Instant, from: Option<Member>, room: Option<RoomId>) {
        let (Some(from), Some(room)) = (from, room) else { return };
        let Some(found) = self.of_this_relay.matches.get(&room) else { return };
        let mut members = found.members.iter().map(|(member, _)| *member);
        if members.clone().any(|member| member == from)
            && let Some(partner) = members.find(|member| *member != from)
            && !self.of_this_relay.connected.contains(&partner.session)
        {
            self.left(now, partner, room, None);
            self.of_this_relay.matches.remove(&room);
        }
    }

    /// It comes back, and says where it is. If it was matched into another room, it has left that;
    /// if it says that it is in one that is not known, what becomes of the two is not known either.
    fn claims(&mut self, now: Instant, from: Option<Member>, arrival: &Arrival) {
        let Some(from) = from else { return };
        let claimed = arrival.room.as_ref().map(|room| room.room);
        let matches = self.of_this_relay.matches.iter();
        let others = matches.filter(|(id, found)| {
            Some(**id) != claimed && found.members.iter().any(|(member, _)| *member == from)
        });
        for other in others.map(|(id, _)| *id).collect::<Vec<_>>() {
            match (claimed, &arrival.queue) {
                (None, None) => self.leaves(now, Some(from), Some(other)),
                // It did not hear of the match, and will.
                (None, Some(_)) => {}
                (Some(_), _) => {
                    if let Some(found) = self.of_this_relay.matches.remove(&other) {
                        let owners = found.members.iter().map(|(member, _)| member.owner);
                        self.of_this_relay.unclear.extend(owners);
                    }
                }
            }
        }
    }

    /// The partner of this one has left. `is_told`: whether it was told that its place is kept.
    fn left(&mut self, now: Instant, who: Member, room: RoomId, is_told: Option<bool>) {
        let Some(found) = self.of_this_relay.matches.get(&room) else { return };
        let place = found.members.iter().find(|(member, _)| *member == who);
        let Some((_, place)) = place.cloned() else { return };
        let partner = found.members.iter().map(|(member, _)| member.session);
        let has_spoken =
            partner.filter(|id| *id != who.session).any(|id| found.spoken.contains(&id));
        let is_new = now.saturating_duration_since(found.at) <= LEFT_AT_ONCE;
        let can_be = is_new && !has_spoken;
        let is_due = match place.times {
            Some(times) => can_be && times < PLACE_KEPT_TIMES,
            None => is_told.unwrap_or(can_be),
        };
        assert!(is_told.is_none_or(|told| told == is_due), "{room:?}: {place:?} kept: {is_told:?}");
        if is_due {
            let kept = Kept { until: now + PLACE_KEPT, place };
            self.of_this_relay.kept.insert((who.owner, who.session), kept);
        }
    }

    /// It is told that it waits.
    fn queued(&mut self, now: Instant, who: Member, queue: String, ticket: Opening) {
        let known = self.known(who);
        let presented = mem::take(&mut known.presented);
        let (waits, spent, kept_place) = (known.waits.take(), known.spent, known.kept);
        let is_unclear = self.of_this_relay.unclear.contains(&who.owner);
        let is_same = |place: &Place| place.queue == queue && place.opening == Some(ticket);
        let times = if let Some(place) = waits.filter(is_same) {
            place.times
        } else if presented == Some(ticket)
            && (spent < presented || kept_place == presented || is_unclear)
        {
            Some(0)
        } else if let Some(kept) = self.take_kept(now, who, &queue) {
            let is_it = kept.opening.is_none_or(|opening| opening == ticket);
            assert!(is_it || is_unclear, "{kept:?} was kept, and now it is {ticket:?}");
            self.known(who).kept = Some(ticket);
            kept.times.map(|times| times + 1)
        } else {
            assert!(self.latest < Some(ticket) || is_unclear, "{ticket:?} is no new place");
            Some(0)
        };
        let other = self.queues.insert((who.session, ticket), queue.clone());
        assert!(other.is_none_or(|other| other == queue), "{ticket:?} is good for another topic");
        self.known(who).waits = Some(Place { opening: Some(ticket), queue, times });
        self.latest = self.latest.max(Some(ticket));
    }

    /// It is told of a match.
    fn matched(&mut self, now: Instant, who: Member, room: RoomId, queue: String) {
        self.rooms.insert(room);
        let of_this_relay = &self.of_this_relay;
        let known = of_this_relay.matches.get(&room);
        if known.is_some_and(|found| found.members.iter().any(|(member, _)| *member == who)) {
            return;
        }
        let known = self.known(who);
        let (waits, presented) = (known.waits.take(), known.presented.take());
        let waits = waits.filter(|place| place.queue == queue);
        let place = match (waits, presented) {
            (Some(place), _) => place,
            // Whether the ticket was good cannot be seen, nor whether it took what was kept.
            (None, Some(_)) => {
                let kept = self.of_this_relay.kept.iter_mut();
                for (_, kept) in kept.filter(|((owner, _), _)| *owner == who.owner) {
                    (kept.place.opening, kept.place.times) = (None, None);
                }
                Place { opening: None, queue, times: None }
            }
            (None, None) => match self.take_kept(now, who, &queue) {
                Some(kept) => Place { times: kept.times.map(|times| times + 1), ..kept },
                None => Place { opening: None, queue, times: Some(0) },
            },
        };
        let known = self.known(who);
        known.spent = known.spent.max(place.opening);
        known.kept = None;
        let spoken = BTreeSet::new();
        let found = self.of_this_relay.matches.entry(room);
        let found = found.or_insert(Match { at: now, members: Vec::new(), spoken });
        found.members.push((who, place));
        if let [(one, _), (other, _)] = &found.members[..] {
            let blocks = &self.of_this_relay.blocks;
            let [one, other] = [one.owner, other.owner];
            let is_barred = blocks.contains(&(one, other)) || blocks.contains(&(other, one));
            assert!(!is_barred, "{one:?} and {other:?} met after a block");
        }
    }

    /// As the relay does: the session's own, or else another of its owner.
    fn take_kept(&mut self, now: Instant, who: Member, queue: &str) -> Option<Place> {
        let kept = &self.of_this_relay.kept;
        let is_good = |kept: &Kept| now < kept.until && kept.place.queue == queue;
        let own = (who.owner, who.session);
        let is_own = kept.get(&own).is_some_and(is_good);
        let mut of_owner = kept.iter().filter(|((owner, _), _)| *owner == who.owner);
        let other = of_owner.find(|(_, kept)| is_good(kept)).map(|(whose, _)| *whose);
        let whose = if is_own { own } else { other? };
        self.of_this_relay.kept.remove(&whose).map(|kept| kept.place)
    }
}
