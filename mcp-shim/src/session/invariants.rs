//! What must be true of the sessions between any two inputs.

use shared::limits;

use super::Sessions;

impl Sessions {
    /// Panics if something that must always be true is not, the bounds of all that is kept
    /// included. It looks at everything and is slow: for tests and simulation.
    pub fn check_invariants(&self) {
        assert!(self.living().count() <= limits::SESSIONS_PER_SHIM);
        assert!(self.chats.len() <= limits::SESSIONS_PER_SHIM + limits::ENDED_SESSIONS);
        assert!(self.blocks.len() <= limits::BLOCK_TAGS);
        for chat in self.chats.values() {
            chat.check();
        }
        for chat in self.pending.values().map(|pending| pending.call.chat) {
            assert!(self.chats.contains_key(&chat), "a call waits for {chat:?}, which is gone");
        }
    }
}
