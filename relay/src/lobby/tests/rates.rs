//! Rates: an honest client is never cut off, a flood is.

use shared::limits::{Rate, WINDOW_MESSAGES};

use super::*;

const RATE: Rate = Rate { burst: 5, interval_ms: 500 };
/// What passes at once: the burst, as much again for jitter, and a window after the arrival.
const AT_ONCE: u64 = 2 * RATE.burst as u64 + WINDOW_MESSAGES as u64;

fn scene() -> Scene {
    Scene::with(Config { message_rate: Some(RATE), next_rate: Some(RATE), ..Config::default() })
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
fn messages_again_are_free() {
    let mut scene = scene();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    for seq in 1..=AT_ONCE {
        scene.expect(alice.says(room, seq), [bob.forward()]);
    }
    for seq in 1..=AT_ONCE {
        scene.expect(alice.says(room, seq), [bob.forward()]);
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
    let window = WINDOW_MESSAGES as u64;
    for seq in AT_ONCE + 1..=AT_ONCE + window {
        scene.expect(alice.says(room, seq), [bob.forward()]);
    }
    scene.expect(
        alice.says(room, AT_ONCE + window + 1),
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
        scene.send(Event::Next(alice.connection, None, alice.seeks("open")));
    }
    scene.expect(alice.next(room, "open"), [alice.disconnected(DisconnectReason::RateExceeded)]);
    assert_eq!(scene.lobby.counts().rooms, 1);
}

#[test]
fn entering_and_leaving_are_not_charged() {
    let mut scene = scene();
    let alice = scene.guest(1);
    for ticket in 1..100 {
        scene.expect(alice.enters("open"), [alice.queued("open", ticket, [1, 1, 0, 0])]);
        scene.send(Event::LeaveQueue(alice.connection));
    }
}

#[test]
fn without_rates_nothing_is_too_much() {
    let mut scene =
        Scene::with(Config { message_rate: None, next_rate: None, ..Config::default() });
    let (alice, bob, room) = scene.couple([1, 2], "open");
    for seq in 1..1_000 {
        scene.expect(alice.says(room, seq), [bob.forward()]);
    }
    for _ in 0..100 {
        let event = Event::Next(alice.connection, None, alice.seeks("open"));
        scene.expect(event, [alice.paired(room, "open", &bob)]);
    }
}
