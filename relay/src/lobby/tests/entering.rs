//! Entering has rates: of a session, of a client, of an account.

use shared::limits::{ENTERING_OWNERS, EnterRates, Rate};

use super::{super::entering::Buckets, *};

const RATE: Rate = Rate::new(3, SECOND);

fn config_with(enter_rates: EnterRates) -> Config {
    Config { enter_rates, next_rate: None, place_kept: None, ..Config::default() }
}

fn of_session(session: Option<Rate>) -> Config {
    config_with(EnterRates { session, ..EnterRates::default() })
}

/// Enters anew, and tells how long it has to wait for that.
fn enter(scene: &mut Scene, guest: &Guest) -> Option<Duration> {
    scene.send(Event::LeaveQueue(guest.connection));
    refusal(&scene.send(guest.enters("open")))
}

fn refusal(effects: &[Told]) -> Option<Duration> {
    effects.iter().find_map(|(_, effect)| {
        let Effect::Tell(News::Refused(Refusal::TooOften(wait))) = effect else { return None };
        Some(*wait)
    })
}

#[test]
fn a_session_enters_at_its_rate() {
    let mut scene = Scene::with(of_session(Some(RATE)));
    let alice = scene.guest(1);
    for _ in 0..3 {
        assert_eq!(enter(&mut scene, &alice), None);
    }
    assert_eq!(enter(&mut scene, &alice), Some(SECOND));
    assert_eq!(scene.lobby.counts().waiting, 0, "a refused place is none");
    scene.now += SECOND - MOMENT;
    assert_eq!(enter(&mut scene, &alice), Some(MOMENT), "a refusal costs nothing");
    scene.now += MOMENT;
    assert_eq!(enter(&mut scene, &alice), None);
    let other = scene.guest(1);
    assert_eq!(enter(&mut scene, &other), None);
}

#[test]
fn what_takes_no_new_place_costs_nothing() {
    let mut scene = Scene::with(of_session(Some(RATE)));
    let alice = scene.guest(1);
    for _ in 0..20 {
        scene.expect(alice.enters("open"), [alice.queued("open", 1, [1, 1, 0, 0])]);
    }
    let mut alice = alice;
    for _ in 0..20 {
        scene.expect(alice.goes(), []);
        alice = scene.again(&alice);
        let effects = [alice.welcomed_back(), alice.queued("open", 1, [1, 1, 0, 0])];
        scene.expect(alice.back_waiting(None, "open"), effects);
    }
}

/// A client that is all the time another session, or comes by `hello`, is one client.
#[test]
fn a_client_enters_at_its_rate_however_it_does() {
    let config = config_with(EnterRates { client: Some(RATE), ..EnterRates::default() });
    let mut scene = Scene::with(config);
    let mut entered = 0;
    for number in 0..20 {
        let guest = scene.guest(1);
        let effects = match number % 3 {
            0 => scene.send(guest.enters("open")),
            1 => {
                let next = Event::Next(guest.connection, None, guest.seeks("open"), Vec::new());
                scene.send(next)
            }
            _ => {
                let guest = scene.again(&guest);
                scene.send(guest.back_waiting(None, "open"))
            }
        };
        entered += usize::from(refusal(&effects).is_none());
    }
    assert_eq!(entered, 3);
    assert_eq!(scene.lobby.counts().waiting, 3);
    let other = scene.guest(2);
    assert_eq!(enter(&mut scene, &other), None);
}

#[test]
fn an_account_enters_at_its_rate_whatever_its_clients_are() {
    let mut scene =
        Scene::with(config_with(EnterRates { user: Some(RATE), ..EnterRates::default() }));
    let of = |uid, number: u8| Owner { uid, ..owner(number) };
    let mut entered = 0;
    for number in 0..20 {
        let guest = scene.guest_of(of(1000, number));
        entered += usize::from(enter(&mut scene, &guest).is_none());
    }
    assert_eq!(entered, 3);
    let other = scene.guest_of(of(1001, 1));
    assert_eq!(enter(&mut scene, &other), None);
}

#[test]
fn next_leaves_also_when_it_is_too_often() {
    let once = Some(Rate::new(1, SECOND));
    let mut scene = Scene::with(of_session(once));
    let (alice, bob, room) = scene.couple([1, 2], "open");
    let closed = bob.closed(room, CloseReason::Left);
    let refused = alice.refused(Refusal::TooOften(SECOND));
    scene.expect(alice.next(room, "open"), [alice.left(room), closed, refused]);
}

#[test]
fn only_so_many_are_counted_and_none_whose_bucket_is_full() {
    let scene = Scene::new();
    let mut buckets = Buckets::new(Some(RATE));
    for number in 0..ENTERING_OWNERS as u64 + 10 {
        buckets.charge(scene.now, number);
        buckets.check();
    }
    buckets.charge(scene.now + SECOND, 0);
    buckets.check();
    assert_eq!(buckets.len(), 1);
    let mut off = Buckets::new(None);
    off.charge(scene.now, 0_u64);
    assert_eq!((off.len(), off.wait(scene.now, 0)), (0, None));
}
