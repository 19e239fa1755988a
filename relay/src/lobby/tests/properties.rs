//! Whatever a crowd of clients does.

use proptest::prelude::*;

use super::{
    ROBOT,
    crowd::{Claim, Crowd, Step},
};

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 0..8_usize;
    let topic = || 0..3_usize;
    let owner = prop_oneof![2 => 0..4_u8, 1 => ROBOT..ROBOT + 3];
    let claim = prop_oneof![
        4 => Just(Claim::WhatItKnows),
        1 => Just(Claim::Nothing),
        2 => (topic(), 0..40_u64).prop_map(|(topic, ticket)| Claim::Queue { topic, ticket }),
        1 => Just(Claim::LastRoom),
    ];
    let seconds = prop_oneof![
        8 => 0..6_u64,
        4 => 6..30_u64,
        1 => 30..120_u64,
        1 => Just(600_u64),
    ];
    let step = prop_oneof![
        4 => (owner, prop::option::weighted(0.2, 0..4_u8))
            .prop_map(|(owner, blocks)| Step::Arrive { owner, blocks }),
        6 => (who(), claim).prop_map(|(who, claim)| Step::Return { who, claim }),
        12 => (who(), topic()).prop_map(|(who, topic)| Step::Enter { who, topic }),
        1 => who().prop_map(|who| Step::LeaveQueue { who }),
        4 => (who(), topic(), any::<bool>())
            .prop_map(|(who, topic, block)| Step::Next { who, topic, block: block && who == 0 }),
        3 => (who(), prop::bool::weighted(0.2)).prop_map(|(who, block)| Step::Leave { who, block }),
        4 => (who(), 0..200_u64).prop_map(|(who, seq)| Step::Say { who, seq }),
        2 => (who(), 0..9_u64).prop_map(|(who, received)| Step::Acknowledge { who, received }),
        4 => (who(), any::<bool>()).prop_map(|(who, open)| Step::Attend { who, open }),
        3 => who().prop_map(|who| Step::Cut { who }),
        8 => seconds.prop_map(|seconds| Step::Wait { seconds }),
    ];
    (prop::collection::vec(step, 1..80), prop::bool::weighted(0.1)).prop_map(
        |(mut steps, drain)| {
            if drain {
                steps.insert(steps.len() / 2, Step::Drain);
            }
            steps
        },
    )
}

proptest! {
    #[test]
    fn a_crowd_is_served_by_the_rules(steps in steps()) {
        let mut crowd = Crowd::new();
        for step in &steps {
            crowd.take(step);
        }
        crowd.disperse();
    }

    #[test]
    fn the_same_events_have_the_same_effects(steps in steps()) {
        let histories = [(); 2].map(|()| {
            let mut crowd = Crowd::new();
            for step in &steps {
                crowd.take(step);
            }
            crowd.history
        });
        prop_assert_eq!(&histories[0], &histories[1]);
    }
}
