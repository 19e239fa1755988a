//! What partners are told of each other's presence.

use super::*;

#[test]
fn a_partner_that_goes_quiet_and_comes_back_is_told_of() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(alice.attends(true));
    scene.wait(LISTENING_FOR, [alice.partner(room, Presence::NotListening, LISTENING_FOR)]);
    scene.wait(SECOND, []);
    let back = alice.partner(room, Presence::Listening, Duration::ZERO);
    scene.expect(bob.attends(false), [back]);
    scene.expect(bob.attends(false), []);
}

#[test]
fn a_message_shows_that_its_sender_listens() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(alice.attends(true));
    scene.wait(LISTENING_FOR, [alice.partner(room, Presence::NotListening, LISTENING_FOR)]);
    scene.wait(SECOND, []);
    let back = alice.partner(room, Presence::Listening, Duration::ZERO);
    scene.expect(bob.says(room, 1), [back, alice.forward()]);
    scene.wait(LISTENING_FOR, [alice.partner(room, Presence::NotListening, LISTENING_FOR)]);
    // Again is the shim's own doing.
    scene.expect(bob.says(room, 1), [alice.forward()]);
}

#[test]
fn each_activity_starts_the_clock_again() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(alice.attends(true));
    for seq in 1..4 {
        scene.wait(LISTENING_FOR - MOMENT, []);
        scene.expect(bob.says(room, seq), [alice.forward()]);
    }
    scene.wait(LISTENING_FOR, [alice.partner(room, Presence::NotListening, LISTENING_FOR)]);
}

#[test]
fn an_open_wait_listens_until_it_ends() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    for guest in [alice, bob] {
        scene.expect(guest.attends(true), []);
    }
    scene.wait(LISTENING_FOR * 2, []);
    scene.expect(bob.attends(false), []);
    scene.wait(LISTENING_FOR - MOMENT, []);
    scene.wait(MOMENT, [alice.partner(room, Presence::NotListening, LISTENING_FOR)]);
}

#[test]
fn a_wait_that_lapses_is_no_activity() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(alice.attends(true));
    scene.send(bob.attends(true));
    scene.wait(LISTENING_FOR / 2, []);
    scene.expect(bob.lapses(), []);
    scene.wait(LISTENING_FOR / 2, [alice.partner(room, Presence::NotListening, LISTENING_FOR)]);
    scene.wait(SECOND, []);
    scene.send(bob.attends(true));
    scene.wait(2 * LISTENING_FOR, []);
    scene.expect(bob.lapses(), [alice.partner(room, Presence::NotListening, LISTENING_FOR)]);
}

#[test]
fn who_comes_and_has_been_inactive_does_not_listen() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(bob.lapses(), [alice.partner(room, Presence::NotListening, LISTENING_FOR)]);
}

#[test]
fn who_waited_by_what_has_lapsed_has_listened_until_then() {
    let mut scene = Scene::new();
    let alice = scene.guest(1);
    scene.send(alice.enters("open"));
    scene.send(alice.attends(true));
    scene.wait(HALF_HOUR, []);
    scene.expect(alice.lapses(), []);
    scene.wait(HALF_HOUR - MOMENT, []);
    scene.wait(MOMENT, [alice.dequeued(DequeueReason::NotListening)]);
}

#[test]
fn an_open_wait_ends_with_its_connection() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    for guest in [alice, bob] {
        scene.send(guest.attends(true));
    }
    scene.wait(LISTENING_FOR, []);
    scene.expect(bob.goes(), []);
    let bob = scene.again(&bob);
    scene.expect(
        bob.back_in(room, 0),
        [
            bob.welcomed_back(),
            bob.sync(room, 0),
            alice.sync(room, 0),
            bob.partner(room, Presence::Listening, Duration::ZERO),
        ],
    );
    scene.wait(LISTENING_FOR - MOMENT, []);
    scene.wait(MOMENT, [alice.partner(room, Presence::NotListening, LISTENING_FOR)]);
}

#[test]
fn a_short_cut_is_not_told_of() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(bob.goes(), []);
    scene.wait(AWAY_AFTER - MOMENT, []);
    let bob = scene.again(&bob);
    scene.expect(
        bob.back_in(room, 0),
        [
            bob.welcomed_back(),
            bob.sync(room, 0),
            alice.sync(room, 0),
            bob.partner(room, Presence::Listening, AWAY_AFTER - MOMENT),
        ],
    );
}

#[test]
fn a_longer_cut_is_away_and_back() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(bob.goes(), []);
    scene.wait(AWAY_AFTER, [alice.partner(room, Presence::Reconnecting, AWAY_AFTER)]);
    let bob = scene.again(&bob);
    scene.expect(
        bob.back_in(room, 0),
        [
            bob.welcomed_back(),
            bob.sync(room, 0),
            alice.sync(room, 0),
            alice.partner(room, Presence::Listening, AWAY_AFTER),
            bob.partner(room, Presence::Listening, AWAY_AFTER),
        ],
    );
}

#[test]
fn one_who_is_back_but_quiet_is_told_of_as_quiet() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(alice.attends(true));
    scene.wait(LISTENING_FOR, [alice.partner(room, Presence::NotListening, LISTENING_FOR)]);
    scene.expect(bob.goes(), []);
    let unseen = LISTENING_FOR + AWAY_AFTER;
    scene.wait(AWAY_AFTER, [alice.partner(room, Presence::Reconnecting, unseen)]);
    let bob = scene.again(&bob);
    scene.expect(
        bob.back_in(room, 0),
        [
            bob.welcomed_back(),
            bob.sync(room, 0),
            alice.sync(room, 0),
            alice.partner(room, Presence::NotListening, unseen),
            bob.partner(room, Presence::Listening, Duration::ZERO),
        ],
    );
}

#[test]
fn what_was_missed_is_told_on_return() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(bob.goes(), []);
    scene.expect(alice.goes(), []);
    scene.wait(AWAY_AFTER, []);
    let bob = scene.again(&bob);
    scene.expect(
        bob.back_in(room, 0),
        [
            bob.welcomed_back(),
            bob.sync(room, 0),
            bob.partner(room, Presence::Reconnecting, AWAY_AFTER),
        ],
    );
    let alice = scene.again(&alice);
    scene.expect(
        alice.back_in(room, 0),
        [
            alice.welcomed_back(),
            alice.sync(room, 0),
            bob.sync(room, 0),
            bob.partner(room, Presence::Listening, AWAY_AFTER),
            alice.partner(room, Presence::Listening, AWAY_AFTER),
        ],
    );
}

#[test]
fn time_passes_only_by_ticks() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.now += LISTENING_FOR * 2;
    scene.expect(alice.says(room, 1), [bob.forward()]);
    let unseen = LISTENING_FOR * 2;
    scene.expect(Event::Tick, [alice.partner(room, Presence::NotListening, unseen)]);
}

#[test]
fn a_late_tick_tells_in_the_order_in_which_things_came_about() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(alice.attends(true));
    scene.wait(SECOND, []);
    let (carol, dave, other_room) = scene.couple([3, 4], "open");
    scene.send(carol.attends(true));
    scene.wait(SECOND, []);
    scene.send(bob.attends(false));
    scene.now += LISTENING_FOR * 2;
    let unseen = LISTENING_FOR * 2;
    scene.expect(
        Event::Tick,
        [
            carol.partner(other_room, Presence::NotListening, unseen + SECOND),
            alice.partner(room, Presence::NotListening, unseen),
        ],
    );
    scene.wait(SECOND, []);
    scene.expect(
        dave.attends(false),
        [carol.partner(other_room, Presence::Listening, Duration::ZERO)],
    );
}
