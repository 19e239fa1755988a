//! Rates: an honest client is never cut off, a flood is.

use shared::limits::{EnterRates, Rate, UNREAD_MESSAGES, WINDOW_MESSAGES};

use super::*;

const RATE: Rate = Rate::new(5, Duration::from_millis(500));
/// What passes at once: the burst, as much again for jitter, a window that may have waited, and one
/// more after the arrival.
const AT_ONCE: u64 = 2 * RATE.burst as u64 + 2 * WINDOW;
const WINDOW: u64 = WINDOW_MESSAGES as u64;

fn scene() -> Scene {
    Scene::with(Config {
        message_rate: Some(RATE),
        next_rate: Some(RATE),
        enter_rates: EnterRates::default(),
        place_kept: None,
        ..Config::default()
    })
}

#[test]
fn a_flood_of_messages_ends_the_connection() {
    let mut scene = scene();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    for seq in 1..=AT_ONCE {
        scene.expect(alice.says(room, seq), [bob.forward()]);
    }
    scene.expect(
        alice.says(room, AT_ONCE + 1),
        [alice.disconnected(DisconnectReason::RateExceeded)],
    );
    scene.expect(alice.goes(), []);
    scene.expect(alice.says(room, AT_ONCE + 1), []);
    scene.wait(AWAY_AFTER, [bob.partner(room, Presence::Reconnecting, AWAY_AFTER)]);
}

#[test]
fn one_message_each_interval_passes_for_ever() {
    let mut scene = scene();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    for seq in 1..=AT_ONCE * 3 {
        scene.expect(alice.says(room, seq), [bob.forward()]);
        scene.now += Duration::from_millis(RATE.interval_ms);
    }
}

#[test]
fn messages_again_are_free_as_often_as_they_are_asked_for() {
    let mut scene = scene();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    for seq in 1..=AT_ONCE {
        scene.send(alice.says(room, seq));
    }
    for _ in 0..20 {
        scene.expect(bob.syncs(room, AT_ONCE - WINDOW), [alice.forward()]);
        for seq in AT_ONCE - WINDOW + 1..=AT_ONCE {
            scene.expect(alice.says(room, seq), [bob.forward()]);
        }
    }
    scene.expect(alice.says(room, 1), [alice.disconnected(DisconnectReason::RateExceeded)]);
}

#[test]
fn messages_again_that_nobody_asked_for_are_charged_like_new_ones() {
    let mut scene = scene();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    for _ in 0..AT_ONCE {
        scene.expect(alice.says(room, 1), [bob.forward()]);
    }
    scene.expect(alice.says(room, 1), [alice.disconnected(DisconnectReason::RateExceeded)]);
}

#[test]
fn a_flood_of_syncs_ends_the_connection_of_who_says_them() {
    let mut scene = Scene::with(Config { message_rate: None, ..Config::default() });
    let (alice, bob, room) = scene.couple([1, 2], "open");
    let messages = 30;
    for seq in 1..=messages {
        scene.expect(alice.says(room, seq), [bob.forward()]);
    }
    for _ in 0..messages + WINDOW {
        scene.expect(bob.syncs(room, 0), [alice.forward()]);
    }
    scene.expect(bob.syncs(room, 0), [bob.disconnected(DisconnectReason::RateExceeded)]);
    // Nobody stays out for good, and coming back is no way to go on.
    let bob = scene.again(&bob);
    scene.send(bob.back_in(room, 0));
    scene.expect(bob.syncs(room, 0), [alice.forward()]);
    scene.expect(bob.syncs(room, 0), [bob.disconnected(DisconnectReason::RateExceeded)]);
}

#[test]
fn a_flood_of_acknowledgements_ends_the_connection() {
    let mut scene = Scene::with(Config { message_rate: None, ..Config::default() });
    let (alice, bob, room) = scene.couple([1, 2], "open");
    // What was handed out may have come under an earlier relay.
    let before = UNREAD_MESSAGES as u64 + WINDOW;
    for _ in 0..before {
        scene.expect(bob.acknowledges(room, 0), [alice.forward()]);
    }
    // One for each that comes, and one for each that is handed out, for ever.
    for seq in 1..=1_000 {
        scene.expect(alice.says(room, seq), [bob.forward()]);
        scene.expect(bob.acknowledges(room, seq), [alice.forward()]);
        scene.expect(bob.acknowledges(room, seq), [alice.forward()]);
    }
    scene.expect(bob.acknowledges(room, 1_000), [bob.disconnected(DisconnectReason::RateExceeded)]);
}

/// A gap, what fills it, and the next gap: a partner that means harm makes an honest one ask as
/// often as it can.
#[test]
fn nobody_is_driven_to_ask_too_often() {
    let mut scene = scene();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    let mut alice = alice;
    let mut received = 0;
    let mut misses = false;
    for _ in 0..20 {
        // One that leaps ahead pays for numbers that come later, as if they came again.
        let mut leap = u64::MAX;
        while scene.send(alice.says(room, leap)) == [bob.forward()] {
            if !mem::replace(&mut misses, true) {
                scene.expect(bob.syncs(room, received), [alice.forward()]);
            }
            leap -= 1;
        }
        alice = scene.again(&alice);
        scene.send(alice.back_in(room, 0));
        while scene.send(alice.says(room, received + 1)) == [bob.forward()] {
            received += 1;
            misses = false;
            if scene.send(alice.says(room, received + 2)) != [bob.forward()] {
                break;
            }
            misses = true;
            scene.expect(bob.syncs(room, received), [alice.forward()]);
        }
        alice = scene.again(&alice);
        scene.send(alice.back_in(room, 0));
    }
    assert!(received > 10 * WINDOW, "{received}");
}

/// Each kill brings two arrivals, and each of them has both send their whole window again.
#[test]
fn whole_windows_that_go_out_again_after_each_of_many_kills_are_no_flood() {
    let (mut scene, before) = (scene(), 1_000);
    let (alice, bob, room) = scene.couple([1, 2], "open");
    let mut pair = [alice, bob];
    for epoch in 2..12 {
        scene.restart_with(Config { epoch, message_rate: Some(RATE), ..Config::default() });
        pair = pair.map(|guest| scene.again(&guest));
        // Several arrive again before the relay is killed once more.
        for _ in 0..3 {
            for who in 0..2 {
                pair[who] = scene.again(&pair[who]);
                let effects = scene.send(pair[who].back_in(room, before));
                for guest in pair {
                    let is_told = |(to, effect): &&Told| {
                        *to == guest.connection && matches!(effect, Effect::Tell(News::Sync { .. }))
                    };
                    for _ in effects.iter().filter(is_told) {
                        for seq in before + 1..=before + WINDOW {
                            let effects = scene.send(guest.says(room, seq));
                            let cut = |(_, e): &Told| matches!(e, Effect::Disconnect(_));
                            assert!(!effects.iter().any(cut), "{seq} of {guest:?} in {epoch}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_window_after_each_arrival_is_free() {
    let mut scene = scene();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    for seq in 1..=AT_ONCE {
        scene.send(alice.says(room, seq));
    }
    scene.expect(alice.goes(), []);
    let alice = scene.again(&alice);
    scene.send(alice.back_in(room, 0));
    for seq in AT_ONCE + 1..=AT_ONCE + WINDOW {
        scene.expect(alice.says(room, seq), [bob.forward()]);
    }
    scene.expect(
        alice.says(room, AT_ONCE + WINDOW + 1),
        [alice.disconnected(DisconnectReason::RateExceeded)],
    );
}

#[test]
fn a_leap_does_not_make_what_it_skips_free() {
    let mut scene = scene();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(alice.says(room, u64::MAX), [bob.forward()]);
    for seq in 2..=AT_ONCE {
        scene.expect(alice.says(room, seq), [bob.forward()]);
    }
    scene.expect(
        alice.says(room, AT_ONCE + 1),
        [alice.disconnected(DisconnectReason::RateExceeded)],
    );
}

#[test]
fn the_rate_is_that_of_the_session_whatever_the_room() {
    let mut scene = scene();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    for seq in 1..=AT_ONCE {
        scene.send(alice.says(room, seq));
    }
    scene.send(bob.leaves(room));
    scene.send(alice.enters("open"));
    let carol = scene.guest(3);
    let room = scene.next_room(&alice, &carol);
    scene.send(carol.enters("open"));
    scene.expect(alice.says(room, 1), [alice.disconnected(DisconnectReason::RateExceeded)]);
}

#[test]
fn a_flood_of_next_ends_the_connection_before_it_does_anything() {
    let mut scene = scene();
    let (alice, _, room) = scene.couple([1, 2], "open");
    for _ in 0..RATE.burst * 2 {
        scene.send(Event::Next(alice.connection, None, alice.seeks("open"), Vec::new()));
    }
    scene.expect(alice.next(room, "open"), [alice.disconnected(DisconnectReason::RateExceeded)]);
    assert_eq!(scene.lobby.counts().rooms, 1);
}

#[test]
fn without_rates_nothing_is_too_much() {
    let mut scene = Scene::with(Config {
        message_rate: None,
        next_rate: None,
        enter_rates: EnterRates::default(),
        ..Config::default()
    });
    let (alice, bob, room) = scene.couple([1, 2], "open");
    for seq in 1..1_000 {
        scene.expect(alice.says(room, seq), [bob.forward()]);
    }
    for _ in 0..100 {
        let event = Event::Next(alice.connection, None, alice.seeks("open"), Vec::new());
        scene.expect(event, [alice.paired(room, "open", &bob)]);
    }
}
