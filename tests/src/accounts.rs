//! Several accounts of one computer: programs that each can run, and a directory of each.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write as _},
    os::unix::{
        fs::{PermissionsExt as _, chown},
        net::UnixStream,
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
};

use rustix::{process::Uid, thread::set_thread_uid};
use tempfile::TempDir;

use crate::{BINARIES, Shim, eventually, peer::Peer, processes};

/// An account that nobody has.
const PROBE: u32 = 61_000;

/// Accounts as the kernel knows them, by number; no entry anywhere is needed.
#[derive(Debug)]
pub struct Accounts {
    directory: TempDir,
    relay: PathBuf,
    shim: PathBuf,
}

impl Accounts {
    /// A place that every account can reach. `None`, and a word about it, unless this is root, who
    /// alone can act for others, and there are others.
    #[must_use]
    pub fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            // Not by a macro, whose output the test runner would keep to itself.
            io::stderr().write_all(b"skipped, for it needs root: several accounts\n").unwrap();
            return None;
        }
        let open = Permissions::from_mode(0o755);
        let directory = tempfile::Builder::new().prefix("mcp-chat-").permissions(open).tempdir();
        let directory = directory.unwrap();
        // Where they are built is not for every account to enter.
        let copied = |program: &Path| {
            let copy = directory.path().join(program.file_name().unwrap());
            // Not by this process, which other tests may fork meanwhile: nobody can run what a
            // child holds open for writing.
            assert!(Command::new("cp").arg(program).arg(&copy).status().unwrap().success());
            fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
            copy
        };
        let (relay, shim) = (copied(&BINARIES.relay), copied(&BINARIES.shim));
        // Root in a container may have no other accounts, or none that comes this far.
        let mut probe = Command::new(&shim);
        probe.arg("--version").uid(PROBE).gid(PROBE).stdin(Stdio::null()).stdout(Stdio::null());
        if !probe.status().is_ok_and(|status| status.success()) {
            let why = "skipped, for no other account can run programs in the directory of \
                       temporary files: several accounts\n";
            io::stderr().write_all(why.as_bytes()).unwrap();
            return None;
        }
        Some(Self { directory, relay, shim })
    }

    /// A directory of this account, with this mode.
    #[must_use]
    pub fn directory_of(&self, uid: u32, name: &str, mode: u32) -> PathBuf {
        let path = self.directory.path().join(name);
        if !path.exists() {
            fs::create_dir(&path).unwrap();
        }
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        chown(&path, Some(uid), Some(uid)).unwrap();
        path
    }

    /// A relay of this account on this socket, which answers; killed when dropped.
    #[must_use]
    pub fn serve(&self, uid: u32, socket: &Path, options: &[&str]) -> Serving {
        let log = self.directory.path().join("relay.log");
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let mut command = self.command(&self.relay, uid);
        command.args(["serve", "--socket"]).arg(socket).args(options);
        let mut child = command.stdout(Stdio::null()).stderr(file).spawn().unwrap();
        eventually("the relay answers", || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the relay ended with {status}: {}", fs::read_to_string(&log).unwrap());
            }
            self.ask(uid, &["status"], socket).status.success().then_some(())
        });
        Serving { child }
    }

    /// Runs a command of `relay` as this account, to its end.
    #[must_use]
    pub fn ask(&self, uid: u32, arguments: &[&str], socket: &Path) -> Output {
        let mut command = self.command(&self.relay, uid);
        command.args(arguments).arg("--socket").arg(socket).output().unwrap()
    }

    /// `mcp-shim doctor` as this account.
    #[must_use]
    pub fn doctor(&self, uid: u32, socket: &Path) -> Output {
        let mut command = self.command(&self.shim, uid);
        command.arg("doctor").arg("--socket").arg(socket).output().unwrap()
    }

    /// A shim of this account that is about to start, for this socket.
    #[must_use]
    pub fn shim(&self, uid: u32, socket: &Path) -> Shim {
        Shim::from(self.command(&self.shim, uid)).args([Path::new("--socket"), socket])
    }

    /// A connection of this account, which has said nothing.
    #[must_use]
    pub fn peer(&self, uid: u32, socket: &Path) -> Peer {
        let connect = || {
            // The kernel keeps an account for each thread, and tells that of the one that connects.
            set_thread_uid(Uid::from_raw(uid)).unwrap();
            UnixStream::connect(socket).unwrap()
        };
        Peer::over(thread::scope(|scope| scope.spawn(connect).join()).unwrap())
    }

    /// The relays that run here.
    #[must_use]
    pub fn relays(&self) -> Vec<u32> {
        processes::running(&self.relay, self.directory.path())
    }

    fn command(&self, program: &Path, uid: u32) -> Command {
        let home = self.directory_of(uid, &format!("home-{uid}"), 0o700);
        let mut command = Command::new(program);
        command.env_clear().env("HOME", &home).current_dir("/").stdin(Stdio::null());
        command.uid(uid).gid(uid);
        command
    }
}

impl Drop for Accounts {
    fn drop(&mut self) {
        processes::kill_all(&[&self.shim, &self.relay], self.directory.path());
        if thread::panicking() {
            let log = fs::read_to_string(self.directory.path().join("relay.log"));
            eprintln!("--- stderr of the relay\n{}", log.unwrap_or_default());
        }
    }
}

/// A relay that runs.
#[derive(Debug)]
pub struct Serving {
    child: Child,
}

impl Serving {
    /// Waits until it has ended by itself.
    pub fn ended(mut self) {
        let status = eventually("the relay ends", || self.child.try_wait().unwrap());
        assert!(status.success(), "{status}");
    }

    /// Kills it, as a crash would, and waits until it is gone.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
