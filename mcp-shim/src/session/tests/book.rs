//! The books that are kept of the chats of a play, and what has to be true of them.

use std::collections::BTreeSet;

use super::{play::Play, world::Key, *};

/// What is known of one chat from outside.
#[derive(Default)]
pub(super) struct Book {
    /// What it was told, in order.
    pub(super) told: Vec<Entry>,
    pub(super) had: BTreeSet<u64>,
    pub(super) wants_link: bool,
    pub(super) has_ended: bool,
    /// What it has sent, by room.
    pub(super) sent: BTreeMap<RoomId, BTreeMap<u64, String>>,
    pub(super) acked: BTreeMap<RoomId, u64>,
    pub(super) undelivered: BTreeSet<String>,
    /// A cancelled call may have taken a list of what is undelivered with it.
    pub(super) forgetful: bool,
}

impl Play {
    pub(super) fn reply(&mut self, side: usize, call: CallId, reply: Reply) {
        assert!(self.sides[side].open.remove(&call).is_some(), "an answer nobody waits for");
        self.result(side, call, reply);
    }

    /// A result is on its way: nothing of it was or is in another one.
    pub(super) fn result(&mut self, side: usize, call: CallId, reply: Reply) {
        let Some(view) = reply.chat else {
            self.sides[side].unwritten.insert(call, (None, Vec::new()));
            return;
        };
        let cursors: Vec<u64> = view.events.iter().map(|entry| entry.cursor).collect();
        assert!(cursors.is_sorted_by(|one, two| one < two), "{cursors:?}");
        let book = &self.books[&(side, view.chat_id)];
        for entry in &view.events {
            assert_eq!(*entry, book.told[entry.cursor as usize - 1]);
        }
        if !self.sides[side].with_after.contains(&call) {
            let again = cursors.iter().find(|cursor| book.had.contains(cursor));
            assert_eq!(again, None, "handed out again to {call:?}");
        }
        for (lender, lent) in self.sides[side].unwritten.values() {
            let shared = |cursor: &&u64| lent.contains(cursor) && !book.had.contains(cursor);
            assert!(
                *lender != Some(view.chat_id) || !cursors.iter().any(|c| shared(&c)),
                "lent twice"
            );
        }
        if let Some(undelivered) = reply.undelivered {
            let book = self.books.get_mut(&(side, view.chat_id)).unwrap();
            book.undelivered.extend(undelivered);
        }
        self.sides[side].unwritten.insert(call, (Some(view.chat_id), cursors));
    }

    /// What has to be true at any time.
    pub(super) fn check(&mut self, side: usize) {
        let sessions = &self.sides[side].sessions;
        if let Some(deadline) = sessions.next_deadline() {
            assert!(deadline > self.now.instant, "a deadline has passed and nothing was done");
        }
        for (call, (_, deadline)) in &self.sides[side].open {
            assert!(*deadline > self.now.instant, "{call:?} is not answered in time");
        }
        sessions.check_invariants();
        let known: BTreeSet<ChatId> = sessions.living().map(Chat::id).collect();
        for (key, book) in &mut self.books {
            book.has_ended |= key.0 == side && !known.contains(&key.1);
        }
    }

    /// What has to be true once everything has come to rest.
    pub(super) fn check_that_nothing_is_lost(&self) {
        for (key, book) in &self.books {
            let cursors = 1..=book.told.len() as u64;
            if !book.has_ended {
                assert!(cursors.clone().eq(book.had.iter().copied()), "not all was handed out");
            }
            for (room, sent) in &book.sent {
                let taken = self.taken(*key, *room);
                let all: Vec<&str> = sent.values().map(String::as_str).collect();
                assert_eq!(taken, all[..taken.len()], "not in order, or not once");
                if self.relay.is_open(*room) {
                    assert_eq!(taken.len(), all.len(), "lost in {room} of {key:?}");
                } else if !book.forgetful {
                    for seq in taken.len() as u64 + 1..=all.len() as u64 {
                        let suffix = format!(".{seq}");
                        let room = room.to_string();
                        let mut listed = book.undelivered.iter();
                        assert!(
                            listed.any(|id| id.starts_with(&room[..8]) && id.ends_with(&suffix)),
                            "{seq} of {room} is lost and nobody was told"
                        );
                    }
                }
            }
            // Both agree on where they are.
            if !book.has_ended && self.sides[key.0].open.is_empty() {
                let place = self.relay.room_of(*key).map(|room| room.to_string());
                assert_eq!(self.room_of(*key), place, "half a room");
            }
        }
    }

    fn room_of(&self, key: Key) -> Option<String> {
        let mut room = None;
        for entry in &self.books[&key].told {
            match &entry.event {
                Event::Found { room_id, .. } => room = Some(room_id.clone()),
                Event::Disconnected { .. } => room = None,
                Event::Message { .. }
                | Event::Away { .. }
                | Event::Back { .. }
                | Event::Expired { .. } => {}
            }
        }
        // A room that its own user has left says no more.
        let state = self.sides[key.0].sessions.chats.get(&key.1).map(Chat::state);
        room.filter(|_| state == Some(ChatState::Chatting))
    }

    /// The texts of this room that its other member was told.
    fn taken(&self, sender: Key, room: RoomId) -> Vec<&str> {
        let name = room.to_string();
        let of_others = self.books.iter().filter(|(key, _)| **key != sender);
        of_others
            .flat_map(|(_, book)| &book.told)
            .filter_map(|entry| match &entry.event {
                Event::Message { room_id, message, .. } if *room_id == name => Some(&**message),
                Event::Message { .. }
                | Event::Found { .. }
                | Event::Away { .. }
                | Event::Back { .. }
                | Event::Disconnected { .. }
                | Event::Expired { .. } => None,
            })
            .collect()
    }
}
