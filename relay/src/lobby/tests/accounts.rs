//! What one account can take leaves the others theirs.

use super::*;

/// Somebody of another account than the rest.
fn stranger(number: u8) -> Owner {
    Owner { uid: 1001, ..owner(number) }
}

fn few_sessions() -> Scene {
    Scene::with(Config { sessions: 4, sessions_per_user: 3, ..Config::default() })
}

#[test]
fn coming_and_going_makes_no_more_sessions_than_an_account_can_have() {
    let mut scene = few_sessions();
    for number in 0..20 {
        let guest = scene.guest(number);
        scene.expect(guest.goes(), []);
        assert!(scene.lobby.counts().sessions <= 3);
    }
    scene.guest_of(stranger(1));
    assert_eq!(scene.lobby.counts().sessions, 4);
}

#[test]
fn who_is_lost_and_idle_gives_way_before_who_waits_and_the_longest_lost_first() {
    let mut scene = few_sessions();
    let [waits, early, late] = [1, 2, 3].map(|number| scene.guest(number));
    scene.send(waits.enters("chess"));
    for guest in [waits, early, late] {
        scene.expect(guest.goes(), []);
        scene.wait(MOMENT, []);
    }
    let known = |scene: &Scene| {
        [waits, early, late].map(|guest| scene.lobby.sessions.contains_key(&guest.session))
    };
    for expected in [[true, false, true], [true, false, false], [false; 3]] {
        scene.guest(4);
        assert_eq!(known(&scene), expected);
    }
    assert_eq!(scene.lobby.counts().topics, 0);
}

#[test]
fn who_gave_way_is_back_in_its_place_with_what_its_client_holds() {
    let mut scene = few_sessions();
    let [alice, other] = [1, 1].map(|number| scene.guest(number));
    scene.send(alice.enters("chess"));
    scene.send(other.enters("chess"));
    scene.expect(alice.goes(), []);
    let new = [5, 6].map(|number| scene.guest(number));
    scene.expect(new[0].goes(), []);
    let alice = scene.again(&alice);
    let effects = [alice.welcomed_back(), alice.queued("chess", 1, [1, 1, 0, 1])];
    scene.expect(alice.back_waiting(Some(1), "chess"), effects);
}

#[test]
fn nobody_who_is_connected_or_in_a_room_gives_way() {
    let mut scene = few_sessions();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.guest(3);
    scene.expect(bob.goes(), []);
    let refused = |scene: &mut Scene, owner| {
        let connection = scene.connection();
        let reason = DisconnectReason::TooManySessions { of_account: owner == self::owner(4) };
        let arrived = Event::Arrived(connection, Arrival { owner, ..arrival(0) });
        scene.expect(arrived, [(connection, Effect::Disconnect(reason))]);
        // Nothing is left of it: the server does not say that it has gone.
        scene.expect(Event::LeaveQueue(connection), []);
    };
    refused(&mut scene, owner(4));
    let other = scene.guest_of(stranger(1));
    refused(&mut scene, stranger(2));
    scene.expect(other.goes(), []);
    // What is lost of another account is not for one that has all it can have.
    refused(&mut scene, owner(4));
    scene.guest_of(stranger(2));
    // Who is known comes back, however many there are.
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
}

#[test]
fn when_there_are_too_many_in_all_the_lost_of_other_accounts_give_way_too() {
    let mut scene = few_sessions();
    let lost = [1, 2, 3].map(|number| scene.guest(number));
    for guest in lost {
        scene.expect(guest.goes(), []);
    }
    scene.guest_of(stranger(1));
    scene.guest_of(stranger(2));
    assert_eq!(scene.lobby.counts().sessions, 4);
}

#[test]
fn an_account_that_had_all_it_can_have_comes_back_whole_to_the_next_relay() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let config = Config { sessions_per_user: 3, ..Config::default() };
        let mut scene = Scene::with(config.clone());
        let (alice, bob, room) = scene.couple([1, 2], "open");
        let carol = scene.guest(3);
        scene.send(carol.enters("chess"));
        scene.restart_with(Config { epoch: 2, ..config });
        for who in order {
            let guest = scene.again(&[alice, bob, carol][who]);
            let back = if who == 2 {
                guest.back_waiting(Some(2), "chess")
            } else {
                guest.back_in(room, 0)
            };
            assert_eq!(scene.send(back)[0], guest.welcomed_back(), "{order:?}");
        }
        let counts = scene.lobby.counts();
        assert_eq!((counts.sessions, counts.rooms, counts.waiting), (3, 1, 1), "{order:?}");
    }
}

#[test]
fn a_room_that_comes_back_brings_no_partner_for_whom_there_is_no_space() {
    let mut scene = Scene::new();
    let (alice, _, room) = scene.couple([1, 2], "open");
    scene.restart_with(Config { epoch: 2, sessions_per_user: 1, ..Config::default() });
    let alice = scene.again(&alice);
    let effects = [alice.welcomed_back(), alice.closed(room, CloseReason::RelayLost)];
    scene.expect(alice.back_in(room, 0), effects);
}

#[test]
fn one_account_waits_in_so_many_topics_and_leaves_the_rest() {
    let config = Config { topics: 4, topics_per_user: 2, ..Config::default() };
    let mut scene = Scene::with(config);
    let greedy = [1, 1, 1, 1].map(|number| scene.guest(number));
    scene.send(greedy[0].enters("one"));
    scene.send(greedy[1].enters("two"));
    let refused = greedy[2].refused(Refusal::TooManyOwnTopics);
    scene.expect(greedy[2].enters("three"), [refused]);
    // In a topic where it waits already it takes no other; the default one is for everybody.
    scene.expect(greedy[2].enters("Two"), [greedy[2].queued("Two", 3, [1, 1, 0, 1])]);
    scene.expect(greedy[3].enters("open"), [greedy[3].queued("open", 4, [1, 1, 0, 0])]);
    // Who waits alone takes its topic along.
    scene.expect(greedy[0].enters("three"), [greedy[0].queued("three", 5, [1, 1, 0, 0])]);

    let others = [1, 2].map(|number| scene.guest_of(stranger(number)));
    scene.expect(others[0].enters("four"), [others[0].queued("four", 6, [1, 1, 0, 0])]);
    scene.expect(others[1].enters("five"), [others[1].queued("five", 7, [1, 1, 0, 0])]);
}

#[test]
fn one_account_has_so_many_places_of_a_topic_and_leaves_the_rest() {
    let config = Config { waiting_per_topic: 3, waiting_per_user: 2, ..Config::default() };
    let mut scene = Scene::with(config);
    let greedy = [1, 1, 1].map(|number| scene.guest(number));
    scene.send(greedy[0].enters("open"));
    scene.send(greedy[1].enters("open"));
    scene.expect(greedy[2].enters("open"), [greedy[2].refused(Refusal::OwnQueueFull)]);
    scene.expect(greedy[0].goes(), []);
    scene.expect(greedy[2].enters("open"), [greedy[2].refused(Refusal::OwnQueueFull)]);

    // Those who are not for each other take one place each.
    let blocks = vec![owner(1)];
    let connection = scene.connection();
    let arrival = Arrival { owner: stranger(2), blocks, ..arrival(0) };
    scene.send(Event::Arrived(connection, arrival));
    let seeking = Seeking { display_name: "Guest".into(), topic: "open".into() };
    let effects = scene.send(Event::EnterQueue(connection, None, seeking, Vec::new()));
    assert!(
        matches!(
            *effects,
            [(_, Effect::Tell(News::Queued { numbers: Numbers { waiting: 3, .. }, .. }))]
        ),
        "{effects:?}"
    );
}

#[test]
fn who_can_be_paired_at_once_needs_no_place() {
    let config =
        Config { waiting_per_topic: 1, topics: 1, topics_per_user: 1, ..Config::default() };
    let mut scene = Scene::with(config);
    let [alice, elsewhere] = [1, 2].map(|number| scene.guest(number));
    let bob = scene.guest_of(stranger(1));
    scene.send(elsewhere.enters("open"));
    scene.send(alice.enters("full"));
    let room = scene.next_room(&alice, &bob);
    let effects = [alice.paired(room, "full", &bob), bob.paired(room, "full", &alice)];
    scene.expect(bob.enters("full"), effects);
}

#[test]
fn before_anybody_is_paired_a_full_queue_takes_nobody() {
    let mut scene = Scene::new();
    let pairing_from = Some(scene.now + 2 * SECOND);
    scene.restart_with(Config { pairing_from, waiting_per_topic: 1, ..Config::default() });
    let [alice, bob] = [1, 2].map(|number| scene.guest(number));
    scene.send(alice.enters("open"));
    scene.expect(bob.enters("open"), [bob.refused(Refusal::QueueFull)]);
}

#[test]
fn the_default_topic_is_none_of_those_that_are_counted() {
    let mut scene = Scene::with(Config { topics: 1, ..Config::default() });
    let [one, two, three] = [1, 1, 1].map(|number| scene.guest(number));
    scene.send(one.enters("chess"));
    scene.expect(two.enters("open"), [two.queued("open", 2, [1, 1, 0, 0])]);
    scene.expect(three.enters("go"), [three.refused(Refusal::TooManyTopics)]);
    // Nor does leaving it make space for another.
    scene.expect(two.enters("go"), [two.refused(Refusal::TooManyTopics)]);
}
