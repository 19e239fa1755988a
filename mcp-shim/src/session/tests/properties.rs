//! Whatever two clients do and however the wires fail: nothing is lost and nothing is doubled.

use proptest::prelude::*;

use super::{
    play::{Play, Step},
    *,
};

fn step() -> impl Strategy<Value = Step> {
    let side = 0..2_usize;
    let chat = prop_oneof![6 => Just(0), 1 => 0..4_usize];
    let any = 0..8_usize;
    let after = prop_oneof![4 => Just(None), 1 => (0..100_u64).prop_map(Some)];
    prop_oneof![
        2 => (side.clone(), prop::bool::weighted(0.2))
            .prop_map(|(side, new_chat)| Step::Enter { side, new_chat }),
        2 => (side.clone(), chat.clone())
            .prop_map(|(side, chat)| Step::EnterAgain { side, chat }),
        12 => (side.clone(), chat.clone()).prop_map(|(side, chat)| Step::Say { side, chat }),
        8 => (side.clone(), chat.clone(), 0..20_u64, after).prop_map(
            |(side, chat, seconds, after)| Step::Wait { side, chat, seconds, after }
        ),
        3 => (side.clone(), chat.clone()).prop_map(|(side, chat)| Step::Task { side, chat }),
        6 => (side.clone(), any.clone()).prop_map(|(side, task)| Step::GetTask { side, task }),
        1 => (side.clone(), any.clone()).prop_map(|(side, task)| Step::CancelTask { side, task }),
        1 => (side.clone(), chat.clone()).prop_map(|(side, chat)| Step::Status { side, chat }),
        1 => (side.clone(), chat.clone()).prop_map(|(side, chat)| Step::Next { side, chat }),
        1 => (side.clone(), chat).prop_map(|(side, chat)| Step::Leave { side, chat }),
        2 => (side.clone(), any.clone()).prop_map(|(side, call)| Step::Cancel { side, call }),
        12 => (side, any.clone(), prop::bool::weighted(0.8))
            .prop_map(|(side, call, written)| Step::Settle { side, call, written }),
        8 => any.clone().prop_map(|chat| Step::Connect { chat }),
        2 => any.clone().prop_map(|wire| Step::Cut { wire }),
        12 => any.clone().prop_map(|wire| Step::ToRelay { wire }),
        12 => any.clone().prop_map(|wire| Step::ToShim { wire }),
        8 => Just(Step::Flow),
        4 => (1..2_000_u64).prop_map(|milliseconds| Step::Pass { milliseconds }),
        1 => (1..100_u64).prop_map(|seconds| Step::Sleep { seconds }),
        1 => any.prop_map(|chat| Step::Expire { chat }),
    ]
}

fn small_window() -> Limits {
    Limits { message_rate: None, next_rate: None, window_messages: 5, ..Limits::default() }
}

proptest! {
    #![proptest_config(histories())]

    #[test]
    fn nothing_is_lost_and_nothing_is_doubled(steps in prop::collection::vec(step(), 1..200)) {
        let mut play = Play::new(small_window());
        // Two who have met, for a start.
        for side in 0..2 {
            play.step(Step::Enter { side, new_chat: false });
            play.step(Step::Connect { chat: 0 });
            play.step(Step::Flow);
        }
        for step in steps {
            play.step(step);
        }
        play.calm_down();
        play.check_that_nothing_is_lost();
    }
}

#[test]
fn more_than_an_inbox_holds_arrives_without_a_flood() {
    let limits = Limits { message_rate: None, next_rate: None, ..Limits::default() };
    let mut play = Play::new(limits);
    for side in 0..2 {
        play.step(Step::Enter { side, new_chat: false });
        play.step(Step::Connect { chat: 0 });
        play.step(Step::Flow);
    }
    play.calm_down();
    let count = 1_090;
    for _ in 0..count {
        play.step(Step::Say { side: 0, chat: 0 });
        play.step(Step::Flow);
        play.step(Step::Settle { side: 0, call: 0, written: true });
    }
    play.step(Step::Pass { milliseconds: 1_000 });
    let before = play.frames;
    play.calm_down();
    play.check_that_nothing_is_lost();
    let frames = play.frames - before;
    assert!(frames < 20 * 100, "{frames} frames for the 90 that had to wait");
}
