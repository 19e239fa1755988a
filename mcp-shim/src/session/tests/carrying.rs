//! What a play says on its wires, and hears from them.

use super::{play::Play, world::Key, *};

impl Play {
    /// What was written is still read; nothing is heard any more.
    pub(super) fn hang_up(&mut self, key: Key) {
        if let Some(index) = self.wire_of(key) {
            self.wires[index].is_open = false;
            self.wires[index].to_shim.clear();
        }
    }

    pub(super) fn transmit(&mut self, key: Key, message: ClientMessage<'static>) {
        let book = self.books.get_mut(&key).unwrap();
        if let ClientMessage::Send { room_id, seq, text, .. } = &message {
            let sent = book.sent.entry(*room_id).or_default();
            let before = sent.insert(*seq, text.clone().into_owned());
            assert!(before.is_none_or(|before| before == *text), "one seq, two texts");
            assert_eq!(sent.len() as u64, *sent.last_key_value().unwrap().0);
            let acked = book.acked.get(room_id).copied().unwrap_or(0);
            assert!(sent.len() as u64 - acked <= self.limits.window_messages as u64);
        }
        let index = self.wire_of(key).expect("nothing is said without a connection");
        self.wires[index].to_relay.push_back(message);
    }

    pub(super) fn carry_to_relay(&mut self, index: usize) {
        self.frames += 1;
        let message = self.wires[index].to_relay.pop_front().unwrap();
        self.relay.take(&mut self.wires, index, message);
        let wire = &mut self.wires[index];
        if wire.is_open && wire.to_relay.is_empty() && std::mem::take(&mut wire.tells_written) {
            let (side, chat) = wire.key;
            self.input(side, Input::Written(chat));
        }
        self.drop_if_done(index);
    }

    fn drop_if_done(&mut self, index: usize) {
        let wire = &self.wires[index];
        if !wire.is_open && wire.to_relay.is_empty() {
            let wire = self.wires.remove(index);
            self.relay.lost(&wire, self.now.instant);
        }
    }

    pub(super) fn carry_to_shim(&mut self, index: usize) {
        self.frames += 1;
        let wire = &mut self.wires[index];
        let message = wire.to_shim.pop_front().unwrap();
        if !wire.is_open {
            return;
        }
        let (side, chat) = wire.key;
        if let RelayMessage::Ack { room_id, received, .. }
        | RelayMessage::Sync { room_id, received } = &message
        {
            let acked = &mut self.books.get_mut(&(side, chat)).unwrap().acked;
            let highest = acked.entry(*room_id).or_default();
            *highest = (*highest).max(*received);
        }
        self.input(side, Input::Relay(chat, message));
    }

    /// Delivers everything that is on the wires, and what follows from it.
    pub(super) fn flow(&mut self) {
        let before = self.frames;
        loop {
            assert!(self.frames < before + 1_000_000, "it does not come to rest");
            let mut index = 0;
            let mut moved = false;
            while index < self.wires.len() {
                let count = self.wires.len();
                if !self.wires[index].to_relay.is_empty() {
                    moved = true;
                    self.carry_to_relay(index);
                } else if !self.wires[index].to_shim.is_empty() {
                    moved = true;
                    self.carry_to_shim(index);
                } else {
                    self.drop_if_done(index);
                }
                if self.wires.len() == count {
                    index += 1;
                }
            }
            if !moved {
                return;
            }
        }
    }
}
