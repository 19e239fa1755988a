//! Places in queues: numbers, moving, caps, expiry.

use super::*;

#[test]
fn the_first_waits_alone() {
    let mut scene = Scene::new();
    let alice = scene.guest(1);
    scene.expect(alice.enters("open"), [alice.queued("open", 1, [1, 1, 0, 0])]);
}

#[test]
fn a_topic_is_the_same_in_any_case_and_shown_as_written() {
    let mut scene = Scene::new();
    let (alice, bob) = (scene.guest(1), scene.guest(2));
    scene.expect(alice.enters("Straße"), [alice.queued("Straße", 1, [1, 1, 0, 0])]);
    let room = scene.next_room(&alice, &bob);
    let paired = [alice.paired(room, "Straße", &bob), bob.paired(room, "STRASSE", &alice)];
    scene.expect(bob.enters("STRASSE"), paired);
}

#[test]
fn topics_do_not_meet() {
    let mut scene = Scene::new();
    let (alice, bob) = (scene.guest(1), scene.guest(2));
    scene.expect(alice.enters("chess"), [alice.queued("chess", 1, [1, 1, 0, 0])]);
    scene.expect(bob.enters("go"), [bob.queued("go", 2, [1, 1, 0, 0])]);
    assert_eq!(scene.lobby.counts().topics, 2);
}

#[test]
fn ones_own_others_are_counted_apart() {
    let mut scene = Scene::new();
    let [one, two, three] = [1, 1, 1].map(|number| scene.guest(number));
    scene.expect(one.enters("open"), [one.queued("open", 1, [1, 1, 0, 0])]);
    scene.expect(two.enters("open"), [two.queued("open", 2, [1, 1, 0, 1])]);
    scene.expect(three.enters("open"), [three.queued("open", 3, [1, 1, 0, 2])]);
}

#[test]
fn who_does_not_listen_or_is_not_there_is_counted() {
    let mut scene = Scene::new();
    let quiet = scene.quiet_one(1, "open");
    let other = scene.quiet_one(2, "open");
    let own = scene.quiet_one(3, "open");
    let late = scene.guest(3);
    scene.expect(late.enters("open"), [late.queued("open", 4, [3, 3, 2, 1])]);
    scene.expect(quiet.goes(), []);
    scene.expect(late.attends(false), [late.queued("open", 4, [3, 3, 2, 1])]);
    scene.expect(Event::LeaveQueue(other.connection), [other.dequeued(DequeueReason::Left)]);
    scene.expect(late.attends(false), [late.queued("open", 4, [2, 2, 1, 1])]);
    scene.expect(Event::LeaveQueue(own.connection), [own.dequeued(DequeueReason::Left)]);
    scene.expect(late.attends(false), [late.queued("open", 4, [2, 2, 1, 0])]);
}

#[test]
fn entering_again_keeps_the_place_and_takes_the_new_name() {
    let mut scene = Scene::new();
    let (alice, bob) = (scene.guest(1), scene.guest(2));
    scene.send(alice.enters("open"));
    let renamed = Seeking { display_name: "Alicia".into(), topic: "OPEN".into() };
    scene.expect(
        Event::EnterQueue(alice.connection, None, renamed, Vec::new()),
        [alice.queued("OPEN", 1, [1, 1, 0, 0])],
    );
    let room = scene.next_room(&alice, &bob);
    let mut to_bob = bob.paired(room, "open", &alice);
    if let (_, Effect::Tell(News::Paired { display_name, .. })) = &mut to_bob {
        *display_name = "Alicia".into();
    }
    scene.expect(bob.enters("open"), [alice.paired(room, "OPEN", &bob), to_bob]);
}

#[test]
fn entering_another_topic_moves_to_its_end() {
    let mut scene = Scene::new();
    let [one, two] = [1, 1].map(|number| scene.guest(number));
    scene.send(one.enters("chess"));
    scene.send(two.enters("go"));
    scene.expect(one.enters("go"), [one.queued("go", 3, [1, 1, 0, 1])]);
    assert_eq!(scene.lobby.counts().topics, 1);
    let bob = scene.guest(2);
    let room = scene.next_room(&two, &bob);
    scene.expect(bob.enters("go"), [two.paired(room, "go", &bob), bob.paired(room, "go", &two)]);
}

#[test]
fn entering_while_chatting_tells_of_the_room_again() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(alice.enters("chess"), [alice.paired(room, "open", &bob)]);
    assert_eq!(scene.lobby.counts().waiting, 0);
}

#[test]
fn leaving_the_queue_is_answered_also_outside_of_it() {
    let mut scene = Scene::new();
    let alice = scene.guest(1);
    scene.send(alice.enters("open"));
    for _ in 0..2 {
        scene.expect(Event::LeaveQueue(alice.connection), [alice.dequeued(DequeueReason::Left)]);
    }
    assert_eq!(scene.lobby.counts().waiting, 0);
}

#[test]
fn leaving_the_queue_does_not_leave_the_room() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(Event::LeaveQueue(alice.connection), [alice.dequeued(DequeueReason::Left)]);
    scene.expect(alice.says(room, 1), [bob.forward()]);
}

#[test]
fn a_full_queue_takes_nobody() {
    let mut scene = Scene::with(Config { waiting_per_topic: 1, ..Config::default() });
    let [one, two] = [1, 1].map(|number| scene.guest(number));
    scene.send(one.enters("open"));
    scene.expect(two.enters("open"), [two.refused(Refusal::QueueFull)]);
    scene.expect(one.enters("open"), [one.queued("open", 1, [1, 1, 0, 0])]);
}

#[test]
fn a_refused_move_leaves_the_old_place() {
    let mut scene = Scene::with(Config { waiting_per_topic: 1, ..Config::default() });
    let [one, two] = [1, 1].map(|number| scene.guest(number));
    scene.send(one.enters("chess"));
    scene.send(two.enters("go"));
    scene.expect(two.enters("chess"), [two.refused(Refusal::QueueFull)]);
    scene.expect(two.attends(false), [two.queued("go", 2, [1, 1, 0, 0])]);
}

#[test]
fn a_refused_move_still_shows_that_somebody_listens() {
    let mut scene = Scene::with(Config { waiting_per_topic: 2, topics: 2, ..Config::default() });
    let full = scene.guest(9);
    scene.send(full.enters("full"));
    let (alice, bob) = (scene.quiet_one(1, "go"), scene.quiet_one(2, "go"));
    let room = scene.next_room(&alice, &bob);
    scene.expect(
        alice.enters("a third"),
        [
            alice.refused(Refusal::TooManyTopics),
            alice.paired_with(room, "go", &bob, Presence::NotListening, false),
            bob.paired(room, "go", &alice),
        ],
    );
}

#[test]
fn there_are_only_so_many_topics() {
    let mut scene = Scene::with(Config { topics: 1, ..Config::default() });
    let [one, two] = [1, 1].map(|number| scene.guest(number));
    scene.send(one.enters("chess"));
    scene.expect(two.enters("go"), [two.refused(Refusal::TooManyTopics)]);
    // Who waits alone takes its topic along.
    scene.expect(one.enters("go"), [one.queued("go", 2, [1, 1, 0, 0])]);
}

#[test]
fn who_stops_listening_is_dequeued_in_the_end() {
    let mut scene = Scene::new();
    let alice = scene.quiet_one(1, "open");
    scene.wait(HALF_HOUR - MOMENT, []);
    scene.wait(MOMENT, [alice.dequeued(DequeueReason::NotListening)]);
    scene.expect(alice.enters("open"), [alice.queued("open", 2, [1, 1, 0, 0])]);
}

#[test]
fn a_place_expires_only_so_long_after_it_was_taken() {
    let mut scene = Scene::new();
    let alice = scene.guest(1);
    scene.wait(LISTENING_FOR + HALF_HOUR, []);
    scene.expect(alice.goes(), []);
    let alice = scene.again(&alice);
    scene.send(alice.back_waiting(None, "open"));
    scene.wait(HALF_HOUR - MOMENT, []);
    scene.wait(MOMENT, [alice.dequeued(DequeueReason::NotListening)]);
}

#[test]
fn activity_keeps_the_place() {
    let mut scene = Scene::new();
    let alice = scene.quiet_one(1, "open");
    scene.wait(HALF_HOUR - MOMENT, []);
    scene.expect(alice.attends(false), [alice.queued("open", 1, [1, 1, 0, 0])]);
    scene.wait(LISTENING_FOR + HALF_HOUR - MOMENT, []);
    scene.wait(MOMENT, [alice.dequeued(DequeueReason::NotListening)]);
}

#[test]
fn an_open_wait_keeps_the_place_for_ever() {
    let mut scene = Scene::new();
    let alice = scene.guest(1);
    scene.send(alice.enters("open"));
    scene.expect(alice.attends(true), [alice.queued("open", 1, [1, 1, 0, 0])]);
    scene.wait(HALF_HOUR * 10, []);
    assert_eq!(scene.lobby.next_deadline(), None);
}

#[test]
fn without_an_expiry_a_place_is_kept_for_ever() {
    let mut scene = Scene::with(Config { queue_idle: None, ..Config::default() });
    let alice = scene.quiet_one(1, "open");
    scene.wait(HALF_HOUR * 10, []);
    scene.expect(alice.attends(false), [alice.queued("open", 1, [1, 1, 0, 0])]);
}

#[test]
fn a_place_is_lost_after_the_grace() {
    let mut scene = Scene::new();
    let alice = scene.guest(1);
    scene.send(alice.enters("open"));
    scene.expect(alice.goes(), []);
    scene.wait(GRACE - MOMENT, []);
    assert_eq!(scene.lobby.counts().waiting, 1);
    scene.wait(MOMENT, []);
    let counts = scene.lobby.counts();
    assert_eq!((counts.waiting, counts.sessions), (0, 0));
}

#[test]
fn a_draining_lobby_gives_no_places() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    let [carol, dave] = [3, 4].map(|number| scene.guest(number));
    scene.send(carol.enters("open"));
    scene.expect(Event::Drain, []);
    scene.expect(dave.enters("open"), [dave.refused(Refusal::Draining)]);
    scene.expect(carol.attends(false), [carol.queued("open", 3, [1, 1, 0, 0])]);
    scene.expect(alice.says(room, 1), [bob.forward()]);
    scene.expect(
        alice.next(room, "open"),
        [alice.left(room), bob.closed(room, CloseReason::Left), alice.refused(Refusal::Draining)],
    );
}
