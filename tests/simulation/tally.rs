//! What happened in all, for the record.

/// What happened in all, for the record.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) relay_kills: u64,
    pub(crate) relay_stops: u64,
    pub(crate) shim_kills: u64,
    pub(crate) shim_stops: u64,
    pub(crate) suspends: u64,
    pub(crate) clock_jumps: u64,
    pub(crate) keys_lost: u64,
    pub(crate) impostors: u64,
    pub(crate) cuts: u64,
    pub(crate) deliveries: u64,
    /// Tasks whose result has reached a client.
    pub(crate) tasks: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.relay_kills += other.relay_kills;
        self.relay_stops += other.relay_stops;
        self.shim_kills += other.shim_kills;
        self.shim_stops += other.shim_stops;
        self.suspends += other.suspends;
        self.clock_jumps += other.clock_jumps;
        self.keys_lost += other.keys_lost;
        self.impostors += other.impostors;
        self.cuts += other.cuts;
        self.deliveries += other.deliveries;
        self.tasks += other.tasks;
    }
}
