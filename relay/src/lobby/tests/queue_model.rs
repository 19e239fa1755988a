//! The queue against a naive one that looks at everybody.

use proptest::prelude::*;

use super::{
    super::queue::{Candidate, Numbers, Place, Queue, Standing},
    super::ties::Tie,
    *,
};

#[derive(Debug, Clone)]
struct Waiter {
    place: Place,
    candidate: Candidate,
    standing: Standing,
}

fn waiters() -> impl Strategy<Value = Vec<Waiter>> {
    let standing =
        prop_oneof![Just(Standing::Listening), Just(Standing::Quiet), Just(Standing::Unreachable)];
    prop::collection::vec((0..40_u64, 0..5_u8, any::<bool>(), standing), 1..12).prop_map(|drawn| {
        let waiter = |(index, (number, owner_number, patient, standing))| {
            let session = SessionId::from_bytes([u8::try_from(index).unwrap(); 16]);
            let place = Place { ticket: Ticket { epoch: 1, number }, session };
            Waiter { place, candidate: Candidate { owner: owner(owner_number), patient }, standing }
        };
        drawn.into_iter().enumerate().map(waiter).collect()
    })
}

/// What each pair of five owners is to each other.
fn ties() -> impl Strategy<Value = Vec<Tie>> {
    let tie =
        prop_oneof![4 => Just(Tie::Strangers), 1 => Just(Tie::Recent), 1 => Just(Tie::Blocked)];
    prop::collection::vec(tie, 25)
}

fn between(ties: &[Tie], one: Owner, other: Owner) -> Tie {
    let [low, high] = [one.min(other), one.max(other)].map(|o| usize::from(o.id.as_bytes()[0]));
    if low == high { Tie::Same } else { ties[low * 5 + high] }
}

/// Section by section what the rules say of two who wait: `None` never, `Some(true)` as they are,
/// `Some(false)` by a waiver.
fn suit(public: bool, tie: Tie, one: &Waiter, other: &Waiter) -> Option<bool> {
    let both_waited = one.candidate.patient && other.candidate.patient;
    let standings = [one.standing, other.standing];
    let quiet_waived = match standings {
        [Standing::Listening, Standing::Listening] => false,
        [Standing::Listening, Standing::Quiet] | [Standing::Quiet, Standing::Listening] => true,
        [Standing::Quiet, Standing::Quiet]
        | [Standing::Unreachable, _]
        | [_, Standing::Unreachable] => {
            return None;
        }
    };
    let recent_waived = match tie {
        Tie::Same | Tie::Blocked => return None,
        Tie::Recent => true,
        Tie::Strangers => false,
    };
    let may_be_waived =
        (!recent_waived || both_waited) && (!quiet_waived || !public || both_waited);
    may_be_waived.then_some(!quiet_waived && !recent_waived)
}

proptest! {
    #[test]
    fn the_partner_is_the_earliest_who_suits(
        waiters in waiters(),
        ties in ties(),
        public in any::<bool>(),
    ) {
        let mut queue = Queue::new(public);
        for waiter in &waiters {
            queue.add(waiter.place, waiter.candidate, waiter.standing);
        }
        queue.check();
        for seeker in &waiters {
            let suits_as = |wanted: bool| {
                let others = waiters.iter().filter(|other| other.place != seeker.place);
                let suitable = others.filter(|other| {
                    let tie = between(&ties, seeker.candidate.owner, other.candidate.owner);
                    suit(public, tie, seeker, other) == Some(wanted)
                });
                suitable.map(|other| other.place).min()
            };
            let found = queue.partner_for(seeker.place, |one, other| between(&ties, one, other));
            prop_assert_eq!(found, suits_as(true).or_else(|| suits_as(false)));
        }
    }

    #[test]
    fn the_numbers_are_those_of_a_count(waiters in waiters(), public in any::<bool>()) {
        let mut queue = Queue::new(public);
        for waiter in &waiters {
            // First as something else: what is told later counts.
            queue.add(waiter.place, waiter.candidate, Standing::Listening);
            queue.update(waiter.place, waiter.candidate, waiter.standing);
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
                    .filter(|other| other.standing != Standing::Listening)
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
