//! Two friends on a private topic meet, in whatever order they come, go quiet and come back.

use super::*;

const TOPIC: &str = "our topic";

/// What a friend does before the other does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Enters(usize),
    GoesQuiet,
    IsCutOff(usize),
    ComesBack(usize),
    LooksAgain(usize),
}

use Step::{ComesBack, Enters, GoesQuiet, IsCutOff, LooksAgain};

struct Friends {
    scene: Scene,
    guests: [Guest; 2],
}

impl Friends {
    fn new() -> Self {
        let mut scene = Scene::new();
        let guests = [1, 2].map(|number| scene.guest(number));
        Self { scene, guests }
    }

    #[track_caller]
    fn take(&mut self, step: Step) {
        match step {
            Enters(who) => drop(self.scene.send(self.guests[who].enters(TOPIC))),
            LooksAgain(who) => drop(self.scene.send(self.guests[who].attends(false))),
            IsCutOff(who) => self.scene.expect(self.guests[who].goes(), []),
            GoesQuiet => self.scene.wait(LISTENING_FOR, []),
            ComesBack(who) => {
                self.guests[who] = self.scene.again(&self.guests[who]);
                self.scene.send(self.guests[who].back_waiting(None, TOPIC));
            }
        }
    }

    fn have_met(&self) -> bool {
        self.scene.lobby.counts().rooms == 1
    }
}

#[track_caller]
fn meet(steps: &[Step]) {
    let mut friends = Friends::new();
    let Some((last, before)) = steps.split_last() else { panic!("no steps") };
    for &step in before {
        friends.take(step);
        assert!(!friends.have_met(), "they met before {last:?} of {steps:?}");
    }
    friends.take(*last);
    assert!(friends.have_met(), "they did not meet after {steps:?}");
}

#[test]
fn both_listening() {
    meet(&[Enters(0), Enters(1)]);
    meet(&[Enters(1), Enters(0)]);
}

#[test]
fn the_first_gone_quiet() {
    meet(&[Enters(0), GoesQuiet, Enters(1)]);
}

#[test]
fn the_first_cut_off_when_the_second_comes() {
    meet(&[Enters(0), IsCutOff(0), Enters(1), ComesBack(0)]);
}

#[test]
fn both_cut_off_and_back_in_any_order() {
    for [one, other] in [[0, 1], [1, 0]] {
        meet(&[Enters(0), IsCutOff(0), Enters(1), IsCutOff(1), ComesBack(one), ComesBack(other)]);
    }
}

#[test]
fn both_quiet_until_either_looks_again() {
    for who in [0, 1] {
        let mut scene = Scene::new();
        let guests = [1, 2].map(|number| scene.quiet_one(number, TOPIC));
        scene.wait(MATCH_WAIT, []);
        let mut friends = Friends { scene, guests };
        assert!(!friends.have_met(), "nobody meets a ghost");
        friends.take(LooksAgain(who));
        assert!(friends.have_met());
    }
}

#[test]
fn the_quiet_one_is_announced_as_such() {
    let mut scene = Scene::new();
    let alice = scene.quiet_one(1, TOPIC);
    let bob = scene.guest(2);
    let room = scene.next_room(&alice, &bob);
    scene.expect(
        bob.enters(TOPIC),
        [
            alice.paired(room, TOPIC, &bob),
            bob.paired_with(room, TOPIC, &alice, Presence::NotListening, false),
        ],
    );
}

#[test]
fn a_quiet_one_that_comes_back_meets_one_who_listens() {
    let mut scene = Scene::new();
    let (alice, bob) = (scene.guest(1), scene.guest(2));
    scene.send(alice.enters(TOPIC));
    scene.wait(LISTENING_FOR, []);
    scene.expect(alice.goes(), []);
    scene.expect(bob.enters(TOPIC), [bob.queued(TOPIC, 2, [2, 2, 1, 0])]);
    let alice = scene.again(&alice);
    let room = scene.next_room(&alice, &bob);
    scene.expect(
        alice.back_waiting(Some(1), TOPIC),
        [
            alice.welcomed_back(),
            alice.paired(room, TOPIC, &bob),
            bob.paired_with(room, TOPIC, &alice, Presence::NotListening, false),
        ],
    );
}

#[test]
fn friends_who_have_just_met_meet_again() {
    let mut scene = Scene::new();
    let (alice, bob, room) = scene.couple([1, 2], TOPIC);
    scene.send(bob.leaves(room));
    scene.send(bob.enters(TOPIC));
    scene.wait(LISTENING_FOR, []);
    // Bob is quiet by now and has met Alice lately: both waivers at once.
    scene.expect(alice.enters(TOPIC), [alice.queued(TOPIC, 4, [2, 2, 1, 0])]);
    scene.wait(MATCH_WAIT - MOMENT, []);
    let room = scene.next_room(&bob, &alice);
    scene.wait(
        MOMENT,
        [
            bob.paired_with(room, TOPIC, &alice, Presence::Listening, true),
            alice.paired_with(room, TOPIC, &bob, Presence::NotListening, true),
        ],
    );
}

#[test]
fn one_who_expired_and_asks_again_is_met() {
    let mut scene = Scene::new();
    let alice = scene.quiet_one(1, TOPIC);
    scene.wait(HALF_HOUR, [alice.dequeued(DequeueReason::NotListening)]);
    let bob = scene.guest(2);
    scene.expect(bob.enters(TOPIC), [bob.queued(TOPIC, 2, [1, 1, 0, 0])]);
    let room = scene.next_room(&bob, &alice);
    scene.expect(
        alice.enters(TOPIC),
        [bob.paired(room, TOPIC, &alice), alice.paired(room, TOPIC, &bob)],
    );
}
