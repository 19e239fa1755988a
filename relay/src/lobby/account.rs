//! What one account has of what there is for all.

use std::collections::BTreeSet;

use shared::id::SessionId;

/// What one account has. It is forgotten with the last of its sessions.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) sessions: BTreeSet<SessionId>,
    /// Topics in which it waits, besides the default one.
    pub(super) topics: usize,
}
