//! Leaving, blocking, reporting, and `next`.

use shared::message::{ReportCategory, Reports};

use super::*;

#[test]
fn a_leave_closes_the_room_for_both() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(alice.leaves(room), [alice.left(room), bob.closed(room, CloseReason::Left)]);
    assert_eq!(scene.lobby.counts().rooms, 0);
}

#[test]
fn a_leave_can_be_repeated() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(alice.leaves(room));
    scene.expect(alice.leaves(room), [alice.left(room)]);
    scene.expect(bob.leaves(room), [bob.left(room)]);
}

#[test]
fn a_leave_of_an_unknown_room_is_answered() {
    let mut scene = Scene::new();
    let (alice, _, room) = scene.couple([1, 2], "open");
    let stranger = scene.guest(3);
    let unknown = RoomDescriptor { room: RoomId::from_bytes([9; 16]), ..room };
    scene.expect(alice.leaves(unknown), [alice.left(unknown)]);
    scene.expect(stranger.leaves(room), [stranger.left(room)]);
    assert_eq!(scene.lobby.counts().rooms, 1, "a room is left only by its members");
}

#[test]
fn the_last_room_can_be_left_while_waiting_or_in_the_next() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(alice.leaves(room));
    scene.send(bob.enters("open"));
    scene.expect(bob.leaves(room), [bob.left(room)]);
    scene.expect(bob.attends(false), [bob.queued("open", 3, [1, 1, 0, 0])]);
    let carol = scene.guest(3);
    scene.send(carol.enters("open"));
    scene.expect(bob.leaves(room), [bob.left(room)]);
    assert_eq!(scene.lobby.counts().rooms, 1);
}

#[test]
fn a_leave_while_the_partner_is_gone_is_final() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(bob.goes(), []);
    scene.expect(alice.leaves(room), [alice.left(room)]);
    let bob = scene.again(&bob);
    scene.expect(bob.back_in(room, 0), [bob.welcomed_back(), bob.closed(room, CloseReason::Left)]);
}

#[test]
fn a_block_names_the_partner_to_the_blocker_alone() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    let left = alice.left_blocking(room, &bob);
    scene.expect(alice.blocks(room), [left, bob.closed(room, CloseReason::Left)]);
    assert_eq!(scene.lobby.counts().blocks, 1);
}

#[test]
fn the_last_partner_can_still_be_blocked() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(alice.leaves(room));
    let left = bob.left_blocking(room, &alice);
    scene.expect(bob.blocks(room), [left]);
    assert_eq!(scene.lobby.counts().blocks, 1);
}

#[test]
fn the_live_room_is_known_without_a_token() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    let leaving = Leaving { block: true, descriptor: None, ..leaving(room) };
    let left = alice.left_blocking(room, &bob);
    scene.expect(
        Event::Leave(alice.connection, leaving),
        [left, bob.closed(room, CloseReason::Left)],
    );
}

#[test]
fn without_a_good_token_nobody_is_blocked_or_reported_for_a_closed_room() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(alice.leaves(room));
    let stranger = scene.guest(3);
    let report = Some(ReportCategory::Spam);
    let act = Leaving { block: true, report, ..leaving(room) };
    let without = Leaving { descriptor: None, ..act };
    scene.expect(Event::Leave(bob.connection, without), [bob.left(room)]);
    scene.expect(Event::Leave(stranger.connection, act), [stranger.left(room)]);
    let counts = scene.lobby.counts();
    assert_eq!((counts.blocks, counts.reports), (0, Reports::default()));
}

#[test]
fn a_report_notes_category_room_and_count() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(bob.says(room, 1));
    scene.send(bob.says(room, 2));
    scene.send(bob.says(room, 2));
    let report = |category| Leaving { report: Some(category), ..leaving(room) };
    scene.expect(
        Event::Leave(alice.connection, report(ReportCategory::Injection)),
        [alice.left(room), bob.closed(room, CloseReason::Left)],
    );
    scene.expect(Event::Leave(bob.connection, report(ReportCategory::Other)), [bob.left(room)]);
    let reports: Vec<_> = scene.lobby.reports().copied().collect();
    let noted = |category, messages| Report { category, room: room.room, messages };
    assert_eq!(
        reports,
        [noted(ReportCategory::Injection, Some(2)), noted(ReportCategory::Other, None)],
    );
    let counts = Reports { injection: 1, other: 1, ..Reports::default() };
    assert_eq!(scene.lobby.counts().reports, counts);
}

#[test]
fn a_report_that_is_repeated_counts_once() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    let report = |guest: &Guest, category| {
        Event::Leave(guest.connection, Leaving { report: Some(category), ..leaving(room) })
    };
    scene.send(report(&alice, ReportCategory::Spam));
    scene.expect(report(&alice, ReportCategory::Spam), [alice.left(room)]);
    // Over a new connection, as a client does that has not seen `left`.
    scene.expect(alice.goes(), []);
    let alice = scene.again(&alice);
    let again = Leaving { report: Some(ReportCategory::Spam), ..leaving(room) };
    let claims = Arrival { leaving: vec![again], owner: alice.owner, ..arrival(0) };
    scene.expect(alice.arrives(claims), [alice.welcomed_back(), alice.left(room)]);
    assert_eq!(scene.lobby.reports().count(), 1);
    // Something else of the same partner is another report, and so is the partner's own.
    scene.send(report(&alice, ReportCategory::Injection));
    scene.send(report(&bob, ReportCategory::Spam));
    let counts = Reports { spam: 2, injection: 1, ..Reports::default() };
    assert_eq!(scene.lobby.counts().reports, counts);
}

#[test]
fn next_leaves_and_waits_in_one_step() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.expect(
        alice.next(room, "open"),
        [
            alice.left(room),
            bob.closed(room, CloseReason::Left),
            alice.queued("open", 3, [1, 1, 0, 0]),
        ],
    );
}

#[test]
fn next_meets_who_waits() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    let carol = scene.guest(3);
    scene.send(carol.enters("open"));
    let next_room = scene.next_room(&carol, &alice);
    scene.expect(
        alice.next(room, "open"),
        [
            alice.left(room),
            bob.closed(room, CloseReason::Left),
            carol.paired(next_room, "open", &alice),
            alice.paired(next_room, "open", &carol),
        ],
    );
}

#[test]
fn next_can_block() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "chess");
    scene.send(bob.attends(true));
    let leaving = Leaving { block: true, ..leaving(room) };
    let left = alice.left_blocking(room, &bob);
    scene.expect(
        Event::Next(alice.connection, Some(leaving), alice.seeks("chess"), Vec::new()),
        [left, bob.closed(room, CloseReason::Left), alice.queued("chess", 3, [1, 1, 0, 0])],
    );
    scene.expect(bob.enters("chess"), [bob.queued("chess", 4, [2, 2, 0, 0])]);
}

#[test]
fn next_of_an_idle_one_just_waits() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], "open");
    scene.send(bob.leaves(room));
    scene.expect(
        Event::Next(alice.connection, None, alice.seeks("open"), Vec::new()),
        [alice.queued("open", 3, [1, 1, 0, 0])],
    );
}

#[test]
fn next_for_a_closed_room_leaves_no_other() {
    let mut scene = Scene::new();
    let (alice, bob, old) = scene.couple([1, 2], "open");
    scene.send(alice.leaves(old));
    let carol = scene.guest(3);
    scene.send(alice.enters("open"));
    let room = scene.next_room(&alice, &carol);
    scene.send(carol.enters("open"));
    let again = alice.paired(room, "open", &carol);
    scene.expect(alice.next(old, "open"), [alice.left(old), again.clone()]);
    scene.expect(Event::Next(alice.connection, None, alice.seeks("open"), Vec::new()), [again]);
    scene.expect(bob.leaves(old), [bob.left(old)]);
}

#[test]
fn next_leaves_also_when_there_is_no_place() {
    let mut scene = Scene::with(Config { topics: 0, place_kept: None, ..Config::default() });
    let (alice, bob, room) = {
        scene.lobby.config.topics = 1;
        let couple = scene.couple([1, 2], "chess");
        scene.lobby.config.topics = 0;
        couple
    };
    scene.expect(
        alice.next(room, "chess"),
        [
            alice.left(room),
            bob.closed(room, CloseReason::Left),
            alice.refused(Refusal::TooManyTopics),
        ],
    );
}
