//! A relay outlives the client whose call has started it. It keeps nothing of that client: neither
//! its pipes, its directory, its secrets, nor the signals that it was not ready for.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{OpenOptionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use serde_json::json;
use tests::{BINARIES, PATIENCE, Shim, Signal, World, enter, eventually, signal};

/// Becomes a program, as its child never would be started: with a pipe at many numbers, and with
/// signals blocked and ignored.
const STARTER: &str = "
import os, signal, sys
pipe = os.open(sys.argv[1], os.O_WRONLY)
for number in (3, 4, 9, 63, 200):
    os.dup2(pipe, number)
S = signal
S.pthread_sigmask(S.SIG_BLOCK, {S.SIGHUP, S.SIGTERM, S.SIGCHLD, S.SIGUSR1, S.SIGRTMIN})
if sys.argv[2] == 'ignore':
    for number in (S.SIGHUP, S.SIGTERM, S.SIGCHLD, S.SIGPIPE, S.SIGUSR2, S.SIGXFSZ, S.SIGQUIT):
        S.signal(number, S.SIG_IGN)
else:
    S.signal(S.SIGXFSZ, S.SIG_DFL)
os.execv(sys.argv[3], sys.argv[3:])
";

/// A pipe that its writers are started with.
struct Leak {
    path: PathBuf,
    reader: File,
}

impl Leak {
    fn new(world: &World) -> Self {
        let path = world.directory().join("leak");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let reader = OpenOptions::new().read(true).custom_flags(flags).open(&path).unwrap();
        Self { path, reader }
    }

    /// A command that leaks it, and more, to the program.
    fn command(&self, world: &World, ignore: bool, program: &Path) -> Command {
        let mut command = world.command(Path::new("/usr/bin/env"));
        command.args(["python3", "-c", STARTER]).arg(&self.path);
        command.arg(if ignore { "ignore" } else { "" }).arg(program);
        command
    }

    fn is_held(&self) -> bool {
        match (&self.reader).read(&mut [0]) {
            Ok(read) => read > 0,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

fn descriptors(pid: u32) -> Vec<PathBuf> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    open.filter_map(|entry| fs::read_link(entry.path()).ok()).collect()
}

fn directory(pid: u32) -> PathBuf {
    fs::read_link(format!("/proc/{pid}/cwd")).unwrap()
}

fn environment(pid: u32) -> Vec<(String, String)> {
    let all = fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
    let all = all.split_terminator('\0').map(|one| one.split_once('=').unwrap());
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Which signals a process blocks (`SigBlk`) or ignores (`SigIgn`).
fn signals(pid: u32, which: &str) -> BTreeSet<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix(which)).unwrap();
    let mask = u64::from_str_radix(mask.trim_start_matches(':').trim(), 16).unwrap();
    // Two are the C library's own, which ignores them in what it starts.
    let all = (1..=64).filter(|number| ![32, 33].contains(number));
    all.filter(|number| mask & 1 << (number - 1) != 0).collect()
}

/// Every Rust program ignores it.
fn broken_pipe_only() -> BTreeSet<u32> {
    BTreeSet::from([Signal::PIPE.as_raw().cast_unsigned()])
}

#[test]
fn a_started_relay_holds_no_pipe_no_directory_and_no_signal_of_its_client() {
    let world = World::empty(&[]);
    let leak = Leak::new(&world);
    let client = Shim::from(leak.command(&world, true, &BINARIES.shim)).connect();
    enter(&client, json!({}));
    assert!(leak.is_held() && descriptors(client.pid()).contains(&leak.path));
    assert!(signals(client.pid(), "SigBlk").len() > 4, "the shim itself is as it was started");

    let relay = world.relay_pid();
    let open = descriptors(relay);
    assert!(!open.contains(&leak.path), "{open:?}");
    assert_eq!(directory(relay), Path::new("/"));
    assert_eq!(signals(relay, "SigBlk"), BTreeSet::new());
    assert_eq!(signals(relay, "SigIgn"), broken_pipe_only());

    client.close_stdin();
    client.wait_exit(PATIENCE);
    assert!(!leak.is_held(), "who reads the client's pipe to its end waits for ever");
    assert_eq!(world.relay_pid(), relay, "the relay lives");
    signal(relay, Signal::TERM);
    eventually("the relay heeds the signal", || world.relays().is_empty().then_some(()));
}

#[test]
fn a_started_relay_has_this_environment_and_no_other() {
    let world = World::empty(&[("grace", "30s")]);
    let mut shim = world.command(&BINARIES.shim);
    let kept = [
        ("LANG", "C.UTF-8"),
        ("TZ", "Europe/Zurich"),
        ("RUST_LOG", "info"),
        ("XDG_STATE_HOME", "/tmp"),
        ("SSL_CERT_FILE", "/nonexistent/file"),
        ("SSL_CERT_DIR", "/nonexistent"),
        ("MCP_CHAT_RELAY_IDLE_EXIT", "5m"),
    ];
    let state = world.directory().join("state");
    shim.envs(kept).env("XDG_STATE_HOME", &state);
    shim.envs([
        ("ANTHROPIC_API_KEY", "secret"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("SSH_AUTH_SOCK", "/tmp/agent"),
        ("LC_ALL", "C"),
        ("LANGUAGE", "de"),
        ("PATHS", "secret"),
        ("HOMEBREW_GITHUB_API_TOKEN", "secret"),
        ("XDG_RUNTIME_DIR", "/tmp"),
        ("LD_LIBRARY_PATH", "/nonexistent"),
        ("NOTIFY_SOCKET", "/nonexistent"),
        ("LISTEN_FDS", "1"),
        ("LISTEN_PID", "1"),
        ("LISTEN_FDNAMES", "relay"),
        ("WATCHDOG_USEC", "1000000"),
        ("WATCHDOG_PID", "1"),
        ("MCP_CHAT_RELAY_NOTIFY_SOCKET", "/nonexistent"),
        ("MCP_CHAT_RELAY_MULTI_USER", "true"),
        ("MCP_CHAT_RELAY_AWAY_AFTER", ""),
    ]);
    enter(&Shim::from(shim).connect(), json!({}));
    let mut wanted: BTreeSet<&str> = kept.iter().map(|(name, _)| *name).collect();
    wanted.extend(["PATH", "HOME", "MCP_CHAT_RELAY_GRACE"]);
    let environment = environment(world.relay_pid());
    let names: BTreeSet<&str> = environment.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, wanted);
    let of = |wanted: &str| environment.iter().find(|(name, _)| name == wanted).unwrap().1.clone();
    assert_eq!(of("MCP_CHAT_RELAY_GRACE"), "30s");
    assert_eq!(of("RUST_LOG"), "info");
    assert!(state.join("mcp-chat/relay.log").is_file());
}

#[test]
fn relative_paths_mean_to_a_relay_what_they_mean_to_its_shim() {
    let world = World::empty(&[]);
    let here = world.directory();
    fs::create_dir(here.join("bin")).unwrap();
    symlink(&BINARIES.relay, here.join("bin/relay")).unwrap();
    symlink(&BINARIES.shim, here.join("shim")).unwrap();
    let relative = |named: bool, socket: &str| {
        let mut shim = world.command(&here.join("shim"));
        shim.env("HOME", "home").env("PATH", "bin").env("XDG_STATE_HOME", "state");
        shim.env("SSL_CERT_FILE", "certificates").env_remove("MCP_CHAT_RELAY");
        if named {
            shim.env("MCP_CHAT_RELAY", "bin/relay").env("MCP_CHAT_SOCKET", socket);
        } else {
            shim.env_remove("MCP_CHAT_SOCKET").args(["--socket", socket]);
        }
        Shim::from(shim).connect()
    };
    for named in [true, false] {
        let client = relative(named, "relay.sock");
        enter(&client, json!({}));
        let relay = world.relay_pid();
        assert_eq!(directory(relay), Path::new("/"));
        let environment = environment(relay);
        let of = |wanted| environment.iter().find(|(name, _)| name == wanted).unwrap().1.clone();
        for (name, path) in [
            ("PATH", "bin"),
            ("HOME", "home"),
            ("XDG_STATE_HOME", "state"),
            ("SSL_CERT_FILE", "certificates"),
        ] {
            assert_eq!(Path::new(&of(name)), here.join(path), "{name}");
        }
        assert!(here.join("state/mcp-chat/relay.log").is_file());
        client.close_stdin();
        client.wait_exit(PATIENCE);
        world.kill_relay();
    }
}

/// By hand, too; but the environment is what the person has given it.
#[test]
fn a_relay_that_detaches_keeps_nothing_open_and_one_that_stays_keeps_all() {
    for detaches in [true, false] {
        let world = World::empty(&[]);
        let leak = Leak::new(&world);
        let mut command = leak.command(&world, false, &BINARIES.relay);
        command.arg("serve").args(detaches.then_some("--detach")).env("ANYTHING", "at all");
        let mut relay = command.spawn().unwrap();
        let pid = world.relay_pid();
        assert_eq!(pid, relay.id());
        let [is_open, is_held] = [descriptors(pid).contains(&leak.path), leak.is_held()];
        assert_eq!([is_open, is_held], [!detaches; 2]);
        let place = if detaches { Path::new("/") } else { world.directory() };
        assert_eq!(directory(pid), place);
        assert_eq!(signals(pid, "SigBlk").is_empty(), detaches);
        // What it ignores is what it was started to ignore.
        let ignored = &signals(std::process::id(), "SigIgn") | &broken_pipe_only();
        assert!(signals(pid, "SigIgn").is_subset(&ignored));
        assert!(environment(pid).contains(&("ANYTHING".to_owned(), "at all".to_owned())));
        relay.kill().unwrap();
        relay.wait().unwrap();
    }
}
