//! Windows has no numbers for accounts; the access list of a pipe lets nobody else in.

/// The user that this process acts for.
pub(in crate::endpoint) fn own_uid() -> u32 {
    0
}
