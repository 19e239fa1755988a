//! What a process that crashes must not leave behind.

/// Lets this process, and those that it starts, leave no core dump: the relay's key, tokens and the
/// words of people are in its memory. Not by making it undumpable, which would hide it from its own
/// user.
///
/// On Linux a limit of 0 is ignored where dumps are handed to a program (`core_pattern` with `|`, as
/// for `systemd-coredump`), and one of exactly 1 byte aborts such a dump: `fs/coredump.c` of the
/// kernel, "RLIMIT_CORE is set to 1, aborting core". A dump in a file that is to be that short is
/// not begun there (`cprm.limit < binfmt->min_coredump`).
pub fn forbid() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};

        let bytes = if cfg!(target_os = "linux") { 1 } else { 0 };
        // Refused only where the limit that was inherited is lower, which is 0: no file then either.
        let _refused =
            setrlimit(Resource::Core, Rlimit { current: Some(bytes), maximum: Some(bytes) });
    }
}
