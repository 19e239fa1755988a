//! A private directory, in it a socket, and whatever meets there. All of it is gone at the end.

use std::{
    fs::{File, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Mutex, PoisonError},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{BINARIES, Client, Shim, Signal, eventually, is_running, processes, signal};

/// A place where nobody else is.
#[derive(Debug)]
pub struct World {
    directory: TempDir,
    options: Vec<(String, String)>,
    relay: Mutex<Option<Child>>,
}

impl World {
    /// A world without a relay: the first shim that needs one starts it. The options are those of
    /// `relay serve`, without the dashes, and hold for each relay that starts here.
    #[must_use]
    pub fn empty(options: &[(&str, &str)]) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("mcp-chat-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .unwrap();
        std::fs::create_dir(directory.path().join("home")).unwrap();
        Self {
            directory,
            options: options
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            relay: Mutex::new(None),
        }
    }

    /// A world with a relay.
    #[must_use]
    pub fn serving(options: &[(&str, &str)]) -> Self {
        let world = Self::empty(options);
        world.serve();
        world
    }

    /// Its directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Its socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.directory().join("relay.sock")
    }

    /// The home directory of its shims.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.directory().join("home")
    }

    /// A command with nothing in its environment but what a client would give, and this world.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .env("MCP_CHAT_SOCKET", self.socket())
            .env("MCP_CHAT_RELAY", &BINARIES.relay)
            .current_dir(self.directory())
            .stdin(Stdio::null());
        for (name, value) in &self.options {
            let name = name.replace('-', "_").to_uppercase();
            command.env(format!("MCP_CHAT_RELAY_{name}"), value);
        }
        command
    }

    /// Runs a command to its end.
    #[must_use]
    pub fn run(&self, program: &Path, args: &[&str]) -> Output {
        self.command(program).args(args).output().unwrap()
    }

    /// A shim that is about to start.
    #[must_use]
    pub fn shim(&self) -> Shim {
        Shim::from(self.command(&BINARIES.shim))
    }

    /// A client of the `initialize` era, connected.
    #[must_use]
    pub fn client(&self) -> Client {
        self.shim().connect()
    }

    /// A stateless client, connected.
    #[must_use]
    pub fn modern_client(&self) -> Client {
        self.shim().modern().connect()
    }

    /// Starts a relay by hand and waits until it answers.
    pub fn serve(&self) {
        let log = File::options().create(true).append(true).open(self.relay_log()).unwrap();
        let mut command = Command::new(&BINARIES.relay);
        command
            .env_clear()
            .env("HOME", self.home())
            .arg("serve")
            .arg("--socket")
            .arg(self.socket());
        for (name, value) in &self.options {
            if name == "rust-log" {
                command.env("RUST_LOG", value);
            } else {
                command.arg(format!("--{name}")).arg(value);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut child = command.spawn().unwrap();
        eventually("the relay answers", || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the relay ended with {status}: {}", self.relay_stderr());
            }
            self.try_status().filter(|status| status["pid"] == child.id())
        });
        *self.relay.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
    }

    /// What a relay that was started by hand has said.
    #[must_use]
    pub fn relay_stderr(&self) -> String {
        std::fs::read_to_string(self.relay_log()).unwrap_or_default()
    }

    /// What `relay status --json` says.
    #[must_use]
    pub fn status(&self) -> Value {
        self.ask_status().unwrap_or_else(|why| {
            panic!("no relay answers ({:?} run): {why}\n{}", self.relays(), self.relay_stderr())
        })
    }

    /// The same, if there is a relay.
    #[must_use]
    pub fn try_status(&self) -> Option<Value> {
        self.ask_status().ok()
    }

    fn ask_status(&self) -> Result<Value, String> {
        let output = self.run(&BINARIES.relay, &["status", "--json"]);
        if output.status.success() {
            return Ok(serde_json::from_slice(&output.stdout).unwrap());
        }
        Err(format!("{}, {}", output.status, String::from_utf8_lossy(&output.stderr)))
    }

    /// The relays that run in this world.
    #[must_use]
    pub fn relays(&self) -> Vec<u32> {
        processes::running(&BINARIES.relay, self.directory())
    }

    /// The relay that answers.
    #[must_use]
    pub fn relay_pid(&self) -> u32 {
        let pid = |status: Value| u32::try_from(status["pid"].as_u64()?).ok();
        eventually("a relay answers", || self.try_status().and_then(pid))
    }

    /// The relay that answers after that one is gone.
    pub fn relay_after(&self, gone: u32) -> u32 {
        eventually("the next relay answers", || Some(self.relay_pid()).filter(|pid| *pid != gone))
    }

    /// Kills the relay that answers, as a crash would, waits until it is gone, and returns its id.
    pub fn kill_relay(&self) -> u32 {
        let pid = self.relay_pid();
        signal(pid, Signal::KILL);
        self.reap();
        eventually("the relay is gone", || (!is_running(pid)).then_some(()));
        pid
    }

    /// Waits for the end of the relay that was started by hand.
    #[must_use]
    pub fn relay_exit(&self) -> ExitStatus {
        let mut relay = self.relay.lock().unwrap_or_else(PoisonError::into_inner);
        let mut relay = relay.take().expect("a relay was started by hand");
        eventually("the relay ends", || relay.try_wait().unwrap())
    }

    /// What relays have logged that were started by shims.
    #[must_use]
    pub fn started_relays_log(&self) -> String {
        let log = self.home().join(".local/state/mcp-chat/relay.log");
        std::fs::read_to_string(log).unwrap_or_default()
    }

    fn relay_log(&self) -> PathBuf {
        self.directory().join("relay.log")
    }

    fn reap(&self) {
        if let Some(mut child) = self.relay.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        processes::kill_all(&[&BINARIES.shim, &BINARIES.relay], self.directory());
        self.reap();
        if std::thread::panicking() {
            eprintln!("--- stderr of the relay\n{}", self.relay_stderr());
            eprintln!("--- log of those that shims started\n{}", self.started_relays_log());
        }
    }
}
