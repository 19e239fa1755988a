//! What has to be true once nothing has gone wrong for long.

use std::collections::BTreeMap;

use mcp_shim::session::ChatState;

use crate::{
    shim::Shim,
    world::{Happening, World},
};

impl World {
    /// From here on everything works and everybody only listens.
    pub(crate) fn heal(&mut self) {
        for number in 0..self.shims.len() {
            self.later(1, 1_000, Happening::Listen(number));
        }
    }

    /// Nothing has gone wrong for long: what was promised has to be true by now.
    pub(crate) fn judge(&mut self) {
        self.tally.deliveries += self.relay.as_ref().map_or(0, |relay| relay.passed_on);
        self.model.settle();
        let mut rooms: BTreeMap<String, usize> = BTreeMap::new();
        let mut waiting: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (number, shim) in self.shims.iter().enumerate() {
            let Some(shim) = shim else { continue };
            for call in shim.open.values() {
                let age = self.now - call.at;
                assert!(age.as_secs() < 60, "a call of {number} is not answered: {call:?}");
            }
            for known in shim.chats.values() {
                match known.state {
                    ChatState::Chatting => {
                        let room = known.room.clone().expect("who chats has a room");
                        *rooms.entry(room).or_default() += 1;
                    }
                    ChatState::Waiting => {
                        let topic = known.topic.clone().expect("who waits has a topic");
                        waiting.entry(topic).or_default().push(number);
                    }
                    ChatState::Idle | ChatState::Ended => {}
                }
            }
        }
        // Who leaves sees no end of the room: if both saw it lost, the relay has lost it.
        let mut lost: BTreeMap<&String, usize> = BTreeMap::new();
        for ((_, room), reason) in self.shims.iter().flatten().flat_map(|shim| &shim.ended) {
            if reason == "RelayLost" || reason == "Timeout" {
                *lost.entry(room).or_default() += 1;
            }
        }
        for (room, seen_by) in lost {
            let may_be = self.model.members(room).any(|who| self.may_lose(who));
            assert!(seen_by < 2 || may_be, "{room} is lost, and nobody has left it");
        }
        for (room, members) in rooms {
            assert_eq!(members, 2, "{room} has {members} member");
        }
        let places = self.relay.as_ref().map_or(&self.places, |relay| &relay.places);
        for (topic, mut numbers) in waiting {
            numbers.dedup();
            let are_barred = |one: usize, other: usize| {
                let owner = |number: usize| self.shims[number].as_ref().map(Shim::owner);
                let [one, other] = [owner(one), owner(other)];
                let mut blocks = places.ever_blocked.iter().map(|(one, other)| (one.id, other.id));
                blocks.any(|(a, b)| [(one, other), (other, one)].contains(&(Some(a), Some(b))))
            };
            for (index, &one) in numbers.iter().enumerate() {
                for &other in &numbers[..index] {
                    assert!(are_barred(one, other), "{one} and {other} wait in {topic}");
                }
            }
        }
    }
}
