//! A pipe that only its own user can open. Its first instance is the lock, too.

use std::{io, path::Path};

use interprocess::{
    local_socket::{ListenerOptions, Name, ToFsName as _},
    os::windows::{
        local_socket::{ListenerOptionsExt as _, NamedPipe},
        security_descriptor::SecurityDescriptor,
    },
};
use widestring::u16cstr;

use crate::endpoint::error::ListenError;

pub(in crate::endpoint) type RawListener =
    interprocess::os::windows::named_pipe::local_socket::tokio::Listener;

/// Makes the first instance of the pipe and listens.
pub(in crate::endpoint) fn bind(path: &Path) -> Result<RawListener, ListenError> {
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

pub(in crate::endpoint) fn socket_name(path: &Path) -> io::Result<Name<'_>> {
    path.to_fs_name::<NamedPipe>()
}
