//! What happens to what the tokens rest on: the key, the clock, and that only its owner has them.

use std::time::Duration;

use crate::{
    model::Who,
    relay::Item,
    wires::Wire,
    world::{Happening, World},
};
use relay::lobby::ConnectionId;

impl World {
    /// Faults that are not of every day; a third of the worlds has each.
    pub(crate) fn rare_fault(&mut self) {
        match self.random.below(4) {
            0 => self.suspend(),
            1 => self.jump(),
            2 => self.pose(),
            _ => self.lose_key(),
        }
    }

    /// The wall clock is set, by less than tokens are good for; and some tokens are renewed.
    fn jump(&mut self) {
        /// Half of it, each way, so that no two readings are further apart.
        const FAR: u64 = 11 * 60 * 60 * 1_000;
        self.tally.clock_jumps += 1;
        let middle = crate::world::WALL_AHEAD;
        self.wall_ahead = middle - Duration::from_millis(FAR) + self.random.millis(0, 2 * FAR);
        let clock = self.clock();
        let wires: Vec<u64> = self.wires.keys().copied().collect();
        for id in wires {
            if self.relay_sleeps_until.is_none()
                && self.random.permille(500)
                && let Some(relay) = self.relay.as_mut()
            {
                let outgoing = relay.refresh(ConnectionId(id), clock);
                self.send_out(outgoing);
            }
        }
    }

    /// The relay ends, and the next one does not find its key.
    fn lose_key(&mut self) {
        if self.keys_last {
            return;
        }
        self.tally.keys_lost += 1;
        self.kill_relay();
        self.key[0] = self.key[0].wrapping_add(1);
        self.key_is_new = true;
        self.kept_epoch = None;
        self.places.key_is_lost();
    }

    /// Somebody says again what a chat has said, and says no more.
    fn pose(&mut self) {
        let Some(relay) = self.relay.as_mut().filter(|_| !self.hellos.is_empty()) else { return };
        self.tally.impostors += 1;
        let (who, chat, hello) = self.hellos[self.random.below(self.hellos.len())].clone();
        self.wires_made += 1;
        let id = self.wires_made;
        relay.accept(ConnectionId(id));
        let ends = self.now + self.random.millis(1, 10_000);
        let wire = Wire::of_an_impostor(&who, chat, [Item::Frame(hello), Item::End], self.now);
        self.wires.insert(id, wire);
        self.robbed.insert(who);
        self.at(self.now, Happening::ToRelay(id));
        self.at(ends, Happening::ToRelay(id));
    }

    /// Whether this chat may have lost its room without anybody's leave.
    pub(crate) fn may_lose(&self, who: &Who) -> bool {
        let overslept = self.shims[who.0].as_ref().is_some_and(|shim| shim.overslept);
        overslept || self.tally.keys_lost > 0 || self.robbed.contains(who)
    }
}
