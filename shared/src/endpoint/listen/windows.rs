//! A named pipe that only its own user can open. Its first instance is the lock, too. It goes with
//! its last handle: nobody can take its name away.

use std::{io, path::Path};

use interprocess::{
    local_socket::ListenerOptions,
    os::windows::{local_socket::ListenerOptionsExt as _, security_descriptor::SecurityDescriptor},
};
use widestring::u16cstr;

use crate::endpoint::{account::Audience, error::ListenError, path::Endpoint, stream::socket_name};

pub(super) type RawListener = interprocess::os::windows::named_pipe::local_socket::tokio::Listener;

/// There are none but the pipe's own.
#[derive(Debug)]
pub(super) struct Names;

pub(super) fn take_names(
    endpoint: &Endpoint,
    audience: Audience,
) -> Result<(RawListener, Names), ListenError> {
    match audience {
        Audience::OwnAccount => Ok((bind(endpoint.path())?, Names)),
        Audience::EveryAccount => Err(ListenError::OwnAccountOnly),
    }
}

pub(super) fn unlink(_: &Path) {}

impl Names {
    pub(super) fn are_locked(&self) -> bool {
        true
    }

    pub(super) fn lead_to(&self, _: &Path) -> bool {
        true
    }

    pub(super) fn rebind(&mut self, path: &Path, _: Audience) -> Result<RawListener, ListenError> {
        bind(path)
    }
}

/// Makes the first instance of the pipe and listens.
fn bind(path: &Path) -> Result<RawListener, ListenError> {
    let bound = || {
        // Full access for the pipe's owner and for the system; nobody else, nothing inherited.
        let owner_only = u16cstr!("D:P(A;;GA;;;OW)(A;;GA;;;SY)");
        ListenerOptions::new()
            .name(socket_name(path)?)
            .reclaim_name(false)
            .security_descriptor(SecurityDescriptor::deserialize(owner_only)?)
            .create_tokio_as::<RawListener>()
    };
    bound().map_err(|error: io::Error| {
        if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::AddrInUse) {
            ListenError::AlreadyRunning { pid: None }
        } else {
            ListenError::Io { path: path.to_owned(), error }
        }
    })
}
