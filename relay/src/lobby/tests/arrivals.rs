//! What a session takes up again.

use super::*;

#[test]
fn a_session_outlives_its_connection() {
    let mut scene = Scene::new();
    let alice = scene.guest(1);
    scene.expect(alice.goes(), []);
    scene.wait(GRACE - MOMENT, []);
    let alice = scene.again(&alice);
    scene.expect(alice.back_idle(), [alice.welcomed_back()]);
    scene.wait(GRACE * 2, []);
    assert_eq!(scene.lobby.counts().sessions, 1);
}

#[test]
fn a_session_that_does_not_come_back_is_forgotten() {
    let mut scene = Scene::new();
    let alice = scene.guest(1);
    scene.expect(alice.goes(), []);
    scene.wait(GRACE, []);
    assert_eq!(scene.lobby.counts().sessions, 0);
    assert_eq!(scene.lobby.next_deadline(), None);
}

#[test]
fn an_unknown_session_with_a_good_token_is_adopted() {
    let mut scene = Scene::new();
    let session = SessionId::from_bytes([5; 16]);
    let alice = Guest { connection: scene.connection(), session, owner: owner(1) };
    scene.expect(alice.back_idle(), [alice.welcomed_back()]);
}

#[test]
fn a_session_of_another_owner_is_not_given_away() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    let thief = Guest { owner: owner(3), ..scene.again(&alice) };
    let session = SessionId::from_bytes(scene.next_id());
    let welcome = thief.gets(Effect::Welcome { session, resumed: false });
    scene.expect(thief.back_in(room, 0), [welcome, thief.closed(room, CloseReason::RelayLost)]);
    scene.expect(alice.says(room, 1), [bob.forward()]);
}

#[test]
fn a_newer_connection_supersedes_the_older() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    let newer = scene.again(&alice);
    scene.expect(
        newer.back_in(room, 0),
        [
            alice.disconnected(DisconnectReason::Superseded),
            newer.welcomed_back(),
            newer.sync(room, 0),
            bob.sync(room, 0),
            newer.partner(room, Presence::Listening, Duration::ZERO),
        ],
    );
    scene.expect(alice.goes(), []);
    scene.expect(alice.says(room, 1), []);
    scene.expect(newer.says(room, 1), [bob.forward()]);
    assert_eq!(scene.lobby.others_connected(None), 2);
}

#[test]
fn a_second_hello_of_a_connection_is_nothing() {
    let mut scene = Scene::new();
    let alice = scene.guest(1);
    scene.expect(alice.back_idle(), []);
    scene.expect(Event::Arrived(alice.connection, arrival(2)), []);
}

#[test]
fn both_sides_learn_what_the_other_has_taken() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(Event::Ack { from: bob.connection, room: room.room, received: 3 });
    scene.send(Event::Sync { from: bob.connection, room: room.room, received: 5 });
    scene.send(Event::Ack { from: bob.connection, room: room.room, received: 4 });
    scene.expect(alice.goes(), []);
    let alice = scene.again(&alice);
    scene.expect(
        alice.back_in(room, 7),
        [
            alice.welcomed_back(),
            alice.sync(room, 5),
            bob.sync(room, 7),
            alice.partner(room, Presence::Listening, Duration::ZERO),
        ],
    );
}

#[test]
fn the_lobby_needs_no_token_for_a_room_that_it_knows_the_session_to_be_in() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(alice.goes(), []);
    let alice = scene.again(&alice);
    let claims = Arrival { room: Some(alice.claims(room.room, None, 0)), ..arrival(1) };
    scene.expect(
        alice.arrives(claims),
        [
            alice.welcomed_back(),
            alice.sync(room, 0),
            bob.sync(room, 0),
            alice.partner(room, Presence::Listening, Duration::ZERO),
        ],
    );
}

#[test]
fn a_room_claimed_without_a_good_token_is_lost() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    let stranger = scene.guest(3);
    let stranger = scene.again(&stranger);
    let claims = Arrival { room: Some(stranger.claims(room.room, None, 0)), ..arrival(3) };
    let welcome = scene.send(stranger.arrives(claims));
    pretty_assert(
        &welcome[1..],
        &[stranger.welcomed_back(), stranger.closed(room, CloseReason::RelayLost)],
    );
    scene.expect(alice.says(room, 1), [bob.forward()]);
}

#[test]
fn a_closed_room_does_not_come_back() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(bob.goes(), []);
    scene.send(alice.leaves(room));
    let bob = scene.again(&bob);
    let closed = [bob.welcomed_back(), bob.closed(room, CloseReason::Left)];
    scene.expect(bob.back_in(room, 0), closed);
}

#[test]
fn a_room_that_closed_by_itself_does_not_come_back() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(alice.goes(), []);
    scene.wait(AWAY_AFTER, [bob.partner(room, Presence::Reconnecting, AWAY_AFTER)]);
    scene.wait(GRACE - AWAY_AFTER, [bob.closed(room, CloseReason::Timeout)]);
    let alice = scene.again(&alice);
    scene.expect(
        alice.back_in(room, 0),
        [alice.welcomed_back(), alice.closed(room, CloseReason::Left)],
    );
}

#[test]
fn a_room_left_before_this_lobby_knew_it_does_not_come_back() {
    let mut scene = Scene::new();
    let (alice, bob) = (scene.guest(1), scene.guest(2));
    let room = scene.next_room(&alice, &bob);
    scene.expect(alice.leaves(room), [alice.left(room)]);
    scene.expect(bob.goes(), []);
    let bob = scene.again(&bob);
    scene.expect(bob.back_in(room, 0), [bob.welcomed_back(), bob.closed(room, CloseReason::Left)]);
}

#[test]
fn who_claims_another_room_has_left_the_one_it_is_in() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    let old = RoomDescriptor { room: RoomId::from_bytes([9; 16]), ..room };
    scene.expect(alice.goes(), []);
    let alice = scene.again(&alice);
    scene.expect(
        alice.back_in(old, 0),
        [
            alice.welcomed_back(),
            alice.closed(old, CloseReason::RelayLost),
            bob.closed(room, CloseReason::Left),
        ],
    );
}

#[test]
fn who_claims_a_room_that_is_no_more_waits_no_longer() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(bob.leaves(room));
    scene.send(alice.enters("open"));
    scene.expect(alice.goes(), []);
    let alice = scene.again(&alice);
    scene.expect(
        alice.back_in(room, 0),
        [alice.welcomed_back(), alice.closed(room, CloseReason::Left)],
    );
    assert_eq!(scene.lobby.counts().waiting, 0);
}

#[test]
fn leaves_are_answered_on_arrival_in_their_order() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(alice.goes(), []);
    let alice = scene.again(&alice);
    let unknown = RoomDescriptor { room: RoomId::from_bytes([9; 16]), ..room };
    let claims = Arrival {
        leaving: vec![leaving(unknown), leaving(room)],
        queue: Some((None, alice.seeks("open"))),
        ..arrival(1)
    };
    scene.expect(
        alice.arrives(claims),
        [
            alice.welcomed_back(),
            alice.left(unknown),
            alice.left(room),
            bob.closed(room, CloseReason::Left),
            alice.queued("open", 3, [1, 1, 0, 0]),
        ],
    );
}

#[test]
fn who_was_paired_while_gone_from_the_wire_is_told_on_arrival() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(alice.goes(), []);
    scene.wait(AWAY_AFTER, [bob.partner(room, Presence::Reconnecting, AWAY_AFTER)]);
    let alice = scene.again(&alice);
    scene.expect(
        alice.back_waiting(Some(1), "open"),
        [
            alice.welcomed_back(),
            alice.paired(room, "open", &bob),
            alice.sync(room, 0),
            bob.sync(room, 0),
            bob.partner(room, Presence::Listening, AWAY_AFTER),
        ],
    );
}

#[test]
fn who_claims_nothing_has_left() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(alice.goes(), []);
    let alice = scene.again(&alice);
    scene.expect(alice.back_idle(), [alice.welcomed_back(), bob.closed(room, CloseReason::Left)]);

    let carol = scene.guest(3);
    scene.send(carol.enters("open"));
    scene.expect(carol.goes(), []);
    let carol = scene.again(&carol);
    scene.expect(carol.back_idle(), [carol.welcomed_back()]);
    assert_eq!(scene.lobby.counts().waiting, 0);
}

#[test]
fn a_place_is_kept_over_a_cut() {
    let mut scene = Scene::new();
    let (one, two) = (scene.guest(1), scene.guest(1));
    scene.send(one.enters("open"));
    scene.send(two.enters("open"));
    scene.expect(one.goes(), []);
    for ticket in [None, Some(1), Some(77)] {
        let one = scene.again(&one);
        let effects = scene.send(one.back_waiting(ticket, "Open"));
        pretty_assert(&effects[effects.len() - 1..], &[one.queued("Open", 1, [1, 1, 0, 1])]);
    }
}

#[test]
fn tickets_of_an_earlier_run_order_the_queue() {
    let mut scene = Scene::with(Config { epoch: 2, ..Config::default() });
    let seats: Vec<_> = [3, 1, 2].map(|number| (number, scene.guest(1))).into();
    for &(number, guest) in &seats {
        scene.expect(guest.goes(), []);
        let guest = scene.again(&guest);
        scene.send(guest.back_waiting(Some(number), "open"));
    }
    let fresh = scene.guest(1);
    let queued = fresh.queued_with("open", Opening { epoch: 2, number: 1 }, [1, 1, 0, 3]);
    scene.expect(fresh.enters("open"), [queued]);
    for number in [1, 2, 3] {
        let guest = scene.guest(10 + u8::try_from(number).unwrap());
        let effects = scene.send(guest.enters("open"));
        let Some((_, Effect::Tell(News::Paired { descriptor, .. }))) = effects.first() else {
            panic!("{effects:?}")
        };
        let (_, expected) = seats.iter().find(|(seat, _)| *seat == number).unwrap();
        assert_eq!(descriptor.members[0], expected.member());
    }
}

#[test]
fn a_claimed_place_can_be_refused() {
    let mut scene = Scene::with(Config { waiting_per_topic: 1, ..Config::default() });
    let (one, two) = (scene.guest(1), scene.guest(1));
    scene.send(one.enters("open"));
    let two = scene.again(&two);
    let effects = scene.send(two.back_waiting(None, "open"));
    pretty_assert(&effects[1..], &[two.welcomed_back(), two.refused(Refusal::QueueFull)]);
}

#[test]
fn arriving_is_no_activity_of_a_known_session() {
    let mut scene = Scene::new();
    let alice = scene.quiet_one(1, "open");
    scene.expect(alice.goes(), []);
    let alice = scene.again(&alice);
    scene.expect(
        alice.back_waiting(Some(1), "open"),
        [alice.welcomed_back(), alice.queued("open", 1, [1, 1, 1, 0])],
    );
}

#[test]
fn others_connected_leaves_out_ones_own() {
    let mut scene = Scene::new();
    let guests = [1, 1, 2].map(|number| scene.guest(number));
    let others = |scene: &Scene, number| scene.lobby.others_connected(Some(&owner(number).id));
    assert_eq!(scene.lobby.others_connected(None), 3);
    assert_eq!([1, 2, 3].map(|number| others(&scene, number)), [1, 2, 3]);
    scene.expect(guests[0].goes(), []);
    assert_eq!([1, 2, 3].map(|number| others(&scene, number)), [1, 1, 2]);
}
