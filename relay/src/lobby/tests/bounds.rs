//! What is remembered is bounded, and what happens often stays cheap.

use shared::{
    limits::{BLOCK_TAGS, RECENT_OWNERS, RECENT_PARTNERS, REPORTS, TOMBSTONES},
    message::ReportCategory,
};

use super::{super::fair_set::FairSet, super::relations::*, *};

#[test]
fn a_full_set_drops_the_oldest_of_the_account_that_has_most() {
    let mut set = FairSet::<_, 4>::default();
    for (account, member) in [(1, 'a'), (2, 'b'), (2, 'c'), (2, 'b'), (2, 'd'), (2, 'e'), (1, 'f')]
    {
        set.insert(account, member);
    }
    let kept = [(1, 'a'), (1, 'f'), (2, 'd'), (2, 'e')];
    assert!(kept.iter().all(|&(account, member)| set.contains(account, member)));
    assert_eq!(set.len(), kept.len());
}

#[test]
fn closed_rooms_are_remembered_up_to_a_number() {
    let mut scene = Scene::new();
    let (alice, _, room) = scene.couple([1, 2], "open");
    for number in 0..TOMBSTONES as u64 + 10 {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_le_bytes());
        let old = RoomDescriptor { room: RoomId::from_bytes(id), ..room };
        scene.lobby.handle(scene.now, alice.leaves(old));
    }
    assert_eq!(scene.lobby.tombstones.len(), TOMBSTONES);
}

#[test]
fn rooms_named_without_a_good_token_are_not_remembered() {
    let mut scene = Scene::new();
    let (alice, _, room) = scene.couple([1, 2], "open");
    let unknown = RoomId::from_bytes([9; 16]);
    let leaving = Leaving { room: unknown, descriptor: None, ..leaving(room) };
    scene.send(Event::Leave(alice.connection, leaving));
    let mismatched = Leaving { room: unknown, ..super::leaving(room) };
    scene.send(Event::Leave(alice.connection, mismatched));
    assert_eq!(scene.lobby.tombstones.len(), 0);
}

#[test]
fn reports_are_remembered_up_to_a_number_and_all_are_counted() {
    let mut scene = Scene::new();
    let (alice, _, room) = scene.couple([1, 2], "open");
    for number in 0..REPORTS as u64 + 10 {
        let mut bytes = [9; 16];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        let room = RoomDescriptor { room: RoomId::from_bytes(bytes), ..room };
        let leaving = Leaving { report: Some(ReportCategory::Spam), ..leaving(room) };
        scene.lobby.handle(scene.now, Event::Leave(alice.connection, leaving));
    }
    assert_eq!(scene.lobby.reports().count(), REPORTS);
    assert_eq!(scene.lobby.counts().reports.spam, REPORTS as u64 + 10);
}

fn number_of(number: usize) -> Owner {
    Owner { id: OwnerId::from_bytes((number as u128).to_le_bytes()), ..owner(1) }
}

#[test]
fn recent_partners_are_remembered_up_to_a_number() {
    let scene = Scene::new();
    let mut relations = Relations::new(false);
    for number in 0..RECENT_OWNERS + 10 {
        relations.note_meeting(scene.now, number_of(number), number_of(number + 1));
    }
    relations.check();
    let between = |one, other| relations.between(scene.now, number_of(one), number_of(other));
    assert_eq!(between(0, 1), Relation::Strangers, "the oldest is forgotten");
    assert_eq!(between(RECENT_OWNERS, RECENT_OWNERS + 1), Relation::Recent);
}

#[test]
fn an_owner_has_as_many_blocks_as_a_client_presents() {
    let scene = Scene::new();
    let mut relations = Relations::new(false);
    for number in (1..=BLOCK_TAGS + 1).chain([2]) {
        relations.block(number_of(0), number_of(number));
    }
    relations.check();
    assert_eq!(relations.blocks(), BLOCK_TAGS);
    let between = |other| relations.between(scene.now, number_of(0), number_of(other));
    assert_eq!(between(1), Relation::Strangers, "the oldest is forgotten");
    assert_eq!((between(2), between(BLOCK_TAGS + 1)), (Relation::Blocked, Relation::Blocked));
}

#[test]
fn nobody_else_s_blocks_push_one_out() {
    let mut scene = Scene::new();
    let (alice, mallory, room) = scene.couple([1, 66], "open");
    scene.send(alice.blocks(room));
    // As many as a relay has ever remembered, by others of the same account, and by him.
    for number in 1_000..11_050 {
        scene.lobby.relations.block(number_of(number), mallory.owner);
        scene.lobby.relations.block(mallory.owner, number_of(number));
    }
    let between = scene.lobby.relations.between(scene.now, mallory.owner, alice.owner);
    assert_eq!(between, Relation::Blocked);
}

#[test]
fn one_account_cannot_bring_a_room_back_that_another_has_left() {
    let mut scene = Scene::new();
    let alice = scene.guest(1);
    let bob = scene.guest_of(Owner { uid: 1001, ..owner(2) });
    scene.send(alice.enters("open"));
    let room = scene.next_room(&alice, &bob);
    scene.send(bob.enters("open"));
    scene.expect(alice.leaves(room), [alice.left(room), bob.closed(room, CloseReason::Left)]);
    let own = Member { owner: Owner { uid: 1001, ..owner(3) }, ..alice.member() };
    for number in 0..TOMBSTONES as u128 + 10 {
        let members = [bob.member(), own];
        let other =
            RoomDescriptor { room: RoomId::from_bytes(number.to_le_bytes()), members, ..room };
        scene.lobby.handle(scene.now, bob.leaves(other));
    }
    scene.expect(bob.goes(), []);
    let bob = scene.again(&bob);
    let effects = [bob.welcomed_back(), bob.closed(room, CloseReason::Left)];
    scene.expect(bob.back_in(room, 0), effects);
}

#[test]
fn an_owner_remembers_the_latest_partners() {
    let scene = Scene::new();
    let mut relations = Relations::new(false);
    for partner in 1..=6 {
        relations.note_meeting(scene.now, owner(0), owner(partner));
    }
    assert_eq!(RECENT_PARTNERS, 5);
    // The first has met nobody else and remembers for both.
    assert!(relations.have_met(owner(0), owner(1)));
    for partner in 11..=16 {
        relations.note_meeting(scene.now, owner(1), owner(partner));
    }
    assert!(!relations.have_met(owner(0), owner(1)));
    assert!(relations.have_met(owner(0), owner(2)));
}

#[test]
fn nobody_can_block_themselves() {
    let mut relations = Relations::new(false);
    relations.block(owner(1), owner(1));
    assert_eq!(relations.blocks(), 0);
}

/// Quick if an event looks only at whom it concerns; hours if it looked at each pair.
#[test]
fn a_full_queue_of_quiet_ones_is_no_burden() {
    let mut scene = Scene::with(Config { queue_idle: None, ..Config::default() });
    let waiting = shared::limits::WAITING_PER_TOPIC;
    for number in 0..waiting {
        let uid = u32::try_from(number).unwrap();
        let connection = scene.connection();
        let arrival = Arrival { owner: Owner { uid, ..owner(1) }, ..arrival(1) };
        scene.lobby.handle(scene.now, Event::Arrived(connection, arrival));
    }
    scene.now += LISTENING_FOR;
    scene.lobby.handle(scene.now, Event::Tick);
    let seeking = Seeking { display_name: "Guest".into(), topic: "open".into() };
    for (connection, session) in scene.lobby.connections.clone() {
        scene.lobby.handle(scene.now, Event::Gone(connection));
        let owner = scene.lobby.session(session).owner;
        let queue = Some((None, seeking.clone()));
        let claims = Arrival { owner, session: Some(session), queue, ..arrival(1) };
        let connection = scene.connection();
        scene.lobby.handle(scene.now, Event::Arrived(connection, claims));
    }
    assert_eq!(scene.lobby.counts().waiting, waiting);
    scene.now += MATCH_WAIT;
    scene.lobby.handle(scene.now, Event::Tick);
    // Each who listens now is given the earliest at once, being as patient.
    let connections: Vec<_> = scene.lobby.connections.keys().copied().collect();
    for from in connections {
        scene.lobby.handle(scene.now, Event::Attention { from, open: false, lapsed: false });
    }
    assert_eq!(scene.lobby.counts().rooms, waiting / 2);
    scene.lobby.check_invariants();
}
