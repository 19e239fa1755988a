//! A relay of its own for each test, and clients that fail the test instead of waiting for ever.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use shared::{
    connection::Connection,
    endpoint::{ConnectError, Endpoint, Stream},
    id::{OwnerId, RoomId},
    message::{Author, ClientMessage, Hello, Resume, Welcome},
};
use tempfile::TempDir;
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
    time::{sleep, timeout},
};

/// Longer than anything that these tests wait for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
const RETRY: Duration = Duration::from_millis(5);

/// A running relay; killed when dropped.
pub(crate) struct Relay {
    child: Child,
    directory: TempDir,
    options: Vec<String>,
}

impl Relay {
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::start_with(options, &[])
    }

    pub(crate) fn start_with(options: &[&str], variables: &[(&str, &str)]) -> Self {
        let directory = private_directory();
        let mut command = command(&directory.path().join("relay.sock"));
        let log = File::create(directory.path().join("log")).unwrap();
        command.envs(variables.iter().copied()).arg("serve").args(options).stderr(log);
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        Self { child: command.spawn().unwrap(), directory, options }
    }

    /// For all accounts, and allowed so many open files, which it cannot change.
    pub(crate) fn start_for_all_with_files(files: u64, options: &[&str]) -> Self {
        let directory = private_directory();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o711)).unwrap();
        let relay = command(&directory.path().join("relay.sock"));
        let mut command = Command::new("sh");
        command.kill_on_drop(true).stdin(Stdio::null());
        command.args(["-c", "ulimit -n $0 && exec \"$@\"", &files.to_string()]);
        command.arg(relay.as_std().get_program()).args(relay.as_std().get_args());
        let log = File::create(directory.path().join("log")).unwrap();
        command.args(["serve", "--multi-user"]).args(options).stderr(log);
        Self { child: command.spawn().unwrap(), directory, options: Vec::new() }
    }

    /// Kills it, and starts the next one on the same socket once nothing is left of it.
    pub(crate) async fn kill_and_restart(&mut self) {
        self.child.kill().await.unwrap();
        let log = File::options().append(true).open(self.directory.path().join("log")).unwrap();
        let mut command = command(&self.socket());
        command.arg("serve").args(&self.options).stderr(log);
        self.child = command.spawn().unwrap();
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("relay.sock")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Runs another command of the program on the same socket.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = command(&self.socket());
        let output = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).output();
        timeout(PATIENCE, output).await.unwrap().unwrap()
    }

    /// Connects and says nothing.
    pub(crate) async fn connect(&self) -> Client {
        let endpoint = Endpoint::resolve(Some(&self.socket())).unwrap();
        let attempts = async {
            loop {
                match endpoint.connect().await {
                    Ok(stream) => return stream,
                    Err(
                        ConnectError::Absent | ConnectError::AbsentShared(_) | ConnectError::Busy,
                    ) => sleep(RETRY).await,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        Client { connection: Connection::new(timeout(PATIENCE, attempts).await.unwrap()) }
    }

    /// Connects without a session.
    pub(crate) async fn visit(&self) -> Client {
        let mut client = self.connect().await;
        client.greet(hello(None, None)).await;
        client
    }

    /// Connects with a new session of a new owner.
    pub(crate) async fn join(&self) -> Client {
        let mut client = self.connect().await;
        client.greet(hello(Some(owner()), None)).await;
        client
    }

    /// Which run of the relay a client is told that this is.
    pub(crate) async fn epoch(&self) -> u64 {
        self.connect().await.greet(hello(None, None)).await.epoch
    }

    /// Two clients that talk with each other.
    pub(crate) async fn pair(&self) -> Pair {
        let (mut a, mut b) = (self.join().await, self.join().await);
        let topic = format!("topic {}", number());
        a.enter(&topic).await;
        a.until("queued").await;
        b.enter(&topic).await;
        let room = room_id(&a.until("paired").await);
        assert_eq!(room_id(&b.until("paired").await), room);
        Pair { a, b, room, sent: 0 }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    pub(crate) async fn wait(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("the relay ends").unwrap()
    }
}

/// A directory that a socket can be in.
pub(crate) fn private_directory() -> TempDir {
    let private = Permissions::from_mode(0o700);
    tempfile::Builder::new().permissions(private).tempdir().unwrap()
}

/// The program on this socket, with nothing of this process's environment that concerns it.
pub(crate) fn command(socket: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relay"));
    command.kill_on_drop(true).stdin(Stdio::null()).arg("--socket").arg(socket);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MCP_CHAT_") {
            command.env_remove(name);
        }
    }
    command
}

pub(crate) struct Client {
    connection: Connection<Stream>,
}

impl Client {
    pub(crate) async fn greet(&mut self, hello: Hello<'_>) -> Welcome<'static> {
        timeout(PATIENCE, self.connection.handshake(hello)).await.unwrap().unwrap()
    }

    pub(crate) async fn send(&mut self, message: ClientMessage<'_>) {
        timeout(PATIENCE, self.connection.send(&message)).await.unwrap().unwrap();
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        timeout(PATIENCE, self.connection.get_mut().write_all(bytes)).await.unwrap().unwrap();
    }

    /// The same, to a relay that may close the connection meanwhile.
    pub(crate) async fn write_until_cut_off(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.connection.get_mut().write_all(bytes)).await.unwrap();
    }

    pub(crate) async fn enter(&mut self, topic: &str) {
        let display_name = "Stranger".into();
        self.send(ClientMessage::EnterQueue {
            display_name,
            topic: topic.into(),
            ticket: None,
            blocks: Vec::new(),
        })
        .await;
    }

    /// The next frame; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        let frame = timeout(PATIENCE, self.connection.receive_frame()).await;
        let frame = frame.expect("a frame comes").unwrap()?;
        Some(serde_json::from_slice(&frame).unwrap())
    }

    /// The content of the next frame of this type. What comes before is passed over, errors are
    /// not.
    pub(crate) async fn until(&mut self, kind: &str) -> Value {
        loop {
            let mut frame = self.next().await.unwrap_or_else(|| panic!("{kind} before the end"));
            if let Some(content) = frame.get_mut(kind) {
                return content.take();
            }
            assert!(frame.get("error").is_none(), "{frame} instead of {kind}");
        }
    }

    /// Exactly one error, of this code, and then the end.
    pub(crate) async fn expect_error_and_end(&mut self, code: &str) -> String {
        let error = self.until("error").await;
        assert_eq!(error["code"], code, "{error}");
        assert_eq!(self.next().await, None, "after {error}");
        error["message"].as_str().unwrap().to_owned()
    }

    /// Everything up to the end of the stream.
    pub(crate) async fn rest(&mut self) -> Vec<Value> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next().await {
            frames.push(frame);
        }
        frames
    }

    /// Returns once the relay has handled all that was sent before.
    pub(crate) async fn settle(&mut self) {
        self.send(ClientMessage::Ping {}).await;
        self.until("pong").await;
    }
}

/// Two clients in one room.
pub(crate) struct Pair {
    pub(crate) a: Client,
    pub(crate) b: Client,
    pub(crate) room: RoomId,
    sent: u64,
}

impl Pair {
    /// One more message of the first to the second.
    pub(crate) async fn send(&mut self, text: &str) {
        self.sent += 1;
        self.a.send(message(self.room, self.sent, text)).await;
    }

    /// One more message, which arrives and is acknowledged.
    pub(crate) async fn talk(&mut self) {
        self.send("are you there?").await;
        let (room_id, received) = (self.room, self.sent);
        assert_eq!(self.b.until("message").await["seq"], received);
        self.b.send(ClientMessage::Ack { room_id, received, read: received }).await;
        assert_eq!(self.a.until("ack").await["received"], received);
    }

    /// As much as goes to the second, who does not read, without being too much.
    pub(crate) async fn fill(&mut self) {
        let text = "x".repeat(8 * 1024);
        for _ in 0..100 {
            self.send(&text).await;
        }
        self.a.settle().await;
    }
}

pub(crate) fn message(room_id: RoomId, seq: u64, text: &str) -> ClientMessage<'_> {
    let author = Author::User;
    ClientMessage::Send { room_id, seq, author, text: text.into(), removed: 0 }
}

pub(crate) fn hello<'a>(owner: Option<OwnerId>, session: Option<Resume<'a>>) -> Hello<'a> {
    Hello { min: 1, max: 1, build: "test".into(), owner, session, blocks: Vec::new(), robot: false }
}

pub(crate) fn owner() -> OwnerId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number().to_le_bytes());
    OwnerId::from_bytes(bytes)
}

pub(crate) fn room_id(paired: &Value) -> RoomId {
    serde_json::from_value(paired["room_id"].clone()).unwrap()
}

/// Another one each time.
fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
