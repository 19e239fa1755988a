//! Who is paired with whom, and when.

use super::*;

#[test]
fn both_are_told_at_once() {
    let mut scene = Scene::new();
    scene.couple([1, 2], "open");
    let counts = scene.lobby.counts();
    assert_eq!((counts.rooms, counts.waiting, counts.topics), (1, 0, 0));
}

#[test]
fn the_earliest_is_paired_first() {
    let mut scene = Scene::new();
    let [one, two, three] = [1, 1, 1].map(|number| scene.guest(number));
    for guest in [two, one, three] {
        scene.send(guest.enters("open"));
    }
    for (partner, number) in [(two, 2), (one, 3), (three, 4)] {
        let guest = scene.guest(number);
        let room = scene.next_room(&partner, &guest);
        let met_before = false;
        scene.expect(
            guest.enters("open"),
            [
                partner.paired_with(room, "open", &guest, Presence::Listening, met_before),
                guest.paired(room, "open", &partner),
            ],
        );
    }
}

#[test]
fn sessions_of_one_owner_never_meet() {
    let mut scene = Scene::new();
    for _ in 0..2 {
        let guest = scene.guest(1);
        scene.send(guest.enters("chess"));
    }
    scene.wait(HALF_HOUR / 2, []);
    assert_eq!(scene.lobby.counts().waiting, 2);
}

#[test]
fn the_same_shim_id_under_two_accounts_is_two_owners() {
    let mut scene = Scene::new();
    let alice = scene.guest(1);
    scene.send(alice.enters("open"));
    let connection = scene.connection();
    let stranger = Owner { uid: 1001, ..owner(1) };
    scene.send(Event::Arrived(connection, Arrival { owner: stranger, ..arrival(1) }));
    scene.send(Event::EnterQueue(connection, None, alice.seeks("open"), Vec::new()));
    assert_eq!(scene.lobby.counts().rooms, 1);
}

#[test]
fn a_block_lasts_whoever_blocked() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "chess");
    scene.send(alice.blocks(room));
    scene.expect(bob.enters("chess"), [bob.queued("chess", 3, [1, 1, 0, 0])]);
    scene.expect(alice.enters("chess"), [alice.queued("chess", 4, [2, 2, 0, 0])]);
    for guest in [alice, bob] {
        scene.send(guest.attends(true));
    }
    scene.wait(HALF_HOUR, []);
}

#[test]
fn blocks_come_along_with_an_arrival() {
    let mut scene = Scene::new();
    let bob = scene.guest(2);
    scene.send(bob.enters("open"));
    let connection = scene.connection();
    let arrival = Arrival { blocks: vec![owner(2)], ..arrival(1) };
    scene.send(Event::Arrived(connection, arrival.clone()));
    scene.send(Event::EnterQueue(connection, None, bob.seeks("open"), Vec::new()));
    let counts = scene.lobby.counts();
    assert_eq!((counts.waiting, counts.blocks), (2, 1));

    let again = scene.connection();
    scene.send(Event::Arrived(again, arrival));
    assert_eq!(scene.lobby.counts().blocks, 1, "the same block is one block");
}

#[test]
fn one_who_is_gone_is_not_paired_until_back() {
    let mut scene = Scene::new();
    let (alice, bob) = (scene.guest(1), scene.guest(2));
    scene.send(alice.enters("chess"));
    scene.expect(alice.goes(), []);
    scene.expect(bob.enters("chess"), [bob.queued("chess", 2, [2, 2, 1, 0])]);
    scene.wait(GRACE - MOMENT, []);
    let alice = scene.again(&alice);
    let room = scene.next_room(&alice, &bob);
    scene.expect(
        alice.back_waiting(Some(1), "chess"),
        [
            alice.welcomed_back(),
            alice.paired(room, "chess", &bob),
            bob.paired(room, "chess", &alice),
        ],
    );
}

#[test]
fn on_open_a_quiet_one_is_given_to_a_listening_one_after_both_waited() {
    let mut scene = Scene::new();
    let quiet = scene.quiet_one(1, "open");
    let bob = scene.guest(2);
    scene.expect(bob.enters("open"), [bob.queued("open", 2, [2, 2, 1, 0])]);
    scene.wait(MATCH_WAIT - MOMENT, []);
    let room = scene.next_room(&quiet, &bob);
    scene.wait(
        MOMENT,
        [
            quiet.paired(room, "open", &bob),
            bob.paired_with(room, "open", &quiet, Presence::NotListening, false),
        ],
    );
}

#[test]
fn two_quiet_ones_never_meet() {
    let mut scene = Scene::with(Config { queue_idle: None, ..Config::default() });
    for topic in ["open", "chess"] {
        scene.quiet_one(1, topic);
        scene.quiet_one(2, topic);
    }
    scene.wait(HALF_HOUR, []);
    assert_eq!(scene.lobby.counts().waiting, 4);
}

#[test]
fn a_listening_one_is_preferred_to_a_quiet_one() {
    for topic in ["open", "chess"] {
        let mut scene = Scene::new();
        scene.quiet_one(1, topic);
        let own = scene.guest(1);
        scene.send(own.enters(topic));
        let bob = scene.guest(2);
        let room = scene.next_room(&own, &bob);
        scene.expect(
            bob.enters(topic),
            [own.paired(room, topic, &bob), bob.paired(room, topic, &own)],
        );
    }
}

#[test]
fn the_earliest_quiet_one_is_taken() {
    let mut scene = Scene::new();
    let first = scene.quiet_one(1, "chess");
    scene.quiet_one(1, "chess");
    let bob = scene.guest(2);
    let room = scene.next_room(&first, &bob);
    scene.expect(
        bob.enters("chess"),
        [
            first.paired(room, "chess", &bob),
            bob.paired_with(room, "chess", &first, Presence::NotListening, false),
        ],
    );
}

#[test]
fn recent_partners_meet_again_only_after_both_waited() {
    for topic in ["open", "chess"] {
        let mut scene = Scene::new();
        let (alice, bob, room) = scene.couple([1, 2], topic);
        scene.send(alice.leaves(room));
        scene.expect(alice.enters(topic), [alice.queued(topic, 3, [1, 1, 0, 0])]);
        scene.wait(SECOND, []);
        scene.expect(bob.enters(topic), [bob.queued(topic, 4, [2, 2, 0, 0])]);
        scene.wait(MATCH_WAIT - MOMENT, []);
        let room = scene.next_room(&alice, &bob);
        scene.wait(
            MOMENT,
            [
                alice.paired_with(room, topic, &bob, Presence::Listening, true),
                bob.paired_with(room, topic, &alice, Presence::Listening, true),
            ],
        );
    }
}

#[test]
fn a_stranger_is_preferred_to_a_recent_partner() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(alice.leaves(room));
    scene.send(bob.enters("open"));
    scene.send(alice.enters("open"));
    scene.wait(SECOND, []);
    let carol = scene.guest(3);
    let room = scene.next_room(&bob, &carol);
    scene.expect(
        carol.enters("open"),
        [bob.paired(room, "open", &carol), carol.paired(room, "open", &bob)],
    );
}

#[test]
fn after_ten_minutes_one_has_met_before_but_not_lately() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(alice.leaves(room));
    scene.wait(shared::limits::RECENT_PARTNER_FOR, []);
    scene.send(alice.enters("open"));
    let room = scene.next_room(&alice, &bob);
    scene.expect(
        bob.enters("open"),
        [
            alice.paired_with(room, "open", &bob, Presence::Listening, true),
            bob.paired_with(room, "open", &alice, Presence::Listening, true),
        ],
    );
}

#[test]
fn partners_are_recent_from_the_end_of_their_room() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    for guest in [alice, bob] {
        scene.send(guest.attends(true));
    }
    scene.wait(shared::limits::RECENT_PARTNER_FOR, []);
    scene.send(alice.leaves(room));
    scene.send(alice.enters("open"));
    scene.expect(bob.enters("open"), [bob.queued("open", 4, [2, 2, 0, 0])]);
}

#[test]
fn a_draining_lobby_pairs_nobody() {
    let mut scene = Scene::new();
    let quiet = scene.quiet_one(1, "chess");
    let other = scene.quiet_one(2, "chess");
    scene.expect(Event::Drain, []);
    scene.expect(quiet.attends(false), [quiet.queued("chess", 1, [1, 2, 1, 0])]);
    scene.expect(other.attends(false), [other.queued("chess", 2, [2, 2, 0, 0])]);
    scene.wait(MATCH_WAIT, []);
}
