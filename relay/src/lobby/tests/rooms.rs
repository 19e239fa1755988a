//! What passes between partners, and rooms that close by themselves.

use super::*;

#[test]
fn a_message_goes_to_the_partner() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(alice.says(room, 1), [bob.forward()]);
    scene.expect(bob.says(room, 1), [alice.forward()]);
    assert_eq!(scene.lobby.counts().messages, 2);
}

#[test]
fn a_message_again_is_passed_on_again() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    for _ in 0..2 {
        scene.expect(alice.says(room, 1), [bob.forward()]);
    }
}

#[test]
fn acknowledgements_and_syncs_go_to_the_partner() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    let (from, room) = (bob.connection, room.room);
    scene.expect(Event::Ack { from, room, received: 1 }, [alice.forward()]);
    scene.expect(Event::Sync { from, room, received: 1 }, [alice.forward()]);
}

#[test]
fn nothing_is_passed_on_to_who_is_gone() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(bob.goes(), []);
    scene.expect(alice.says(room, 1), []);
    let (from, room) = (alice.connection, room.room);
    scene.expect(Event::Ack { from, room, received: 0 }, []);
    scene.expect(Event::Sync { from, room, received: 0 }, []);
    assert_eq!(scene.lobby.counts().messages, 0);
}

#[test]
fn nothing_is_passed_on_from_who_is_not_in_the_room() {
    let mut scene = Scene::new();
    let (_, _, room) = scene.couple([1, 2], "open");
    let (carol, dave, _) = scene.couple([3, 4], "open");
    let stranger = scene.guest(5);
    for from in [carol, dave, stranger] {
        scene.expect(from.says(room, 1), []);
        let (from, room) = (from.connection, room.room);
        scene.expect(Event::Ack { from, room, received: 9 }, []);
        scene.expect(Event::Sync { from, room, received: 9 }, []);
    }
}

#[test]
fn what_crosses_a_closing_is_ignored() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(alice.leaves(room));
    scene.expect(bob.says(room, 1), []);
    scene.expect(Event::Ack { from: bob.connection, room: room.room, received: 1 }, []);
}

#[test]
fn a_connection_that_never_arrived_can_do_nothing() {
    let mut scene = Scene::new();
    let (alice, _, room) = scene.couple([1, 2], "open");
    let nobody = Guest { connection: ConnectionId(99), ..alice };
    for event in [
        nobody.enters("open"),
        Event::LeaveQueue(nobody.connection),
        nobody.next(room, "open"),
        nobody.leaves(room),
        nobody.says(room, 1),
        Event::Ack { from: nobody.connection, room: room.room, received: 1 },
        Event::Sync { from: nobody.connection, room: room.room, received: 1 },
        nobody.attends(true),
        nobody.goes(),
    ] {
        scene.expect(event, []);
    }
    assert_eq!(scene.lobby.counts().rooms, 1);
}

#[test]
fn a_room_closes_when_a_member_is_gone_for_the_grace() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(alice.goes(), []);
    scene.wait(AWAY_AFTER, [bob.partner(room, Presence::Reconnecting, AWAY_AFTER)]);
    scene.wait(GRACE - AWAY_AFTER - MOMENT, []);
    scene.wait(MOMENT, [bob.closed(room, CloseReason::Timeout)]);
    let counts = scene.lobby.counts();
    assert_eq!((counts.rooms, counts.sessions), (0, 1));
    // The one that is left can go on.
    scene.expect(bob.enters("open"), [bob.queued("open", 3, [1, 1, 0, 0])]);
}

#[test]
fn a_room_that_both_were_cut_off_from_is_forgotten() {
    let mut scene = Scene::new();
    let (alice, bob, _) = scene.couple([1, 2], "open");
    scene.expect(alice.goes(), []);
    scene.expect(bob.goes(), []);
    scene.wait(GRACE, []);
    let counts = scene.lobby.counts();
    assert_eq!((counts.rooms, counts.sessions), (0, 0));
    assert_eq!(scene.lobby.next_deadline(), None);
}

#[test]
fn a_room_closes_when_nobody_writes() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    for guest in [alice, bob] {
        scene.send(guest.attends(true));
    }
    scene.wait(HALF_HOUR - MOMENT, []);
    scene.expect(alice.says(room, 1), [bob.forward()]);
    scene.wait(HALF_HOUR - MOMENT, []);
    // The same message again is no news.
    scene.expect(alice.says(room, 1), [bob.forward()]);
    scene
        .wait(MOMENT, [alice.closed(room, CloseReason::Idle), bob.closed(room, CloseReason::Idle)]);
    assert_eq!(scene.lobby.counts().rooms, 0);
}

#[test]
fn without_a_limit_a_silent_room_stays_open() {
    let mut scene = Scene::with(Config { room_idle: None, ..Config::default() });
    let (alice, bob, _) = scene.couple([1, 2], "open");
    for guest in [alice, bob] {
        scene.send(guest.attends(true));
    }
    scene.wait(HALF_HOUR * 10, []);
    assert_eq!(scene.lobby.next_deadline(), None);
}
