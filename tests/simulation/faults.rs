//! What arrives, what is lost on the way, and who is killed.

use std::mem;

use mcp_shim::session::Input;
use relay::lobby::ConnectionId;
use shared::{
    codec,
    message::{ClientMessage, RelayMessage},
};

use crate::{
    relay::Item,
    rules::Rule,
    wires::Wire,
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
        let frame = match item {
            Item::Frame(frame) => frame,
            Item::End => {
                wire.relay_open = false;
                let Some(relay) = self.relay.as_mut() else { return };
                let outgoing = relay.gone(ConnectionId(id), clock);
                return self.send_out(outgoing);
            }
        };
        let was_greeted = mem::replace(&mut wire.is_greeted, true);
        if self.rule == Some(Rule::RepeatedLeave) && self.is_repeated_leave(id, &frame) {
            return;
        }
        let connection = ConnectionId(if was_greeted { self.speaker(id) } else { id });
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
        self.forget_closed();
        match self.random.below(40) {
            0..20 => self.cut(),
            20..24 => self.stop_relay(),
            24..34 => self.kill_relay(),
            34 => self.kill_shim(),
            35 | 36 => self.stop_shim(),
            _ => self.rare_fault(),
        }
    }

    fn cut(&mut self) {
        let open = |wire: &Wire| !wire.cut && wire.shim_open && wire.relay_open;
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

    pub(crate) fn kill_relay(&mut self) {
        self.relay_sleeps_until = None;
        let Some(mut relay) = self.relay.take() else { return };
        relay.places.relay_is_gone();
        self.places = mem::take(&mut relay.places);
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
            let of_it = |wire: &&mut Wire| wire.shim == number && wire.shim_open;
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
}
