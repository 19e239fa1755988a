//! Programs that are matched, leave, and come back as somebody else, beside two people.

use std::collections::BTreeMap;

use super::*;

/// A model or a person needs so long to look for the next partner.
const REACTION: Duration = Duration::from_secs(1);
/// A program does not.
const AT_ONCE: Duration = Duration::from_millis(20);

/// Two people of accounts 1 and 2, and programs of these accounts; how long until they meet.
struct Hall {
    scene: Scene,
    owners: u128,
    people: BTreeMap<ConnectionId, Guest>,
    strangers: BTreeMap<ConnectionId, Guest>,
    /// What each does, and when.
    agenda: Vec<(Instant, Deed)>,
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    Enter(Guest),
    Leave(Guest, RoomDescriptor),
    Come(u32),
}

impl Hall {
    fn new(config: Config, programs: &[u32]) -> Self {
        let scene = Scene::with(config);
        let mut hall = Self {
            scene,
            owners: 100,
            people: BTreeMap::new(),
            strangers: BTreeMap::new(),
            agenda: Vec::new(),
        };
        for &uid in programs {
            hall.later(AT_ONCE, Deed::Come(uid));
        }
        hall
    }

    fn later(&mut self, after: Duration, deed: Deed) {
        self.agenda.push((self.scene.now + after, deed));
    }

    fn comes(&mut self, uid: u32) -> Guest {
        self.owners += 1;
        let id = OwnerId::from_bytes(self.owners.to_le_bytes());
        self.scene.guest_of(Owner { uid, id })
    }

    /// How long it takes two people, the second of whom comes a little later, to meet.
    fn time_to_meet(mut self) -> Option<Duration> {
        let begun = self.scene.now + 30 * SECOND;
        self.run_until(begun);
        for (uid, after) in [(1, Duration::ZERO), (2, SECOND)] {
            let person = self.comes(uid);
            self.people.insert(person.connection, person);
            self.scene.send(person.attends(true));
            self.later(after, Deed::Enter(person));
        }
        let met_at = self.run_until(begun + 120 * SECOND)?;
        Some(met_at - begun)
    }

    fn run_until(&mut self, end: Instant) -> Option<Instant> {
        loop {
            let next = self.agenda.iter().map(|(at, _)| *at).min();
            let tick = self.scene.lobby.next_deadline();
            let at = next.into_iter().chain(tick).min().filter(|at| *at <= end);
            let Some(at) = at else {
                self.scene.now = end;
                return None;
            };
            self.scene.now = self.scene.now.max(at);
            let effects = if tick == Some(at) {
                self.scene.send(Event::Tick)
            } else {
                let index = self.agenda.iter().position(|(due, _)| *due == at).unwrap();
                let (_, deed) = self.agenda.swap_remove(index);
                self.does(deed)
            };
            if self.hear(effects) {
                return Some(self.scene.now);
            }
        }
    }

    fn does(&mut self, deed: Deed) -> Vec<Told> {
        match deed {
            Deed::Enter(guest) => self.scene.send(guest.enters("open")),
            Deed::Leave(guest, room) => {
                let effects = self.scene.send(guest.leaves(room));
                self.scene.send(guest.goes());
                self.strangers.remove(&guest.connection);
                self.later(AT_ONCE, Deed::Come(guest.owner.uid));
                effects
            }
            Deed::Come(uid) => {
                let guest = self.comes(uid);
                self.strangers.insert(guest.connection, guest);
                self.scene.send(guest.attends(true));
                self.scene.send(guest.enters("open"))
            }
        }
    }

    /// Whether the two people are told of each other.
    fn hear(&mut self, effects: Vec<Told>) -> bool {
        for (to, effect) in effects {
            match effect {
                Effect::Tell(News::Paired { descriptor, .. }) => {
                    let sessions = descriptor.members.map(|member| member.session);
                    let is_person = |id| self.people.values().any(|person| person.session == id);
                    if sessions.into_iter().all(is_person) {
                        return true;
                    }
                    if let Some(stranger) = self.strangers.get(&to).copied() {
                        self.later(AT_ONCE, Deed::Leave(stranger, descriptor));
                    }
                }
                Effect::Tell(News::Closed { .. }) => {
                    if let Some(person) = self.people.get(&to).copied() {
                        self.later(REACTION, Deed::Enter(person));
                    }
                }
                Effect::Tell(News::Refused(Refusal::TooOften(wait))) => {
                    let guest = self.people.get(&to).or(self.strangers.get(&to)).copied();
                    self.later(wait, Deed::Enter(guest.unwrap()));
                }
                Effect::Tell(_)
                | Effect::Welcome { .. }
                | Effect::Forward
                | Effect::Disconnect(_) => {}
            }
        }
        false
    }
}

/// As `relay serve --multi-user` is.
fn shared() -> Config {
    let mut config = Config { accounts_meet: true, ..Config::default() };
    config.enter_rates.user = Some(shared::limits::ENTER_RATE_PER_USER);
    config
}

#[test]
fn at_a_shared_relay_two_people_meet_beside_programs_of_two_accounts() {
    let met = Hall::new(shared(), &[66, 67]).time_to_meet();
    assert!(met.is_some_and(|after| after <= 20 * SECOND), "{met:?}");
    let without = Config { accounts_meet: false, ..shared() };
    assert_eq!(Hall::new(without, &[66, 67]).time_to_meet(), None);
}

#[test]
fn accounts_that_met_lately_are_given_each_other_after_both_have_waited() {
    let mut scene = Scene::with(shared());
    let of = |uid, number| Owner { uid, ..owner(number) };
    let one = scene.guest_of(of(1, 1));
    let other = scene.guest_of(of(2, 2));
    scene.send(one.enters("open"));
    let room = scene.next_room(&one, &other);
    scene.send(other.enters("open"));
    scene.send(other.says(room, 1));
    scene.send(other.leaves(room));
    // Other programs of the same accounts.
    let one = scene.guest_of(of(1, 3));
    let other = scene.guest_of(of(2, 4));
    for guest in [one, other] {
        scene.send(guest.attends(true));
        scene.send(guest.enters("open"));
    }
    assert_eq!(scene.lobby.counts().rooms, 0);
    let room = scene.next_room(&one, &other);
    let effects = [one.paired(room, "open", &other), other.paired(room, "open", &one)];
    scene.wait(MATCH_WAIT, effects);
    // Two programs of one account are no strangers to themselves.
    let pair = [5, 6].map(|number| scene.guest_of(of(1, number)));
    scene.send(pair[0].enters("tea"));
    scene.send(pair[1].enters("tea"));
    assert_eq!(scene.lobby.counts().rooms, 2);
}
