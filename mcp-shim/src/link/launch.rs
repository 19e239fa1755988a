//! Starting a relay. Many shims may do so at once: the relay's lock lets one of them live, and the
//! others end with "already running".

mod environment;
#[cfg(unix)]
mod ignored;

use std::{
    env,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
    time::timeout,
};

/// The environment variable that names the relay's program.
pub(crate) const RELAY_VARIABLE: &str = "MCP_CHAT_RELAY";
/// The environment variables that a started relay takes its options from begin with this.
const OPTION_PREFIX: &str = "MCP_CHAT_RELAY_";
/// The one of them that gets another default here.
const IDLE_EXIT_VARIABLE: &str = "MCP_CHAT_RELAY_IDLE_EXIT";
/// One that no started relay gets: only by hand is a relay opened to other accounts.
const MULTI_USER_VARIABLE: &str = "MCP_CHAT_RELAY_MULTI_USER";
/// Between two starts, as long as nobody answers.
const LAUNCH_EVERY: Duration = Duration::from_secs(1);
/// How long a relay may take to say why it cannot run.
const LAUNCH_WAIT: Duration = Duration::from_secs(3);
/// As much of what a failed relay says as is passed on, in bytes.
const SAID_BYTES: u64 = 2_048;

const LOCK: &str = "nothing panics while it holds this lock";

/// Starts relays, one a second at most.
#[derive(Debug)]
pub(crate) struct Launcher {
    socket: PathBuf,
    last: Arc<Mutex<Option<Launch>>>,
    /// A program that neither listens nor ends. No other is started beside it.
    hung: Mutex<Option<Child>>,
}

/// The last start, for those who ask within the next second.
#[derive(Debug)]
struct Launch {
    at: Instant,
    outcome: Result<Launched, LaunchError>,
}

/// What has come of a start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Launched {
    /// There is a relay that nobody has heard of yet.
    Started,
    /// It has ended in favour of another one, and has said so.
    InVain(String),
}

/// Why there is no relay, for people. It is useless to try again before somebody does something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LaunchError {
    #[error(
        "the relay's program was not found ({looked}); put `relay` beside `mcp-shim` or on PATH, \
         or set {RELAY_VARIABLE} to its path"
    )]
    NotFound { looked: String },
    #[error("{}{} was started as the relay and does nothing; end it", program.display(), of(*pid))]
    DoesNothing { program: PathBuf, pid: Option<u32> },
    #[error("{} {how}", program.display())]
    Failed { program: PathBuf, how: String },
}

impl LaunchError {
    fn failed(program: &Path, how: String) -> Self {
        Self::Failed { program: program.to_owned(), how }
    }
}

/// A process, for people, if it is known.
pub(crate) fn of(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

impl Launcher {
    /// Starts relays on this socket.
    #[must_use]
    pub(crate) fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned(), last: Arc::default(), hung: Mutex::default() }
    }

    /// Starts a relay, unless one was started less than a second ago.
    ///
    /// # Errors
    ///
    /// When there is no program, or it ends with an error at once.
    pub(crate) async fn launch(&self) -> Result<Launched, LaunchError> {
        let program = find_relay()?;
        if let Some(child) = self.hung.lock().expect(LOCK).as_mut()
            && let Ok(None) = child.try_wait()
        {
            return Err(does_nothing(&program, child));
        }
        {
            let mut last = self.last.lock().expect(LOCK);
            if let Some(launch) = last.as_ref().filter(|last| last.at.elapsed() < LAUNCH_EVERY) {
                return launch.outcome.clone();
            }
            *last = Some(Launch { at: Instant::now(), outcome: Ok(Launched::Started) });
        }
        let outcome = self.start(&program).await;
        *self.last.lock().expect(LOCK) =
            Some(Launch { at: Instant::now(), outcome: outcome.clone() });
        outcome
    }

    /// A relay has answered: when it is gone, another can be started at once.
    pub(crate) fn answered(&self) {
        *self.last.lock().expect(LOCK) = None;
    }

    async fn start(&self, program: &Path) -> Result<Launched, LaunchError> {
        let mut command = Command::new(program);
        command.args(["serve", "--detach"]);
        // Always: it must listen where this shim looks for it.
        command.arg("--socket").arg(&self.socket);
        let here = env::current_dir().ok();
        command.env_clear().envs(environment::for_relay(env::vars_os(), here.as_deref()));
        #[cfg(unix)]
        {
            // The disk that the client was started from can be unmounted while the relay lives.
            command.current_dir("/");
            ignored::catch();
        }
        if env::var_os(IDLE_EXIT_VARIABLE).is_none_or(|value| value.is_empty()) {
            let idle = humantime::format_duration(shared::limits::IDLE_EXIT).to_string();
            command.args(["--idle-exit", &idle]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let not_started = |error| format!("could not be started: {error}");
        let child = command.spawn().map_err(not_started);
        let mut child = child.map_err(|how| LaunchError::failed(program, how))?;

        // A relay that stays up lets go of its standard error once it listens.
        let mut said = Vec::new();
        if let Some(stderr) = child.stderr.take()
            && timeout(LAUNCH_WAIT, stderr.take(SAID_BYTES).read_to_end(&mut said)).await.is_err()
        {
            let error = does_nothing(program, &child);
            *self.hung.lock().expect(LOCK) = Some(child);
            return Err(error);
        }
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        if said.is_empty() {
            self.watch(child, program);
            return Ok(Launched::Started);
        }
        // It has said why it does not stay up, and ends with that.
        match timeout(LAUNCH_WAIT, child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(Launched::InVain(said)),
            Ok(_) | Err(_) => Err(LaunchError::failed(program, format!("did not stay up: {said}"))),
        }
    }
}

impl Launcher {
    /// Takes note if a relay that seemed to be up ends at once without having said why.
    fn watch(&self, mut child: Child, program: &Path) {
        let (last, program, began) = (Arc::clone(&self.last), program.to_owned(), Instant::now());
        tokio::spawn(async move {
            let status = child.wait().await;
            // One that was killed is replaced; one that ends itself with an error would again.
            let failed = |status: &ExitStatus| status.code().is_some_and(|code| code != 0);
            if let Ok(status) = status.as_ref()
                && failed(status)
                && began.elapsed() < LAUNCH_EVERY
            {
                let how =
                    format!("ended with {status} and said nothing; is it the relay of mcp-chat?");
                let outcome = Err(LaunchError::failed(&program, how));
                *last.lock().expect(LOCK) = Some(Launch { at: Instant::now(), outcome });
            }
        });
    }
}

fn does_nothing(program: &Path, child: &Child) -> LaunchError {
    LaunchError::DoesNothing { program: program.to_owned(), pid: child.id() }
}

/// The relay's program: as the environment says, beside this one, or on the path.
///
/// # Errors
///
/// When there is none.
pub(crate) fn find_relay() -> Result<PathBuf, LaunchError> {
    if let Some(named) = env::var_os(RELAY_VARIABLE).filter(|named| !named.is_empty()) {
        let path = PathBuf::from(&named);
        if path.is_file() {
            return Ok(from_anywhere(path));
        }
        return Err(not_found(&format!("{RELAY_VARIABLE} is {}", path.display())));
    }
    let name = format!("relay{}", env::consts::EXE_SUFFIX);
    let beside = own_path().and_then(|own| Some(own.parent()?.join(&name)));
    if let Some(path) = beside.as_ref().filter(|path| path.is_file()) {
        return Ok(path.clone());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found =
        env::split_paths(&path).map(|folder| folder.join(&name)).find(|path| path.is_file());
    found.map(from_anywhere).ok_or_else(|| match beside {
        Some(path) => not_found(&format!("neither {} nor on PATH", path.display())),
        None => not_found("not on PATH"),
    })
}

/// Relays are started in another directory.
fn from_anywhere(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

fn not_found(looked: &str) -> LaunchError {
    LaunchError::NotFound { looked: looked.to_owned() }
}

/// The path that this program was started by. Not that of the running image: an update replaces
/// the file under that, and the new relay stands beside the new shim.
#[must_use]
pub(crate) fn own_path() -> Option<PathBuf> {
    let started_as = PathBuf::from(env::args_os().next().unwrap_or_default());
    if started_as.components().count() > 1 {
        return std::path::absolute(started_as).ok();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|folder| folder.join(&started_as)).find(|path| path.is_file())
}
