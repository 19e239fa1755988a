//! The reference: what was said, by whom, in which room, and who has been told of it.
//!
//! It knows nothing of queues, seqs or connections, only of promises: nothing is told twice, to
//! the wrong one, out of order or after a refusal; and, once faults have stopped, everything that
//! was accepted has been told, or its sender knows that it was not.

use std::collections::{BTreeMap, BTreeSet};

/// One life of one chat: shim, how many times that shim was started, chat id.
pub(crate) type Who = (usize, u64, String);

#[derive(Debug, Default)]
pub(crate) struct Model {
    words: BTreeMap<String, Words>,
    /// By listener and room: seqs of what was told, by cursor. Results that are open at once may
    /// reach a client in any order; its cursors say which is which.
    told: BTreeMap<(Who, String), BTreeMap<u64, u64>>,
    /// Cursors that were handed out, by chat.
    cursors: BTreeMap<Who, BTreeSet<u64>>,
    /// Message ids that somebody was told may not have arrived.
    undelivered: BTreeSet<String>,
    /// Chats that are over: left, or gone with their shim.
    gone: BTreeSet<Who>,
    /// Chats that a cancelled departure may have kept from knowing what did not arrive.
    excused: BTreeSet<Who>,
    /// Who was ever in which room.
    members: BTreeMap<String, BTreeSet<Who>>,
    pub(crate) handed_out: u64,
}

#[derive(Debug)]
struct Words {
    speaker: Who,
    fate: Fate,
    heard: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// No answer was seen.
    Unknown,
    Accepted(String),
    Refused,
}

impl Model {
    pub(crate) fn says(&mut self, speaker: Who, words: String) {
        self.words.insert(words, Words { speaker, fate: Fate::Unknown, heard: false });
    }

    pub(crate) fn accepted(&mut self, words: &str, message_id: &str) {
        let said = self.words.get_mut(words).expect("it was said");
        said.fate = Fate::Accepted(message_id.to_owned());
    }

    pub(crate) fn refused(&mut self, words: &str) {
        let said = self.words.get_mut(words).expect("it was said");
        assert!(!said.heard, "refused but heard: {words}");
        said.fate = Fate::Refused;
    }

    pub(crate) fn hears(
        &mut self,
        listener: &Who,
        cursor: u64,
        room: &str,
        message_id: &str,
        words: &str,
    ) {
        self.handed_out += 1;
        let said = self.words.get_mut(words).unwrap_or_else(|| panic!("never said: {words}"));
        assert_ne!(said.speaker.0, listener.0, "one hears oneself: {words}");
        assert_ne!(said.fate, Fate::Refused, "refused but heard: {words}");
        assert!(!said.heard, "heard twice: {words} by {listener:?}");
        if let Fate::Accepted(id) = &said.fate {
            assert_eq!(id, message_id, "another message");
        }
        said.heard = true;
        let seq: u64 = message_id.rsplit('.').next().and_then(|seq| seq.parse().ok()).unwrap();
        let told = self.told.entry((listener.clone(), room.to_owned())).or_default();
        told.insert(cursor, seq);
    }

    pub(crate) fn handed(&mut self, who: &Who, cursor: u64) {
        let new = self.cursors.entry(who.clone()).or_default().insert(cursor);
        assert!(new, "event {cursor} of {who:?} is handed out twice");
    }

    pub(crate) fn joined(&mut self, who: &Who, room: &str) {
        let members = self.members.entry(room.to_owned()).or_default();
        members.insert(who.clone());
        assert!(members.len() <= 2, "three in a room: {members:?}");
    }

    /// Who was told of having been in this room.
    pub(crate) fn members(&self, room: &str) -> impl Iterator<Item = &Who> {
        self.members.get(room).into_iter().flatten()
    }

    pub(crate) fn undelivered(&mut self, ids: impl IntoIterator<Item = String>) {
        self.undelivered.extend(ids);
    }

    /// What it could have been told of its departure is lost.
    pub(crate) fn excuse(&mut self, who: Who) {
        self.excused.insert(who);
    }

    pub(crate) fn gone(&mut self, who: Who) {
        self.gone.insert(who);
    }

    /// Faults have stopped long ago: what was accepted has arrived, or is known not to have.
    pub(crate) fn settle(&self) {
        for ((listener, room), told) in &self.told {
            let seqs: Vec<u64> = told.values().copied().collect();
            let whole: Vec<u64> = (1..=seqs.len() as u64).collect();
            let complete = seqs == whole || self.gone.contains(listener);
            assert!(complete, "a gap or out of order: {seqs:?} in {room} to {listener:?}");
        }
        for (words, said) in &self.words {
            let Fate::Accepted(id) = &said.fate else { continue };
            let excused = self.gone.contains(&said.speaker) || self.excused.contains(&said.speaker);
            if said.heard || self.undelivered.contains(id) || excused {
                continue;
            }
            let prefix = id.split('.').next().unwrap();
            let mut rooms = self.members.iter().filter(|(room, _)| room.starts_with(prefix));
            let Some((room, members)) = rooms.next() else {
                panic!("accepted in a room that nobody was told of: {words} {id}")
            };
            let listener = members.iter().find(|member| **member != said.speaker);
            match listener {
                Some(listener) if !self.gone.contains(listener) => panic!(
                    "never heard: {words} {id} by {listener:?} from {:?} in {room}",
                    said.speaker
                ),
                // Whoever is gone may have had it and not read it.
                Some(_) | None => {}
            }
        }
    }
}
