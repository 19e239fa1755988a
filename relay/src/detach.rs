//! Leaving the terminal and the process that started this one.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::{
        fd::RawFd,
        unix::fs::{
            DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
        },
    },
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use nix::{sys::signal::SigSet, unistd::close};
use rustix::{
    fs::OFlags,
    process::{Resource, getrlimit, setsid},
    stdio::{dup2_stderr, dup2_stdin, dup2_stdout},
};
use shared::endpoint::beside;

/// Descriptors of a shell pipeline or of a client are among the first ones.
const DESCRIPTORS: u64 = 65_536;
/// The last of the standard streams.
const STDERR_FILENO: RawFd = 2;
/// A log longer than this is started anew.
const LOG_BYTES: u64 = 1024 * 1024;

/// Lets go of what the program that started this one has left to it, and would miss: its files and
/// pipes, its directory, the signals that it was not ready for. Nothing may be open yet but the
/// standard streams, and no other thread may run.
pub(crate) fn disinherit() -> anyhow::Result<()> {
    for descriptor in open_descriptors() {
        // One that only the list had open is closed by now.
        let _closed = close(descriptor);
    }
    SigSet::empty().thread_set_mask().context("cannot unblock signals")?;
    std::env::set_current_dir("/").context("cannot leave the directory")
}

/// All descriptors that may be open, but for the standard streams.
fn open_descriptors() -> Vec<RawFd> {
    let lists_all = cfg!(any(target_os = "linux", target_os = "macos"));
    let listed = fs::read_dir("/dev/fd").ok().filter(|_| lists_all).map(|entries| {
        let numbers = entries.flatten().map(|entry| entry.file_name());
        numbers.filter_map(|number| number.to_str()?.parse().ok()).collect()
    });
    let all = listed.unwrap_or_else(|| {
        let most = getrlimit(Resource::Nofile).current.unwrap_or(DESCRIPTORS).min(DESCRIPTORS);
        (0..RawFd::try_from(most).unwrap_or(RawFd::MAX)).collect::<Vec<_>>()
    });
    all.into_iter().filter(|number| *number > STDERR_FILENO).collect()
}

/// Makes this process a session of its own, without input and output, that logs to a file.
/// Nothing is forked: the process that started it is still its parent.
pub(crate) fn detach(socket: &Path) -> anyhow::Result<()> {
    let log = open_log(socket)?;
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    // Refused to the leader of a process group, as a shell makes one of each job: it then stays in
    // the shell's session, which is all that can be done without a fork. Whether it leads a session
    // already is not asked: in a container the session can be one without an id.
    match setsid() {
        Ok(_) | Err(rustix::io::Errno::PERM) => {}
        Err(error) => return Err(error).context("cannot start a session"),
    }
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&log)?;
    Ok(())
}

fn open_log(socket: &Path) -> anyhow::Result<File> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local").join("state")))
        .map(|state| state.join("mcp-chat").join("relay.log"));
    if let Some(log) = state
        && let Ok(file) = open_private(&log)
    {
        return Ok(file);
    }
    let log = beside(socket, ".log");
    open_log_file(&log).with_context(|| format!("cannot open a log file: {}", log.display()))
}

/// Opens a log that nobody else can read, in a directory that nobody else can enter.
fn open_private(path: &Path) -> io::Result<File> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let metadata = fs::symlink_metadata(directory)?;
    let is_ours = metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw();
    if !is_ours {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    if metadata.mode() & 0o077 != 0 {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
    }
    open_log_file(path)
}

/// Opens a log that nobody else can read, and leaves its directory as it is.
fn open_log_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        // Not blocking, in case it is a FIFO.
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("it is no regular file of this account"));
    }
    // The mode above is that of a new one.
    if metadata.mode() & 0o7777 != 0o600 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    if metadata.len() > LOG_BYTES {
        file.set_len(0)?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn a_log_is_private_and_bounded_and_never_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state").join("mcp-chat").join("relay.log");
        let file = open_private(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);

        file.set_len(LOG_BYTES).unwrap();
        assert_eq!(open_private(&path).unwrap().metadata().unwrap().len(), LOG_BYTES);
        file.set_len(LOG_BYTES + 1).unwrap();
        assert_eq!(open_private(&path).unwrap().metadata().unwrap().len(), 0);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        open_private(&path).unwrap();
        assert_eq!(mode(&path), 0o600, "one that an earlier relay or somebody else has left");

        let link = path.with_file_name("link.log");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(open_private(&link).is_err());
        let pipe = path.with_file_name("pipe.log");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let _reader = OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
        assert!(open_private(&pipe).is_err());
    }
}
