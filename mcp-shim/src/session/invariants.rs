//! What must be true of the sessions between any two inputs.

use shared::limits;

use super::{Sessions, chat::Chat};

impl Sessions {
    /// Panics if something that must always be true is not, the bounds of all that is kept
    /// included. It looks at everything and is slow: for tests and simulation.
    pub fn check_invariants(&self) {
        assert!(self.living().count() <= limits::SESSIONS_PER_SHIM);
        assert!(self.chats.len() <= limits::SESSIONS_PER_SHIM + limits::ENDED_SESSIONS);
        assert!(self.blocks.len() <= limits::BLOCK_TAGS);
        for chat in self.chats.values() {
            chat.check();
            assert!(chat.closed.len() <= self.config.closed_rooms);
        }
        for chat in self.pending.values().map(|pending| pending.chat) {
            assert!(self.chats.contains_key(&chat), "a call waits for {chat:?}, which is gone");
        }
    }
}

impl Chat {
    fn check(&self) {
        assert!(self.leaving.len() <= limits::LEAVING_ROOMS);
        assert!(self.transcript.len() <= limits::TRANSCRIPT_ENTRIES);
        assert!(self.unwritten <= limits::WINDOW_MESSAGES);
        self.inbox.check();
        if let Some(room) = self.room() {
            room.check();
            assert!(!self.closed.contains(&room.room_id), "it has entered a room again");
        }
    }
}
