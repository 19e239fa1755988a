//! A partner cannot flood by coming and going, or by listening and not listening.

use super::*;

/// What was open ends, and then it turns out that nothing was.
fn quietens(scene: &mut Scene, guest: &Guest) -> Vec<Told> {
    [scene.send(guest.lapses()), scene.send(guest.lapses())].concat()
}

#[test]
fn who_listens_and_does_not_listen_all_the_time_is_told_of_once_a_second() {
    let mut scene = Scene::new();
    let (alice, bob, _) = scene.couple([1, 2], "open");
    scene.send(alice.attends(true));
    let mut told = Vec::new();
    for _ in 0..20_000 {
        told.extend(scene.send(bob.attends(true)));
        told.extend(quietens(&mut scene, &bob));
        scene.now += MOMENT;
        if scene.lobby.next_deadline().is_some_and(|at| at <= scene.now) {
            told.extend(scene.send(Event::Tick));
        }
    }
    assert!(told.iter().all(|(to, _)| *to == alice.connection));
    assert!((19..=21).contains(&told.len()), "{} in 20 seconds", told.len());
}

#[test]
fn the_last_of_many_changes_is_told() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(alice.attends(true));
    let quiet = alice.partner(room, Presence::NotListening, LISTENING_FOR);
    scene.expect(bob.lapses(), [quiet]);
    for _ in 0..10 {
        scene.expect(bob.attends(true), []);
        assert_eq!(quietens(&mut scene, &bob), []);
    }
    // She knows that already.
    scene.wait(SECOND, []);
    scene.wait(SECOND, []);
    scene.expect(bob.attends(true), [alice.partner(room, Presence::Listening, Duration::ZERO)]);
    assert_eq!(quietens(&mut scene, &bob), []);
    let unseen = LISTENING_FOR + SECOND;
    scene.wait(SECOND, [alice.partner(room, Presence::NotListening, unseen)]);
}

#[test]
fn that_a_partner_is_gone_or_back_waits_for_nothing() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(alice.attends(true));
    scene.expect(bob.goes(), []);
    let unseen = AWAY_AFTER;
    scene.wait(AWAY_AFTER, [alice.partner(room, Presence::Reconnecting, unseen)]);
    let bob = scene.again(&bob);
    let back = alice.partner(room, Presence::Listening, unseen);
    let bobs = bob.partner(room, Presence::Listening, Duration::ZERO);
    scene.expect(
        bob.back_in(room, 0),
        [bob.welcomed_back(), bob.sync(room, 0), alice.sync(room, 0), back, bobs],
    );
    scene.expect(bob.lapses(), []);
    scene.wait(SECOND, [alice.partner(room, Presence::NotListening, LISTENING_FOR + SECOND)]);
}

#[test]
fn a_room_that_closes_meanwhile_has_nothing_to_tell() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(alice.attends(true));
    scene.send(bob.lapses());
    scene.send(bob.attends(true));
    scene.expect(bob.leaves(room), [bob.left(room), alice.closed(room, CloseReason::Left)]);
    scene.wait(SECOND, []);
}

/// Each arrival has the partner send a window again.
#[test]
fn who_comes_back_all_the_time_is_not_let_in_for_a_while() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(alice.attends(true));
    let mut bob = bob;
    let mut syncs = 0;
    let mut refusals = 0;
    for _ in 0..1_000 {
        bob = scene.again(&bob);
        let effects = scene.send(bob.back_in(room, 0));
        syncs += effects.iter().filter(|told| **told == alice.sync(room, 0)).count();
        refusals += usize::from(effects == [bob.disconnected(DisconnectReason::RateExceeded)]);
    }
    let at_once = shared::limits::ARRIVAL_RATE.burst as usize;
    assert_eq!((syncs, refusals), (at_once, 1_000 - at_once));
    scene.wait(SECOND, []);
    let bob = scene.again(&bob);
    let effects = scene.send(bob.back_in(room, 0));
    assert_eq!(effects.iter().filter(|told| **told == alice.sync(room, 0)).count(), 1);
}
