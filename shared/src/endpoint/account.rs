//! Accounts of this computer: which one this process acts for, who is at the other end of a
//! connection, and who may do what.

/// The user that this process acts for. Windows has no numbers for users: there the access list of
/// the pipe lets nobody else in.
pub(super) fn own_uid() -> u32 {
    #[cfg(unix)]
    return rustix::process::geteuid().as_raw();
    #[cfg(windows)]
    return 0;
}

/// Which accounts may connect to a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The account that runs it.
    OwnAccount,
    /// Every account of this computer.
    EveryAccount,
}

/// Who is at the other end of a connection, according to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The effective user id; 0 for everybody on Windows, where only the own user can connect.
    pub uid: u32,
    /// The process id, where the system tells it.
    pub pid: Option<u32>,
}

/// Whether this user runs this process.
#[must_use]
pub fn is_own_account(uid: u32) -> bool {
    uid == own_uid()
}

/// Whether this user may end a relay that this process is: its own account and root may.
#[must_use]
pub fn is_in_charge(uid: u32) -> bool {
    uid == 0 || is_own_account(uid)
}
