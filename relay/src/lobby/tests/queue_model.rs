//! The queue against a naive one that looks at everybody.

use proptest::prelude::*;

use super::{
    super::queue::{Availability, Candidate, Place, Queue},
    super::relations::Relation,
    *,
};

#[derive(Debug, Clone)]
struct Waiter {
    place: Place,
    candidate: Candidate,
    availability: Availability,
}

fn waiters() -> impl Strategy<Value = Vec<Waiter>> {
    let availability = prop_oneof![
        Just(Availability::Listening),
        Just(Availability::Quiet),
        Just(Availability::Unreachable)
    ];
    prop::collection::vec((0..40_u64, 0..5_u8, any::<bool>(), any::<bool>(), availability), 1..12)
        .prop_map(|drawn| {
            let waiter = |(index, (number, owner_number, patient, robot, availability))| {
                let session = SessionId::from_bytes([u8::try_from(index).unwrap(); 16]);
                let place = Place { ticket: Opening { epoch: 1, number }, session };
                Waiter {
                    place,
                    candidate: Candidate { owner: owner(owner_number), robot, patient },
                    availability,
                }
            };
            drawn.into_iter().enumerate().map(waiter).collect()
        })
}

/// What each pair of five owners is to each other.
fn relations() -> impl Strategy<Value = Vec<Relation>> {
    let relation = prop_oneof![4 => Just(Relation::Strangers), 1 => Just(Relation::Recent), 1 => Just(Relation::Blocked)];
    prop::collection::vec(relation, 25)
}

fn between(relations: &[Relation], one: Owner, other: Owner) -> Relation {
    let [low, high] = [one.min(other), one.max(other)].map(|o| usize::from(o.id.as_bytes()[0]));
    if low == high { Relation::Same } else { relations[low * 5 + high] }
}

/// Section by section what the rules say of two who wait: `None` never, `Some(true)` as they are,
/// `Some(false)` by a waiver.
fn suit(public: bool, relation: Relation, one: &Waiter, other: &Waiter) -> Option<bool> {
    let both_waited = one.candidate.patient && other.candidate.patient;
    let standings = [one.availability, other.availability];
    let quiet_waived = match standings {
        [Availability::Listening, Availability::Listening] => false,
        [Availability::Listening, Availability::Quiet]
        | [Availability::Quiet, Availability::Listening] => true,
        [Availability::Quiet, Availability::Quiet]
        | [Availability::Unreachable, _]
        | [_, Availability::Unreachable] => {
            return None;
        }
    };
    if one.candidate.robot && other.candidate.robot {
        return None;
    }
    let recent_waived = match relation {
        Relation::Same | Relation::Blocked => return None,
        Relation::Recent => true,
        Relation::Strangers => false,
    };
    let may_be_waived =
        (!recent_waived || both_waited) && (!quiet_waived || !public || both_waited);
    may_be_waived.then_some(!quiet_waived && !recent_waived)
}

proptest! {
    #[test]
    fn the_partner_is_the_earliest_who_suits(
        waiters in waiters(),
        relations in relations(),
        public in any::<bool>(),
    ) {
        let mut queue = Queue::new(public);
        for waiter in &waiters {
            queue.add(waiter.place, waiter.candidate, waiter.availability);
        }
        queue.check();
        for seeker in &waiters {
            let suits_as = |wanted: bool| {
                let others = waiters.iter().filter(|other| other.place != seeker.place);
                let suitable = others.filter(|other| {
                    let relation = between(&relations, seeker.candidate.owner, other.candidate.owner);
                    suit(public, relation, seeker, other) == Some(wanted)
                });
                suitable.map(|other| other.place).min()
            };
            let found = queue.partner_for(seeker.place, |one, other| between(&relations, one, other));
            prop_assert_eq!(found, suits_as(true).or_else(|| suits_as(false)));
        }
    }

    #[test]
    fn the_numbers_are_those_of_a_count(waiters in waiters(), public in any::<bool>()) {
        let mut queue = Queue::new(public);
        for waiter in &waiters {
            // First as something else: what is told later counts.
            queue.add(waiter.place, waiter.candidate, Availability::Listening);
            queue.update(waiter.place, waiter.candidate, waiter.availability);
        }
        for asking in &waiters {
            let own_other = |other: &&Waiter| {
                other.candidate.owner == asking.candidate.owner && other.place != asking.place
            };
            let counted: Vec<_> = waiters.iter().filter(|other| !own_other(other)).collect();
            let numbers = Numbers {
                position: counted.iter().filter(|other| other.place <= asking.place).count(),
                waiting: counted.len(),
                not_listening: counted
                    .iter()
                    .filter(|other| other.availability != Availability::Listening)
                    .count(),
                own: waiters.iter().filter(own_other).count(),
            };
            prop_assert_eq!(queue.numbers(asking.place, asking.candidate.owner), numbers);
        }
        for waiter in &waiters {
            queue.remove(waiter.place, waiter.candidate.owner);
            queue.check();
        }
        prop_assert!(queue.is_empty());
    }
}
