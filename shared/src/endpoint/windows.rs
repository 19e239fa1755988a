//! A named pipe that only its own user can open. The pipe goes with its last handle: there is no
//! name to bind again or to unlink, and no lock but the pipe's first instance.

use std::{
    env, io,
    path::{Path, PathBuf},
};

use interprocess::{
    local_socket::{
        ConnectOptions, ListenerOptions, Name, ToFsName as _,
        traits::{StreamCommon as _, tokio::Listener as _},
    },
    os::windows::{
        local_socket::{ListenerOptionsExt as _, NamedPipe},
        security_descriptor::SecurityDescriptor,
    },
};
use widestring::u16cstr;

use super::{
    Audience, ConnectError, EndpointError, KEY_BYTES, Key, KeyOrigin, ListenError, Peer,
    SOCKET_VARIABLE, Standing, Stream,
};

pub(super) type RawStream = interprocess::os::windows::named_pipe::local_socket::tokio::Stream;
type RawListener = interprocess::os::windows::named_pipe::local_socket::tokio::Listener;

/// Windows has no numbers for users; the pipe's access list lets nobody else in.
const NO_UID: u32 = 0;

/// A place where a relay can listen and clients can find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    path: PathBuf,
}

impl Endpoint {
    /// The endpoint of the pipe given, else of `$MCP_CHAT_SOCKET`, else the default one of this
    /// user.
    ///
    /// # Errors
    /// None on this system.
    pub fn resolve(explicit: Option<&Path>) -> Result<Self, EndpointError> {
        let variable = env::var_os(SOCKET_VARIABLE).filter(|value| !value.is_empty());
        let path = explicit.map(Path::to_owned).or(variable.map(PathBuf::from));
        Ok(Self { path: path.unwrap_or_else(default_path) })
    }

    /// The path of the pipe.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Connects to the relay.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn connect(&self) -> Result<Stream, ConnectError> {
        const ERROR_PIPE_BUSY: i32 = 231;
        let name = pipe_name(&self.path).map_err(ConnectError::Io)?;
        let options = ConnectOptions::new().name(name);
        let connected = options.connect_tokio_as::<RawStream>().await;
        let raw = connected.map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                ConnectError::Absent
            } else if error.raw_os_error() == Some(ERROR_PIPE_BUSY) {
                ConnectError::Busy
            } else {
                ConnectError::Io(error)
            }
        })?;
        let peer = peer(&raw).map_err(|_| ConnectError::Busy)?;
        Ok(Stream { raw, peer })
    }

    /// Becomes the relay of this endpoint, for this audience.
    ///
    /// # Errors
    /// See [`ListenError`].
    pub fn listen(&self, audience: Audience) -> Result<Listener, ListenError> {
        match audience {
            Audience::OwnAccount => {}
            Audience::EveryAccount => return Err(ListenError::OwnAccountOnly),
        }
        let on_error = |error: io::Error| {
            if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::AddrInUse) {
                ListenError::AlreadyRunning { pid: None }
            } else {
                ListenError::Io { path: self.path.clone(), error }
            }
        };
        let listening = || {
            // Full access for the pipe's owner and for the system; nobody else, nothing inherited.
            let owner_only = u16cstr!("D:P(A;;GA;;;OW)(A;;GA;;;SY)");
            ListenerOptions::new()
                .name(pipe_name(&self.path)?)
                .reclaim_name(false)
                .security_descriptor(SecurityDescriptor::deserialize(owner_only)?)
                .create_tokio_as::<RawListener>()
        };
        Ok(Listener { pipe: listening().map_err(on_error)?, path: self.path.clone() })
    }

    /// Always `None`: clients may start a relay here.
    #[must_use]
    pub fn started_by_hand(&self) -> Option<String> {
        None
    }
}

/// The user whom this process acts for.
pub(super) fn own_uid() -> u32 {
    NO_UID
}

/// A relay's pipe.
#[derive(Debug)]
pub struct Listener {
    pipe: RawListener,
    path: PathBuf,
}

impl Listener {
    /// The next connection. Safe to cancel: no connection is lost.
    ///
    /// # Errors
    /// What the system says. None of them ends the listener.
    pub async fn accept(&self) -> io::Result<Stream> {
        let raw = self.pipe.accept().await?;
        let peer = peer(&raw)?;
        Ok(Stream { raw, peer })
    }

    /// The path of the pipe.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A key for this relay only: beside a pipe there is no place to keep one.
    #[must_use]
    pub fn key(&self, fresh: [u8; KEY_BYTES]) -> Key {
        let reason = "there is no place for it on this system".to_owned();
        Key { bytes: fresh, origin: KeyOrigin::Ephemeral(reason) }
    }

    /// Does nothing: the key goes with the relay.
    ///
    /// # Errors
    /// None.
    pub fn forget_key(&self) -> io::Result<()> {
        Ok(())
    }

    /// Does nothing: the pipe goes with the listener.
    pub fn unlink(&self) {}

    /// Always [`Standing::Ours`]: nobody can take the name away.
    #[must_use]
    pub fn check(&self) -> Standing {
        Standing::Ours
    }

    /// Does nothing, for [`check`](Self::check) never asks for it.
    ///
    /// # Errors
    /// None.
    pub fn rebind(&mut self) -> Result<(), ListenError> {
        Ok(())
    }
}

fn default_path() -> PathBuf {
    let user = env::var("USERNAME").unwrap_or_default();
    PathBuf::from(format!(r"\\.\pipe\mcp-chat-v1-{user}"))
}

fn pipe_name(path: &Path) -> io::Result<Name<'_>> {
    path.to_fs_name::<NamedPipe>()
}

fn peer(stream: &RawStream) -> io::Result<Peer> {
    Ok(Peer { uid: NO_UID, pid: stream.peer_creds()?.pid() })
}
