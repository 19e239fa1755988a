//! Accounts by their numbers.

use rustix::process::geteuid;

/// The user that this process acts for.
pub(in crate::endpoint) fn own_uid() -> u32 {
    geteuid().as_raw()
}
