//! Rules of the protocol that the simulation can take away, to see that it notices.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A sender frees a message only when the partner's shim has it.
    EndToEndAck,
    /// A receiver takes only the next seq.
    Deduplication,
    /// A leave is repeated until it is answered.
    RepeatedLeave,
    /// A shim never enters a room again that it has closed.
    ClosedRooms,
    /// A room whose member does not come back is closed.
    HalfOpenExpiry,
    /// After an attach each side learns what the other has.
    SyncAfterAttach,
    /// A connection is that of its session once it has said `hello`, and nothing is sent to it
    /// before.
    IdentityAtHello,
    /// No grace passes while the relay does not run.
    SleptOver,
    /// Who is left at once and without a word has the old place again.
    KeptPlace,
    /// A match spends the ticket.
    SpentTicket,
    /// A ticket is for one topic.
    TicketOfATopic,
    /// A client presents what it has blocked.
    PresentedBlocks,
    /// No relay has an earlier epoch than the one before.
    RisingEpoch,
}

impl Rule {
    pub(crate) const ALL: [Self; 13] = [
        Self::EndToEndAck,
        Self::Deduplication,
        Self::RepeatedLeave,
        Self::ClosedRooms,
        Self::HalfOpenExpiry,
        Self::SyncAfterAttach,
        Self::IdentityAtHello,
        Self::SleptOver,
        Self::KeptPlace,
        Self::SpentTicket,
        Self::TicketOfATopic,
        Self::PresentedBlocks,
        Self::RisingEpoch,
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| format!("{rule:?}") == name)
    }
}
