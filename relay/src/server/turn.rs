//! How much is done in one turn of the server: a little for each connection, and for each account
//! no more than for another, so that nobody keeps the others waiting.

use std::ops::AddAssign;

/// What one connection can have done before the next one of its account has its turn.
const OF_CONNECTION: Work = Work { steps: 8, bytes: 4 * 1024 };
/// What one account can have done before the next one has its turn.
const OF_ACCOUNT: Work = Work { steps: 48, bytes: 16 * 1024 };
/// The same where there are several, hardly more than what one connection has: another account that
/// comes meanwhile waits for no more.
const OF_ACCOUNT_AMONG_OTHERS: Work = Work { steps: 4, bytes: 4 * 1024 };
/// New connections: a few of a crowd, which keeps neither waiting, itself or those who are in.
pub(super) const ACCEPTED: usize = 2;
/// What is read at once: no more than an account has done in one turn.
pub(super) const READ_BYTES: usize = OF_ACCOUNT.bytes;
/// What is written at once.
pub(super) const WRITTEN_BYTES: usize = 32 * 1024;

/// What was done: each frame is one step, and so is looking after a connection, and finding that what
/// was read holds no more. How much they cost depends on their length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Work {
    steps: usize,
    bytes: usize,
}

impl Work {
    pub(super) const NONE: Self = Self { steps: 0, bytes: 0 };

    /// One step with so many bytes.
    pub(super) fn step(bytes: usize) -> Self {
        Self { steps: 1, bytes }
    }

    /// So many bytes beside a step.
    pub(super) fn bytes(bytes: usize) -> Self {
        Self { steps: 0, bytes }
    }

    pub(super) fn is_all_of_connection(self) -> bool {
        self.reaches(OF_CONNECTION)
    }

    pub(super) fn is_all_of_account(self, among_others: bool) -> bool {
        self.reaches(if among_others { OF_ACCOUNT_AMONG_OTHERS } else { OF_ACCOUNT })
    }

    fn reaches(self, most: Self) -> bool {
        self.steps >= most.steps || self.bytes >= most.bytes
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.bytes += other.bytes;
    }
}
