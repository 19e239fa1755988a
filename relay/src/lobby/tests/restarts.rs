//! A relay that was killed, and those whom an earlier one knew.

use super::*;

#[test]
fn the_first_claim_opens_a_room_again_and_the_second_makes_it_whole() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.restart();
    let [alice, bob] = [alice, bob].map(|guest| scene.again(&guest));
    scene.expect(
        alice.back_in(room, 3),
        [
            alice.welcomed_back(),
            alice.sync(room, 0),
            alice.partner(room, Presence::Listening, Duration::ZERO),
        ],
    );
    scene.expect(alice.says(room, 8), []);
    scene.expect(
        bob.back_in(room, 7),
        [
            bob.welcomed_back(),
            bob.sync(room, 3),
            alice.sync(room, 7),
            bob.partner(room, Presence::Listening, Duration::ZERO),
        ],
    );
    scene.expect(alice.says(room, 8), [bob.forward()]);
    assert_eq!(scene.lobby.counts().rooms, 1);
}

#[test]
fn a_partner_that_waits_with_a_ticket_is_taken_in() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "Open");
    scene.restart();
    let [alice, bob] = [alice, bob].map(|guest| scene.again(&guest));
    scene.send(bob.back_waiting(Some(2), "Open"));
    scene.expect(
        alice.back_in(room, 0),
        [
            alice.welcomed_back(),
            bob.paired(room, "Open", &alice),
            alice.sync(room, 0),
            bob.sync(room, 0),
            alice.partner(room, Presence::Listening, Duration::ZERO),
        ],
    );
    assert_eq!(scene.lobby.counts().waiting, 0);
}

#[test]
fn a_partner_that_comes_later_with_a_ticket_is_told_of_its_room() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.restart();
    let [alice, bob] = [alice, bob].map(|guest| scene.again(&guest));
    scene.send(alice.back_in(room, 0));
    scene.expect(
        bob.back_waiting(Some(2), "open"),
        [
            bob.welcomed_back(),
            bob.paired(room, "open", &alice),
            bob.sync(room, 0),
            alice.sync(room, 0),
        ],
    );
}

#[test]
fn who_knows_nothing_of_its_room_is_told_once_the_partner_is_back() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.restart();
    let stale = scene.again(&alice);
    scene.send(stale.back_in(room, 0));
    let [alice, bob] = [stale, bob].map(|guest| scene.again(&guest));
    scene.expect(
        alice.back_waiting(Some(2), "open"),
        [stale.disconnected(DisconnectReason::Superseded), alice.welcomed_back()],
    );
    scene.expect(
        bob.back_in(room, 0),
        [
            bob.welcomed_back(),
            alice.paired(room, "open", &bob),
            bob.sync(room, 0),
            alice.sync(room, 0),
            bob.partner(room, Presence::Listening, Duration::ZERO),
        ],
    );
}

#[test]
fn of_two_who_know_nothing_of_their_room_both_are_told() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.restart();
    let stale = scene.again(&alice);
    scene.send(stale.back_in(room, 0));
    let [alice, bob] = [stale, bob].map(|guest| scene.again(&guest));
    scene.send(alice.back_waiting(Some(2), "open"));
    scene.expect(
        bob.back_waiting(Some(1), "open"),
        [
            bob.welcomed_back(),
            alice.paired(room, "open", &bob),
            bob.paired(room, "open", &alice),
            bob.sync(room, 0),
            alice.sync(room, 0),
        ],
    );
}

#[test]
fn a_half_open_room_is_lost_after_the_grace() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.restart();
    let [alice, bob] = [alice, bob].map(|guest| scene.again(&guest));
    scene.send(alice.back_in(room, 0));
    scene.wait(
        GRACE,
        [
            alice.partner(room, Presence::Reconnecting, AWAY_AFTER),
            alice.closed(room, CloseReason::RelayLost),
        ],
    );
    scene.expect(bob.back_in(room, 0), [bob.welcomed_back(), bob.closed(room, CloseReason::Left)]);
}

#[test]
fn a_room_that_one_has_left_does_not_come_back() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.restart();
    let [alice, bob] = [alice, bob].map(|guest| scene.again(&guest));
    let claims = Arrival { leaving: vec![leaving(room)], ..arrival(1) };
    scene.expect(alice.arrives(claims), [alice.welcomed_back(), alice.left(room)]);
    scene.expect(bob.back_in(room, 0), [bob.welcomed_back(), bob.closed(room, CloseReason::Left)]);
}

#[test]
fn a_leave_that_comes_after_the_partner_is_back_closes_the_room() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.restart();
    let [alice, bob] = [alice, bob].map(|guest| scene.again(&guest));
    scene.send(bob.back_in(room, 0));
    let claims = Arrival { leaving: vec![leaving(room)], ..arrival(1) };
    scene.expect(
        alice.arrives(claims),
        [alice.welcomed_back(), alice.left(room), bob.closed(room, CloseReason::Left)],
    );
}

#[test]
fn a_partner_that_is_in_another_room_by_its_own_word_stays_there() {
    let mut scene = Scene::new();
    let (alice, bob, old) = scene.couple([1, 2], "open");
    scene.send(bob.leaves(old));
    let carol = scene.guest(3);
    scene.send(carol.enters("tea"));
    let new = scene.next_room(&carol, &bob);
    scene.send(bob.enters("tea"));
    scene.restart();
    let [alice, bob, carol] = [alice, bob, carol].map(|guest| scene.again(&guest));
    scene.send(bob.back_in(new, 0));
    scene.expect(
        alice.back_in(old, 0),
        [alice.welcomed_back(), alice.closed(old, CloseReason::RelayLost)],
    );
    scene.send(carol.back_in(new, 0));
    scene.expect(carol.says(new, 1), [bob.forward()]);
}

#[test]
fn of_two_rooms_that_claim_one_who_is_not_back_the_later_one_is_right() {
    for newer_first in [false, true] {
        let mut scene = Scene::new();
        let (alice, bob, old) = scene.couple([1, 2], "open");
        scene.send(bob.leaves(old));
        let carol = scene.guest(3);
        scene.send(carol.enters("tea"));
        let new = scene.next_room(&carol, &bob);
        scene.send(bob.enters("tea"));
        scene.restart();
        let [alice, bob, carol] = [alice, bob, carol].map(|guest| scene.again(&guest));
        let (old, new) = ((alice, old), (carol, new));
        let claims = if newer_first { [new, old] } else { [old, new] };
        let effects = claims.map(|(guest, room)| scene.send(guest.back_in(room, 0)));
        let lost = alice.closed(old.1, CloseReason::RelayLost);
        assert!(effects.concat().contains(&lost), "{effects:?}");
        scene.send(bob.back_in(new.1, 0));
        scene.expect(carol.says(new.1, 1), [bob.forward()]);
    }
}

#[test]
fn who_comes_back_into_a_newer_room_closes_the_half_open_older_one() {
    let mut scene = Scene::new();
    let (alice, bob, old) = scene.couple([1, 2], "open");
    scene.send(bob.leaves(old));
    let carol = scene.guest(3);
    scene.send(carol.enters("tea"));
    let new = scene.next_room(&carol, &bob);
    scene.send(bob.enters("tea"));
    scene.restart();
    let [alice, bob] = [alice, bob].map(|guest| scene.again(&guest));
    scene.send(alice.back_in(old, 0));
    scene.expect(
        bob.back_in(new, 0),
        [
            bob.welcomed_back(),
            alice.closed(old, CloseReason::RelayLost),
            bob.sync(new, 0),
            bob.partner(new, Presence::Listening, Duration::ZERO),
        ],
    );
}

#[test]
fn a_token_that_names_another_owner_for_a_session_opens_nothing() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.restart();
    let alice = scene.again(&alice);
    let stolen = Guest { connection: scene.connection(), owner: owner(3), ..bob };
    scene.send(stolen.back_idle());
    scene.expect(
        alice.back_in(room, 0),
        [alice.welcomed_back(), alice.closed(room, CloseReason::RelayLost)],
    );
}

#[test]
fn tickets_of_an_earlier_relay_keep_their_order() {
    let mut scene = Scene::new();
    let guests = [1, 1, 1].map(|number| scene.guest(number));
    for guest in &guests {
        scene.send(guest.enters("open"));
    }
    scene.restart();
    let guests = guests.map(|guest| scene.again(&guest));
    for index in [2, 0, 1] {
        scene.send(guests[index].back_waiting(Some(index as u64 + 1), "open"));
    }
    let newcomer = scene.guest(2);
    let room = scene.next_room(&guests[0], &newcomer);
    scene.expect(
        newcomer.enters("open"),
        [guests[0].paired(room, "open", &newcomer), newcomer.paired(room, "open", &guests[0])],
    );
}

#[test]
fn nobody_is_paired_before_those_who_talked_had_time_to_come_back() {
    let mut scene = Scene::new();
    let delay = Duration::from_secs(2);
    let pairing_from = Some(scene.now + delay);
    scene.restart_with(Config { epoch: 2, pairing_from, ..Config::default() });
    let [alice, bob, carol] = [1, 2, 3].map(|number| scene.guest(number));
    let ticket = |guest: &Guest, number, numbers| {
        let [position, waiting] = numbers;
        guest.queued_with("open", Opening { epoch: 2, number }, [position, waiting, 0, 0])
    };
    scene.expect(alice.enters("open"), [ticket(&alice, 1, [1, 1])]);
    scene.expect(bob.enters("open"), [ticket(&bob, 2, [2, 2])]);
    scene.expect(carol.enters("open"), [ticket(&carol, 3, [3, 3])]);
    scene.wait(delay - MOMENT, []);
    let room = scene.next_room(&alice, &bob);
    scene.wait(MOMENT, [alice.paired(room, "open", &bob), bob.paired(room, "open", &alice)]);
}

#[test]
fn what_was_slept_over_is_no_part_of_any_grace() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(alice.goes(), []);
    scene.wait(AWAY_AFTER, [bob.partner(room, Presence::Reconnecting, AWAY_AFTER)]);
    let slept = GRACE * 10;
    scene.now += slept;
    scene.expect(Event::Slept(slept), []);
    scene.expect(Event::Tick, []);
    scene.wait(GRACE - AWAY_AFTER - MOMENT, []);
    scene.wait(MOMENT, [bob.closed(room, CloseReason::Timeout)]);
}

#[test]
fn what_was_slept_over_is_no_silence_of_a_room() {
    let mut scene = Scene::with(Config { listening_for: 9 * HALF_HOUR, ..Config::default() });
    let (alice, bob, room) = scene.couple([1, 2], "open");
    let slept = 2 * HALF_HOUR;
    scene.now += slept;
    scene.expect(Event::Slept(slept), []);
    scene.expect(Event::Tick, []);
    scene.wait(HALF_HOUR - MOMENT, []);
    let closed = [alice, bob].map(|guest| guest.closed(room, CloseReason::Idle));
    scene.wait(MOMENT, closed);
}

#[test]
fn fresh_tokens_come_with_what_they_are_for() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(
        Event::Refresh(alice.connection),
        [alice.welcomed_back(), alice.paired(room, "open", &bob)],
    );
    let carol = scene.guest(3);
    scene.send(carol.enters("tea"));
    scene.expect(
        Event::Refresh(carol.connection),
        [carol.welcomed_back(), carol.queued("tea", 3, [1, 1, 0, 0])],
    );
}
