//! What arrives, what is lost on the way, who is killed, and the judgement in the end.

use std::{collections::BTreeMap, time::Duration};

use mcp_shim::session::{ChatState, Input};
use shared::{
    codec,
    message::{ClientMessage, RelayMessage},
};

use crate::{
    relay::Item,
    rules::Rule,
    world::{Happening, WireId, World},
};

impl World {
    pub(crate) fn arrive_at_relay(&mut self, id: WireId) {
        let clock = self.clock();
        if let Some(wakes) = self.relay_sleeps_until {
            return self.at(wakes, Happening::ToRelay(id));
        }
        let Some(wire) = self.wires.get_mut(&id) else { return };
        let Some(item) = wire.to_relay.pop_front().filter(|_| wire.relay_open) else { return };
        let connection = wire.connection;
        let frame = match item {
            Item::Frame(frame) => frame,
            Item::End => {
                wire.relay_open = false;
                let Some(relay) = self.relay.as_mut() else { return };
                let outgoing = relay.gone(connection, clock);
                return self.send_out(outgoing);
            }
        };
        if self.rule == Some(Rule::RepeatedLeave) && self.is_repeated_leave(id, &frame) {
            return;
        }
        let Some(relay) = self.relay.as_mut() else { return };
        let outgoing = relay.frame(connection, &frame, clock);
        self.send_out(outgoing);
    }

    /// Whether a leave of this room was on its way before.
    fn is_repeated_leave(&mut self, id: WireId, frame: &[u8]) -> bool {
        let wire = &self.wires[&id];
        let room = match codec::decode_client(frame) {
            Ok(ClientMessage::Leave(leave)) => leave.room_id,
            Ok(ClientMessage::Next { leave: Some(leave), .. }) => {
                self.left.insert((wire.shim, wire.chat, leave.room_id.to_string()));
                return false;
            }
            _ => return false,
        };
        !self.left.insert((wire.shim, wire.chat, room.to_string()))
    }

    pub(crate) fn arrive_at_shim(&mut self, id: WireId) {
        let moment = self.moment();
        let Some(wire) = self.wires.get_mut(&id) else { return };
        let Some(item) = wire.to_shim.pop_front().filter(|_| wire.shim_open) else { return };
        let (number, life, chat, link) = (wire.shim, wire.life, wire.chat, wire.link);
        let frame = match item {
            Item::Frame(frame) => self.renumbered(id, frame),
            Item::End => {
                wire.shim_open = false;
                return self.disconnected(number, life, chat, link);
            }
        };
        let Some(shim) = self.shims[number].as_mut().filter(|shim| shim.life == life) else {
            return;
        };
        let message = codec::decode_relay(&frame).expect("the relay writes well");
        if self.trace {
            eprintln!("{:>9.3} {number} {chat} hears {message:?}", self.now.as_secs_f64());
        }
        let outputs = shim.sessions.handle(moment, Input::Relay(chat, message));
        self.perform(number, outputs);
    }

    /// With de-duplication taken away, every message comes with the number that is awaited.
    fn renumbered(&mut self, id: WireId, frame: Vec<u8>) -> Vec<u8> {
        if self.rule != Some(Rule::Deduplication) {
            return frame;
        }
        let wire = &self.wires[&id];
        let (shim, chat) = (wire.shim, wire.chat);
        let Ok(RelayMessage::Message { room_id, author, text, removed, sent_at, .. }) =
            codec::decode_relay(&frame)
        else {
            return frame;
        };
        let count = self.renumbered.entry((shim, chat, room_id.to_string())).or_default();
        *count += 1;
        let message =
            RelayMessage::Message { room_id, seq: *count, author, text, removed, sent_at };
        let mut renumbered = Vec::new();
        codec::encode(&message, &mut renumbered);
        renumbered.pop();
        renumbered
    }

    fn disconnected(
        &mut self,
        number: usize,
        life: u64,
        chat: mcp_shim::session::ChatId,
        link: u64,
    ) {
        let moment = self.moment();
        let Some(shim) = self.shims[number].as_mut().filter(|shim| shim.life == life) else {
            return;
        };
        let Some(known) = shim.links.get_mut(&chat).filter(|known| known.number == link) else {
            return;
        };
        known.wire = None;
        let outputs = shim.sessions.handle(moment, Input::Disconnected(chat));
        self.perform(number, outputs);
        self.later(1, 50, Happening::Connect { shim: number, chat, link });
    }

    pub(crate) fn fault(&mut self) {
        if self.healed() {
            return;
        }
        self.later(50, 3_000, Happening::Fault);
        match self.random.below(10) {
            0..5 => self.cut(),
            5 => self.stop_relay(),
            6..9 => self.kill_relay(),
            _ if self.random.permille(300) => self.kill_shim(),
            _ => {}
        }
    }

    fn cut(&mut self) {
        let open = |wire: &crate::world::Wire| !wire.cut && wire.shim_open && wire.relay_open;
        let wires: Vec<WireId> =
            self.wires.iter().filter(|(_, wire)| open(wire)).map(|(id, _)| *id).collect();
        if wires.is_empty() {
            return;
        }
        let id = wires[self.random.below(wires.len())];
        self.tally.cuts += 1;
        self.lose_some(id, true, true);
        let (relay, shim) = (self.random.millis(0, 4_000), self.random.millis(0, 4_000));
        let (relay, shim) = (self.now + relay, self.now + shim);
        let Some(wire) = self.wires.get_mut(&id) else { return };
        wire.cut = true;
        wire.to_relay.push_back(Item::End);
        wire.to_shim.push_back(Item::End);
        let (relay, shim) = (relay.max(wire.relay_at), shim.max(wire.shim_at));
        self.at(relay, Happening::ToRelay(id));
        self.at(shim, Happening::ToShim(id));
    }

    /// Of what is on its way only a beginning arrives.
    fn lose_some(&mut self, id: WireId, to_relay: bool, to_shim: bool) {
        let Some(wire) = self.wires.get_mut(&id) else { return };
        if to_relay && !wire.to_relay.is_empty() {
            let kept = self.random.below(wire.to_relay.len() + 1);
            wire.to_relay.truncate(kept);
        }
        if to_shim && !wire.to_shim.is_empty() {
            let kept = self.random.below(wire.to_shim.len() + 1);
            wire.to_shim.truncate(kept);
        }
    }

    /// The relay's process, or the machine, is stopped for a while.
    fn stop_relay(&mut self) {
        if self.relay.is_some() && self.relay_sleeps_until.is_none() {
            self.tally.relay_stops += 1;
            let slept = self.random.millis(500, 20_000);
            self.relay_sleeps_until = Some(self.now + slept);
            self.at(self.now + slept, Happening::WakeRelay(slept));
        }
    }

    /// What has come meanwhile is read first.
    pub(crate) fn wake_relay(&mut self, slept: Duration) {
        if self.relay_sleeps_until.take_if(|until| *until <= self.now).is_none() {
            return;
        }
        let wires: Vec<WireId> = self.wires.keys().copied().collect();
        for id in wires {
            let due = self.wires[&id].to_relay.len();
            for _ in 0..due {
                self.arrive_at_relay(id);
            }
        }
        let clock = self.clock();
        let late = Duration::from_secs(5);
        if let Some(relay) = self.relay.as_mut().filter(|_| slept > late) {
            let outgoing = relay.slept(slept, clock);
            self.send_out(outgoing);
        }
    }

    fn kill_relay(&mut self) {
        self.relay_sleeps_until = None;
        let Some(relay) = self.relay.take() else { return };
        self.tally.relay_kills += 1;
        self.tally.deliveries += relay.passed_on;
        let wires: Vec<WireId> = self.wires.keys().copied().collect();
        for id in wires {
            self.lose_some(id, false, true);
            let Some(wire) = self.wires.get_mut(&id).filter(|wire| wire.relay_open) else {
                continue;
            };
            wire.relay_open = false;
            wire.to_relay.clear();
            if !wire.cut {
                wire.cut = true;
                wire.to_shim.push_back(Item::End);
                let at = wire.shim_at.max(self.now);
                self.at(at, Happening::ToShim(id));
            }
        }
    }

    fn kill_shim(&mut self) {
        let number = self.random.below(self.shims.len());
        let Some(shim) = self.shims[number].take() else { return };
        self.tally.shim_kills += 1;
        for chat in shim.chats.keys() {
            self.model.gone(shim.who(chat));
        }
        let wires: Vec<WireId> = self.wires.keys().copied().collect();
        for id in wires {
            let of_it = |wire: &&mut crate::world::Wire| wire.shim == number && wire.shim_open;
            let Some(wire) = self.wires.get_mut(&id).filter(of_it) else { continue };
            wire.shim_open = false;
            wire.to_shim.clear();
            if !wire.cut {
                self.lose_some(id, true, false);
                self.send_to_relay(id, Item::End);
                if let Some(wire) = self.wires.get_mut(&id) {
                    wire.cut = true;
                }
            }
        }
        self.later(100, 10_000, Happening::StartShim(number));
    }

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
            assert!(seen_by < 2, "{room} is lost, and nobody has left it");
        }
        for (room, members) in rooms {
            assert_eq!(members, 2, "{room} has {members} member");
        }
        for (topic, mut numbers) in waiting {
            numbers.dedup();
            assert!(numbers.len() < 2, "{numbers:?} wait for each other in {topic}");
        }
    }
}
