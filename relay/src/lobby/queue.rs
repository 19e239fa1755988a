//! One queue: the sessions that wait in it, their order, and which of them suit each other.
//!
//! Only the order and the rules are here. Whether somebody listens or has waited long enough is
//! told to the queue whenever it changes, so that looking for a partner asks nobody else.

use std::collections::{BTreeMap, VecDeque};

use shared::id::SessionId;

use super::{
    event::{Numbers, Opening, Owner},
    relations::Relation,
};

/// A place in the order. The session is part of it because nothing else vouches that no two
/// sessions bring the same ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) ticket: Opening,
    pub(super) session: SessionId,
}

/// Who waits, as far as the rules ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) owner: Owner,
    /// It meets no other robot.
    pub(super) robot: bool,
    /// It has waited long enough for the waivers.
    pub(super) patient: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Availability {
    Listening,
    /// Connected, but not listening.
    Quiet,
    Unreachable,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    /// In a public queue one meets strangers: nobody is given a quiet one at once.
    public: bool,
    /// Sorted. A `VecDeque`, since the position in it is the rank.
    order: VecDeque<Place>,
    listening: BTreeMap<Place, Candidate>,
    quiet: BTreeMap<Place, Candidate>,
    by_owner: BTreeMap<Owner, Own>,
    /// How many places each account has, by user id.
    by_account: BTreeMap<u32, usize>,
}

/// The places of one owner. An owner may have many, and asks often.
#[derive(Debug, Default)]
struct Own {
    /// Sorted.
    places: Vec<Place>,
    listening: usize,
}

impl Queue {
    pub(super) fn new(public: bool) -> Self {
        Self { public, ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Places of this account.
    pub(super) fn places_of(&self, uid: u32) -> usize {
        self.by_account.get(&uid).copied().unwrap_or(0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.order.iter()
    }

    pub(super) fn add(&mut self, place: Place, candidate: Candidate, availability: Availability) {
        let Err(rank) = self.order.binary_search(&place) else {
            unreachable!("a session waits only once in a queue")
        };
        self.order.insert(rank, place);
        let own = &mut self.by_owner.entry(candidate.owner).or_default().places;
        own.insert(own.partition_point(|other| *other < place), place);
        *self.by_account.entry(candidate.owner.uid).or_default() += 1;
        self.update(place, candidate, availability);
    }

    /// Takes note of what is now true of a waiting session.
    pub(super) fn update(
        &mut self,
        place: Place,
        candidate: Candidate,
        availability: Availability,
    ) {
        self.withdraw(place, candidate.owner);
        match availability {
            Availability::Listening => {
                self.listening.insert(place, candidate);
                self.own_mut(candidate.owner).listening += 1;
            }
            Availability::Quiet => drop(self.quiet.insert(place, candidate)),
            Availability::Unreachable => {}
        }
    }

    /// Nobody is to be matched with this one.
    fn withdraw(&mut self, place: Place, owner: Owner) {
        if self.listening.remove(&place).is_some() {
            self.own_mut(owner).listening -= 1;
        }
        self.quiet.remove(&place);
    }

    fn own_mut(&mut self, owner: Owner) -> &mut Own {
        self.by_owner.get_mut(&owner).expect("who waits is among its owner's")
    }

    pub(super) fn remove(&mut self, place: Place, owner: Owner) {
        let rank = self.rank(place);
        self.order.remove(rank);
        self.withdraw(place, owner);
        let own = &mut self.own_mut(owner).places;
        own.retain(|other| *other != place);
        if own.is_empty() {
            self.by_owner.remove(&owner);
        }
        let of_account = self.by_account.get_mut(&owner.uid).expect("who waits is counted");
        *of_account -= 1;
        if *of_account == 0 {
            self.by_account.remove(&owner.uid);
        }
    }

    /// The earliest who suits, without a waiver if there is one.
    ///
    /// All others have been looked for before and suit nobody else here. So those that listen are
    /// few (they bar each other), and the walk ends at the first quiet one that will do.
    pub(super) fn partner_for(
        &self,
        seeker: Place,
        relation: impl Fn(Owner, Owner) -> Relation,
    ) -> Option<Place> {
        let (availability, candidate) = self.known_of(seeker)?;
        self.first_for(candidate, availability, relation)
    }

    /// The same for one who does not wait here yet.
    pub(super) fn first_for(
        &self,
        seeker: Candidate,
        availability: Availability,
        relation: impl Fn(Owner, Owner) -> Relation,
    ) -> Option<Place> {
        let relation = |other: &Candidate| {
            let both_robots = seeker.robot && other.robot;
            if both_robots { Relation::Blocked } else { relation(seeker.owner, other.owner) }
        };
        match availability {
            Availability::Listening => {}
            Availability::Quiet => {
                return self.first_waived(&self.listening, seeker, !self.public, relation);
            }
            Availability::Unreachable => return None,
        }
        let is_stranger = |other: &Candidate| relation(other) == Relation::Strangers;
        if let Some((&best, _)) = self.listening.iter().find(|(_, other)| is_stranger(other)) {
            return Some(best);
        }
        let recent = self.first_waived(&self.listening, seeker, false, relation);
        let quiet = self.first_waived(&self.quiet, seeker, !self.public, relation);
        match (recent, quiet) {
            (Some(recent), Some(quiet)) => Some(recent.min(quiet)),
            (recent, quiet) => recent.or(quiet),
        }
    }

    fn first_waived(
        &self,
        others: &BTreeMap<Place, Candidate>,
        seeker: Candidate,
        strangers_at_once: bool,
        relation: impl Fn(&Candidate) -> Relation,
    ) -> Option<Place> {
        if !seeker.patient && !strangers_at_once {
            return None;
        }
        let suits = |other: &Candidate| {
            let both_patient = seeker.patient && other.patient;
            match relation(other) {
                Relation::Same | Relation::Blocked => false,
                Relation::Recent => both_patient,
                Relation::Strangers => both_patient || strangers_at_once,
            }
        };
        others.iter().find(|(_, other)| suits(other)).map(|(&place, _)| place)
    }

    pub(super) fn numbers(&self, place: Place, owner: Owner) -> Numbers {
        let of_owner = &self.by_owner[&owner];
        let own = of_owner.places.len() - 1;
        let own_before = of_owner.places.partition_point(|other| *other < place);
        let own_listening = of_owner.listening - usize::from(self.listening.contains_key(&place));
        let waiting = self.order.len() - own;
        Numbers {
            position: self.rank(place) + 1 - own_before,
            waiting,
            not_listening: waiting - (self.listening.len() - own_listening),
            own,
        }
    }

    /// What it knows of a waiting session; `None` if that one is unreachable.
    pub(super) fn known_of(&self, place: Place) -> Option<(Availability, Candidate)> {
        let listening = self.listening.get(&place).map(|&c| (Availability::Listening, c));
        listening.or_else(|| self.quiet.get(&place).map(|&c| (Availability::Quiet, c)))
    }

    pub(super) fn check(&self) {
        let own = self.by_owner.values();
        assert_eq!(own.clone().map(|own| own.places.len()).sum::<usize>(), self.order.len());
        assert_eq!(own.clone().map(|own| own.listening).sum::<usize>(), self.listening.len());
        assert!(own.clone().all(|own| !own.places.is_empty() && own.places.is_sorted()));
        assert_eq!(self.by_account.values().sum::<usize>(), self.order.len());
        assert!(self.listening.keys().all(|place| !self.quiet.contains_key(place)));
        let reachable = self.listening.keys().chain(self.quiet.keys());
        assert!(reachable.into_iter().all(|place| self.order.binary_search(place).is_ok()));
    }

    fn rank(&self, place: Place) -> usize {
        self.order.binary_search(&place).expect("only who waits here is asked about")
    }
}
