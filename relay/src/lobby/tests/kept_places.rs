//! Who was left at once and without a word keeps the place; a match spends the ticket.

use shared::limits::{EnterRates, LEFT_AT_ONCE, PLACE_KEPT, Rate};

use super::*;

fn scene() -> Scene {
    Scene::with(Config { message_rate: None, ..Config::default() })
}

/// One of this owner comes, is matched with Alice, and leaves.
#[track_caller]
fn hit_and_run(scene: &mut Scene, alice: &Guest, number: u8) -> Told {
    let mallory = scene.guest(number);
    let room = scene.next_room(alice, &mallory);
    let effects = [alice.paired(room, "open", &mallory), mallory.paired(room, "open", alice)];
    scene.expect(mallory.enters("open"), effects);
    let effects = scene.send(mallory.leaves(room));
    let [left, closed] = <[Told; 2]>::try_from(effects).unwrap();
    assert_eq!(left, mallory.left(room));
    assert!(
        [alice.closed(room, CloseReason::Left), alice.closed_with_place_kept(room)]
            .contains(&closed)
    );
    closed
}

fn keeps_place((_, effect): &Told) -> bool {
    matches!(effect, Effect::Tell(News::Closed { place_kept: Some(PLACE_KEPT), .. }))
}

/// Alice waits with ticket 1, is matched and left, and somebody else waits whom she met lately.
fn left_at_once(scene: &mut Scene) -> Guest {
    let alice = scene.guest(1);
    scene.expect(alice.enters("open"), [alice.queued("open", 1, [1, 1, 0, 0])]);
    assert!(keeps_place(&hit_and_run(scene, &alice, 66)));
    let later = scene.guest(66);
    scene.expect(later.enters("open"), [later.queued("open", 3, [1, 1, 0, 0])]);
    alice
}

#[test]
fn who_was_left_at_once_has_the_old_place() {
    let mut scene = scene();
    let alice = left_at_once(&mut scene);
    scene.now += PLACE_KEPT - MOMENT;
    scene.expect(alice.enters("open"), [alice.queued("open", 1, [1, 2, 0, 0])]);
}

#[test]
fn so_has_another_session_of_the_same_client() {
    let mut scene = scene();
    let alice = left_at_once(&mut scene);
    scene.send(alice.goes());
    let alice = scene.guest(1);
    scene.expect(alice.enters("open"), [alice.queued("open", 1, [1, 2, 0, 0])]);
    // It is one place.
    let again = scene.guest(1);
    scene.expect(again.enters("open"), [again.queued("open", 4, [2, 2, 0, 1])]);
}

#[test]
fn the_place_is_kept_for_so_long_in_its_queue_and_for_its_owner() {
    let mut scene = scene();
    let alice = left_at_once(&mut scene);
    let stranger = scene.guest(3);
    scene.expect(alice.enters("chess"), [alice.queued("chess", 4, [1, 1, 0, 0])]);
    scene.expect(stranger.enters("go"), [stranger.queued("go", 5, [1, 1, 0, 0])]);
    scene.now += PLACE_KEPT;
    scene.expect(alice.enters("open"), [alice.queued("open", 6, [2, 2, 0, 0])]);
}

#[test]
fn a_place_is_kept_twice_and_then_it_is_the_last() {
    let mut scene = scene();
    let alice = scene.guest(1);
    for (number, ticket, is_kept) in [(66, 1, true), (67, 1, true), (68, 1, false), (69, 5, true)] {
        scene.expect(alice.enters("open"), [alice.queued("open", ticket, [1, 1, 0, 0])]);
        assert_eq!(keeps_place(&hit_and_run(&mut scene, &alice, number)), is_kept, "{number}");
    }
}

#[test]
fn a_partner_that_has_spoken_or_stayed_has_not_left_at_once() {
    for (spoken, stayed, is_kept) in [
        (false, LEFT_AT_ONCE, true),
        (false, LEFT_AT_ONCE + MOMENT, false),
        (true, Duration::ZERO, false),
    ] {
        let mut scene = scene();
        let (alice, mallory, room) = scene.couple([1, 66], "open");
        // What she said herself is no matter.
        scene.send(alice.says(room, 1));
        if spoken {
            scene.send(mallory.says(room, 1));
        }
        scene.now += stayed;
        let effects = scene.send(mallory.leaves(room));
        assert_eq!(keeps_place(&effects[1]), is_kept, "{spoken} {stayed:?}");
    }
}

#[test]
fn whoever_leaves_keeps_nothing() {
    let mut scene = scene();
    let (alice, mallory, room) = scene.couple([1, 66], "open");
    scene.send(alice.leaves(room));
    let alices = alice.queued("open", 3, [1, 1, 0, 0]);
    scene.expect(alice.enters("open"), [alices]);
    // The other was left, and had the second place.
    scene.expect(mallory.enters("open"), [mallory.queued("open", 2, [1, 2, 0, 0])]);
}

#[test]
fn next_and_a_block_and_coming_back_without_the_room_are_ways_to_leave() {
    type Leave = fn(&mut Scene, &Guest, RoomDescriptor) -> Vec<Told>;
    let leaves: [Leave; 3] = [
        |scene, mallory, room| scene.send(mallory.next(room, "chess")),
        |scene, mallory, room| scene.send(mallory.blocks(room)),
        |scene, mallory, _| {
            let mallory = scene.again(mallory);
            scene.send(mallory.back_idle())
        },
    ];
    for leave in leaves {
        let mut scene = scene();
        let (alice, mallory, room) = scene.couple([1, 66], "open");
        let effects = leave(&mut scene, &mallory, room);
        assert!(effects.contains(&alice.closed_with_place_kept(room)), "{effects:?}");
        scene.expect(alice.enters("open"), [alice.queued("open", 1, [1, 1, 0, 0])]);
    }
}

#[test]
fn a_room_of_an_earlier_relay_is_no_match_of_this_one() {
    let mut scene = scene();
    let (alice, mallory, room) = scene.couple([1, 66], "open");
    scene.restart_with(Config { epoch: 2, ..Config::default() });
    let [alice, mallory] = [alice, mallory].map(|guest| scene.again(&guest));
    scene.send(alice.back_in(room, 0));
    scene.send(mallory.back_in(room, 0));
    scene.expect(mallory.leaves(room), [mallory.left(room), alice.closed(room, CloseReason::Left)]);
}

#[test]
fn who_was_not_there_when_the_partner_left_is_told_when_it_comes_back() {
    let mut scene = scene();
    let (alice, mallory, room) = scene.couple([1, 66], "open");
    scene.expect(alice.goes(), []);
    scene.expect(mallory.leaves(room), [mallory.left(room)]);
    scene.now += SECOND;
    let alice = scene.again(&alice);
    let (reason, place_kept) = (CloseReason::Left, Some(PLACE_KEPT - SECOND));
    let closed = alice.told(News::Closed { room: room.room, reason, place_kept });
    scene.expect(alice.back_in(room, 0), [alice.welcomed_back(), closed]);
    scene.expect(alice.enters("open"), [alice.queued("open", 1, [1, 1, 0, 0])]);
}

#[test]
fn without_the_option_no_place_is_kept() {
    let mut scene = Scene::with(Config { place_kept: None, ..Config::default() });
    let alice = scene.guest(1);
    scene.send(alice.enters("open"));
    assert!(!keeps_place(&hit_and_run(&mut scene, &alice, 66)));
    scene.expect(alice.enters("open"), [alice.queued("open", 3, [1, 1, 0, 0])]);
}

#[test]
fn entering_with_a_kept_place_costs_nothing() {
    const ONE: Option<Rate> = Some(Rate::new(1, Duration::from_secs(60)));
    let mut scene = Scene::with(Config {
        next_rate: ONE,
        enter_rates: EnterRates {
            session: ONE,
            client: ONE,
            user: Some(Rate::new(4, Duration::from_secs(60))),
        },
        ..Config::default()
    });
    let alice = scene.guest(1);
    scene.send(alice.enters("open"));
    hit_and_run(&mut scene, &alice, 66);
    scene.expect(alice.enters("open"), [alice.queued("open", 1, [1, 1, 0, 0])]);
    hit_and_run(&mut scene, &alice, 67);
    // `next` of one who was left is the same. The first of these would be one too many.
    let next = |_| Event::Next(alice.connection, None, alice.seeks("open"), Vec::new());
    scene.expect(next(()), [alice.queued("open", 1, [1, 1, 0, 0])]);
    hit_and_run(&mut scene, &alice, 68);
    let effects = scene.send(next(()));
    assert!(matches!(effects[..], [(_, Effect::Tell(News::Refused(Refusal::TooOften(_))))]));
}

/// Its client counts no search that the relay says is free, and each other one.
#[test]
fn next_is_free_once_whatever_has_become_of_the_place() {
    let rate = Rate::new(3, Duration::from_secs(10));
    let mut scene = Scene::with(Config {
        next_rate: Some(rate),
        enter_rates: EnterRates::default(),
        ..Config::default()
    });
    let alice = scene.guest(1);
    scene.send(alice.enters("open"));
    let next = |topic| Event::Next(alice.connection, None, alice.seeks(topic), Vec::new());
    let is_cut = |effects: &[Told]| effects == [alice.disconnected(DisconnectReason::RateExceeded)];
    for number in 66..68 {
        scene.send(Event::LeaveQueue(alice.connection));
        scene.send(alice.enters("open"));
        assert!(keeps_place(&hit_and_run(&mut scene, &alice, number)));
        // Another chat of hers has the place by now, or she wants something else.
        let effects = scene.send(next("another topic"));
        assert!(!is_cut(&effects), "{number}");
    }
    // What her client does not count for nothing: twice the burst.
    for number in 0..6 {
        let effects = scene.send(next("another topic"));
        assert!(!is_cut(&effects), "{number}");
    }
    let effects = scene.send(next("another topic"));
    assert!(is_cut(&effects), "{effects:?}");
}

#[test]
fn a_ticket_is_spent_by_a_match() {
    let mut scene = scene();
    let (alice, _, room) = scene.couple([1, 66], "open");
    let later = scene.guest(66);
    scene.send(later.enters("open"));
    scene.send(alice.leaves(room));
    let spent = Opening { epoch: 1, number: 1 };
    let enters = Event::EnterQueue(alice.connection, Some(spent), alice.seeks("open"), Vec::new());
    scene.expect(enters, [alice.queued("open", 4, [2, 2, 0, 0])]);
    // Also for one that comes back with it.
    let alice = scene.again(&alice);
    scene.send(alice.back_idle());
    scene.expect(alice.goes(), []);
    let alice = scene.again(&alice);
    let effects = [alice.welcomed_back(), alice.queued("open", 5, [2, 2, 0, 0])];
    scene.expect(alice.back_waiting(Some(1), "open"), effects);
}

#[test]
fn nor_is_it_good_again_when_its_session_was_forgotten() {
    let mut scene = scene();
    let (alice, _, room) = scene.couple([1, 66], "open");
    scene.send(alice.leaves(room));
    scene.expect(alice.goes(), []);
    scene.wait(GRACE, []);
    let later = scene.guest(66);
    scene.send(later.enters("open"));
    let alice = scene.again(&alice);
    let effects = [alice.welcomed_back(), alice.queued("open", 4, [2, 2, 0, 0])];
    scene.expect(alice.back_waiting(Some(1), "open"), effects);
}

#[test]
fn nor_when_its_place_was_given_up() {
    let gives_up: [fn(&mut Scene, &Guest); 5] = [
        |scene, alice| drop(scene.send(Event::LeaveQueue(alice.connection))),
        |scene, alice| drop(scene.send(alice.enters("chess"))),
        |scene, alice| {
            let again = scene.again(alice);
            scene.send(again.back_idle());
        },
        |scene, alice| {
            scene.send(alice.goes());
            scene.wait(GRACE, []);
        },
        |scene, alice| {
            scene.send(alice.lapses());
            scene.wait(HALF_HOUR, [alice.dequeued(DequeueReason::NotListening)]);
        },
    ];
    for (way, give_up) in gives_up.into_iter().enumerate() {
        let mut scene = scene();
        let alice = scene.guest(1);
        scene.send(alice.enters("open"));
        give_up(&mut scene, &alice);
        let alice = scene.again(&alice);
        let effects = scene.send(alice.back_waiting(Some(1), "open"));
        let place = effects.iter().find_map(|(_, effect)| {
            let Effect::Tell(News::Queued { ticket, .. }) = effect else { return None };
            Some(ticket.number)
        });
        assert!(place > Some(1), "{way}: {place:?}");
    }
}

/// What others have spent is no matter to who comes back with a ticket of an earlier relay, or was
/// given up for one of the same account that came.
#[test]
fn a_ticket_is_spent_for_its_session_alone() {
    let config = || Config { epoch: 2, sessions_per_user: 1, ..Config::default() };
    let mut scene = scene();
    let alice = scene.guest(1);
    scene.expect(alice.enters("open"), [alice.queued("open", 1, [1, 1, 0, 0])]);
    scene.restart_with(config());
    let mallory = scene.guest_of(Owner { uid: 66, ..owner(66) });
    scene.send(mallory.enters("open"));
    scene.send(Event::LeaveQueue(mallory.connection));
    scene.send(mallory.goes());
    scene.guest_of(Owner { uid: 66, ..owner(67) });
    assert_eq!(scene.lobby.counts().sessions, 1, "the first has given way");
    let alice = scene.again(&alice);
    let effects = [alice.welcomed_back(), alice.queued("open", 1, [1, 1, 0, 0])];
    scene.expect(alice.back_waiting(Some(1), "open"), effects.clone());
    // Another of her account takes the only session that there is, and goes.
    scene.send(alice.goes());
    let other = scene.guest_of(Owner { uid: alice.owner.uid, ..owner(2) });
    scene.send(other.goes());
    let alice = scene.again(&alice);
    let effects = [alice.welcomed_back(), alice.queued("open", 1, [1, 1, 0, 0])];
    scene.expect(alice.back_waiting(Some(1), "open"), effects);
}

/// Also of one that has waited elsewhere meanwhile, with a later ticket.
#[test]
fn the_ticket_of_the_place_that_one_has_is_good() {
    let mut scene = scene();
    let alice = left_at_once(&mut scene);
    scene.expect(alice.enters("chess"), [alice.queued("chess", 4, [1, 1, 0, 0])]);
    scene.expect(alice.enters("open"), [alice.queued("open", 1, [1, 2, 0, 0])]);
    let are_good = |number| {
        let tickets = &scene.lobby.session(alice.session).tickets;
        tickets.are_good(Opening { epoch: 1, number })
    };
    assert_eq!([are_good(1), are_good(4)], [true, false]);
}

#[test]
fn while_the_machine_sleeps_nobody_stays() {
    let mut scene = scene();
    let (alice, mallory, room) = scene.couple([1, 66], "open");
    let hour = 2 * HALF_HOUR;
    scene.now += hour;
    scene.send(Event::Slept(hour));
    let effects = [mallory.left(room), alice.closed_with_place_kept(room)];
    scene.expect(mallory.leaves(room), effects);
}

/// A room of an earlier relay takes her out of the queue. She has left that room long ago.
#[test]
fn the_ticket_of_a_kept_place_is_good_until_the_next_match() {
    let mut scene = scene();
    let alice = left_at_once(&mut scene);
    scene.send(alice.enters("open"));
    let carol = scene.guest(3);
    let stale = RoomDescriptor {
        room: RoomId::from_bytes([9; 16]),
        members: [alice.member(), carol.member()],
        opened: Opening { epoch: 0, number: 1 },
    };
    let carol = scene.again(&carol);
    scene.send(carol.back_in(stale, 0));
    assert_eq!(scene.lobby.session(alice.session).room(), Some(stale.room));
    scene.send(alice.leaves(stale));
    let kept = Some(Opening { epoch: 1, number: 1 });
    let enters = Event::EnterQueue(alice.connection, kept, alice.seeks("open"), Vec::new());
    scene.expect(enters.clone(), [alice.queued("open", 1, [1, 2, 0, 0])]);
    let dave = scene.guest(4);
    let room = scene.next_room(&alice, &dave);
    scene.send(dave.enters("open"));
    scene.send(alice.leaves(room));
    scene.expect(enters, [alice.queued("open", 5, [2, 2, 0, 0])]);
}

#[test]
fn kept_places_are_bounded() {
    use super::super::entering::{Entered, KeptPlaces};

    let scene = scene();
    let mut kept = KeptPlaces::default();
    let entered =
        Entered { place: Opening { epoch: 1, number: 1 }, queue: "open".into(), kept_times: 0 };
    let whose =
        |number: usize| (owner(1), SessionId::from_bytes((number as u128 + 1).to_le_bytes()));
    let many = shared::limits::KEPT_PLACES + 10;
    for number in 0..many {
        assert!(kept.keep(scene.now, PLACE_KEPT, whose(number), entered.clone()));
    }
    kept.check();
    let takes = |kept: &mut KeptPlaces, number| kept.take(whose(number)).is_some();
    assert!(!takes(&mut kept, 9) && takes(&mut kept, 10) && takes(&mut kept, many - 1));
}
