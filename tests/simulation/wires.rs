//! Connections, made and closed, and what is put on them: late, but in its order.

use std::{collections::VecDeque, time::Duration};

use mcp_shim::session::{ChatId, ErrorCode, Input, Trouble};
use relay::lobby::ConnectionId;

use crate::{
    model::Who,
    relay::{Item, Outgoing},
    rules::Rule,
    world::{Happening, WireId, World},
};

#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) shim: usize,
    pub(crate) life: u64,
    pub(crate) chat: ChatId,
    pub(crate) link: u64,
    pub(crate) shim_open: bool,
    pub(crate) relay_open: bool,
    pub(crate) cut: bool,
    /// The relay has got its first frame.
    pub(crate) is_greeted: bool,
    pub(crate) to_relay: VecDeque<Item>,
    pub(crate) to_shim: VecDeque<Item>,
    pub(crate) relay_at: Duration,
    pub(crate) shim_at: Duration,
}

impl Wire {
    /// One that carries what somebody else says in a chat's name, and takes nothing.
    pub(crate) fn of_an_impostor(
        whose: &Who,
        chat: ChatId,
        says: [Item; 2],
        now: Duration,
    ) -> Self {
        Self {
            shim: whose.0,
            life: whose.1,
            chat,
            link: 0,
            shim_open: false,
            relay_open: true,
            cut: true,
            is_greeted: false,
            to_relay: says.into(),
            to_shim: VecDeque::new(),
            relay_at: now,
            shim_at: now,
        }
    }
}

impl World {
    pub(crate) fn open(&mut self, number: usize, chat: ChatId) {
        let Some(shim) = self.shims[number].as_mut() else { return };
        shim.links_made += 1;
        let link = shim.links_made;
        let pause = Duration::from_millis(10);
        shim.links.insert(chat, crate::shim::Link { number: link, wire: None, pause });
        self.later(0, 5, Happening::Connect { shim: number, chat, link });
    }

    pub(crate) fn hang_up(&mut self, number: usize, chat: ChatId) {
        let Some(shim) = self.shims[number].as_mut() else { return };
        if let Some(wire) = shim.links.remove(&chat).and_then(|link| link.wire) {
            self.send_to_relay(wire, Item::End);
            if let Some(wire) = self.wires.get_mut(&wire) {
                wire.shim_open = false;
            }
        }
    }

    pub(crate) fn connect(&mut self, number: usize, chat: ChatId, link: u64) {
        let moment = self.moment();
        let fails = !self.healed() && self.random.permille(100);
        let Some(shim) = self.shims[number].as_mut() else { return };
        let life = shim.life;
        let Some(known) = shim.links.get_mut(&chat).filter(|known| known.number == link) else {
            return;
        };
        let Some(relay) = self.relay.as_mut().filter(|_| !fails) else {
            let pause = known.pause;
            known.pause = (pause * 2).min(Duration::from_secs(1));
            let trouble = Trouble {
                code: ErrorCode::RelayUnavailable,
                detail: "none".into(),
                lasting: false,
            };
            let outputs = shim.sessions.handle(moment, Input::Trouble(chat, trouble));
            self.perform(number, outputs);
            let at = self.now + pause;
            self.at(at, Happening::Connect { shim: number, chat, link });
            if self.relay.is_none() && !self.relay_is_due {
                self.relay_is_due = true;
                self.later(5, 400, Happening::StartRelay);
            }
            return;
        };
        self.wires_made += 1;
        let id = self.wires_made;
        relay.accept(ConnectionId(id));
        known.wire = Some(id);
        known.pause = Duration::from_millis(10);
        let wire = Wire {
            shim: number,
            life,
            chat,
            link,
            shim_open: true,
            relay_open: true,
            cut: false,
            is_greeted: false,
            to_relay: VecDeque::new(),
            to_shim: VecDeque::new(),
            relay_at: self.now,
            shim_at: self.now,
        };
        self.wires.insert(id, wire);
        let outputs = shim.sessions.handle(moment, Input::Connected(chat));
        self.perform(number, outputs);
    }

    pub(crate) fn send_to_relay(&mut self, id: WireId, item: Item) {
        let delay = self.random.millis(0, 20);
        let Some(wire) = self.wires.get_mut(&id).filter(|wire| !wire.cut) else { return };
        wire.relay_at = wire.relay_at.max(self.now + delay);
        wire.to_relay.push_back(item);
        let at = wire.relay_at;
        self.at(at, Happening::ToRelay(id));
    }

    pub(crate) fn send_to_shim(&mut self, id: WireId, item: Item) {
        let delay = self.random.millis(0, 20);
        let Some(wire) = self.wires.get_mut(&id).filter(|wire| !wire.cut) else { return };
        wire.shim_at = wire.shim_at.max(self.now + delay);
        wire.to_shim.push_back(item);
        let at = wire.shim_at;
        self.at(at, Happening::ToShim(id));
    }

    /// All that a shim has said on this wire is with the system, which may lose it yet.
    pub(crate) fn written(&mut self, id: WireId) {
        let moment = self.moment();
        let Some(wire) = self.wires.get(&id) else { return };
        let (number, life, chat) = (wire.shim, wire.life, wire.chat);
        let Some(shim) = self.shims[number].as_mut().filter(|shim| shim.life == life) else {
            return;
        };
        if shim.links.get(&chat).is_some_and(|link| link.wire == Some(id)) {
            let outputs = shim.sessions.handle(moment, Input::Written(chat));
            self.perform(number, outputs);
        }
    }

    pub(crate) fn send_out(&mut self, outgoing: Outgoing) {
        let ending: Vec<ConnectionId> = outgoing
            .iter()
            .filter(|(_, item)| *item == Item::End)
            .map(|(connection, _)| *connection)
            .collect();
        for (connection, item) in outgoing {
            let ConnectionId(id) = connection;
            let Some(wire) = self.wires.get_mut(&id).filter(|wire| wire.relay_open) else {
                continue;
            };
            wire.relay_open = item != Item::End;
            // The end of a connection is its own.
            let is_own = ending.contains(&connection);
            self.send_to_shim(if is_own { id } else { self.hearer(id) }, item);
        }
    }

    /// Whose frame it is that arrives on this connection after its first. Without the rule, an old
    /// connection still speaks for its session.
    pub(crate) fn speaker(&self, id: WireId) -> WireId {
        self.newest(id, |wire| wire.relay_open && wire.is_greeted)
    }

    /// Who hears what is said to this connection. Without the rule, a new connection hears it
    /// before it has said who it is.
    fn hearer(&self, id: WireId) -> WireId {
        self.newest(id, |wire| wire.shim_open)
    }

    /// This connection; without the rule, the last of its chat of which something holds.
    fn newest(&self, id: WireId, holds: impl Fn(&Wire) -> bool) -> WireId {
        if self.rule != Some(Rule::IdentityAtHello) {
            return id;
        }
        let of = |wire: &Wire| (wire.shim, wire.life, wire.chat);
        let chat = of(&self.wires[&id]);
        let same = self.wires.range(id..).filter(|(_, wire)| of(wire) == chat && holds(wire));
        same.map(|(id, _)| *id).next_back().unwrap_or(id)
    }

    /// Connections that both sides have closed and on which nothing is on its way are forgotten.
    pub(crate) fn forget_closed(&mut self) {
        let is_open = |wire: &Wire| {
            wire.shim_open && !(wire.cut && wire.to_shim.is_empty())
                || wire.relay_open && !(wire.cut && wire.to_relay.is_empty())
        };
        self.wires.retain(|_, wire| is_open(wire));
    }
}
